/*
 * tree.h - a sorted list of (path, type, mode, contents or link target), and
 * the digest that names it. A toolchain is one; so will be a job's inputs.
 * Contents are named by their digest, or, when they are made up rather than
 * read from a disk, in the tree itself.
 */
#ifndef RCC_TREE_H
#define RCC_TREE_H

#include "buf.h"
#include "digest.h"
#include "err.h"

enum { TREE_ENTRIES_MAX = 4096, TREE_BYTES_MAX = 1 << 20, TREE_DATA_MAX = 64 * 1024 };

enum tree_type { TREE_FILE, TREE_LINK, TREE_DATA, TREE_TYPES };

struct tree_entry {
	char *path;		/* absolute */
	uint8_t type;		/* enum tree_type */
	uint16_t mode;		/* permission bits; 0 for links */
	uint64_t size;		/* bytes; 0 for links */
	struct digest digest;	/* TREE_FILE: of the contents */
	char *target;		/* TREE_LINK; else NULL */
	unsigned char *data;	/* TREE_DATA: size bytes; else NULL */
};

struct tree {
	struct tree_entry *entries;	/* sorted by path, no path twice */
	size_t count;
	size_t room;
};

void tree_add_file(struct tree *t, const char *path, uint16_t mode, uint64_t size, const struct digest *d);
void tree_add_link(struct tree *t, const char *path, const char *target);
void tree_add_data(struct tree *t, const char *path, uint16_t mode, const void *p, size_t size);
const struct tree_entry *tree_find(const struct tree *t, const char *path);	/* NULL: not in it */
void tree_digest(const struct tree *t, struct digest *out);	/* of its encoding */
uint64_t tree_size(const struct tree *t);			/* bytes of all files */
void tree_free(struct tree *t);
void tree_put(struct buf *b, const struct tree *t);
/* ERR_WIRE when out of order, relative, `..` in a path, or over a bound; t is then empty. */
int tree_get(struct reader *r, struct tree *t, struct err *err);

#endif
