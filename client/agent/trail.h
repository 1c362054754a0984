/*
 * trail.h - what the file system answered while something was worked out.
 *
 * As long as it answers the same, working it out again would give the same.
 * That a file was not there is an answer too.
 */
#ifndef RCC_TRAIL_H
#define RCC_TRAIL_H

#include "digest_memo.h"
#include "tree.h"

struct trail {
	struct trail_step *steps;
	size_t count;
	size_t room;
};

/*
 * Follow an absolute path through every link. Returns 0, the real path, which
 * the caller frees, and adds each link on the way to links. ERR_ABSENT when
 * there is no such file for this user; ERR_IO.
 */
int trail_follow(struct trail *t, const char *path, char **real, struct tree *links, struct err *err);

/* The same answers today, and none of them from a file that had only just changed. */
bool trail_holds(const struct trail *t);
void trail_free(struct trail *t);

#endif
