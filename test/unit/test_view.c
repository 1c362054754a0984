/*
 * test_view.c - what a job is told of its caller's files, and what counts as used.
 */
#include <stdio.h>

#include "unit.h"
#include "view.h"

static struct fact fact(const char *path, enum fact_kind kind)
{
	return (struct fact){ .path = xstrdup(path), .kind = (uint8_t)kind, .target = kind == FACT_LINK ? xstrdup("t") : NULL };
}

static void add(struct facts *all, const char *path, enum fact_kind kind)
{
	struct fact f = fact(path, kind);

	facts_set(all, &f);
}

static void add_file(struct facts *all, const char *path, uint64_t inode, unsigned char contents)
{
	struct fact f = fact(path, FACT_FILE);

	f.inode = inode;
	f.digest.b[0] = contents;
	facts_set(all, &f);
}

static void add_listing(struct facts *all, const char *path, const char *const *names)
{
	struct fact f = fact(path, FACT_DIR);

	f.listed = true;
	for (; *names; names++)
		argv_push(&f.names, *names);
	facts_set(all, &f);
}

/* As the kernel walks: the answer for the last component, VIEW_HERE for those before. */
static enum view_answer walk(struct view *v, const char *path, uint64_t *id)
{
	autofree char *copy = xstrdup(path);
	enum view_answer a = VIEW_HERE;

	*id = VIEW_ROOT;
	for (char *save, *name = strtok_r(copy, "/", &save); name && a == VIEW_HERE; name = strtok_r(NULL, "/", &save))
		a = view_lookup(v, *id, name, id);
	return a;
}

static void expect(struct view *v, const char *path, enum view_answer want)
{
	uint64_t id;
	enum view_answer got = walk(v, path, &id);

	if (got != want)
		fail_msg("%s: %d instead of %d", path, got, want);
}

static struct view *make(struct facts *all)
{
	struct view *v = view_new(all);

	view_hide(v, "/proc");
	view_hide(v, "/usr/bin/as");
	return v;
}

static void put_use(void *arg, const struct view_use *u)
{
	autofree char *place = u->in_manifest ? xasprintf("%zu", u->index) : xstrdup("new");

	buf_printf(arg, "%s %s %d %u\n", u->path, place, u->fact->kind, u->how);
}

static void expect_uses(const struct view *v, const char *want)
{
	autobuf struct buf b = { 0 };

	view_each_use(v, put_use, &b);
	assert_string_equal(buf_str(&b), want);
}

static void the_manifest_answers(void **state)
{
	struct facts all = { 0 };
	struct view *v;

	(void)state;
	add(&all, "/", FACT_DIR);
	add(&all, "/a", FACT_DIR);
	add_file(&all, "/a/x.h", 1, 1);
	add(&all, "/a/x.h.gch", FACT_ABSENT);
	add(&all, "/a/sub", FACT_DIR);
	add_file(&all, "/a/sub/y", 2, 1);
	add(&all, "/a-b", FACT_LINK);
	add(&all, "/b", FACT_DENIED);
	add(&all, "/c", FACT_OTHER);
	add(&all, "/usr", FACT_DIR);
	add(&all, "/usr/bin", FACT_DIR);
	add(&all, "/usr/bin/as", FACT_FILE);
	v = make(&all);
	expect(v, "/usr/bin/as", VIEW_ABSENT);
	expect(v, "/usr/bin/ld", VIEW_ASK);
	expect(v, "/a/x.h", VIEW_HERE);
	expect(v, "/a/x.h.gch", VIEW_ABSENT);
	expect(v, "/a/sub/y", VIEW_HERE);
	expect(v, "/a-b", VIEW_HERE);
	expect(v, "/b", VIEW_DENIED);
	expect(v, "/c", VIEW_OTHER);
	expect(v, "/d", VIEW_ASK);
	expect(v, "/a/sub/z", VIEW_ASK);
	expect(v, "/a/x", VIEW_ASK);
	expect(v, "/proc", VIEW_ABSENT);
	view_free(v);
}

static void what_was_asked_has_its_path(void **state)
{
	static const char *const paths[] = { "/q", "/a/q", "/a/sub/a longer name" };
	struct facts all = { 0 };
	struct view *v;

	(void)state;
	add(&all, "/a", FACT_DIR);
	add(&all, "/a/sub", FACT_DIR);
	v = make(&all);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		uint64_t id;
		autofree char *path = NULL;

		assert_int_equal(walk(v, paths[i], &id), VIEW_ASK);
		path = view_path(v, id);
		assert_string_equal(path, paths[i]);
	}
	view_free(v);
}

