/*
 * test_memory.c - who is a compiler, and which text spoke.
 */
#include "unit.h"

#include "memory.h"

static void drivers_are_known_by_what_they_print(void **state)
{
	(void)state;
	assert_int_equal(driver_kind_of("Using built-in specs.\nCOLLECT_GCC=gcc\ngcc version 12.2.0 (x)\n"), DRIVER_GCC);
	assert_int_equal(driver_kind_of("Debian clang version 14.0.6\nTarget: x\n"), DRIVER_CLANG);
	assert_int_equal(driver_kind_of("gcc version 12.2.0 of something else\n"), DRIVER_NOT_ONE);
	assert_int_equal(driver_kind_of(""), DRIVER_NOT_ONE);
}

static void a_changed_driver_is_asked_again(void **state)
{
	struct memory *m = memory_new();
	struct stat st = { .st_ino = 5, .st_size = 7, .st_mtim = { 1, 2 } };

	(void)state;
	assert_int_equal(memory_driver(m, &st), DRIVER_UNKNOWN);
	memory_set_driver(m, &st, DRIVER_GCC);
	assert_int_equal(memory_driver(m, &st), DRIVER_GCC);
	st.st_mtim.tv_nsec++;
	assert_int_equal(memory_driver(m, &st), DRIVER_UNKNOWN);
	free(m);
}

static void commands_differ_by_directory_and_by_word(void **state)
{
	autoargv struct argv a = { 0 }, b = { 0 };

	(void)state;
	argv_push(&a, "gcc");
	argv_push(&a, "ab");
	argv_push(&b, "gcc");
	argv_push(&b, "a");
	argv_push(&b, "b");
	assert_true(command_key("/x", &a) == command_key("/x", &a));
	assert_true(command_key("/x", &a) != command_key("/y", &a));
	assert_true(command_key("/x", &a) != command_key("/x", &b));
}

static void a_diagnosed_text_is_remembered(void **state)
{
	struct memory *m = memory_new();

	(void)state;
	assert_true(memory_diagnosed(m, 42) == 0);
	memory_set_diagnosed(m, 42, 7);
	assert_true(memory_diagnosed(m, 42) == 7);
	memory_set_diagnosed(m, 42 + (1 << 14), 8);	/* the same place */
	assert_true(memory_diagnosed(m, 42) == 0);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers_are_known_by_what_they_print),
		cmocka_unit_test(a_changed_driver_is_asked_again),
		cmocka_unit_test(commands_differ_by_directory_and_by_word),
		cmocka_unit_test(a_diagnosed_text_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
