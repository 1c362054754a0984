/*
 * fuzz_ldcache.c - any bytes as ld.so.cache: all paths stay inside them, and
 * what is found, written anew, is found again in that order.
 */
#include <stdint.h>

#include "ldcache.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ldcache_rows rows = { 0 };
	autobuf struct buf again = { 0 };
	const char *path;
	uint32_t flags;
	size_t at = 0;

	while ((path = ldcache_next(p, len, "libc.so.6", &at, &flags))) {
		if (path < (const char *)p || strlen(path) >= (size_t)((const char *)p + len - path))
			abort();
		ldcache_add(&rows, "libc.so.6", path, flags, at);
	}
	ldcache_write(&rows, &again);
	at = 0;
	for (size_t i = 0; i < rows.count; i++) {
		path = ldcache_next(again.p, again.len, "libc.so.6", &at, &flags);
		if (!path || !str_eq(path, rows.rows[i].path) || flags != rows.rows[i].flags)
			abort();
	}
	if (ldcache_next(again.p, again.len, "libc.so.6", &at, &flags))
		abort();
	ldcache_rows_free(&rows);
	return 0;
}
