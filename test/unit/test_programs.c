/*
 * test_programs.c - which programs a volunteer runs, and where a toolchain's links lead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "programs.h"

static struct tree tree;

static int setup(void **state UNUSED)
{
	struct digest d = { { 1 } };

	tree_add_file(&tree, "/usr/bin/x86_64-linux-gnu-as", 0755, 1, &d);
	tree_add_file(&tree, "/usr/lib/llvm-14/bin/clang", 0755, 1, &d);
	tree_add_file(&tree, "/opt/b/cc1", 0755, 1, &d);
	tree_add_link(&tree, "/usr/bin/as", "x86_64-linux-gnu-as");
	tree_add_link(&tree, "/bin", "usr/bin");
	tree_add_link(&tree, "/usr/bin/clang-14", "../lib/llvm-14/bin/clang");
	tree_add_link(&tree, "/opt/a", "/opt/b");
	tree_add_link(&tree, "/usr/loop", "loop");
	tree_add_link(&tree, "/usr/out", "../../../etc/passwd");
	return 0;
}

static int teardown(void **state UNUSED)
{
	tree_free(&tree);
	return 0;
}

static void assert_leads(const char *path, const char *want)
{
	const struct tree_entry *e = program_resolve(&tree, path);

	if (!want) {
		assert_null(e);
		return;
	}
	assert_non_null(e);
	assert_string_equal(e->path, want);
}

static void links_of_the_tree_are_followed(void **state UNUSED)
{
	assert_leads("/usr/bin/x86_64-linux-gnu-as", "/usr/bin/x86_64-linux-gnu-as");
	assert_leads("/usr/bin/as", "/usr/bin/x86_64-linux-gnu-as");
	assert_leads("/bin/as", "/usr/bin/x86_64-linux-gnu-as");
	assert_leads("/usr/bin/clang-14", "/usr/lib/llvm-14/bin/clang");
	assert_leads("/opt/a/cc1", "/opt/b/cc1");
}

static void what_is_not_in_the_tree_is_no_program(void **state UNUSED)
{
	assert_leads("/usr/bin/cc1", NULL);
	assert_leads("/usr/bin", NULL);
	assert_leads("/bin", NULL);
	assert_leads("/usr/loop", NULL);
	assert_leads("/usr/out", NULL);
	assert_leads("/usr/bin/../bin/x86_64-linux-gnu-as", NULL);
	assert_leads("//usr/bin/x86_64-linux-gnu-as", NULL);
	assert_leads("/", NULL);
}

static void only_compilers_are_known(void **state UNUSED)
{
	static const char *const good[] = { "/x/cc1", "/x/cc1plus", "/usr/bin/as", "/usr/bin/aarch64-linux-gnu-as",
					    "/usr/bin/clang", "/usr/bin/clang-14", "/x/clang++-14.0",
					    "/usr/bin/x86_64-linux-gnu-objcopy", "/x/cc1obj", "/x/cc1objplus" };
	static const char *const bad[] = { "/bin/sh", "/x/cc1x", "/x/gas", "/x/-as", "/x/as-2", "/x/clang-", "/x/clang-tidy",
					   "/x/xclang", "/usr/bin/x86_64-linux-gnu-gcc-12", "/x/a-cc1", "/x/objcopy2", "/x/" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(program_known(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(program_known(bad[i]));
}

static bool known(const char *program, const char *first)
{
	autoargv struct argv argv = { 0 };

	argv_push(&argv, program);
	if (first)
		argv_push(&argv, first);
	return program_step_known(&(struct job_step){ .program = (char *)program, .argv = argv });
}

/* As a driver clang would run any program that its options name. */
static void clang_is_no_driver_here(void **state UNUSED)
{
	assert_true(known("/usr/bin/clang-14", "-cc1"));
	assert_true(known("/usr/bin/clang", "-cc1as"));
	assert_false(known("/usr/bin/clang", "-c"));
	assert_false(known("/usr/bin/clang", NULL));
	assert_true(known("/x/cc1", "-quiet"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links_of_the_tree_are_followed),
		TEST(what_is_not_in_the_tree_is_no_program),
		TEST(only_compilers_are_known),
		TEST(clang_is_no_driver_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
