/*
 * test_place.c - where a job goes, asked of the pure functions.
 */
#include "unit.h"

#include "place.h"

static struct place_job job(enum place_candidates candidates)
{
	return (struct place_job){ .remote_able = true, .local_slots = 2, .candidates = candidates };
}

static void a_free_core_takes_a_job_at_once(void **state)
{
	struct place_view v = { .cores = 2 };
	struct place_job j = job(CANDIDATES_SOME);

	(void)state;
	assert_int_equal(place_decide(&v, &j), PLACE_LOCAL);
}

static void with_more_waiting_than_free_cores_a_job_goes_away(void **state)
{
	struct place_view v = { .cores = 2, .waiting = 2 };
	struct place_job j = job(CANDIDATES_SOME);

	(void)state;
	assert_int_equal(place_decide(&v, &j), PLACE_REMOTE);
	v = (struct place_view){ .cores = 2, .local_running = 2 };
	assert_int_equal(place_decide(&v, &j), PLACE_REMOTE);
}

static void what_must_be_here_waits_for_a_core(void **state)
{
	struct place_view v = { .cores = 2, .local_running = 2 };
	struct place_job j = { .local_slots = 2 };

	(void)state;
	assert_int_equal(place_decide(&v, &j), PLACE_WAIT);
	v.local_running = 1;
	assert_int_equal(place_decide(&v, &j), PLACE_LOCAL);
}

static void no_local_slots_still_bound_links_by_the_cores(void **state)
{
	struct place_view v = { .cores = 2, .local_running = 1 };
	struct place_job j = { .local_slots = 0 };

	(void)state;
	assert_int_equal(place_decide(&v, &j), PLACE_LOCAL);
	v.local_running = 2;
	assert_int_equal(place_decide(&v, &j), PLACE_WAIT);
}

static void without_candidates_everything_is_compiled_here(void **state)
{
	struct place_view v = { .cores = 2 };
	struct place_job j = job(CANDIDATES_NONE);

	(void)state;
	j.stay_remote = true;
	j.local_slots = 0;
	assert_int_equal(place_decide(&v, &j), PLACE_LOCAL);
}

static void a_job_told_to_stay_away_waits_for_an_answer(void **state)
{
	struct place_view v = { .cores = 2 };
	struct place_job j = job(CANDIDATES_UNKNOWN);

	(void)state;
	j.stay_remote = true;
	assert_int_equal(place_decide(&v, &j), PLACE_WAIT);
	j.candidates = CANDIDATES_SOME;
	assert_int_equal(place_decide(&v, &j), PLACE_REMOTE);
}

static void preprocessors_are_bounded_by_the_cores(void **state)
{
	struct place_view v = { .cores = 2, .local_running = 2, .preprocessing = 2 };
	struct place_job j = job(CANDIDATES_SOME);

	(void)state;
	assert_int_equal(place_decide(&v, &j), PLACE_WAIT);
	v.preprocessing = 1;
	assert_int_equal(place_decide(&v, &j), PLACE_REMOTE);
}

static void texts_that_wait_for_a_grant_are_bounded(void **state)
{
	struct place_view v = { .cores = 2, .local_running = 2 };
	struct place_job j = job(CANDIDATES_SOME);
	unsigned bound = 0;

	(void)state;
	while (place_decide(&v, &j) == PLACE_REMOTE && bound < 1000)
		v.ungranted = ++bound;
	assert_in_range(bound, 1, 16);
}

static void a_core_that_frees_first_wins(void **state)
{
	struct place_view v = { .cores = 2, .local_running = 1 };
	struct place_job j = job(CANDIDATES_SOME);

	(void)state;
	assert_true(place_local_first(&v, &j));
	v.local_running = 2;
	assert_false(place_local_first(&v, &j));
	v.local_running = 0;
	j.stay_remote = true;
	assert_false(place_local_first(&v, &j));
}

static uint64_t counting(void *arg)
{
	uint64_t *n = arg;

	return (*n)++ * 0x9e3779b97f4a7c15u;
}

static void samples_are_distinct_and_have_room_first(void **state)
{
	struct place_peer peers[] = { { 4, 0 }, { 4, 1 }, { 0, 0 }, { 4, 0 }, { 4, 2 } };
	size_t chosen[RESERVATIONS];
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		assert_int_equal(place_sample(peers, 5, counting, &seed, chosen), 3);
		assert_int_equal(chosen[0] + chosen[1], 1 + 4);
		assert_true(chosen[2] == 0 || chosen[2] == 3);
	}
}

