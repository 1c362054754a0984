/*
 * test_fact.c - facts in the order of a walk, there and back, and lists that lie.
 */
#include "unit.h"

#include "fact.h"

static struct fact absent(const char *path)
{
	return (struct fact){ .path = xstrdup(path) };
}

static struct fact file(const char *path, uint64_t size)
{
	return (struct fact){ .path = xstrdup(path), .kind = FACT_FILE, .mode = 0644, .access = FACT_READ | FACT_WRITE,
			      .own = 1, .mtime_ns = -5, .inode = 0x123456789abcdef0, .size = size,
			      .digest = { { 1, 2, 3 } } };
}

static struct fact dir(const char *path)
{
	return (struct fact){ .path = xstrdup(path), .kind = FACT_DIR, .mode = 0755, .access = 5, .mtime_ns = 77 };
}

static struct fact link_to(const char *path, const char *target)
{
	return (struct fact){ .path = xstrdup(path), .kind = FACT_LINK, .mtime_ns = 9, .target = xstrdup(target) };
}

static struct fact listed(const char *path)
{
	struct fact f = dir(path);

	f.listed = true;
	argv_push(&f.names, "a");
	argv_push(&f.names, "b.h");
	return f;
}

static void set(struct facts *all, struct fact f)
{
	facts_set(all, &f);
	assert_null(f.path);
}

/* Not in their order. */
static void fill(struct facts *all)
{
	set(all, file("/src/a.c", 10));
	set(all, dir("/src"));
	set(all, absent("/src/inc-x/a.h"));
	set(all, dir("/src/inc-x"));
	set(all, dir("/src/inc"));
	set(all, file("/src/inc/a.h", 20));
	set(all, link_to("/src/inc/b.h", "../b.h"));
	set(all, listed("/src/inc/c"));
	set(all, dir("/"));
	set(all, (struct fact){ .path = xstrdup("/root"), .kind = FACT_DENIED });
	set(all, (struct fact){ .path = xstrdup("/dev"), .kind = FACT_OTHER });
}

static int decode(const void *p, size_t len, struct facts *all)
{
	struct reader r = reader_of(p, len);

	return facts_get(&r, all, NULL);
}

/* Encodes without asking whether it is right to. */
static int round_trip(const struct facts *all, struct facts *back)
{
	autobuf struct buf b = { 0 };

	facts_put(&b, all);
	return decode(b.p, b.len, back);
}

static void a_tree_is_in_the_order_of_a_walk(void **state UNUSED)
{
	static const char *const order[] = { "/", "/dev", "/root", "/src", "/src/a.c", "/src/inc", "/src/inc/a.h", "/src/inc/b.h",
					     "/src/inc/c", "/src/inc-x", "/src/inc-x/a.h" };
	autofacts struct facts all = { 0 };

	fill(&all);
	assert_int_equal(all.count, ARRAY_LEN(order));
	for (size_t i = 0; i < all.count; i++)
		assert_string_equal(all.v[i].path, order[i]);
	for (size_t i = 0; i < all.count; i++)
		assert_ptr_equal(facts_find(&all, order[i]), &all.v[i]);
	assert_null(facts_find(&all, "/src/inc/d"));
	assert_null(facts_find(&all, "/zzz"));
}

static void paths_are_compared_by_components(void **state UNUSED)
{
	assert_true(path_order("/a/b", "/a-b") < 0);
	assert_true(path_order("/a", "/a/b") < 0);
	assert_true(path_order("/a/\x01", "/a/\xff") < 0);
	assert_int_equal(path_order("/a/b", "/a/b"), 0);
	assert_true(path_below("/a", "/"));
	assert_true(path_below("/a/b/c", "/a"));
	assert_false(path_below("/ab", "/a"));
	assert_false(path_below("/a", "/a"));
	assert_false(path_below("/", "/"));
}

