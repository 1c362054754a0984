/*
 * test_told.c - what a job was told, and what of that it used.
 */
#include "unit.h"

#include "told.h"

static struct fact file(const char *path, unsigned char content)
{
	return (struct fact){ .path = xstrdup(path), .kind = FACT_FILE, .mode = 0644, .access = 4, .size = 1, .inode = content,
			      .digest = { { content } } };
}

static struct fact dir(const char *path, const char *name)
{
	struct fact f = { .path = xstrdup(path), .kind = FACT_DIR, .mode = 0755, .access = 7 };

	f.listed = name;
	if (name)
		argv_push(&f.names, name);
	return f;
}

static struct fact absent(const char *path) { return (struct fact){ .path = xstrdup(path), .kind = FACT_ABSENT }; }

static void set(struct facts *all, struct fact f) { facts_set(all, &f); }

static bool add(struct told *t, struct fact f)
{
	autofacts struct facts answer = { 0 };

	set(&answer, f);
	return told_add(t, &answer);
}

/* It starts with /, /d and /d/a.c. */
static struct told begun(void)
{
	struct told t = { 0 };

	set(&t.start, dir("/", NULL));
	set(&t.start, dir("/d", NULL));
	set(&t.start, file("/d/a.c", 1));
	return t;
}

static void one_path_is_told_one_thing(void **state UNUSED)
{
	struct told t = begun();

	assert_true(add(&t, file("/d/b.h", 2)));
	assert_true(add(&t, file("/d/b.h", 2)));
	assert_false(add(&t, file("/d/b.h", 3)));
	assert_false(add(&t, absent("/d/a.c")));
	told_free(&t);
}

static void the_names_of_a_directory_may_come_later(void **state UNUSED)
{
	autofacts struct facts kept = { 0 };
	autoused struct used u = { 0 };
	struct told t = begun();
	struct err err = { 0 };

	assert_true(add(&t, dir("/d", "a.c")));
	used_init(&u, 3);
	u.how[1] = USED_SEEN | USED_LISTED;
	used_add(&u, xstrdup("/d/none.h"), USED_SEEN);
	assert_int_equal(told_used(&t, &u, &kept, &err), 0);
	assert_int_equal(kept.count, 2);
	assert_true(kept.v[0].listed);
	assert_int_equal(kept.v[1].kind, FACT_ABSENT);
	told_free(&t);
}

static void what_it_was_not_told_it_cannot_have_used(void **state UNUSED)
{
	static const struct { const char *path; unsigned how; } lies[] = {
		{ "/d/none.h", USED_SEEN }, { "/e", USED_SEEN }, { "/d/b.h", USED_SEEN | USED_LISTED },
	};

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		autofacts struct facts kept = { 0 };
		autoused struct used u = { 0 };
		struct told t = begun();
		struct err err = { 0 };

		assert_true(add(&t, file("/d/b.h", 2)));
		used_init(&u, 3);
		used_add(&u, xstrdup(lies[i].path), lies[i].how);
		assert_int_equal(told_used(&t, &u, &kept, &err), ERR_WIRE);
		told_free(&t);
	}
}

static void what_was_not_used_is_not_kept(void **state UNUSED)
{
	autofacts struct facts kept = { 0 };
	autoused struct used u = { 0 };
	struct told t = begun();
	struct err err = { 0 };

	used_init(&u, 3);
	u.how[0] = USED_SEEN;
	u.how[2] = USED_SEEN;
	assert_int_equal(told_used(&t, &u, &kept, &err), 0);
	assert_int_equal(kept.count, 2);
	assert_string_equal(kept.v[1].path, "/d/a.c");
	assert_true(kept.v[1].unread);
	told_free(&t);
}

/* An output of last time: told without its contents, until the job wants to read them. */
static void contents_may_come_later(void **state UNUSED)
{
	struct fact lacks = file("/d/a.o", 2), has = file("/d/a.o", 2), other = file("/d/a.o", 3);
	autofacts struct facts kept = { 0 };
	autoused struct used u = { 0 };
	struct told t = begun();
	struct err err = { 0 };

	lacks.digest = (struct digest){ 0 };
	lacks.unread = has.unread = true;
	set(&t.start, lacks);
	used_init(&u, 4);
	u.how[3] = USED_SEEN | USED_READ;
	assert_int_equal(told_used(&t, &u, &kept, &err), ERR_WIRE);
	assert_false(add(&t, other));
	assert_true(add(&t, has));
	u.how[3] = 0;
	used_add(&u, xstrdup("/d/a.o"), USED_SEEN | USED_READ);
	facts_free(&kept);
	assert_int_equal(told_used(&t, &u, &kept, &err), 0);
	assert_int_equal(kept.v[0].digest.b[0], 2);
	assert_false(kept.v[0].unread);
	told_free(&t);
}

