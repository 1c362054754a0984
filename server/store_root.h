/*
 * store_root.h - a toolchain's root: its files and links at their absolute paths, below a directory.
 *
 * The tree is a caller's. Nothing in it leads out: each directory on the way to
 * a place is opened in the one above it, and never through a link.
 */
#ifndef RCC_STORE_ROOT_H
#define RCC_STORE_ROOT_H

#include "tree.h"

/*
 * Can a root be made of it, as far as paths say? own_bytes: what it takes besides its blobs, by
 * index_charge(). ERR_UNSUPPORTED names the entry. Touches no disk.
 */
int root_check(const struct tree *t, uint64_t *own_bytes, struct err *err);

/* Where contents come from, and who says whether there is room when a file system allows no more links to one. */
struct root_source {
	int blobs;		/* directory */
	int (*room)(void *arg, uint64_t bytes, struct err *err);
	void *arg;
};

/*
 * In an empty directory. ERR_UNSUPPORTED: what the file system or the skeleton does not allow. ERR_LIMIT: it
 * is full. What was made so far stays.
 */
int root_build(int dir, const struct tree *t, const struct root_source *source, struct err *err);

#endif
