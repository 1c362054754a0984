/*
 * test_finish.c - when a job would be done where, and who is asked.
 */
#include "unit.h"

#include "finish.h"

static uint64_t step(void *arg) { return ++*(uint64_t *)arg * 0x9e3779b97f4a7c15u >> 7; }

static void it_is_transfer_wait_and_work(void **state)
{
	struct finish_job j = { .occupancy_us = 1000000, .bytes = 500000 };
	struct finish_peer p = { .slots = 1, .speed = 2, .wait_us = 300, .rtt_us = 70, .bandwidth = 1000000 };

	(void)state;
	assert_int_equal(finish_us(&j, &p), 70 + 300 + 500000 + 500000);
	p.bandwidth = 0;
	assert_int_equal(finish_us(&j, &p), 70 + 300 + 500000);
}

static void a_free_slot_is_no_wait_and_a_busy_one_its_rest(void **state)
{
	const uint64_t ours[] = { 900, 400 };
	struct finish_slots s = { .slots = 2, .free = 1, .ours_us = ours, .ours = 1, .mean_us = 1000 };

	(void)state;
	assert_int_equal(finish_wait_us(&s), 0);
	s.free = 0;
	s.ours = 2;
	assert_int_equal(finish_wait_us(&s), 400);
	s.ahead = 1;
	assert_int_equal(finish_wait_us(&s), 900);
	s.ahead = 2;
	assert_int_equal(finish_wait_us(&s), 1400);
}

static void the_jobs_of_others_are_expected_to_end_evenly(void **state)
{
	struct finish_slots s = { .slots = 3, .mean_us = 1000 };

	(void)state;
	assert_int_equal(finish_wait_us(&s), 250);
	s.ahead = 1;
	assert_int_equal(finish_wait_us(&s), 500);
}

static void what_is_promised_to_jobs_ahead_is_not_free(void **state)
{
	struct finish_slots s = { .slots = 2, .free = 2, .ahead = 1, .mean_us = 1000 };

	(void)state;
	assert_int_equal(finish_wait_us(&s), 0);
	s.ahead = 2;
	assert_int_equal(finish_wait_us(&s), 500);
}

static void a_late_job_goes_on_by_its_age(void **state)
{
	(void)state;
	assert_int_equal(finish_left_us(1000, 0), 1000);
	assert_int_equal(finish_left_us(1000, 400), 600);
	assert_int_equal(finish_left_us(1000, 4000), 1000);
}

static void a_long_job_waits_for_a_fast_machine_and_a_short_one_does_not(void **state)
{
	const struct finish_peer peers[] = {
		{ .slots = 2, .speed = 0.25 }, { .slots = 2, .speed = 1, .wait_us = 2000000 },
	};
	struct finish_job j = { .occupancy_us = 20000000 };
	size_t chosen[RESERVATIONS];
	uint64_t seed = 1;

	(void)state;
	assert_int_equal(finish_choose(&j, peers, 2, step, &seed, chosen), 1);
	assert_int_equal(chosen[0], 1);
	j.occupancy_us = 200000;
	assert_int_equal(finish_choose(&j, peers, 2, step, &seed, chosen), 1);
	assert_int_equal(chosen[0], 0);
}

static void equals_are_chosen_at_random_and_never_twice(void **state)
{
	struct finish_peer peers[10];
	struct finish_job j = { .occupancy_us = 1000000 };
	size_t chosen[RESERVATIONS], times[10] = { 0 };
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		peers[i] = (struct finish_peer){ .slots = i ? 2 : 0, .speed = 1 };
	for (unsigned n = 0; n < 900; n++) {
		assert_int_equal(finish_choose(&j, peers, 10, step, &seed, chosen), RESERVATIONS);
		assert_true(chosen[0] != chosen[1] && chosen[1] != chosen[2] && chosen[0] != chosen[2]);
		for (size_t i = 0; i < RESERVATIONS; i++)
			times[chosen[i]]++;
	}
	assert_int_equal(times[0], 0);
	for (size_t i = 1; i < 10; i++)
		assert_in_range(times[i], 225, 375);
	assert_int_equal(finish_choose(&j, peers, 1, step, &seed, chosen), 0);
	assert_int_equal(finish_choose(&j, peers, 0, step, &seed, chosen), 0);
}

static void one_that_reports_room_is_asked_if_it_is_about_as_good(void **state)
{
	(void)state;
	assert_true(finish_worth(1120000, 1000000) && finish_worth(4000, 1));
	assert_false(finish_worth(1140000, 1000000));
}

static void the_last_job_waits_for_what_is_clearly_sooner(void **state)
{
	(void)state;
	assert_true(finish_clearly_sooner(6000000, 6500000));
	assert_false(finish_clearly_sooner(6000000, 6100000) || finish_clearly_sooner(6500000, 6000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_transfer_wait_and_work), cmocka_unit_test(a_free_slot_is_no_wait_and_a_busy_one_its_rest),
		cmocka_unit_test(the_jobs_of_others_are_expected_to_end_evenly),
		cmocka_unit_test(what_is_promised_to_jobs_ahead_is_not_free), cmocka_unit_test(a_late_job_goes_on_by_its_age),
		cmocka_unit_test(a_long_job_waits_for_a_fast_machine_and_a_short_one_does_not),
		cmocka_unit_test(equals_are_chosen_at_random_and_never_twice),
		cmocka_unit_test(one_that_reports_room_is_asked_if_it_is_about_as_good),
		cmocka_unit_test(the_last_job_waits_for_what_is_clearly_sooner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
