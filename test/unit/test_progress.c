/*
 * test_progress.c - how far a toolchain is, in words and as a bar.
 */
#include "unit.h"

#include "progress.h"

static void assert_words(struct peer_toolchain t, const char *expected)
{
	struct buf b = { 0 };

	t.label = "gcc 12 (cc1, as)";
	progress_put(&b, &t);
	assert_string_equal(buf_str(&b), expected);
	buf_free(&b);
}

static void words(void **state)
{
	(void)state;
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_FETCHING, .done = 12345678, .total = 42100000 },
		     "fetching gcc 12 (cc1, as): 12 of 43 MB");
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_WANTED, .done = 0, .total = 43000000 },
		     "wants gcc 12 (cc1, as): 0 of 43 MB");
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_WANTED, .by_us = true, .done = 0, .total = 999999 },
		     "fetching gcc 12 (cc1, as): 0 of 1000 kB");
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_FETCHING, .done = 5, .total = 700 },
		     "fetching gcc 12 (cc1, as): 5 of 700 bytes");
}

/* Neither rounding nor a volunteer's odd figures make it look other than it is. */
static void only_all_looks_like_all(void **state)
{
	(void)state;
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_FETCHING, .done = 42999999, .total = 43000000 },
		     "fetching gcc 12 (cc1, as): 42 of 43 MB");
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_FETCHING, .done = 42100000, .total = 42100000 },
		     "fetching gcc 12 (cc1, as): 43 of 43 MB");
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_FETCHING, .done = UINT64_MAX, .total = 42100000 },
		     "fetching gcc 12 (cc1, as): 43 of 43 MB");
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_FETCHING }, "fetching gcc 12 (cc1, as): 0 of 0 bytes");
	assert_words((struct peer_toolchain){ .state = TOOLCHAIN_FETCHING, .done = 1, .total = UINT64_MAX },
		     "fetching gcc 12 (cc1, as): 0 of 18446744073710 MB");
}

static void assert_bar(uint64_t done, uint64_t total, unsigned width, const char *expected)
{
	struct buf b = { 0 };

	progress_bar(&b, done, total, width);
	assert_string_equal(buf_str(&b), expected);
	buf_free(&b);
}

static void bars(void **state)
{
	(void)state;
	assert_bar(0, 100, 12, "[..........]");
	assert_bar(9, 100, 12, "[..........]");
	assert_bar(50, 100, 12, "[#####.....]");
	assert_bar(99, 100, 12, "[#########.]");
	assert_bar(100, 100, 12, "[##########]");
	assert_bar(UINT64_MAX, 100, 12, "[##########]");
	assert_bar(UINT64_MAX - 1, UINT64_MAX, 4, "[##]");
	assert_bar(1, 3, 3, "[.]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words), cmocka_unit_test(only_all_looks_like_all), cmocka_unit_test(bars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
