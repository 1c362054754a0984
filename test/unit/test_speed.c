/*
 * test_speed.c - how fast a volunteer is taken to be.
 */
#include "unit.h"

#include <math.h>

#include "speed.h"

static bool near(double v, double want, double by) { return v > want - by && v < want + by; }

static void learn(struct speed *s, uint64_t predicted_us, uint64_t took_us, double load, bool guessed, uint64_t now_ms)
{
	speed_learn(s, &(struct speed_seen){ .predicted_us = predicted_us, .took_us = took_us, .load = load, .guessed = guessed }, now_ms);
}

static void of_nothing_known_it_is_one(void **state)
{
	struct speed s = { 0 };

	(void)state;
	assert_true(near(speed_now(&s, 0, 0), 1, 1e-9) && near(speed_now(&s, 0, 1 << 30), 1, 1e-9));
	learn(&s, 0, 5, 0, false, 1);
	learn(&s, 5, 0, 0, false, 1);
	assert_true(near(speed_now(&s, 0, 1), 1, 1e-9));
}

static void a_few_jobs_tell_it(void **state)
{
	struct speed half = { 0 }, twice = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 8; i++) {
		learn(&half, 1000, 2000, 0, false, i);
		learn(&twice, 1000, 500, 0, false, i);
	}
	assert_true(near(speed_now(&half, 0, 8), 0.5, 0.03) && near(speed_now(&twice, 0, 8), 2, 0.1));
}

static void it_is_clamped_whatever_is_seen(void **state)
{
	struct speed slow = { 0 }, fast = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 100; i++) {
		learn(&slow, 1, 1000000, 0, false, i);
		learn(&fast, 1000000, 1, 0, false, i);
	}
	assert_true(near(speed_now(&slow, 0, 100), SPEED_MIN, 1e-9) && near(speed_now(&fast, 0, 100), SPEED_MAX, 1e-9));
}

static void it_decays_to_one(void **state)
{
	struct speed s = { 0 };
	double fresh, later;

	(void)state;
	learn(&s, 1000, 4000, 0, false, 0);
	fresh = speed_now(&s, 0, 0);
	later = speed_now(&s, 0, 20 * 60 * 1000);
	assert_true(fresh < later && later < 1);
	assert_true(near(speed_now(&s, 0, 24 * 3600 * 1000), 1, 1e-6));
}

static double company_of(const struct speed *const *all, size_t count)
{
	double company;

	assert_true(speed_common_company(all, count, &company));
	return company;
}

static void a_guess_says_less(void **state)
{
	struct speed known = { 0 }, guessed = { 0 };

	(void)state;
	learn(&known, 1000, 4000, 0, false, 1);
	learn(&guessed, 1000, 4000, 0, true, 1);
	assert_true(speed_now(&known, 0, 1) < speed_now(&guessed, 0, 1) && speed_now(&guessed, 0, 1) < 1);
}

static void fewer_processors_than_slots_are_expected_to_cost(void **state)
{
	struct speed s = { .company = speed_company(1, 2) };

	(void)state;
	assert_true(near(speed_now(&s, 0, 1), 1, 1e-9) && near(speed_now(&s, 1, 1), 0.5, 1e-9));
	assert_int_equal(speed_useful_slots(&s, 2, 0.94, 1), 1);
	assert_true(near(speed_company(4, 4), 0, 1e-9) && near(speed_company(8, 4), 0, 1e-9) && near(speed_company(0, 4), 0, 1e-9));
	/* jobs that sleep show it wrong */
	for (unsigned i = 1; i <= 20; i++)
		learn(&s, 1000, 1000, i % 2, false, i);
	assert_int_equal(speed_useful_slots(&s, 2, 0.94, 20), 2);
}

static void what_few_jobs_cannot_tell_of_one_many_machines_tell_together(void **state)
{
	const struct speed *all[4];
	struct speed s[4] = { 0 };
	double company;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		all[i] = &s[i];
		learn(&s[i], 1000, 1000, 0, false, 1);
		assert_false(speed_common_company(all, i + 1, &company));
		learn(&s[i], 1000, 2000, 1, false, 2);
	}
	for (unsigned i = 0; i < 4; i++)
		learn(&s[i], 1000, 1000, 0, false, 3);
	assert_true(near(company_of(all, 4), -0.69, 0.05));
}

/* A machine with one processor and two slots: two jobs at once take twice as long each. */
static void what_company_costs_is_told_apart(void **state)
{
	struct speed s = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 16; i++)
		learn(&s, 1000, i % 2 ? 1000 : 2000, i % 2 ? 0 : 1, false, i);
	assert_true(near(speed_now(&s, 0, 16), 1, 0.15) && near(speed_now(&s, 1, 16), 0.5, 0.15));
	assert_int_equal(speed_useful_slots(&s, 2, 0.94, 16), 1);
}

