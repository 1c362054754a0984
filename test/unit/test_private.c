/*
 * test_private.c - which files no volunteer is told of.
 */
#include "unit.h"

#include "private.h"

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

		if (private_file(&f, &dirs) != rows[i].refused)
			fail_msg("%s", rows[i].path);
		f.kind = FACT_DIR;
		assert_false(private_file(&f, &dirs));
	}
}

static void a_home_is_no_project(void **state UNUSED)
{
	const struct fact key = { .path = (char *)"/home/u/.ssh/id", .kind = FACT_FILE, .mode = 0600 };
	autojob struct job job = { .step_count = 1 };
	autoargv struct argv dirs = { 0 };

	argv_push(&job.steps[0].argv, "cc1");
	private_named(&job, "/home/u", "a.c", &dirs);
	assert_true(private_file(&key, &dirs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_a_command_names_may_be_private_and_go),
		cmocka_unit_test(a_home_is_no_project),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
