/*
 * fuse.h - a view as a file system, in the kernel's own protocol (linux/fuse.h, 7.31).
 *
 * Read-only, for one job, served from the box's loop: a request that needs the
 * caller, or contents that have not come yet, waits while others are
 * answered. Who serves it must never wait for something below the mount point
 * itself: not name a path there, and start programs there by fork(2), as
 * vfork(2) returns only after the kernel has read the program.
 */
#ifndef RCC_BOX_FUSE_H
#define RCC_BOX_FUSE_H

#include <sys/types.h>

#include "view.h"

enum {
	FUSE_QUESTIONS_MAX = 1 << 15,
	FUSE_ANSWER_SECONDS = 30,	/* for one question, or for contents */
};

/* Set in each inode number that comes from here. */
#define FUSE_INODE (1ULL << 40)

struct fuse_hooks {
	/* Say to the caller: what is path, and if listing, which names are in it? fuse_answer() later, not from within. */
	void (*ask)(void *arg, uint64_t question, const char *path, bool listing);
	/* Contents to read from, the file system's then. -1 with EAGAIN: fuse_arrived() will tell; with another: they cannot be had. */
	int (*open)(void *arg, const struct digest *digest);
	/* The job cannot go on, and why. Once; all requests fail from now on. */
	void (*stop)(void *arg, const char *why);
};

/* Who the job is. If there is a second user where we are, files that are not its caller's are that one's. */
struct fuse_owner {
	uid_t uid, other_uid;
	gid_t gid, other_gid;
	bool other;
};

struct fuse_counts {
	uint64_t requests, lookups, reads, listings, questions, waits, bytes;
};

struct fuse;

/*
 * Mount it on a directory, in this mount namespace. The view stays the caller's, and so does proc: a /proc to learn from
 * which program runs (places.h). ERR_IO names the step.
 */
int fuse_mount(const char *where, struct view *v, int proc, const struct fuse_owner *owner, const struct fuse_hooks *hooks,
	       void *arg, struct fuse **out, struct err *err);
/* The next program is another one. Not while one runs. */
void fuse_program_ended(struct fuse *f);
/*
 * Requests that are not answered fail, and all that come. To be called before
 * anybody waits for the job's processes to end: one that waits for a file
 * cannot, not even when it is killed.
 */
void fuse_free(struct fuse *f);
int fuse_fd(const struct fuse *f);	/* readable: fuse_turn() */
/* One request, if there is one. ERR_CLOSED: it is mounted nowhere any more; ERR_UNSUPPORTED: the kernel is too old. */
int fuse_turn(struct fuse *f, struct err *err);
/* Takes what the answer holds. One that was not asked for is an error: ERR_WIRE. */
int fuse_answer(struct fuse *f, uint64_t question, struct facts *answer, struct err *err);
void fuse_arrived(struct fuse *f, const struct digest *digest);
/* Stops the job if the caller has kept it waiting for too long; else milliseconds until it will have, -1: it does not wait. */
int fuse_patience(struct fuse *f, uint64_t now_us);
const struct fuse_counts *fuse_counts(const struct fuse *f);

#endif
