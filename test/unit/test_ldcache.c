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

	assert_string_equal(ldcache_next(b->p, b->len, "libz.so.1", &at, NULL), "/lib/libz.so.1");
	assert_string_equal(ldcache_next(b->p, b->len, "libz.so.1", &at, NULL), "/lib32/libz.so.1");
	assert_null(ldcache_next(b->p, b->len, "libz.so.1", &at, NULL));
	at = 0;
	assert_string_equal(ldcache_next(b->p, b->len, "liba.so", &at, NULL), "/opt/liba.so");
	at = 0;
	assert_null(ldcache_next(b->p, b->len, "libz.so", &at, NULL));
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
		assert_null(ldcache_next(cut, len, "liba.so", &at, NULL));
	}
}

static void another_format_has_nothing(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	size_t at = 0;

	put_new(&b);
	b.p[19] = '2';
	assert_null(ldcache_next(b.p, b.len, "liba.so", &at, NULL));
}

static struct ldcache_rows some_rows(size_t from, size_t step)
{
	struct ldcache_rows l = { 0 };

	for (size_t n = 0, i = from; n < 3; n++, i = (i + step) % 3) {
		static const char *const names[] = { "libz.so.1", "libz.so.1", "liba.so" };
		static const char *const paths[] = { "/lib/libz.so.1", "/lib32/libz.so.1", "/opt/liba.so" };

		ldcache_add(&l, names[i], paths[i], (uint32_t)(0x303 + i), 10 + 5 * i + from);
		ldcache_add(&l, names[i], paths[i], (uint32_t)(0x303 + i), 10 + 5 * i + from);
	}
	return l;
}

static void what_is_written_is_read_back(void **state UNUSED)
{
	struct ldcache_rows l = some_rows(0, 1);
	autobuf struct buf b = { 0 };
	uint32_t flags = 0;
	size_t at = 1;

	assert_int_equal(l.count, 3);
	ldcache_write(&l, &b);
	assert_rows(&b);
	assert_string_equal(ldcache_next(b.p, b.len, "libz.so.1", &at, &flags), "/lib32/libz.so.1");
	assert_int_equal(flags, 0x304);
	assert_int_equal(at, 2);
	ldcache_rows_free(&l);
}

/* In whatever order they were found, and whatever else the cache had. */
static void the_same_rows_are_the_same_bytes(void **state UNUSED)
{
	struct ldcache_rows one = some_rows(0, 1), two = some_rows(2, 2);
	autobuf struct buf a = { 0 }, b = { 0 };

	ldcache_write(&one, &a);
	ldcache_write(&two, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
	ldcache_rows_free(&one);
	ldcache_rows_free(&two);
}

static void no_rows_are_an_empty_cache(void **state UNUSED)
{
	struct ldcache_rows none = { 0 };
	autobuf struct buf b = { 0 };
	size_t at = 0;

	ldcache_write(&none, &b);
	assert_int_equal(b.len, 48);
	assert_null(ldcache_next(b.p, b.len, "liba.so", &at, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(baseline_libraries_in_the_order_of_the_file),
		cmocka_unit_test(the_table_behind_an_old_one_is_found),
		cmocka_unit_test(truncated_caches_lack_entries),
		cmocka_unit_test(another_format_has_nothing),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(the_same_rows_are_the_same_bytes),
		cmocka_unit_test(no_rows_are_an_empty_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
