/*
 * test_ban.c - where jobs do not go for a while.
 */
#include "unit.h"

#include "ban.h"

enum { GCC = 11, CLANG = 12 };

static void back_off_doubles_to_a_bound_with_full_jitter(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 100; n++) {
		uint64_t bound = n < 5 ? BAN_MIN_MS << n : BAN_MAX_MS;

		assert_int_equal(backoff_draw(n, 0), BAN_MIN_MS / 2);
		assert_int_equal(backoff_draw(n, bound - 1), BAN_MIN_MS / 2 + bound - 1);
		assert_int_equal(backoff_draw(n, bound), BAN_MIN_MS / 2);
	}
}

static void a_toolchain_is_banned_apart_from_the_host(void **state)
{
	struct bans b = { 0 };

	(void)state;
	ban_failed(&b, GCC, 0, 100);
	assert_true(ban_holds(&b, GCC, 100));
	assert_false(ban_holds(&b, CLANG, 100) || ban_holds(&b, BAN_HOST, 100));
	assert_false(ban_holds(&b, GCC, 100 + BAN_MIN_MS / 2));
	ban_failed(&b, BAN_HOST, 0, 100);
	assert_true(ban_holds(&b, CLANG, 100) && ban_holds(&b, BAN_HOST, 100));
}

static void what_goes_on_failing_is_banned_for_longer_until_it_serves(void **state)
{
	struct bans b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		ban_failed(&b, GCC, 15999, 0);
	assert_true(ban_holds(&b, GCC, 16000));
	ban_served(&b, GCC);
	assert_false(ban_holds(&b, GCC, 0));
	ban_failed(&b, GCC, 15999, 0);
	assert_false(ban_holds(&b, GCC, 1500));
}

static void a_job_served_clears_the_host_but_not_other_toolchains(void **state)
{
	struct bans b = { 0 };

	(void)state;
	ban_failed(&b, BAN_HOST, 0, 0);
	ban_failed(&b, GCC, 0, 0);
	ban_served(&b, CLANG);
	assert_false(ban_holds(&b, CLANG, 0));
	assert_true(ban_holds(&b, GCC, 0));
}

static void the_ban_that_ends_first_makes_room(void **state)
{
	struct bans b = { 0 };

	(void)state;
	for (unsigned i = 0; i <= BANS; i++)
		ban_failed(&b, GCC + i, 0, 10 * i);
	assert_false(ban_holds(&b, GCC, 100));
	for (unsigned i = 1; i <= BANS; i++)
		assert_true(ban_holds(&b, GCC + i, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_off_doubles_to_a_bound_with_full_jitter),
		cmocka_unit_test(a_toolchain_is_banned_apart_from_the_host),
		cmocka_unit_test(what_goes_on_failing_is_banned_for_longer_until_it_serves),
		cmocka_unit_test(a_job_served_clears_the_host_but_not_other_toolchains),
		cmocka_unit_test(the_ban_that_ends_first_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
