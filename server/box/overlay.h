/*
 * overlay.h - the root of a job in file mode: its caller's files, its toolchain below them, its own changes above.
 *
 * The caller's files come from a process (fuse.h) that must not wait for them
 * itself, so whatever looks into the new root before the job does is done in a
 * child, while we serve it.
 */
#ifndef RCC_BOX_OVERLAY_H
#define RCC_BOX_OVERLAY_H

#include "fuse.h"
#include "job.h"

/* The job's own directories in its root: hidden from the view. */
#define OVERLAY_SCRATCH JOB_SCRATCH	/* for TMPDIR, its bytes counted with the job's changes */

struct overlay {
	const char *toolchain;		/* a root's directory; what it holds must be hidden from the view */
	const char *place;		/* a directory to mount all this on */
	uint64_t bytes;			/* that the job may write */
	unsigned files;			/* and make */
	struct fuse_owner owner;
	bool in_user_namespace;		/* we are root in one only */

	int upper;			/* from overlay_prepare(): where the changes are; the caller closes it */
	int proc;			/* as well: the job's own /proc */
	int root;			/* from overlay_enter(): "/" of the job, to name files in it; as well */
};

/* A mount namespace of our own, in which nothing that we mount is seen elsewhere. Errors name the step. */
int overlay_prepare(struct overlay *o, struct view *v, const struct fuse_hooks *hooks, void *arg, struct fuse **f,
		    struct err *err);
/* Ends in the new root, with the old one gone. */
int overlay_enter(struct overlay *o, struct fuse *f, struct err *err);

#endif
