/*
 * fuzz_ldcache.c - any bytes as ld.so.cache: all paths stay inside them.
 */
#include <stdint.h>

#include "ldcache.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const char *path;
	size_t at = 0;

	while ((path = ldcache_next(p, len, "libc.so.6", &at)))
		if (path < (const char *)p || strlen(path) >= (size_t)((const char *)p + len - path))
			abort();
	return 0;
}