static void a_slow_machine_that_is_always_full_is_slow_and_not_crowded(void **state)
{
	struct speed s = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 30; i++)
		learn(&s, 1000, 3000, 1, false, i);
	assert_true(speed_now(&s, 0, 30) < 0.45);
	assert_int_equal(speed_useful_slots(&s, 2, 0.94, 30), 2);
	assert_int_equal(speed_useful_slots(&s, 16, 0.94, 30), 16);
}

static void company_makes_no_job_faster(void **state)
{
	struct speed s = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 16; i++)
		learn(&s, 1000, i % 2 ? 2000 : 1000, i % 2 ? 0 : 1, false, i);
	assert_true(near(speed_now(&s, 0, 16), speed_now(&s, 1, 16), 1e-9));
	assert_int_equal(speed_useful_slots(&s, 4, 0.94, 16), 4);
	assert_int_equal(speed_useful_slots(&s, 1, 0.94, 16), 1);
}

/* Jobs that mostly had company there are remembered as long. */
static void what_it_had_of_a_processor_tells_what_predictions_do_not(void **state)
{
	struct speed flat = { 0 };
	const struct speed *all[] = { &flat };

	(void)state;
	for (unsigned i = 1; i <= 16; i++)
		speed_learn(&flat, &(struct speed_seen){ .predicted_us = 1000, .took_us = 1000, .cpu_us = i % 2 ? 500 : 1000, .load = i % 2 }, i);
	assert_int_equal(speed_useful_slots(&flat, 2, 0.94, 16), 1);
	assert_true(near(speed_now(&flat, 1, 16) / speed_now(&flat, 0, 16), 0.5, 0.06));
	assert_true(near(company_of(all, 1), -0.69, 0.05));
}

/* A first build, all slots in use, asks for each file; then a few jobs come alone. */
static void what_a_job_asks_for_at_first_is_not_the_cost_of_company(void **state)
{
	struct speed s = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 24; i++)
		speed_learn(&s, &(struct speed_seen){ .predicted_us = 1000, .took_us = 1000, .cpu_us = 200, .load = 1, .guessed = true }, i);
	for (unsigned i = 25; i <= 28; i++)
		speed_learn(&s, &(struct speed_seen){ .predicted_us = 1000, .took_us = 1000, .cpu_us = 900, .load = 0 }, i);
	assert_int_equal(speed_useful_slots(&s, 16, 0.94, 28), 16);
}

static void a_volunteer_that_says_it_had_all_processors_of_the_world_is_not_believed(void **state)
{
	struct speed liar = { 0 };
	const struct speed *all[] = { &liar };

	(void)state;
	for (unsigned i = 1; i <= 32; i++)
		speed_learn(&liar, &(struct speed_seen){ .predicted_us = 1000, .took_us = 1000, .cpu_us = i % 2 ? 900 : UINT64_MAX, .load = i % 2 ? 1 : 0 }, i);
	assert_true(near(company_of(all, 1), log(0.9), 0.05));
}

static void jobs_that_sleep_have_no_share_to_tell_of(void **state)
{
	struct speed s = { .company = speed_company(1, 2) };

	(void)state;
	for (unsigned i = 1; i <= 16; i++)
		speed_learn(&s, &(struct speed_seen){ .predicted_us = 100000, .took_us = 100000, .cpu_us = i % 2 ? 500 : 1000, .load = i % 2 }, i);
	assert_int_equal(speed_useful_slots(&s, 2, 0.94, 16), 2);
}

/* Two threads of one core: each job has its processor whole, and is slower. */
static void processors_that_slow_each_other_down_are_seen(void **state)
{
	struct speed s = { 0 };
	const struct speed *all[] = { &s };

	(void)state;
	for (unsigned i = 1; i <= 32; i++)
		speed_learn(&s, &(struct speed_seen){ .predicted_us = 1000, .took_us = i % 2 ? 1600 : 1000, .cpu_us = i % 2 ? 1600 : 1000,
						      .load = i % 2 }, i);
	assert_true(speed_now(&s, 1, 32) < 0.8 * speed_now(&s, 0, 32));
	assert_true(near(company_of(all, 1), -0.47, 0.05));
}