/* So that a manifest is the same whatever came of the command's outputs. */
static void an_output_of_another_time_makes_the_same_manifest(void **state UNUSED)
{
	for (unsigned how = USED_SEEN; how <= (USED_SEEN | USED_READ); how += USED_READ) {
		struct fact one = file("/d/a.o", 1), other = file("/d/a.o", 2);
		struct fact used[] = { fact_used(&one, one.path, how), fact_used(&other, other.path, how) };
		struct facts next[2] = { { 0 }, { 0 } };

		for (size_t i = 0; i < ARRAY_LEN(used); i++) {
			set(&next[i], used[i]);
			facts_next(&next[i]);
			assert_string_equal(next[i].v[0].path, "/d/a.o");
			assert_int_equal(next[i].v[0].mode, 0644);	/* else it would be private */
		}
		assert_int_equal(fact_eq(&next[0].v[0], &next[1].v[0]), how == USED_SEEN);
		facts_free(&next[0]);
		facts_free(&next[1]);
		fact_free(&one);
		fact_free(&other);
	}
}

static void contents_are_found_by_digest(void **state UNUSED)
{
	const struct digest one = { { 1 } }, two = { { 2 } }, three = { { 3 } };
	struct told t = begun();

	assert_string_equal(told_contents(&t, &one)->path, "/d/a.c");
	assert_null(told_contents(&t, &two));
	assert_true(add(&t, file("/d/b.h", 2)));
	assert_string_equal(told_contents(&t, &two)->path, "/d/b.h");
	assert_null(told_contents(&t, &three));
	told_free(&t);
}

static void what_answers_may_hold_has_an_end(void **state UNUSED)
{
	struct told t = begun();
	struct fact large = file("/d/large", 2);

	/* the same again is no more */
	for (int i = 0; i < 100; i++) {
		autofree char *name = xasprintf("/d/%d", i % 2);
		struct fact f = file(name, (unsigned char)(i % 2 + 3));

		f.size = TOLD_CONTENTS_MAX / 2;
		assert_true(add(&t, f));
		assert_false(told_full(&t));
	}
	assert_true(add(&t, large));
	assert_true(told_full(&t));
	told_free(&t);
	t = begun();
	for (int i = 0; !told_full(&t); i++) {
		autofree char *name = xasprintf("/d/%d/%03000d", i, i);

		assert_true(add(&t, absent(name)));
		assert_true((size_t)i * 3000 < TOLD_BYTES_MAX);
	}
	assert_true(t.answers.count > TOLD_BYTES_MAX / 4000);
	told_free(&t);
}

/* Many paths that share most of themselves are few bytes, and no small list. */
static void what_it_used_has_an_end_when_written_out(void **state UNUSED)
{
	autoused struct used many = { 0 }, got = { 0 };
	autobuf struct buf b = { 0 };
	struct err err = { 0 };
	struct reader r;

	used_init(&many, 0);
	for (int i = 0; i < 5000; i++)
		used_add(&many, xasprintf("/%04000d%05d", 0, i), USED_SEEN);
	assert_false(used_fit(&many));
	used_put(&b, &many);
	assert_true(b.len < 100000);
	r = reader_of(b.p, b.len);
	assert_int_equal(used_get(&r, 0, &got, &err), ERR_WIRE);
	b.len = 0;
	while (!used_fit(&many))
		free(many.others[--many.other_count].path);
	used_put(&b, &many);
	r = reader_of(b.p, b.len);
	assert_int_equal(used_get(&r, 0, &got, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_path_is_told_one_thing),
		cmocka_unit_test(the_names_of_a_directory_may_come_later),
		cmocka_unit_test(what_it_was_not_told_it_cannot_have_used),
		cmocka_unit_test(what_was_not_used_is_not_kept),
		cmocka_unit_test(contents_may_come_later),
		cmocka_unit_test(an_output_of_another_time_makes_the_same_manifest),
		cmocka_unit_test(contents_are_found_by_digest),
		cmocka_unit_test(what_answers_may_hold_has_an_end),
		cmocka_unit_test(what_it_used_has_an_end_when_written_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
