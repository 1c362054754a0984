/*
 * view.h - a job's picture of its caller's files: what is known, what must be asked, what was used.
 *
 * Made of a manifest and of the answers that arrive. No I/O. What a job was
 * once told stays so, whatever is learned later: that it still holds is for the
 * caller to check, who gets the list of what was used.
 */
#ifndef RCC_BOX_VIEW_H
#define RCC_BOX_VIEW_H

#include "used.h"

enum { VIEW_ROOT = 1 };		/* the id of "/" */

enum {
	VIEW_NODES_MAX = 1 << 18,
	VIEW_BYTES_MAX = 32 << 20,	/* of what is learned besides the manifest */
};

enum view_answer {
	VIEW_HERE,
	VIEW_ABSENT,
	VIEW_DENIED,
	VIEW_ASK,	/* the caller, for view_path(): then try again */
	VIEW_OTHER,	/* something that no job may depend on */
	VIEW_FULL,	/* a bound was met */
};

struct view;

/* Takes what the manifest holds. */
struct view *view_new(struct facts *manifest);
/* What the job has of its own: for it this path, and what is below, is not the caller's. Before all lookups. */
void view_hide(struct view *v, const char *path);
void view_free(struct view *v);

/*
 * A name in a directory. VIEW_HERE: *id is the file's, the same for all of its
 * names, else of nothing else, never 0. VIEW_ASK: *id is for view_path(). The id
 * of a directory is one that was here.
 */
enum view_answer view_lookup(struct view *v, uint64_t dir, const char *name, uint64_t *id);
/* An id that was here. Marks nothing: who has an id has seen it. NULL: "/", of which nothing is known, or no such id. */
const struct fact *view_fact(const struct view *v, uint64_t id);
/* Its contents are about to be read. One that lacks them must be asked for first, by its path: nothing is marked. */
const struct fact *view_read(struct view *v, uint64_t id);
/* All names of a directory: VIEW_HERE and *names, borrowed until the view ends; VIEW_ASK for its listing. */
enum view_answer view_list(struct view *v, uint64_t id, const struct argv **names);
/* The id that a name of a directory has or would have; the caller frees the path of one. */
char *view_path(const struct view *v, uint64_t id);

/* Takes what the answer holds. ERR_LIMIT: more than a view may hold. */
int view_learn(struct view *v, struct facts *answer, struct err *err);

/* What the job was told of a path, and how it was used; NULL: nothing. */
const struct fact *view_told(const struct view *v, const char *path, unsigned *how);

struct view_use {
	const char *path;
	const struct fact *fact;	/* its own path is not set when it is absent */
	size_t index;			/* in the manifest */
	bool in_manifest;
	unsigned how;			/* USED_... */
};
/* Each fact that was used, once. What u points to is gone afterwards. */
void view_each_use(const struct view *v, void (*each)(void *arg, const struct view_use *u), void *arg);

#endif
