/*
 * test_hedge.c - when a second copy is worth its slot.
 */
#include "unit.h"

#include "hedge.h"

/* Late by far, with room elsewhere. */
static struct hedge_view late(void)
{
	return (struct hedge_view){ .elapsed_us = 40000000, .predicted_us = 10000000, .speed = 1, .other = 1 };
}

static const struct hedge_budget ample = { .jobs = 1000 };

static void a_late_job_gets_a_copy(void **state)
{
	struct hedge_view v = late();

	(void)state;
	assert_true(hedge_due(&ample, &v));
	v.elapsed_us = 30000000;
	assert_false(hedge_due(&ample, &v));
}

static void late_is_by_the_volunteers_speed_and_never_within_a_second(void **state)
{
	struct hedge_view v = late();

	(void)state;
	v.speed = 0.5;
	assert_int_equal(hedge_after_us(&v), 60000000);
	assert_false(hedge_due(&ample, &v));
	v = (struct hedge_view){ .elapsed_us = 999000, .predicted_us = 10000, .speed = 1, .other = 1 };
	assert_false(hedge_due(&ample, &v));
	v.elapsed_us = 1001000;
	assert_true(hedge_due(&ample, &v));
}

static void never_on_a_full_farm_nor_before_those_that_wait(void **state)
{
	struct hedge_view v = late();

	(void)state;
	v.other = 0;
	assert_false(hedge_due(&ample, &v));
	v = late();
	v.waiting = 1;
	assert_false(hedge_due(&ample, &v));
}

static void at_most_one_in_fifty_jobs(void **state)
{
	struct hedge_view v = late();
	struct hedge_budget b = { 0 };

	(void)state;
	for (b.jobs = 0; b.jobs < 10000; b.jobs++) {
		b.copies += hedge_due(&b, &v);
		assert_true(b.copies * 50 <= b.jobs);
	}
	assert_int_equal(b.copies, 199);
}

static void a_long_job_without_a_prediction_moves_only_to_a_faster_machine(void **state)
{
	struct hedge_view v = late();

	(void)state;
	v.guessed = true;
	assert_false(hedge_due(&ample, &v));
	v.speed = 0.4;
	v.elapsed_us = 100000000;
	assert_true(hedge_due(&ample, &v));
	v.other = 0.5;
	assert_false(hedge_due(&ample, &v));
}

static void a_copy_that_would_take_longer_is_not_made(void **state)
{
	struct hedge_view v = late();

	(void)state;
	v.other = 0.25;
	assert_false(hedge_due(&ample, &v));
	v.elapsed_us = 40000001;
	assert_true(hedge_due(&ample, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_job_gets_a_copy),
		cmocka_unit_test(late_is_by_the_volunteers_speed_and_never_within_a_second),
		cmocka_unit_test(never_on_a_full_farm_nor_before_those_that_wait), cmocka_unit_test(at_most_one_in_fifty_jobs),
		cmocka_unit_test(a_long_job_without_a_prediction_moves_only_to_a_faster_machine),
		cmocka_unit_test(a_copy_that_would_take_longer_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
