/*
 * ldcache.h - /etc/ld.so.cache: the loader's index from the name of a
 * library to its path.
 */
#ifndef RCC_LDCACHE_H
#define RCC_LDCACHE_H

#include "buf.h"

/*
 * The next path that the cache has for name, borrowed from the bytes; NULL:
 * no more. *at starts at 0 and is moved along; *flags is the cache's word for
 * the kind of library and may be NULL. Several may have one name, for
 * several machines: the caller looks at the files. Libraries for one
 * kind of processor only (hwcaps) are left out. A damaged cache has none.
 */
const char *ldcache_next(const void *cache, size_t len, const char *name, size_t *at, uint32_t *flags);

/* Entries of a cache to be written. */
struct ldcache_row {
	char *name;
	char *path;
	uint32_t flags;
	size_t at;	/* its place in the cache that it was read from */
};

struct ldcache_rows {
	struct ldcache_row *rows;
	size_t count;
};

/* One that is there already is not added twice. */
void ldcache_add(struct ldcache_rows *l, const char *name, const char *path, uint32_t flags, size_t at);

/*
 * A whole cache of these rows, in the order of the cache they come from: that
 * is the order in which the loader searches. The same rows give the same
 * bytes, whatever else was in that cache and in whatever order they were added.
 */
void ldcache_write(struct ldcache_rows *l, struct buf *out);
void ldcache_rows_free(struct ldcache_rows *l);

#endif
