/*
 * test_private.c - which files no volunteer is told of.
 */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "closed.h"
#include "private.h"

static const struct argv none = { 0 };

static void only_what_a_command_names_may_be_private_and_go(void **state UNUSED)
{
	static const char *const words[] = { "cc1", "-I/opt/inc", "-Irel", "-include", "/etc/deep/pre.h", "-o", "/", "src/a.c" };
	static const struct { const char *path; unsigned mode; bool refused; } rows[] = {
		{ "/usr/include/stdio.h", 0644, false }, { "/home/u/.ssh/config", 0644, false }, { "/home/u/.ssh/id", 0600, true },
		{ "/home/u/p/a.h", 0600, false }, { "/home/u/p/.netrc", 0600, true }, { "/home/u/p/.git/config", 0600, true },
		{ "/home/u/secret", 0600, true }, { "/opt/inc/a.h", 0400, false }, { "/opt/include/a.h", 0400, true },
		{ "/home/u/p/rel/a.h", 0600, false }, { "/etc/deep/other.h", 0600, false }, { "/etc/shadow", 0640, true },
		{ "/etc/key", 0600, true }, { "/home/u/p/src/b.h", 0600, false },
	};
	autojob struct job job = { .step_count = 1 };
	autoargv struct argv dirs = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv_push(&job.steps[0].argv, words[i]);
	private_named(&job, "/home/u/p", "src/a.c", &dirs);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fact f = { .path = (char *)rows[i].path, .kind = FACT_FILE, .mode = (uint16_t)rows[i].mode };

		if (private_file(&f, &none, &dirs) != rows[i].refused)
			fail_msg("%s", rows[i].path);
		f.kind = FACT_DIR;
		assert_false(private_file(&f, &none, &dirs));
	}
}

static void a_home_is_no_project(void **state UNUSED)
{
	const struct fact key = { .path = (char *)"/home/u/.ssh/id", .kind = FACT_FILE, .mode = 0600 };
	autojob struct job job = { .step_count = 1 };
	autoargv struct argv dirs = { 0 };

	argv_push(&job.steps[0].argv, "cc1");
	private_named(&job, "/home/u", "a.c", &dirs);
	assert_true(private_file(&key, &none, &dirs));
}

static void what_is_behind_a_closed_directory_is_private_too(void **state UNUSED)
{
	static const char *const nothing[] = { NULL }, *const home[] = { "/home/u", NULL }, *const inner[] = { "/home/u", "/home/u/mail", NULL },
		*const own[] = { "/home/u/p/src", NULL };
	static const struct { const char *path, *const *closed; bool refused; } rows[] = {
		{ "/home/u/mail/new", nothing, false }, { "/home/u/mail/new", inner, true }, { "/home/u/notes", home, false },
		{ "/home/u/lib/a.h", home, false }, { "/home/u/.npmrc", home, true }, { "/home/u/.npmrc", nothing, false },
		{ "/home/u/p/lib/a.h", home, false }, { "/home/u/p/src/a.h", own, false }, { "/home/u/p/src/.key", own, true },
		{ "/home/v/a.h", home, true }, { "/home/u/pp/.hidden", home, true },
	};
	autoargv struct argv dirs = { 0 };

	argv_push(&dirs, "/opt/inc");
	argv_push(&dirs, "/home/u/p/src");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fact f = { .path = (char *)rows[i].path, .kind = FACT_FILE, .mode = 0644 };
		autoargv struct argv closed = { 0 };

		for (size_t j = 0; rows[i].closed[j]; j++)
			argv_push(&closed, rows[i].closed[j]);
		if (private_file(&f, &closed, &dirs) != rows[i].refused)
			fail_msg("%s", rows[i].path);
	}
}

/* What of it is closed on the way to the file of that name. */
static void expect_closed(struct closed *c, const char *top, const char *name, size_t count)
{
	autofree char *path = xasprintf("%s/%s", top, name);
	const struct argv *found = closed_on_way(c, path);

	assert_int_equal(found->count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(path_below(path, found->v[i]));
}

static void closed_directories_are_found_in_any_order(void **state UNUSED)
{
	char top[] = "/tmp/rcc-test.XXXXXX";
	autoclosed struct closed c = { 0 };

	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0755) | chdir(top) | mkdir("a", 0755) | mkdir("a/b", 0700) | mkdir("a/b/c", 0750) | mkdir("ab", 0755), 0);
	expect_closed(&c, top, "a/f", 0);
	expect_closed(&c, top, "a/b/f", 1);
	expect_closed(&c, top, "a/b/c/f", 2);
	expect_closed(&c, top, "a/b/c/g", 2);
	expect_closed(&c, top, "a/b/g", 1);
	expect_closed(&c, top, "ab/f", 0);
	expect_closed(&c, top, "a/b/c/f", 2);
	expect_closed(&c, top, "f", 0);
	expect_closed(&c, top, "gone/f", 1);
	assert_int_equal(rmdir("a/b/c") | rmdir("a/b") | rmdir("a") | rmdir("ab") | chdir("/") | rmdir(top), 0);
}

static void what_a_fact_tells_of_a_directory_is_not_looked_at(void **state UNUSED)
{
	static const struct { const char *path; uint16_t mode; } dirs[] = {
		{ "/", 0755 }, { "/none", 0755 }, { "/none/a", 0750 }, { "/none/a/b", 0755 }, { "/none/c", 0755 },
	};
	static const struct { const char *path; size_t after, count; } files[] = {
		{ "/none/f", 2, 0 }, { "/none/a/f", 3, 1 }, { "/none/a/b/f", 4, 1 }, { "/none/a/g", 4, 1 }, { "/none/c/f", 5, 0 },
		{ "/none/c/d/f", 5, 1 },
	};
	autoclosed struct closed c = { 0 };
	size_t told = 0;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		for (; told < files[i].after; told++)
			closed_enter(&c, &(struct fact){ .path = (char *)dirs[told].path, .kind = FACT_DIR, .mode = dirs[told].mode });
		if (closed_on_way(&c, files[i].path)->count != files[i].count)
			fail_msg("%s", files[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_a_command_names_may_be_private_and_go),
		cmocka_unit_test(a_home_is_no_project),
		cmocka_unit_test(what_is_behind_a_closed_directory_is_private_too),
		cmocka_unit_test(closed_directories_are_found_in_any_order),
		cmocka_unit_test(what_a_fact_tells_of_a_directory_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
