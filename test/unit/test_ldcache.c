/*
 * test_ldcache.c - both layouts of ld.so.cache, and damaged ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "ldcache.h"

static const struct {
	const char *name, *path;
	uint64_t hwcap;
} rows[] = {
	{ "libz.so.1", "/lib/glibc-hwcaps/x86-64-v3/libz.so.1", (uint64_t)1 << 62 | 1 },
	{ "libz.so.1", "/lib/haswell/libz.so.1", 4 },
	{ "libz.so.1", "/lib/libz.so.1", 0 },
	{ "libz.so.1", "/lib32/libz.so.1", 0 },
	{ "liba.so", "/opt/liba.so", 0 },
};

static void put_new(struct buf *b)
{
	static const unsigned char zeros[20];
	autobuf struct buf strings = { 0 };

	put_raw(b, "glibc-ld.so.cache1.1", 20);
	put_u32(b, ARRAY_LEN(rows));
	put_u32(b, 0);
	put_raw(b, zeros, 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t at = (uint32_t)(48 + ARRAY_LEN(rows) * 24 + strings.len);

		put_u32(b, 0x303);
		put_u32(b, at);
		put_u32(b, at + (uint32_t)strlen(rows[i].name) + 1);
		put_u32(b, 0);
		put_u64(b, rows[i].hwcap);
		buf_add(&strings, rows[i].name, strlen(rows[i].name) + 1);
		buf_add(&strings, rows[i].path, strlen(rows[i].path) + 1);
	}
	put_raw(b, strings.p, strings.len);
}

/* Three old entries: 16 + 36 bytes, which is no multiple of 8. */
static void put_old(struct buf *b)
{
	static const unsigned char entries[3 * 12 + 4];

	put_raw(b, "ld.so-1.7.0", 12);
	put_u32(b, 3);
	put_raw(b, entries, sizeof entries);
	put_new(b);
}

static void assert_rows(const struct buf *b)
{
	size_t at = 0;

	assert_string_equal(ldcache_next(b->p, b->len, "libz.so.1", &at), "/lib/libz.so.1");
	assert_string_equal(ldcache_next(b->p, b->len, "libz.so.1", &at), "/lib32/libz.so.1");
	assert_null(ldcache_next(b->p, b->len, "libz.so.1", &at));
	at = 0;
	assert_string_equal(ldcache_next(b->p, b->len, "liba.so", &at), "/opt/liba.so");
	at = 0;
	assert_null(ldcache_next(b->p, b->len, "libz.so", &at));
}

static void baseline_libraries_in_the_order_of_the_file(void **state UNUSED)
{
	autobuf struct buf b = { 0 };

	put_new(&b);
	assert_rows(&b);
}

static void the_table_behind_an_old_one_is_found(void **state UNUSED)
{
	autobuf struct buf b = { 0 };

	put_old(&b);
	assert_rows(&b);
}

/* In memory of just that size, for the sanitizer to see a read past the end. */
static void truncated_caches_lack_entries(void **state UNUSED)
{
	autobuf struct buf b = { 0 };

	put_old(&b);
	for (size_t len = 0; len < b.len; len++) {
		autofree unsigned char *cut = xmalloc(len);
		size_t at = 0;

		memcpy(cut, b.p, len);
		assert_null(ldcache_next(cut, len, "liba.so", &at));
	}
}

static void another_format_has_nothing(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	size_t at = 0;

	put_new(&b);
	b.p[19] = '2';
	assert_null(ldcache_next(b.p, b.len, "liba.so", &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(baseline_libraries_in_the_order_of_the_file),
		cmocka_unit_test(the_table_behind_an_old_one_is_found),
		cmocka_unit_test(truncated_caches_lack_entries),
		cmocka_unit_test(another_format_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