/* A machine that lends a fifth of a processor and says that it has two: each of two jobs has a tenth. */
static void what_jobs_lack_while_they_had_company_is_laid_to_it(void **state)
{
	struct speed s[2] = { 0 };
	const struct speed *all[] = { &s[0], &s[1] };
	struct speed_seen together = { .predicted_us = 1000, .took_us = 20000000, .cpu_us = 2000000, .load = 1, .guessed = true }, alone = together;
	double company;

	(void)state;
	assert_true(near(speed_suspected_company(all, 2, 2, -0.1), -0.1, 1e-9));
	for (unsigned i = 0; i < 2; i++)
		speed_learn(&s[i], &together, 1);
	assert_false(speed_common_company(all, 2, &company));
	s[0].company = speed_suspected_company(all, 2, 2, 0);
	assert_true(near(s[0].company, log(0.5), 0.1));
	assert_int_equal(speed_useful_slots(&s[0], 2, 0.9, 1), 1);
	assert_true(near(speed_suspected_company(all, 2, 1, 0), 0, 1e-9));
	/* alone they have as little: it was not the company */
	alone.load = 0;
	for (unsigned i = 0; i < 2; i++)
		speed_learn(&s[i], &alone, 2);
	s[0].company = speed_suspected_company(all, 2, 2, 0);
	assert_true(s[0].company > -0.2);
	assert_int_equal(speed_useful_slots(&s[0], 2, 0.9, 2), 2);
}

/* Of a whole processor little is missing, whatever the company. */
static void who_had_a_processor_suspects_nobody(void **state)
{
	struct speed s = { 0 };
	const struct speed *all[] = { &s };

	(void)state;
	for (unsigned i = 1; i <= 8; i++)
		speed_learn(&s, &(struct speed_seen){ .predicted_us = 1000000, .took_us = 1000000, .cpu_us = 930000, .load = 1 }, i);
	assert_true(speed_suspected_company(all, 1, 8, 0) > -0.08);
	assert_int_equal(speed_useful_slots(&s, 8, 0.9, 8), 8);
}

/* Two jobs of the same work: one had company, one was alone. They are remembered as equally long. */
static void what_company_took_from_a_job_is_not_its_length(void **state)
{
	struct speed s = { 0 };
	struct speed_seen alone = { .predicted_us = 20000000, .took_us = 20000000, .cpu_us = 4000000, .load = 0 },
			  together = { .predicted_us = 20000000, .took_us = 40000000, .cpu_us = 4000000, .load = 1 },
			  sleeps = { .predicted_us = 20000000, .took_us = 40000000, .cpu_us = 4000, .load = 1 };

	(void)state;
	for (unsigned i = 1; i <= 12; i++)
		speed_learn(&s, i % 4 ? &together : &alone, i);
	assert_true(near(speed_met(&s, &alone, 2, 12) * 20, speed_met(&s, &together, 2, 12) * 40, 1));
	/* half of its time it had company only */
	together.took_us = 30000000;
	together.load = 0.5;
	assert_true(near(speed_met(&s, &alone, 2, 12) * 20, speed_met(&s, &together, 2, 12) * 30, 1));
	assert_true(near(speed_met(&s, &sleeps, 2, 12), speed_now(&s, 1, 12), 1e-9));
	/* what nobody took from it is its own */
	alone.took_us = 40000000;
	assert_true(near(speed_met(&s, &alone, 2, 12), speed_now(&s, 0, 12), 1e-9));
}

static void one_odd_job_is_outvoted(void **state)
{
	struct speed s = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 15; i++)
		learn(&s, 1000, 1000, 0, false, i);
	learn(&s, 1000, 1000000, 0, false, 16);
	assert_true(speed_now(&s, 0, 16) > 0.75);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_had_of_a_processor_tells_what_predictions_do_not),
		cmocka_unit_test(what_a_job_asks_for_at_first_is_not_the_cost_of_company),
		cmocka_unit_test(a_volunteer_that_says_it_had_all_processors_of_the_world_is_not_believed),
		cmocka_unit_test(jobs_that_sleep_have_no_share_to_tell_of), cmocka_unit_test(processors_that_slow_each_other_down_are_seen),
		cmocka_unit_test(of_nothing_known_it_is_one), cmocka_unit_test(a_few_jobs_tell_it),
		cmocka_unit_test(it_is_clamped_whatever_is_seen), cmocka_unit_test(it_decays_to_one),
		cmocka_unit_test(a_guess_says_less), cmocka_unit_test(what_company_costs_is_told_apart),
		cmocka_unit_test(what_few_jobs_cannot_tell_of_one_many_machines_tell_together), cmocka_unit_test(fewer_processors_than_slots_are_expected_to_cost),
		cmocka_unit_test(a_slow_machine_that_is_always_full_is_slow_and_not_crowded),
		cmocka_unit_test(company_makes_no_job_faster), cmocka_unit_test(one_odd_job_is_outvoted), cmocka_unit_test(what_company_took_from_a_job_is_not_its_length),
		cmocka_unit_test(what_jobs_lack_while_they_had_company_is_laid_to_it), cmocka_unit_test(who_had_a_processor_suspects_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