static void only_one_form_of_a_path_is_canonical(void **state UNUSED)
{
	static const char *const bad[] = { "", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/a/.." };
	static const char *const good[] = { "/", "/a", "/a/b", "/...", "/.a", "/a/..b" };
	autofree char *longest = xmalloc(FACT_PATH_MAX + 2);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(path_canonical(bad[i]));
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(path_canonical(good[i]));
	memset(longest, 'a', FACT_PATH_MAX + 1);
	longest[0] = '/';
	longest[FACT_PATH_MAX + 1] = 0;
	assert_false(path_canonical(longest));
	longest[FACT_PATH_MAX] = 0;
	assert_true(path_canonical(longest));
}

static void there_and_back(void **state UNUSED)
{
	autofacts struct facts all = { 0 }, back = { 0 };
	autobuf struct buf b = { 0 };

	fill(&all);
	assert_true(facts_fit(&all));
	facts_put(&b, &all);
	assert_int_equal(decode(b.p, b.len, &back), 0);
	assert_int_equal(back.count, all.count);
	for (size_t i = 0; i < all.count; i++) {
		assert_true(fact_eq(&all.v[i], &back.v[i]));
		assert_int_equal(all.v[i].mtime_ns, back.v[i].mtime_ns);
	}
}

static void an_absence_costs_five_bytes_and_its_last_name(void **state UNUSED)
{
	autofacts struct facts all = { 0 };
	autobuf struct buf one = { 0 }, two = { 0 };

	set(&all, absent("/usr/include/c++/12/bits/abc.h"));
	facts_put(&one, &all);
	set(&all, absent("/usr/include/c++/12/bits/abd.h"));
	facts_put(&two, &all);
	assert_int_equal(two.len - one.len, 5 + strlen("d.h"));
}

static void every_cut_is_noticed(void **state UNUSED)
{
	autofacts struct facts all = { 0 };
	autobuf struct buf b = { 0 };

	fill(&all);
	facts_put(&b, &all);
	for (size_t n = 0; n < b.len; n++) {
		autofacts struct facts back = { 0 };
		/* a copy of its own, so that a read past the end shows */
		autofree unsigned char *part = xmalloc(n + 1);

		memcpy(part, b.p, n);
		assert_int_equal(decode(part, n, &back), ERR_WIRE);
		assert_int_equal(back.count, 0);
	}
}

static void the_newest_fact_is_believed(void **state UNUSED)
{
	autofacts struct facts all = { 0 };

	fill(&all);
	set(&all, file("/src/a.c", 11));
	assert_int_equal(facts_find(&all, "/src/a.c")->size, 11);
	set(&all, link_to("/src/inc", "inc-x"));
	assert_null(facts_find(&all, "/src/inc/a.h"));
	assert_null(facts_find(&all, "/src/inc/c"));
	assert_non_null(facts_find(&all, "/src/inc-x/a.h"));
	set(&all, file("/src/inc/new/n.h", 1));
	assert_null(facts_find(&all, "/src/inc"));
	assert_non_null(facts_find(&all, "/src/inc/new/n.h"));
	set(&all, absent("/"));
	assert_int_equal(all.count, 1);
}

static void check_differs(struct fact other)
{
	struct fact f = file("/src/a.c", 10);

	assert_false(fact_eq(&f, &other));
	fact_free(&f);
	fact_free(&other);
}

static void each_field_of_a_file_counts(void **state UNUSED)
{
	struct fact f = file("/src/a.c", 10), same = file("/src/a.c", 10);

	assert_true(fact_eq(&f, &same));
	fact_free(&same);
	check_differs(file("/src/b.c", 10));
	check_differs(file("/src/a.c", 9));
	check_differs(absent("/src/a.c"));
#define DIFFERS(field) do { struct fact g = file("/src/a.c", 10); g.field ^= 1; check_differs(g); } while (0)
	DIFFERS(mode);
	DIFFERS(access);
	DIFFERS(own);
	DIFFERS(mtime_ns);
	DIFFERS(inode);
	DIFFERS(digest.b[31]);
	fact_free(&f);
}

static void of_a_directory_all_but_the_time_counts(void **state UNUSED)
{
	struct fact a = listed("/d"), b = fact_copy(&a);

	b.mtime_ns++;
	assert_true(fact_eq(&a, &b));
	b.mode ^= 1;
	assert_false(fact_eq(&a, &b));
	b.mode ^= 1;
	argv_push(&b.names, "c");
	assert_false(fact_eq(&a, &b));
	argv_set(&b.names, 1, "b.x");
	argv_remove(&b.names, 2, 1);
	assert_false(fact_eq(&a, &b));
	fact_free(&a);
	fact_free(&b);
}

static void a_link_differs_by_its_target(void **state UNUSED)
{
	struct fact a = link_to("/l", "x"), b = link_to("/l", "y");

	assert_false(fact_eq(&a, &b));
	fact_free(&a);
	fact_free(&b);
}

/* A list of these facts, in this order, whatever they are, must not be taken. */
static void refuse(struct fact *v, size_t count)
{
	struct facts all = { .v = v, .count = count };
	autofacts struct facts back = { 0 };

	assert_int_equal(round_trip(&all, &back), ERR_WIRE);
	assert_int_equal(back.count, 0);
	for (size_t i = 0; i < count; i++)
		fact_free(&v[i]);
}
#define REFUSE(...) do { struct fact v[] = { __VA_ARGS__ }; refuse(v, ARRAY_LEN(v)); } while (0)

static struct fact with_names(const char *first, const char *second)
{
	struct fact f = dir("/d");

	f.listed = true;
	argv_push(&f.names, first);
	argv_push(&f.names, second);
	return f;
}

static void lists_that_lie_are_refused(void **state UNUSED)
{
	struct fact odd = file("/a", 1), wild = dir("/a");

	REFUSE(absent("/b"), absent("/a"));
	REFUSE(absent("/a"), absent("/a"));
	REFUSE(absent("/a-b"), absent("/a/b"));
	REFUSE(absent("a"));
	REFUSE(absent("/a/../b"));
	REFUSE(file("/a", 1), absent("/a/b"));
	REFUSE(absent("/a"), absent("/a/b/c"));
	REFUSE(link_to("/a", "b"), absent("/a/b"));
	REFUSE(link_to("/a", ""));
	REFUSE((struct fact){ .path = xstrdup("/a"), .kind = FACT_KINDS });
	REFUSE(with_names("b", "a"));
	REFUSE(with_names("a", "a"));
	REFUSE(with_names("", "a"));
	REFUSE(with_names(".", "a"));
	REFUSE(with_names("..", "a"));
	REFUSE(with_names("a", "b/c"));
	odd.mode = 0100644;
	REFUSE(odd);
	wild.own = 2;
	REFUSE(wild);
}

static void a_longer_encoding_of_a_path_is_refused(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct facts back;

	put_u32(&b, 2);
	put_u16(&b, 0);
	put_u16(&b, 2);
	put_raw(&b, "/a", 2);
	put_u8(&b, FACT_ABSENT);
	put_u16(&b, 0);		/* "/" is shared, and not said to be */
	put_u16(&b, 2);
	put_raw(&b, "/b", 2);
	put_u8(&b, FACT_ABSENT);
	assert_int_equal(decode(b.p, b.len, &back), ERR_WIRE);
	assert_int_equal(back.count, 0);
}

/* count facts that share a directory of 4,000 bytes: 8 bytes of encoding each, 4 KB written out. */
static void deep(struct facts *all, size_t count)
{
	autofree char *path = xmalloc(4096);

	memset(path, 'd', 4000);
	for (size_t i = 0; i < 4000; i += 200)
		path[i] = '/';
	for (size_t i = 0; i < count; i++) {
		for (size_t digit = 0, n = i; digit < 4; digit++, n /= 10)
			path[4003 - digit] = (char)('0' + n % 10);
		path[4004] = 0;
		set(all, absent(path));
	}
}

static void a_short_encoding_does_not_become_a_large_list(void **state UNUSED)
{
	autofacts struct facts few = { 0 }, many = { 0 }, back = { 0 };

	deep(&few, 2000);
	assert_true(facts_fit(&few));
	assert_int_equal(round_trip(&few, &back), 0);
	assert_int_equal(back.count, 2000);
	deep(&many, 2200);
	assert_false(facts_fit(&many));
	facts_free(&back);
	assert_int_equal(round_trip(&many, &back), ERR_WIRE);
}

static void a_count_is_not_believed(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct facts back;

	put_u32(&b, FACTS_MAX + 1);
	assert_int_equal(decode(b.p, b.len, &back), ERR_WIRE);
	b.len = 0;
	put_u32(&b, FACTS_MAX);
	assert_int_equal(decode(b.p, b.len, &back), ERR_WIRE);
}

static void names_are_bounded(void **state UNUSED)
{
	autofacts struct facts all = { 0 }, back = { 0 };
	struct fact f = dir("/d");

	f.listed = true;
	for (int i = 0; i < FACT_NAMES_MAX; i++)
		argv_pushf(&f.names, "%06d", i);
	set(&all, f);
	assert_true(facts_fit(&all));
	assert_int_equal(round_trip(&all, &back), 0);
	facts_free(&back);
	f = dir("/d");
	f.listed = true;
	f.names = argv_copy(&all.v[0].names);
	argv_push(&f.names, "one-more");
	set(&all, f);
	assert_false(facts_fit(&all));
	assert_int_equal(round_trip(&all, &back), ERR_WIRE);
}

/* What goes makes room for others. */
static void what_a_list_takes_goes_with_its_facts(void **state UNUSED)
{
	autofacts struct facts all = { 0 };
	struct fact f = dir("/d");

	set(&all, dir("/a"));
	set(&all, dir("/a//b"));
	assert_false(facts_fit(&all));
	set(&all, absent("/a"));
	assert_true(facts_fit(&all));
	f.listed = true;
	for (int i = 0; i <= FACT_NAMES_MAX; i++)
		argv_pushf(&f.names, "%06d", i);
	set(&all, f);
	assert_false(facts_fit(&all));
	set(&all, dir("/d"));
	assert_true(facts_fit(&all));
}

/* What a list was read to is lent by it: what is taken from there stays when the list goes. */
static void what_is_taken_from_a_list_outlives_it(void **state UNUSED)
{
	autofacts struct facts all = { 0 }, back = { 0 }, kept = { 0 };
	struct fact copy;

	fill(&all);
	assert_int_equal(round_trip(&all, &back), 0);
	copy = fact_copy(facts_find(&back, "/src/inc/b.h"));
	for (size_t i = 0; i < back.count; i++)
		facts_set(&kept, &back.v[i]);
	facts_free(&back);
	assert_string_equal(copy.target, "../b.h");
	assert_int_equal(kept.count, all.count);
	for (size_t i = 0; i < all.count; i++)
		assert_true(fact_eq(&kept.v[i], &all.v[i]));
	fact_free(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_in_the_order_of_a_walk),
		cmocka_unit_test(paths_are_compared_by_components),
		cmocka_unit_test(only_one_form_of_a_path_is_canonical),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(an_absence_costs_five_bytes_and_its_last_name),
		cmocka_unit_test(every_cut_is_noticed),
		cmocka_unit_test(the_newest_fact_is_believed),
		cmocka_unit_test(each_field_of_a_file_counts),
		cmocka_unit_test(of_a_directory_all_but_the_time_counts),
		cmocka_unit_test(a_link_differs_by_its_target),
		cmocka_unit_test(lists_that_lie_are_refused),
		cmocka_unit_test(a_longer_encoding_of_a_path_is_refused),
		cmocka_unit_test(a_short_encoding_does_not_become_a_large_list),
		cmocka_unit_test(a_count_is_not_believed),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(what_a_list_takes_goes_with_its_facts),
		cmocka_unit_test(what_is_taken_from_a_list_outlives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
