/*
 * test_tree.c - trees kept sorted, there and back, and trees that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tree.h"

static const struct digest some = { { 1, 2, 3 } };

static void fill(struct tree *t)
{
	tree_add_file(t, "/usr/lib/libz.so.1.2.13", 0644, 121280, &some);
	tree_add_link(t, "/lib", "usr/lib");
	tree_add_file(t, "/usr/bin/as", 0755, 1, &some);
	tree_add_link(t, "/usr/lib/libz.so.1", "libz.so.1.2.13");
	tree_add_data(t, "/etc/ld.so.cache", 0644, "a\0b", 3);
}

static int decode(const void *p, size_t len, struct tree *t, struct err *err)
{
	struct reader r = reader_of(p, len);
	int rc = tree_get(&r, t, err);

	assert_true(rc < 0 || reader_done(&r));
	return rc;
}

static void entries_are_sorted_and_found(void **state UNUSED)
{
	struct tree t = { 0 };

	fill(&t);
	assert_int_equal(t.count, 5);
	for (size_t i = 1; i < t.count; i++)
		assert_true(strcmp(t.entries[i - 1].path, t.entries[i].path) < 0);
	assert_string_equal(tree_find(&t, "/lib")->target, "usr/lib");
	assert_int_equal(tree_find(&t, "/usr/bin/as")->mode, 0755);
	assert_null(tree_find(&t, "/usr/bin"));
	assert_null(tree_find(&t, "/zzz"));
	assert_int_equal(tree_size(&t), 121284);
	tree_free(&t);
	assert_null(tree_find(&t, "/lib"));
}

static void a_path_is_there_once(void **state UNUSED)
{
	struct tree t = { 0 };

	fill(&t);
	tree_add_link(&t, "/lib", "elsewhere");
	tree_add_file(&t, "/lib", 0644, 9, &some);
	assert_int_equal(t.count, 5);
	assert_string_equal(tree_find(&t, "/lib")->target, "usr/lib");
	tree_free(&t);
}

static void many_entries_keep_their_order(void **state UNUSED)
{
	struct tree t = { 0 };

	for (unsigned int i = 0; i < 1000; i++) {
		char path[16];

		snprintf(path, sizeof path, "/%u", i * 7919 % 1000);
		tree_add_file(&t, path, 0644, 1, &some);
	}
	assert_int_equal(t.count, 1000);
	for (size_t i = 1; i < t.count; i++)
		assert_true(strcmp(t.entries[i - 1].path, t.entries[i].path) < 0);
	tree_free(&t);
}

static void trees_come_back(void **state UNUSED)
{
	autobuf struct buf b = { 0 }, again = { 0 };
	struct tree in = { 0 }, out, none = { 0 };

	fill(&in);
	tree_put(&b, &in);
	assert_int_equal(decode(b.p, b.len, &out, NULL), 0);
	assert_int_equal(out.count, in.count);
	for (size_t i = 0; i < in.count; i++) {
		assert_string_equal(out.entries[i].path, in.entries[i].path);
		assert_int_equal(out.entries[i].type, in.entries[i].type);
		assert_int_equal(out.entries[i].mode, in.entries[i].mode);
		assert_int_equal(out.entries[i].size, in.entries[i].size);
		assert_true(digest_eq(&out.entries[i].digest, &in.entries[i].digest));
		assert_int_equal(out.entries[i].target == NULL, in.entries[i].type != TREE_LINK);
		assert_int_equal(out.entries[i].data == NULL, in.entries[i].type != TREE_DATA);
	}
	tree_put(&again, &out);
	assert_memory_equal(tree_find(&out, "/etc/ld.so.cache")->data, "a\0b", 3);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	tree_free(&in);
	tree_free(&out);
	assert_int_equal(decode("\0\0\0", 4, &none, NULL), 0);
	assert_int_equal(none.count, 0);
}

static void truncated_trees_are_refused(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct tree t = { 0 };

	fill(&t);
	tree_put(&b, &t);
	tree_free(&t);
	for (size_t len = 0; len < b.len; len++) {
		autofree unsigned char *cut = xmalloc(len);

		memcpy(cut, b.p, len);
		assert_int_equal(decode(cut, len, &t, NULL), ERR_WIRE);
		assert_int_equal(t.count, 0);
		assert_null(t.entries);
	}
}

/* A tree may stand before other fields: what follows it is left to its caller. */
static void bytes_behind_a_tree_are_left(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct tree t = { 0 };
	struct reader r;

	fill(&t);
	tree_put(&b, &t);
	tree_free(&t);
	put_u8(&b, 9);
	r = reader_of(b.p, b.len);
	assert_int_equal(tree_get(&r, &t, NULL), 0);
	assert_false(reader_done(&r));
	assert_int_equal(get_u8(&r), 9);
	assert_true(reader_done(&r));
	tree_free(&t);
}

static void paths_mean_the_same_everywhere(void **state UNUSED)
{
	static const char *const bad[] = {
		"", "/", "a", "a/b", "./a", "//", "/a/", "//a", "/a//b", "/.", "/..", "/a/.", "/a/..", "/./a", "/../a",
		"/a/../b", "/a/./b",
	};
	static const char *const good[] = { "/a", "/a/b", "/.a", "/..a", "/a..", "/a/...", "/a b/c\n" };
	struct tree t;

	for (size_t i = 0; i < ARRAY_LEN(bad) + ARRAY_LEN(good); i++) {
		bool is_bad = i < ARRAY_LEN(bad);
		struct tree in = { 0 };
		autobuf struct buf b = { 0 };

		tree_add_file(&in, is_bad ? bad[i] : good[i - ARRAY_LEN(bad)], 0644, 1, &some);
		tree_put(&b, &in);
		assert_int_equal(decode(b.p, b.len, &t, NULL), is_bad ? ERR_WIRE : 0);
		tree_free(&in);
		tree_free(&t);
	}
}

