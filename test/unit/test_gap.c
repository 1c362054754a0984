/*
 * test_gap.c - time in which nothing ran here.
 */
#include "unit.h"

#include "gap.h"

static void a_timer_on_time_is_no_gap(void **state)
{
	struct gap g = { 0 };
	uint64_t now = 86400000;

	(void)state;
	assert_int_equal(gap_look(&g, now, 1000), 0);	/* the first look knows of no other */
	assert_int_equal(gap_look(&g, now += 1000, 1000), 0);
	assert_int_equal(gap_look(&g, now += 998, 1000), 0);
	assert_int_equal(gap_look(&g, now, 1000), 0);
}

static void a_gap_is_told_once(void **state)
{
	struct gap g = { 0 };
	uint64_t now = 5;

	(void)state;
	gap_look(&g, now, 1000);
	assert_int_equal(gap_look(&g, now += 1040, 1000), 40);
	assert_int_equal(gap_look(&g, now += 8 * 3600 * 1000 + 1000, 1000), 8 * 3600 * 1000);
	assert_int_equal(gap_look(&g, now += 1000, 1000), 0);
}

static void the_clock_goes_on(void **state)
{
	uint64_t before = gap_clock_ms();

	(void)state;
	assert_true(before > 0);
	assert_true(gap_clock_ms() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_on_time_is_no_gap),
		cmocka_unit_test(a_gap_is_told_once),
		cmocka_unit_test(the_clock_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
