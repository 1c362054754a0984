/*
 * ldcache_format.h - the layout of the table in ld.so.cache since glibc 2.2.
 *
 * A header: magic, count of entries, bytes of strings, byte order (since 2.33),
 * 16 bytes of no use here. Then the entries: flags (kind of library), places of
 * name and path as counted from the header, oldest kernel, 64 bits of
 * processors. Then the strings, each ended by a NUL.
 */
#ifndef RCC_LDCACHE_FORMAT_H
#define RCC_LDCACHE_FORMAT_H

#define LDCACHE_MAGIC "glibc-ld.so.cache1.1"

enum {
	LDCACHE_MAGIC_LEN = sizeof LDCACHE_MAGIC - 1,
	LDCACHE_HEADER = 48,
	LDCACHE_ENTRY = 24,
	LDCACHE_LITTLE_ENDIAN = 2,
};

#endif
