/*
 * test_plan_watch.c - what a driver looked at is found in its answer, also
 * what is not there yet.
 */
#include "unit.h"

#include "plan_watch.h"

#define CC1 " /usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet a.c -quiet -dumpbase a.c -o /tmp/t/cc000000.s\n"
#define AS " as --64 -o a.o /tmp/t/cc000000.s\n"
#define PATHS "COMPILER_PATH=/usr/libexec/gcc/t/12/:/usr/lib/gcc/\nLIBRARY_PATH=/lib/x/../lib/\n"
#define GCC "Using built-in specs.\nCOLLECT_GCC=gcc\n" CC1 AS PATHS

static bool watch(enum dialect dialect, const char *text, const char *variable, struct argv *out)
{
	autoargv struct argv argv = { 0 }, env = { 0 };
	struct plan_options options = { .temp_dir = "/tmp/t" };
	struct plan *p = NULL;
	struct err err = { 0 };
	bool known;

	argv_push(&argv, dialect == DIALECT_CLANG ? "clang" : "gcc");
	argv_push(&argv, "-c");
	argv_push(&argv, "a.c");
	if (variable)
		argv_push(&env, variable);
	assert_int_equal(plan_make(dialect, &argv, text, &options, &p, &err), 0);
	known = plan_watch(p, text, &env, out);
	plan_free(p);
	return known;
}

static void gcc_looks_where_it_says_and_in_the_targets_directories(void **state UNUSED)
{
	static const char *const expected[] = {
		"/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "/usr/lib/gcc/x86_64-linux-gnu", "/usr/libexec/gcc/t/12",
		"/usr/libexec", "/usr", "/lib/x/../lib", "/lib/x/..", "/lib/x",
		"/usr/lib/gcc/x86_64-linux-gnu/12/../../../../x86_64-linux-gnu/bin",
		"/usr/lib/gcc/x86_64-linux-gnu/12/../../../../x86_64-linux-gnu/lib",
		"/usr/lib/gcc/x86_64-linux-gnu/12/../../../../x86_64-linux-gnu",
	};
	autoargv struct argv found = { 0 };

	assert_true(watch(DIALECT_GCC, GCC, NULL, &found));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		assert_true(argv_has(&found, expected[i]));
	assert_false(argv_has(&found, "/tmp/t"));
	assert_false(argv_has(&found, ""));
}

static void clang_looks_where_its_headers_are(void **state UNUSED)
{
	static const char text[] = "clang version 14.0.6\n"
		" \"/usr/lib/llvm-14/bin/clang\" \"-cc1\" \"-emit-obj\" \"-resource-dir\" \"/usr/lib/llvm-14/lib/clang/14\""
		" \"-internal-isystem\" \"/usr/bin/../lib/gcc/t/12/include\" \"-I\" \"/home/u/src\""
		" \"-o\" \"a.o\" \"-x\" \"c\" \"a.c\"\n";
	autoargv struct argv found = { 0 };

	assert_true(watch(DIALECT_CLANG, text, NULL, &found));
	assert_true(argv_has(&found, "/usr/lib/llvm-14/bin"));
	assert_true(argv_has(&found, "/usr/lib/llvm-14/lib/clang"));
	assert_true(argv_has(&found, "/usr/bin/../lib/gcc/t"));
	assert_false(argv_has(&found, "/home/u/src"));
}

static void variables_say_where_else(void **state UNUSED)
{
	static const struct { const char *variable; bool known; } rows[] = {
		{ "LIBRARY_PATH=/opt/a:/opt/b/", true },
		{ "COMPILER_PATH=/opt/a:/opt/b", true },
		{ "GCC_EXEC_PREFIX=/opt/b/", true },
		{ "LIBRARY_PATH=/opt/a:lib", false },
		{ "LIBRARY_PATH=/opt/a:", false },	/* an empty one is the working directory */
		{ "LIBRARY_PATH=", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoargv struct argv found = { 0 };

		assert_int_equal(watch(DIALECT_GCC, GCC, rows[i].variable, &found), rows[i].known);
		if (rows[i].known)
			assert_true(argv_has(&found, "/opt/b"));
	}
}

static void what_cannot_be_known_is_not_remembered(void **state UNUSED)
{
	static const struct { enum dialect dialect; const char *text; } rows[] = {
		{ DIALECT_GCC, "Reading specs from /usr/lib/gcc/specs\n" CC1 AS PATHS },
		{ DIALECT_GCC, "Using built-in specs.\n" CC1 AS },
		{ DIALECT_GCC, "Using built-in specs.\n" PATHS },
		{ DIALECT_GCC, "Using built-in specs.\n cc1 -quiet a.c -o /tmp/t/cc000000.s\n" AS PATHS },
		{ DIALECT_CLANG, "clang version 16.0.0\nConfiguration file: /etc/clang/clang.cfg\n"
				 " \"/usr/bin/clang\" \"-cc1\" \"-emit-obj\" \"-o\" \"a.o\" \"-x\" \"c\" \"a.c\"\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoargv struct argv found = { 0 };

		assert_false(watch(rows[i].dialect, rows[i].text, NULL, &found));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcc_looks_where_it_says_and_in_the_targets_directories),
		cmocka_unit_test(clang_looks_where_its_headers_are),
		cmocka_unit_test(variables_say_where_else),
		cmocka_unit_test(what_cannot_be_known_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