static void a_path_is_no_longer_than_the_kernel_takes(void **state UNUSED)
{
	for (size_t len = 4095; len <= 4096; len++) {
		autofree char *path = xmalloc(len + 1);
		autobuf struct buf b = { 0 };
		struct tree in = { 0 }, t;

		memset(path, 'a', len);
		path[0] = '/';
		path[len] = 0;
		tree_add_file(&in, path, 0644, 1, &some);
		tree_put(&b, &in);
		assert_int_equal(decode(b.p, b.len, &t, NULL), len == 4095 ? 0 : ERR_WIRE);
		tree_free(&in);
		tree_free(&t);
	}
}

static void put_link(struct buf *b, const char *path)
{
	put_str(b, path);
	put_u8(b, TREE_LINK);
	put_u16(b, 0);
	put_u64(b, 0);
	put_str(b, "target");
}

static void disorder_and_repetition_are_refused(void **state UNUSED)
{
	static const char *const pairs[][2] = { { "/b", "/a" }, { "/a", "/a" }, { "/a/b", "/a" } };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		autobuf struct buf b = { 0 };
		struct err err = { 0 };
		struct tree t;

		put_u32(&b, 2);
		put_link(&b, pairs[i][0]);
		put_link(&b, pairs[i][1]);
		assert_int_equal(decode(b.p, b.len, &t, &err), ERR_WIRE);
		assert_non_null(strstr(err.text, "out of order"));
		assert_int_equal(t.count, 0);
	}
}

/* Also when others stand between them in the order. */
static void nothing_is_below_a_file_or_link(void **state UNUSED)
{
	static const char *const paths[][3] = { { "/a", "/a!", "/a/b" }, { "/a", "/a.c", "/a/b/c/d" }, { "/a/b", "/a/b-c", "/a/b/c" },
						{ "/a", "/a!", "/ab/c" } };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		autobuf struct buf b = { 0 };
		struct err err = { 0 };
		struct tree t;
		bool good = i == ARRAY_LEN(paths) - 1;

		put_u32(&b, 3);
		for (size_t k = 0; k < 3; k++)
			put_link(&b, paths[i][k]);
		assert_int_equal(decode(b.p, b.len, &t, &err), good ? 0 : ERR_WIRE);
		if (!good)
			assert_non_null(strstr(err.text, "below a file or link"));
		tree_free(&t);
	}
}

static void unknown_types_and_large_counts_are_refused(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct tree t;

	put_u32(&b, 1);
	put_link(&b, "/a");
	assert_int_equal(decode(b.p, b.len, &t, NULL), 0);
	tree_free(&t);
	b.p[4 + 4 + 2] = TREE_TYPES;
	assert_int_equal(decode(b.p, b.len, &t, NULL), ERR_WIRE);
	b.p[4 + 4 + 2] = TREE_LINK;
	b.p[1] = (TREE_ENTRIES_MAX >> 8) + 1;
	assert_int_equal(decode(b.p, b.len, &t, NULL), ERR_WIRE);
}

static void each_field_is_in_the_digest(void **state UNUSED)
{
	static const struct {
		const char *path;
		uint16_t mode;
		uint64_t size;
		unsigned char first;
	} rows[] = {
		{ "/a", 0644, 1, 1 }, { "/b", 0644, 1, 1 }, { "/a", 0755, 1, 1 }, { "/a", 0644, 2, 1 }, { "/a", 0644, 1, 2 },
	};
	struct digest ids[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tree t = { 0 };

		tree_add_file(&t, rows[i].path, rows[i].mode, rows[i].size, &(struct digest){ { rows[i].first } });
		tree_digest(&t, &ids[i]);
		for (size_t k = 0; k < i; k++)
			assert_false(digest_eq(&ids[i], &ids[k]));
		tree_free(&t);
	}
}

static void the_order_of_adding_is_not_in_the_digest(void **state UNUSED)
{
	struct tree a = { 0 }, b = { 0 };
	struct digest da, db;

	tree_add_link(&a, "/x", "1");
	tree_add_link(&a, "/y", "2");
	tree_add_link(&b, "/y", "2");
	tree_add_link(&b, "/x", "1");
	tree_digest(&a, &da);
	tree_digest(&b, &db);
	assert_true(digest_eq(&da, &db));
	tree_free(&a);
	tree_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_sorted_and_found),
		cmocka_unit_test(a_path_is_there_once),
		cmocka_unit_test(many_entries_keep_their_order),
		cmocka_unit_test(trees_come_back),
		cmocka_unit_test(truncated_trees_are_refused),
		cmocka_unit_test(bytes_behind_a_tree_are_left),
		cmocka_unit_test(paths_mean_the_same_everywhere),
		cmocka_unit_test(a_path_is_no_longer_than_the_kernel_takes),
		cmocka_unit_test(nothing_is_below_a_file_or_link),
		cmocka_unit_test(disorder_and_repetition_are_refused),
		cmocka_unit_test(unknown_types_and_large_counts_are_refused),
		cmocka_unit_test(each_field_is_in_the_digest),
		cmocka_unit_test(the_order_of_adding_is_not_in_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
