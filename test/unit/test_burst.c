/*
 * test_burst.c - how long the first jobs of a build wait for the others.
 */
#include "unit.h"

#include "burst.h"

static void a_job_alone_waits_only_for_a_pause(void **state UNUSED)
{
	struct burst b = { 0 };

	burst_came(&b, true, 1000000);
	assert_int_equal(burst_hold_us(&b, 1002000), 3000);
	assert_int_equal(burst_hold_us(&b, 1005000), 0);
}

static void as_long_as_more_come_all_wait_but_not_for_ever(void **state UNUSED)
{
	struct burst b = { 0 };
	uint64_t now = 1000000;

	burst_came(&b, true, now);
	while (burst_hold_us(&b, now)) {
		now += 1500;
		burst_came(&b, false, now);
	}
	assert_in_range(now, 1030000, 1031500);
}

static void once_it_is_over_nobody_waits_until_the_next(void **state UNUSED)
{
	struct burst b = { 0 };

	burst_came(&b, true, 1000000);
	assert_int_equal(burst_hold_us(&b, 1006000), 0);
	burst_came(&b, false, 1007000);
	assert_int_equal(burst_hold_us(&b, 1007000), 0);
	burst_came(&b, true, 9000000);
	assert_int_equal(burst_hold_us(&b, 9000000), 5000);
}

static void what_could_not_go_yet_has_not_waited(void **state UNUSED)
{
	struct burst b = { 0 };

	burst_came(&b, true, 1000000);
	burst_came(&b, false, 1500000);
	assert_int_equal(burst_hold_us(&b, 1501000), 4000);
}

/* Eleven in half a second: the next may be 150 ms away, and they may take as long again. */
static void where_they_come_slower_the_wait_is_longer(void **state UNUSED)
{
	struct burst b = { 0 };

	for (unsigned i = 0; i <= 10; i++)
		burst_came(&b, !i, 1000000 + 50000 * i);
	assert_in_range(burst_hold_us(&b, 1510000), 120000, 140000);
	for (uint64_t now = 1600000; now < 2000000; now += 50000) {
		burst_came(&b, false, now);
		assert_true(burst_hold_us(&b, now));
	}
	burst_came(&b, false, 2010000);
	assert_int_equal(burst_hold_us(&b, 2010000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_alone_waits_only_for_a_pause), cmocka_unit_test(as_long_as_more_come_all_wait_but_not_for_ever),
		cmocka_unit_test(once_it_is_over_nobody_waits_until_the_next), cmocka_unit_test(what_could_not_go_yet_has_not_waited),
		cmocka_unit_test(where_they_come_slower_the_wait_is_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
