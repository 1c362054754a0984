/*
 * test_breaker.c - when nothing leaves this machine.
 */
#include "unit.h"

#include "breaker.h"

static void end(struct breaker *b, unsigned n, enum breaker_end how)
{
	for (unsigned i = 0; i < n; i++)
		breaker_ended(b, false, how, 0);
}

static struct breaker opened(void)
{
	struct breaker b = { 0 };

	end(&b, BREAKER_JOBS / 2, BREAKER_FAILED);
	assert_false(breaker_allows(&b, 0));
	return b;
}

static void it_opens_when_half_failed(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	end(&b, BREAKER_JOBS / 2 - 1, BREAKER_FAILED);
	end(&b, BREAKER_JOBS / 2, BREAKER_SERVED);
	end(&b, 100, BREAKER_NEITHER);
	assert_true(breaker_allows(&b, 0));
	assert_false(breaker_take(&b));
	end(&b, 1, BREAKER_FAILED);
	assert_false(breaker_allows(&b, 0));
}

static void old_failures_are_forgotten(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		end(&b, BREAKER_JOBS / 2 - 1, BREAKER_FAILED);
		end(&b, BREAKER_JOBS / 2 + 1, BREAKER_SERVED);
	}
	assert_true(breaker_allows(&b, 0));
}

static void after_a_while_one_job_may_try(void **state)
{
	struct breaker b = opened();

	(void)state;
	assert_false(breaker_allows(&b, BREAKER_OPEN_MS - 1));
	assert_true(breaker_allows(&b, BREAKER_OPEN_MS));
	assert_true(breaker_take(&b));
	assert_false(breaker_allows(&b, BREAKER_OPEN_MS));
	assert_false(breaker_allows(&b, 100 * BREAKER_OPEN_MS));
}

static void the_trial_decides(void **state)
{
	struct breaker b = opened();

	(void)state;
	assert_true(breaker_take(&b));
	breaker_ended(&b, true, BREAKER_FAILED, 7000);
	assert_false(breaker_allows(&b, 7000 + BREAKER_OPEN_MS - 1));
	assert_true(breaker_allows(&b, 7000 + BREAKER_OPEN_MS));
	assert_true(breaker_take(&b));
	breaker_ended(&b, true, BREAKER_SERVED, 15000);
	assert_true(breaker_allows(&b, 15000));
	assert_false(breaker_take(&b));
}

static void a_trial_that_was_given_up_is_followed_by_another(void **state)
{
	struct breaker b = opened();

	(void)state;
	assert_true(breaker_take(&b));
	breaker_ended(&b, true, BREAKER_NEITHER, 7000);
	assert_true(breaker_allows(&b, 7000));
}

static void of_two_that_go_out_together_one_is_the_trial(void **state)
{
	struct breaker b = opened();

	(void)state;
	assert_true(breaker_take(&b));
	assert_false(breaker_take(&b));
	breaker_ended(&b, false, BREAKER_NEITHER, 7000);
	assert_false(breaker_allows(&b, 7000));
	breaker_ended(&b, true, BREAKER_SERVED, 7000);
	assert_true(breaker_allows(&b, 7000));
}

static void jobs_that_left_before_do_not_count_while_it_is_open(void **state)
{
	struct breaker b = opened();

	(void)state;
	breaker_ended(&b, false, BREAKER_SERVED, 100);
	assert_false(breaker_allows(&b, 100));
	breaker_ended(&b, false, BREAKER_FAILED, BREAKER_OPEN_MS);
	assert_true(breaker_allows(&b, BREAKER_OPEN_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_opens_when_half_failed), cmocka_unit_test(old_failures_are_forgotten),
		cmocka_unit_test(after_a_while_one_job_may_try), cmocka_unit_test(the_trial_decides),
		cmocka_unit_test(a_trial_that_was_given_up_is_followed_by_another),
		cmocka_unit_test(of_two_that_go_out_together_one_is_the_trial),
		cmocka_unit_test(jobs_that_left_before_do_not_count_while_it_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
