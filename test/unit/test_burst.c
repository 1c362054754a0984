/*
 * test_burst.c - how long the first jobs of a build wait for the others.
 */
#include "unit.h"

#include "burst.h"

enum { MS = 1000, START = 1000 * MS };

/* One of which it is known at once where it could go. */
static void came(struct burst *b, uint64_t now_us)
{
	burst_came(b, now_us);
	burst_settled(b);
}

static void a_job_alone_waits_only_for_a_pause(void **state UNUSED)
{
	struct burst b = { 0 };

	came(&b, START);
	assert_int_equal(burst_hold_us(&b, START + 2 * MS), 3 * MS);
	assert_int_equal(burst_hold_us(&b, START + 5 * MS), 0);
}

static void as_long_as_more_come_all_wait_but_not_for_ever(void **state UNUSED)
{
	struct burst b = { 0 };
	uint64_t now = START;

	came(&b, now);
	while (burst_hold_us(&b, now)) {
		now += 1500;
		came(&b, now);
	}
	assert_in_range(now, START + 30 * MS, START + 31500);
}

static void once_it_is_over_nobody_waits_until_the_next(void **state UNUSED)
{
	struct burst b = { 0 };

	came(&b, START);
	assert_int_equal(burst_hold_us(&b, START + 6 * MS), 0);
	came(&b, START + 7 * MS);
	assert_int_equal(burst_hold_us(&b, START + 7 * MS), 0);
	burst_left(&b, START + 100 * MS);
	burst_left(&b, START + 200 * MS);
	came(&b, START + 1100 * MS);
	assert_int_equal(burst_hold_us(&b, START + 1100 * MS), 0);
	burst_left(&b, START + 1200 * MS);
	came(&b, START + 2300 * MS);
	assert_int_equal(burst_hold_us(&b, START + 2300 * MS), 5 * MS);
}

static void a_build_goes_on_as_long_as_one_of_its_jobs_does(void **state UNUSED)
{
	struct burst b = { 0 };

	came(&b, START);
	assert_int_equal(burst_hold_us(&b, START + 6 * MS), 0);
	came(&b, START + 7 * MS);
	burst_left(&b, START + 8 * MS);
	came(&b, START + 60000 * MS);
	assert_int_equal(burst_hold_us(&b, START + 60000 * MS), 0);
}

static void what_could_not_go_yet_has_not_waited(void **state UNUSED)
{
	struct burst b = { 0 };

	came(&b, START);
	came(&b, START + 500);
	assert_int_equal(burst_hold_us(&b, START + 501), 4999);
}

/* Eleven in half a second: the next may be 200 ms away, and they may take as long again and more, but not more than a second. */
static void where_they_come_slower_the_wait_is_longer(void **state UNUSED)
{
	struct burst b = { 0 };

	for (unsigned i = 0; i <= 10; i++)
		came(&b, START + 50 * MS * i);
	assert_in_range(burst_hold_us(&b, START + 510 * MS), 180 * MS, 200 * MS);
	for (uint64_t now = START + 600 * MS; now < START + 1500 * MS; now += 50 * MS) {
		came(&b, now);
		assert_true(burst_hold_us(&b, now));
	}
	came(&b, START + 1510 * MS);
	assert_int_equal(burst_hold_us(&b, START + 1510 * MS), 0);
}

/* Given a fifth of a processor, it works for 20 ms and stands still for 80. */
static void a_pause_of_a_slow_make_is_no_end(void **state UNUSED)
{
	struct burst b = { 0 };

	for (unsigned i = 0; i < 30; i++)
		came(&b, START + 13 * MS * i);
	assert_true(burst_hold_us(&b, START + 200 * MS));
	assert_true(burst_hold_us(&b, START + (13 * 29 + 90) * MS));
	assert_int_equal(burst_hold_us(&b, START + (13 * 29 + 110) * MS), 0);
}

static void a_fast_make_is_not_waited_for_long(void **state UNUSED)
{
	struct burst b = { 0 };

	for (unsigned i = 0; i < 34; i++)
		came(&b, START + 2 * MS * i);
	assert_in_range(burst_hold_us(&b, START + 2 * 33 * MS), 14 * MS, 16 * MS);
}

static void one_that_is_being_looked_at_is_waited_for_but_not_for_ever(void **state UNUSED)
{
	struct burst b = { 0 };

	came(&b, START);
	burst_came(&b, START + MS);
	assert_int_equal(burst_hold_us(&b, START + 10 * MS), 30 * MS);
	assert_int_equal(burst_hold_us(&b, START + 25 * MS), 15 * MS);
	burst_settled(&b);
	assert_int_equal(burst_hold_us(&b, START + 26 * MS), 0);

	b = (struct burst){ 0 };
	burst_came(&b, START);
	came(&b, START);
	assert_int_equal(burst_hold_us(&b, START), 30 * MS);
	assert_int_equal(burst_hold_us(&b, START + 30 * MS), 0);
}

/* A job each two seconds, none of them for elsewhere, as make -j1 with files that are new; then one that is. */
static void jobs_one_after_the_other_are_no_burst(void **state UNUSED)
{
	struct burst b = { 0 };
	uint64_t now = START;

	for (unsigned i = 0; i < 40; i++, now += 2000 * MS) {
		came(&b, now);
		burst_left(&b, now + 1900 * MS);
	}
	came(&b, now);
	assert_int_equal(burst_hold_us(&b, now), 0);
}

/* Many, without a pause, and none of them for elsewhere, for five minutes. */
static void after_a_while_of_others_nobody_waits(void **state UNUSED)
{
	struct burst b = { 0 };
	uint64_t now = START;

	for (unsigned i = 0; i < 3000; i++, now += 100 * MS)
		came(&b, now);
	assert_int_equal(burst_hold_us(&b, now), 0);
}

/* As long as jobs come at any pace that is a burst's. */
static void nobody_waits_for_more_than_a_second(void **state UNUSED)
{
	struct burst b = { 0 };
	uint64_t now = START, held;

	for (unsigned i = 0; i < 15; i++, now += 190 * MS)
		came(&b, now);
	for (held = now; burst_hold_us(&b, now); now += 100 * MS)
		came(&b, now);
	assert_in_range(now - held, 1, 1000 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_alone_waits_only_for_a_pause), cmocka_unit_test(as_long_as_more_come_all_wait_but_not_for_ever),
		cmocka_unit_test(once_it_is_over_nobody_waits_until_the_next), cmocka_unit_test(a_build_goes_on_as_long_as_one_of_its_jobs_does),
		cmocka_unit_test(what_could_not_go_yet_has_not_waited), cmocka_unit_test(where_they_come_slower_the_wait_is_longer),
		cmocka_unit_test(a_pause_of_a_slow_make_is_no_end), cmocka_unit_test(a_fast_make_is_not_waited_for_long),
		cmocka_unit_test(one_that_is_being_looked_at_is_waited_for_but_not_for_ever),
		cmocka_unit_test(jobs_one_after_the_other_are_no_burst), cmocka_unit_test(after_a_while_of_others_nobody_waits),
		cmocka_unit_test(nobody_waits_for_more_than_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
