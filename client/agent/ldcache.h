/*
 * ldcache.h - /etc/ld.so.cache: the loader's index from the name of a
 * library to its path.
 */
#ifndef RCC_LDCACHE_H
#define RCC_LDCACHE_H

#include "base.h"

/*
 * The next path that the cache has for name, borrowed from the bytes; NULL:
 * no more. *at starts at 0 and is moved along. Several may have one name, for
 * several machines: the caller looks at the files. Libraries for one
 * kind of processor only (hwcaps) are left out. A damaged cache has none.
 */
const char *ldcache_next(const void *cache, size_t len, const char *name, size_t *at);

#endif