static void an_answer_settles_what_was_asked(void **state)
{
	struct facts none = { 0 }, answer = { 0 };
	struct view *v = make(&none);

	(void)state;
	expect(v, "/a", VIEW_ASK);
	add(&answer, "/a", FACT_DIR);
	add_file(&answer, "/a/f", 1, 1);
	add(&answer, "/proc", FACT_DIR);
	assert_int_equal(view_learn(v, &answer, NULL), 0);
	assert_int_equal(answer.count, 0);
	expect(v, "/a/f", VIEW_HERE);
	expect(v, "/a/g", VIEW_ASK);
	expect(v, "/proc", VIEW_ABSENT);
	view_free(v);
}

static void a_listing_settles_the_absences_in_it(void **state)
{
	static const char *const names[] = { "f", "h", NULL };
	struct facts all = { 0 };
	struct view *v;

	(void)state;
	add_listing(&all, "/d", names);
	v = make(&all);
	expect(v, "/d/a", VIEW_ABSENT);
	expect(v, "/d/g", VIEW_ABSENT);
	expect(v, "/d/z", VIEW_ABSENT);
	expect(v, "/d/f", VIEW_ASK);
	/* each absence for itself: the listing may change elsewhere */
	expect_uses(v, "/d 0 3 1\n/d/a new 0 1\n/d/g new 0 1\n/d/z new 0 1\n");
	view_free(v);
}

static void what_was_told_stays(void **state)
{
	struct facts all = { 0 }, answer = { 0 };
	uint64_t before, after;
	struct view *v;

	(void)state;
	add_file(&all, "/f", 1, 1);
	add_file(&all, "/g", 2, 1);
	add(&all, "/n", FACT_ABSENT);
	v = make(&all);
	assert_int_equal(walk(v, "/f", &before), VIEW_HERE);
	expect(v, "/n", VIEW_ABSENT);
	add_file(&answer, "/f", 1, 2);
	add_file(&answer, "/g", 2, 2);
	add_file(&answer, "/n", 3, 2);
	assert_int_equal(view_learn(v, &answer, NULL), 0);
	assert_int_equal(walk(v, "/f", &after), VIEW_HERE);
	assert_int_equal(before, after);
	assert_int_equal(view_fact(v, after)->digest.b[0], 1);
	expect(v, "/n", VIEW_ABSENT);
	/* this one nobody has seen: the newer counts */
	assert_int_equal(walk(v, "/g", &after), VIEW_HERE);
	assert_int_equal(view_fact(v, after)->digest.b[0], 2);
	expect_uses(v, "/f 0 1 1\n/n 2 0 1\n/g new 1 1\n");
	view_free(v);
}

static void names_of_one_file_share_its_id(void **state)
{
	struct facts all = { 0 };
	uint64_t a, b, equal, liar;
	struct view *v;

	(void)state;
	add_file(&all, "/a", 7, 1);
	add_file(&all, "/b", 7, 1);
	add_file(&all, "/equal", 8, 1);
	add_file(&all, "/liar", 7, 2);
	v = make(&all);
	assert_int_equal(walk(v, "/a", &a), VIEW_HERE);
	assert_int_equal(walk(v, "/b", &b), VIEW_HERE);
	assert_int_equal(walk(v, "/equal", &equal), VIEW_HERE);
	assert_int_equal(walk(v, "/liar", &liar), VIEW_HERE);
	assert_int_equal(a, b);
	assert_int_not_equal(a, equal);
	assert_int_not_equal(a, liar);
	view_read(v, b);
	expect_uses(v, "/a 0 1 3\n/b 1 1 1\n/equal 2 1 1\n/liar 3 1 1\n");
	view_free(v);
}

/* A file of which nobody has read the contents, or which somebody now has. */
static void add_unread(struct facts *all, const char *path, uint64_t size, unsigned char contents)
{
	struct fact f = fact(path, FACT_FILE);

	f.inode = 7;
	f.size = size;
	f.access = FACT_READ;
	f.unread = true;
	f.digest.b[0] = contents;
	facts_set(all, &f);
}

