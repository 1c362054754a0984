/*
 * test_outlook.c - what is known of a volunteer's slots.
 */
#include "unit.h"

#include "outlook.h"

static bool near(double v, double want) { return v > want - 1e-6 && v < want + 1e-6; }

static void start(struct outlook *o, uint64_t id, uint64_t predicted_us, uint64_t now_us)
{
	outlook_started(o, &(struct outlook_run){ .id = id, .predicted_us = predicted_us, .since_us = now_us });
}

static void the_load_of_a_job_is_the_company_it_had_over_its_time(void **state)
{
	struct outlook o = { .slots = 3, .free = 3 };

	(void)state;
	start(&o, 1, 100, 1000);
	start(&o, 2, 100, 1500);
	start(&o, 3, 100, 1500);
	outlook_ended(&o, 2, 1750);
	outlook_ended(&o, 3, 2000);
	/* nobody for 500, two for 250, one for 250 */
	assert_true(near(outlook_load_of(&o, 1, 2000), (500 * 0 + 250 * 2 + 250 * 1) / 1000.0 / 2));
	outlook_ended(&o, 1, 2000);
	assert_true(near(outlook_load_of(&o, 1, 2000), 0));
	outlook_free(&o);
}

static void with_one_slot_there_is_no_company(void **state)
{
	struct outlook o = { .slots = 1 };

	(void)state;
	start(&o, 1, 100, 0);
	assert_true(near(outlook_load(&o, 10), 0) && near(outlook_load_of(&o, 1, 10), 0));
	outlook_free(&o);
}

static void room_is_what_reservations_leave(void **state)
{
	struct outlook o = { .slots = 2, .free = 1 };

	(void)state;
	assert_true(outlook_has_room(&o, 1));
	outlook_reserved(&o, 1.0 / 3);
	outlook_reserved(&o, 1);
	assert_false(outlook_has_room(&o, 1));
	outlook_unreserved(&o, 1);
	outlook_unreserved(&o, 1.0 / 3);
	assert_true(outlook_has_room(&o, 1) && o.pending == 0);
	outlook_free(&o);
}

static void slots_that_add_nothing_are_not_asked_for(void **state)
{
	struct outlook o = { .slots = 2, .free = 2, .speed = { .company = speed_company(1, 2) } };

	(void)state;
	assert_true(outlook_worth_asking(&o, 1) && outlook_has_room(&o, 1));
	start(&o, 1, 100, 1);
	o.free = 1;
	assert_false(outlook_worth_asking(&o, 2) || outlook_has_room(&o, 2));
	outlook_ended(&o, 1, 3);
	assert_true(outlook_worth_asking(&o, 3));
	outlook_free(&o);
}

/* Two jobs ask for a third of a slot each, and both are granted: the first takes it, the second had better not. */
static void a_grant_is_taken_only_where_it_is_of_use(void **state)
{
	struct outlook o = { .slots = 2, .free = 2, .speed = { .company = speed_company(1, 2) } };

	(void)state;
	outlook_reserved(&o, 1.0 / 3);
	outlook_reserved(&o, 1.0 / 3);
	outlook_unreserved(&o, 1.0 / 3);
	assert_true(outlook_worth_taking(&o, 1));
	start(&o, 1, 100, 1);
	outlook_unreserved(&o, 1.0 / 3);
	assert_false(outlook_worth_taking(&o, 2));
	o.speed.company = speed_company(2, 2);
	assert_true(outlook_worth_taking(&o, 2));
	outlook_free(&o);
}

static void the_wait_is_for_the_first_of_our_jobs_to_end(void **state)
{
	struct outlook o = { .slots = 2 };

	(void)state;
	start(&o, 1, 1000, 0);
	start(&o, 2, 400, 0);
	assert_int_equal(outlook_wait_us(&o, 5000, 100), 300);
	outlook_free(&o);
}

/* Two slots on one processor: who waits for a slot that is of no use waits for the job that runs, and is alone then. */
static void a_slot_of_no_use_is_not_free(void **state)
{
	struct outlook o = { .slots = 2, .free = 2, .speed = { .company = speed_company(1, 2) } };
	struct finish_peer p;

	(void)state;
	start(&o, 1, 1000, 0);
	o.free = 1;
	assert_true(near(outlook_load(&o, 100), 0));
	p = outlook_peer(&o, 5000, false, 100);
	assert_int_equal(p.wait_us, 900);
	assert_true(near(p.speed, 1));
	/* it has ended; that it has has not been said yet */
	outlook_ended(&o, 1, 1000);
	assert_int_equal(outlook_wait_us(&o, 5000, 1000), 0);
	outlook_free(&o);
}

/* Two slots on a processor and a fifth: a second job is of some use, and takes a good part from the first. */
static void who_outlasts_the_others_has_the_rest_alone(void **state)
{
	struct outlook o = { .slots = 2, .free = 2, .speed = { .company = -0.5 } };
	struct finish_peer with, after;

	(void)state;
	assert_false(outlook_does_most(&o, 0));
	start(&o, 1, 1000, 0);
	o.free = 1;
	assert_true(outlook_does_most(&o, 0) && outlook_has_room(&o, 0));
	with = outlook_peer(&o, 5000, false, 0);
	after = outlook_peer(&o, 5000, true, 0);
	assert_int_equal(with.wait_us, 0);
	assert_true(with.speed < 0.63 && near(after.speed, 1));
	/* it has 0.61 of a processor for the 1,650 us that the other still runs so, and loses the rest of them */
	assert_in_range(after.wait_us, 640, 656);
	outlook_free(&o);
}

/* A processor for each: company costs nothing, and nobody is kept alone. */
static void where_company_costs_nothing_it_changes_nothing(void **state)
{
	struct outlook o = { .slots = 4, .free = 3 };
	struct finish_peer with, after;

	(void)state;
	start(&o, 1, 1000, 0);
	assert_false(outlook_does_most(&o, 0));
	with = outlook_peer(&o, 5000, false, 0);
	after = outlook_peer(&o, 5000, true, 0);
	assert_true(with.wait_us == after.wait_us && near(with.speed, after.speed));
	outlook_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_load_of_a_job_is_the_company_it_had_over_its_time), cmocka_unit_test(with_one_slot_there_is_no_company),
		cmocka_unit_test(room_is_what_reservations_leave), cmocka_unit_test(slots_that_add_nothing_are_not_asked_for),
		cmocka_unit_test(a_grant_is_taken_only_where_it_is_of_use),
		cmocka_unit_test(the_wait_is_for_the_first_of_our_jobs_to_end), cmocka_unit_test(a_slot_of_no_use_is_not_free),
		cmocka_unit_test(who_outlasts_the_others_has_the_rest_alone), cmocka_unit_test(where_company_costs_nothing_it_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
