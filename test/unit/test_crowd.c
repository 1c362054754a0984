/*
 * test_crowd.c - does this machine have a processor to spare?
 */
#include "unit.h"

#include <sched.h>
#include <sys/wait.h>

#include "clock.h"
#include "crowd.h"

/* So many milliseconds, of each of which a part was waited. */
static void pass(struct crowd *c, uint64_t ms, double part)
{
	for (uint64_t i = 0; i < ms; i += 20)
		crowd_look(c, c->waited_us + (uint64_t)(20000 * part), c->looked_us + 20000);
}

static void who_waits_much_is_in_a_crowd(void **state)
{
	struct crowd c = { .looked_us = 1000 };

	(void)state;
	assert_false(crowd_is(&c));
	pass(&c, 500, 0.1);
	assert_false(crowd_is(&c));
	pass(&c, 300, 0.6);
	assert_true(crowd_is(&c));
}

static void the_first_look_is_believed(void **state)
{
	struct crowd c = { .looked_us = 1000 };

	(void)state;
	pass(&c, 20, 0.8);
	assert_true(crowd_is(&c));
}

static void it_passes_within_seconds(void **state)
{
	struct crowd c = { .looked_us = 1000 };

	(void)state;
	pass(&c, 500, 0.9);
	pass(&c, 300, 0.05);
	assert_true(crowd_is(&c));
	pass(&c, 2000, 0.05);
	assert_false(crowd_is(&c));
}

static void two_looks_at_once_are_one(void **state)
{
	struct crowd c = { .looked_us = 1000 };

	(void)state;
	crowd_look(&c, 900, 2000);
	assert_true(c.looked_us == 1000 && !crowd_is(&c));
	/* nor do counters that go back tell anything */
	c = (struct crowd){ .looked_us = 1000, .waited_us = 5000 };
	crowd_look(&c, 10, 900000);
	assert_true(c.waited_us == 5000 && !crowd_is(&c));
}

/* Two on one processor: each waits while the other runs. */
static void the_kernel_tells_how_long_we_waited(void **state)
{
	cpu_set_t all, one;
	uint64_t before, until;
	pid_t other;

	(void)state;
	if (access("/proc/self/schedstat", R_OK) < 0)
		skip();
	assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	other = fork();
	if (!other)
		for (;;)
			;
	before = crowd_waited_us();
	for (until = clock_us() + 10000000; crowd_waited_us() == before && clock_us() < until;)
		;
	assert_true(crowd_waited_us() > before);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
	assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_much_is_in_a_crowd), cmocka_unit_test(the_first_look_is_believed),
		cmocka_unit_test(it_passes_within_seconds), cmocka_unit_test(two_looks_at_once_are_one),
		cmocka_unit_test(the_kernel_tells_how_long_we_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
