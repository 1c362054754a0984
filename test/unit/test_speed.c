/*
 * test_speed.c - how fast a volunteer is taken to be.
 */
#include "unit.h"

#include "speed.h"

static bool near(double v, double want, double by) { return v > want - by && v < want + by; }

static void of_nothing_known_it_is_one(void **state)
{
	struct speed s = { 0 };

	(void)state;
	assert_true(near(speed_now(&s, 0), 1, 1e-9) && near(speed_now(&s, 1 << 30), 1, 1e-9));
	speed_learn(&s, 0, 5, false, 1);
	speed_learn(&s, 5, 0, false, 1);
	assert_true(near(speed_now(&s, 1), 1, 1e-9));
}

static void a_few_jobs_tell_it(void **state)
{
	struct speed half = { 0 }, twice = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 8; i++) {
		speed_learn(&half, 1000, 2000, false, i);
		speed_learn(&twice, 1000, 500, false, i);
	}
	assert_true(near(speed_now(&half, 8), 0.5, 0.03) && near(speed_now(&twice, 8), 2, 0.1));
}

static void it_is_clamped_whatever_is_seen(void **state)
{
	struct speed slow = { 0 }, fast = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 100; i++) {
		speed_learn(&slow, 1, 1000000, false, i);
		speed_learn(&fast, 1000000, 1, false, i);
	}
	assert_true(near(speed_now(&slow, 100), SPEED_MIN, 1e-9) && near(speed_now(&fast, 100), SPEED_MAX, 1e-9));
}

static void it_decays_to_one(void **state)
{
	struct speed s = { 0 };
	double fresh, later;

	(void)state;
	speed_learn(&s, 1000, 4000, false, 0);
	fresh = speed_now(&s, 0);
	later = speed_now(&s, 20 * 60 * 1000);
	assert_true(fresh < later && later < 1);
	assert_true(near(speed_now(&s, 24 * 3600 * 1000), 1, 1e-6));
}

static void a_guess_says_less(void **state)
{
	struct speed known = { 0 }, guessed = { 0 };

	(void)state;
	speed_learn(&known, 1000, 4000, false, 1);
	speed_learn(&guessed, 1000, 4000, true, 1);
	assert_true(speed_now(&known, 1) < speed_now(&guessed, 1) && speed_now(&guessed, 1) < 1);
}

static void one_odd_job_is_outvoted(void **state)
{
	struct speed s = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 15; i++)
		speed_learn(&s, 1000, 1000, false, i);
	speed_learn(&s, 1000, 1000000, false, 16);
	assert_true(speed_now(&s, 16) > 0.75);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_nothing_known_it_is_one), cmocka_unit_test(a_few_jobs_tell_it),
		cmocka_unit_test(it_is_clamped_whatever_is_seen), cmocka_unit_test(it_decays_to_one),
		cmocka_unit_test(a_guess_says_less), cmocka_unit_test(one_odd_job_is_outvoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