static void contents_may_come_later(void **state)
{
	struct facts all = { 0 }, other = { 0 }, answer = { 0 };
	uint64_t id;
	struct view *v;

	(void)state;
	add_unread(&all, "/a.o", 9, 0);
	v = make(&all);
	assert_int_equal(walk(v, "/a.o", &id), VIEW_HERE);
	assert_true(fact_lacks_contents(view_read(v, id)));
	expect_uses(v, "/a.o 0 1 1\n");
	add_unread(&other, "/a.o", 8, 1);
	assert_int_equal(view_learn(v, &other, NULL), 0);
	assert_true(fact_lacks_contents(view_fact(v, id)));
	add_unread(&answer, "/a.o", 9, 1);
	assert_int_equal(view_learn(v, &answer, NULL), 0);
	assert_int_equal(view_read(v, id)->digest.b[0], 1);
	expect_uses(v, "/a.o new 1 3\n");
	view_free(v);
}

static void ids_last_when_tables_grow(void **state)
{
	enum { FILES = 5000 };
	struct facts all = { 0 };
	static uint64_t ids[FILES];
	struct view *v;

	(void)state;
	for (int i = 0; i < FILES; i++) {
		autofree char *path = xasprintf("/d/%d", i);

		add_file(&all, path, (uint64_t)i / 2, 1);
	}
	add(&all, "/d", FACT_DIR);
	v = make(&all);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < FILES; i++) {
			autofree char *path = xasprintf("/d/%d", i);
			uint64_t id;

			assert_int_equal(walk(v, path, &id), VIEW_HERE);
			if (round == 0)
				ids[i] = id;
			assert_int_equal(ids[i], id);
			assert_int_equal(ids[i], ids[i & ~1]);
			assert_true(i < 2 || ids[i] != ids[i - 2]);
		}
	view_free(v);
}

static void a_directory_is_listed_when_asked(void **state)
{
	static const char *const names[] = { "f", NULL };
	struct facts all = { 0 }, answer = { 0 };
	const struct argv *got;
	struct view *v;
	uint64_t id;

	(void)state;
	add(&all, "/d", FACT_DIR);
	all.v[0].mode = 0700;
	v = make(&all);
	assert_int_equal(walk(v, "/d", &id), VIEW_HERE);
	assert_int_equal(view_list(v, id, &got), VIEW_ASK);
	add_listing(&answer, "/d", names);
	answer.v[0].mode = 0755;
	assert_int_equal(view_learn(v, &answer, NULL), 0);
	assert_int_equal(view_list(v, id, &got), VIEW_HERE);
	assert_int_equal(got->count, 1);
	assert_int_equal(view_fact(v, id)->mode, 0700);
	expect_uses(v, "/d new 3 5\n");
	view_free(v);
}

static void it_is_bounded(void **state)
{
	struct facts none = { 0 };
	struct view *v = make(&none);
	struct err err = { 0 };
	int rc = 0, rounds = 0;

	(void)state;
	while (rc == 0 && rounds < 10000) {
		struct facts answer = { 0 };
		struct fact f = fact("/l", FACT_LINK);

		free(f.path);
		f.path = xasprintf("/l%d", rounds++);
		free(f.target);
		f.target = xcalloc(1, FACT_PATH_MAX + 1);
		memset(f.target, 'x', FACT_PATH_MAX);
		facts_set(&answer, &f);
		rc = view_learn(v, &answer, &err);
	}
	assert_int_equal(rc, ERR_LIMIT);
	view_free(v);
}

static void ids_are_checked(void **state)
{
	struct facts none = { 0 };
	struct view *v = make(&none);
	const struct argv *names;
	uint64_t id;

	(void)state;
	assert_int_equal(view_lookup(v, 99, "x", &id), VIEW_FULL);
	assert_int_equal(view_lookup(v, 0, "x", &id), VIEW_FULL);
	assert_null(view_fact(v, 1234567));
	assert_null(view_read(v, ~(uint64_t)0));
	assert_int_equal(view_list(v, 99, &names), VIEW_ASK);
	view_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manifest_answers),
		cmocka_unit_test(what_was_asked_has_its_path),
		cmocka_unit_test(an_answer_settles_what_was_asked),
		cmocka_unit_test(a_listing_settles_the_absences_in_it),
		cmocka_unit_test(what_was_told_stays),
		cmocka_unit_test(names_of_one_file_share_its_id),
		cmocka_unit_test(contents_may_come_later),
		cmocka_unit_test(ids_last_when_tables_grow),
		cmocka_unit_test(a_directory_is_listed_when_asked),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(ids_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
