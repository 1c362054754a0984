/*
 * test_sandbox.c - which ids the system gives an ordinary user for its jobs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sandbox.h"

static void a_range_is_the_users_and_large_enough(void **state UNUSED)
{
	static const char text[] = "ann:100000:65536\n# bob:1:9\nbob:200000:4\n1002:300000:8\nbob:400000:16\nbroken\nbob:x:y\nlast:500000:1";
	static const struct { const char *name; unsigned id, count, first; } cases[] = {
		{ "ann", 1000, 8, 100000 },
		{ "bob", 1001, 4, 200000 },
		{ "bob", 1001, 5, 400000 },
		{ "bob", 1001, 17, 0 },
		{ "bo", 1005, 1, 0 },
		{ "bobby", 1005, 1, 0 },
		{ "eve", 1002, 8, 300000 },
		{ "", 1002, 8, 300000 },
		{ "eve", 100, 1, 0 },
		{ "last", 1003, 1, 500000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned first = 0;
		bool found = subid_find(text, cases[i].name, cases[i].id, cases[i].count, &first);

		assert_int_equal(first, cases[i].first);
		assert_int_equal(found, cases[i].first != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_range_is_the_users_and_large_enough) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