static void samples_follow_capacity(void **state)
{
	struct place_peer peers[] = { { 1, 0 }, { 1, 0 }, { 1, 0 }, { 1, 0 }, { 12, 0 } };
	size_t chosen[RESERVATIONS], first_is_large = 0;
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		place_sample(peers, 5, counting, &seed, chosen);
		first_is_large += chosen[0] == 4;
	}
	assert_in_range(first_is_large, 2700, 3300);	/* 12 of 16 */
}

static void nobody_is_sampled_from_nobody(void **state)
{
	struct place_peer none[] = { { 0, 0 } };
	size_t chosen[RESERVATIONS];
	uint64_t seed = 1;

	(void)state;
	assert_int_equal(place_sample(none, 1, counting, &seed, chosen), 0);
	assert_int_equal(place_sample(none, 0, counting, &seed, chosen), 0);
}

static void texts_bound_what_is_offered_and_jobs_without_one_go_further(void **state)
{
	struct place_view v = { .cores = 2, .local_running = 2, .ungranted = 6, .preprocessing = 2, .offered = OFFERED_MAX - 1 };
	struct place_job j = job(CANDIDATES_SOME);

	(void)state;
	assert_int_equal(place_decide(&v, &j), PLACE_WAIT);
	j.holds_nothing = true;
	assert_int_equal(place_decide(&v, &j), PLACE_REMOTE);
	v.offered++;
	assert_int_equal(place_decide(&v, &j), PLACE_WAIT);
}

static void what_costs_no_more_than_sending_it_stays(void **state)
{
	(void)state;
	assert_true(place_early_local(29999, 5000));
	assert_false(place_early_local(30000, 5000));
	assert_true(place_early_local(14999, 0));
	assert_false(place_early_local(0, 5000));
}

static void the_longest_goes_first_and_of_equals_the_first_that_came(void **state)
{
	struct place_waiting jobs[] = { { 10, 5 }, { 90, 5 }, { 20, 5 }, { 90, 5 } };

	(void)state;
	assert_int_equal(place_next(jobs, 4), 1);
	assert_int_equal(place_next(jobs, 1), 0);
	assert_int_equal(place_next(jobs, 0), 0);
}

/* Against a stream of long jobs, one a step. */
static void a_short_job_is_passed_only_by_those_that_came_soon_after(void **state)
{
	struct place_waiting jobs[] = { { 1000, 0 }, { 21000, 0 } };
	uint64_t now;

	(void)state;
	for (now = 0; place_next(jobs, 2) == 1; now += 100)
		jobs[1].since_us = now + 100;
	assert_in_range(now, 19000, 20200);
}

static void a_failed_job_has_one_more_volunteer_then_comes_home(void **state)
{
	(void)state;
	assert_int_equal(place_again(1), PLACE_REMOTE);
	assert_int_equal(place_again(2), PLACE_LOCAL);
	assert_int_equal(place_again(9), PLACE_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_free_core_takes_a_job_at_once),
		cmocka_unit_test(with_more_waiting_than_free_cores_a_job_goes_away),
		cmocka_unit_test(what_must_be_here_waits_for_a_core),
		cmocka_unit_test(no_local_slots_still_bound_links_by_the_cores),
		cmocka_unit_test(without_candidates_everything_is_compiled_here),
		cmocka_unit_test(a_job_told_to_stay_away_waits_for_an_answer),
		cmocka_unit_test(preprocessors_are_bounded_by_the_cores),
		cmocka_unit_test(texts_that_wait_for_a_grant_are_bounded),
		cmocka_unit_test(a_core_that_frees_first_wins),
		cmocka_unit_test(samples_are_distinct_and_have_room_first),
		cmocka_unit_test(samples_follow_capacity),
		cmocka_unit_test(nobody_is_sampled_from_nobody),
		cmocka_unit_test(texts_bound_what_is_offered_and_jobs_without_one_go_further),
		cmocka_unit_test(what_costs_no_more_than_sending_it_stays),
		cmocka_unit_test(the_longest_goes_first_and_of_equals_the_first_that_came),
		cmocka_unit_test(a_short_job_is_passed_only_by_those_that_came_soon_after),
		cmocka_unit_test(a_failed_job_has_one_more_volunteer_then_comes_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
