/*
 * test_policy.c - what a volunteer does over days in its owner's life, each
 * told as a table: so many readings of this, each POLICY_MS after the last.
 */
#include "unit.h"

#include "policy.h"

enum { CORES = 8, SLOTS = 8, GIB = 1 << 20, ALL = SLOTS };

/* A stretch of time in which the machine says the same all the time. */
struct stretch {
	unsigned readings;
	double owner, ours;	/* cores in use */
	unsigned jobs;		/* of ours */
	uint64_t available_kb;	/* 0: plenty */
	double memory_stall, io_stall;
	int64_t untouched_s;	/* at its beginning; counts up */
	enum known session_idle, on_battery;
	/* and what comes of it, at its end: */
	unsigned capacity, keep;
	enum phase phase;
	enum hold hold;
};

static struct policy_state state;
static struct owner_signals now;
static struct policy_decision did;
static uint64_t now_ms;
static unsigned changes;	/* of capacity */
static unsigned least_keep;

static int setup(void **unused UNUSED)
{
	state = (struct policy_state){ 0 };
	now = (struct owner_signals){ .cores = CORES, .memory_kb = 16 * GIB, .busy_us = 123456789, .jobs_us = 98765 };
	did = (struct policy_decision){ .capacity = SLOTS };
	now_ms = 1000000;
	changes = 0;
	least_keep = SLOTS;
	return 0;
}

static void once(enum policy policy, const struct stretch *t, unsigned i)
{
	unsigned before = did.capacity;

	now_ms += POLICY_MS;
	now.busy_us += (uint64_t)((t->owner + t->ours) * POLICY_MS * 1e3);
	now.jobs_us += (uint64_t)(t->ours * POLICY_MS * 1e3);
	now.jobs = t->jobs;
	now.available_kb = t->available_kb ? t->available_kb : 12 * GIB;
	now.memory_stall = t->memory_stall;
	now.io_stall = t->io_stall;
	now.untouched_s = t->untouched_s < 0 ? -1 : t->untouched_s + i * POLICY_MS / 1000;
	now.session_idle = t->session_idle;
	now.on_battery = t->on_battery;
	policy_step(policy, SLOTS, &state, &now, now_ms, &did);
	changes += did.capacity != before;
	least_keep = did.keep < least_keep ? did.keep : least_keep;
}

static void live(enum policy policy, const struct stretch *day, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		for (unsigned i = 0; i < day[k].readings; i++)
			once(policy, &day[k], i);
		if (did.capacity != day[k].capacity || did.keep != day[k].keep || did.phase != day[k].phase ||
		    did.hold != day[k].hold)
			fail_msg("stretch %zu: capacity %u, keep %u, %s, hold %d \"%s\"", k, did.capacity, did.keep,
				 phase_text(did.phase), did.hold, did.why);
	}
}
#define LIVE(policy, ...) \
	live(policy, (const struct stretch[]){ __VA_ARGS__ }, ARRAY_LEN(((const struct stretch[]){ __VA_ARGS__ })))

static void dedicated_is_always_there(void **unused UNUSED)
{
	LIVE(POLICY_DEDICATED,
	     { .readings = 20, .owner = 8, .ours = 0, .jobs = 8, .available_kb = 1, .memory_stall = 90,
	       .on_battery = YES, .session_idle = NO, .capacity = ALL, .keep = ALL });
	assert_string_equal(did.why, "");
}

static void a_quiet_night_is_all_ours(void **unused UNUSED)
{
	LIVE(POLICY_POLITE,
	     { .readings = 60, .owner = 0.04, .untouched_s = 9000, .capacity = ALL, .keep = ALL },
	     { .readings = 600, .owner = 0.08, .ours = 7.9, .jobs = 8, .untouched_s = 9000, .capacity = ALL, .keep = ALL });
	assert_int_equal(changes, 0);
	setup(NULL);
	LIVE(POLICY_IDLE,
	     { .readings = 75, .owner = 0.04, .untouched_s = 9000, .capacity = 0, .keep = 0, .phase = PHASE_PAUSED, .hold = HOLD_PRESENT },
	     { .readings = 600, .owner = 0.08, .ours = 7.9, .jobs = 8, .untouched_s = 9000, .capacity = ALL, .keep = ALL });
}

/* Nothing of it is the owner's, although it is told late and in lumps. */
static void our_own_jobs_are_not_the_owner(void **unused UNUSED)
{
	for (unsigned i = 0; i < 300; i++) {
		now_ms += POLICY_MS;
		now.busy_us += 8 * POLICY_MS * 1000;
		now.jobs_us += 8 * POLICY_MS * 1000 + (i % 2 ? 250000 : -250000);
		now.jobs = 8;
		now.untouched_s = -1;
		policy_step(i < 150 ? POLICY_POLITE : POLICY_IDLE, SLOTS, &state, &now, now_ms, &did);
		assert_int_equal(did.capacity, ALL);
		assert_int_equal(did.keep, ALL);
	}
	assert_int_equal(did.hold, HOLD_NONE);
}

static void an_owner_who_compiles_gets_the_cores(void **unused UNUSED)
{
	LIVE(POLICY_POLITE,
	     { .readings = 30, .owner = 0.1, .ours = 7.5, .jobs = 8, .capacity = ALL, .keep = ALL },
	     /* at once nothing new; nobody is told to go yet */
	     { .readings = 1, .owner = 8, .ours = 0.1, .jobs = 8, .capacity = 0, .keep = ALL, .phase = PHASE_LEAVING, .hold = HOLD_CPU },
	     { .readings = 4, .owner = 8, .ours = 0.1, .jobs = 8, .capacity = 0, .keep = ALL, .phase = PHASE_LEAVING, .hold = HOLD_CPU },
	     { .readings = 1, .owner = 8, .ours = 0.1, .jobs = 8, .capacity = 0, .keep = 0, .phase = PHASE_LEAVING, .hold = HOLD_CPU },
	     { .readings = 1, .owner = 8, .ours = 0, .jobs = 0, .capacity = 0, .keep = 0, .phase = PHASE_PAUSED, .hold = HOLD_CPU },
	     { .readings = 60, .owner = 5.3, .ours = 0, .jobs = 0, .capacity = 2, .keep = 2, .hold = HOLD_CPU });
	assert_string_equal(did.why, "2 of 8 slots: the owner uses 5.3 cores");
	/* it comes back after some seconds, not with the first pause */
	LIVE(POLICY_POLITE,
	     { .readings = 6, .owner = 0.1, .ours = 2, .jobs = 2, .capacity = 2, .keep = ALL, .hold = HOLD_CPU },
	     { .readings = 1, .owner = 0.1, .ours = 2, .jobs = 2, .capacity = ALL, .keep = ALL });
}

static void only_those_over_capacity_go(void **unused UNUSED)
{
	LIVE(POLICY_POLITE,
	     { .readings = 30, .owner = 0.1, .ours = 6, .jobs = 6, .capacity = ALL, .keep = ALL },
	     { .readings = 10, .owner = 3.2, .ours = 4.8, .jobs = 6, .capacity = 5, .keep = 5, .phase = PHASE_SHRINKING, .hold = HOLD_CPU });
}

static void a_video_call_costs_its_share_steadily(void **unused UNUSED)
{
	static const double load[] = { 2.2, 2.5, 2.3, 2.6, 2.4, 2.1, 2.7 };

	LIVE(POLICY_POLITE, { .readings = 10, .owner = 2.4, .capacity = 5, .keep = 5, .hold = HOLD_CPU });
	changes = 0;
	for (unsigned i = 0; i < 600; i++)
		once(POLICY_POLITE, &(struct stretch){ .owner = load[i % ARRAY_LEN(load)], .ours = 5, .jobs = 5 }, 0);
	assert_int_equal(did.capacity, 5);
	assert_int_equal(changes, 0);
}

static void a_short_spike_costs_no_job(void **unused UNUSED)
{
	for (unsigned spike = 1; spike <= 5; spike++) {
		setup(NULL);
		LIVE(POLICY_POLITE,
		     { .readings = 30, .owner = 0.1, .ours = 7.5, .jobs = 8, .capacity = ALL, .keep = ALL },
		     { .readings = spike, .owner = 4, .ours = 4, .jobs = 8, .capacity = 4, .keep = ALL, .phase = PHASE_SHRINKING, .hold = HOLD_CPU },
		     { .readings = 7, .owner = 0.1, .ours = 7.5, .jobs = 8, .capacity = ALL, .keep = ALL });
		assert_int_equal(changes, 2);	/* down once, up once */
		assert_int_equal(least_keep, ALL);
	}
}

static void memory_is_the_owners_first(void **unused UNUSED)
{
	const uint64_t reserve = GIB;	/* of 16 */

	LIVE(POLICY_POLITE,
	     { .readings = 10, .ours = 6, .jobs = 6, .capacity = ALL, .keep = ALL },
	     /* room for one more job, not for two */
	     { .readings = 10, .ours = 6, .jobs = 6, .available_kb = reserve + 300 * 1024, .capacity = 7, .keep = ALL, .hold = HOLD_MEMORY },
	     /* half a gigabyte short: two jobs' worth */
	     { .readings = 10, .ours = 6, .jobs = 6, .available_kb = reserve / 2, .capacity = 4, .keep = 4, .phase = PHASE_SHRINKING, .hold = HOLD_MEMORY },
	     /* not low any more, but not well either: none is added */
	     { .readings = 10, .ours = 4, .jobs = 4, .available_kb = reserve * 3 / 2, .capacity = 4, .keep = ALL, .hold = HOLD_MEMORY },
	     { .readings = 10, .ours = 4, .jobs = 4, .available_kb = reserve * 4, .capacity = ALL, .keep = ALL });
}

static void pressure_is_a_veto(void **unused UNUSED)
{
	LIVE(POLICY_POLITE,
	     { .readings = 10, .ours = 6, .jobs = 6, .memory_stall = 4, .io_stall = 20, .capacity = ALL, .keep = ALL },
	     { .readings = 7, .ours = 6, .jobs = 6, .memory_stall = 15, .capacity = 0, .keep = 0, .phase = PHASE_LEAVING, .hold = HOLD_PRESSURE },
	     /* better is not good */
	     { .readings = 9, .memory_stall = 5, .capacity = 0, .keep = 0, .phase = PHASE_PAUSED, .hold = HOLD_PRESSURE },
	     { .readings = 9, .memory_stall = 2, .capacity = ALL, .keep = ALL },
	     /* a slow disk ends nobody's job */
	     { .readings = 9, .ours = 6, .jobs = 6, .io_stall = 60, .capacity = 0, .keep = ALL, .hold = HOLD_PRESSURE });
}

static void a_laptop_on_battery_takes_nothing_new(void **unused UNUSED)
{
	for (enum policy p = POLICY_POLITE; p <= POLICY_IDLE; p++) {
		setup(NULL);
		LIVE(p,
		     { .readings = 110, .untouched_s = 900, .on_battery = NO, .capacity = ALL, .keep = ALL },
		     { .readings = 20, .ours = 3, .jobs = 3, .untouched_s = 900, .on_battery = YES, .capacity = 0, .keep = ALL, .hold = HOLD_BATTERY },
		     { .readings = 20, .untouched_s = 900, .on_battery = YES, .capacity = 0, .keep = ALL, .phase = PHASE_PAUSED, .hold = HOLD_BATTERY });
		assert_string_equal(did.why, "on battery");
	}
}

static void a_user_who_types_is_there(void **unused UNUSED)
{
	LIVE(POLICY_POLITE, { .readings = 110, .owner = 0.2, .ours = 7, .jobs = 8, .session_idle = NO, .capacity = ALL, .keep = ALL });
	setup(NULL);
	LIVE(POLICY_IDLE,
	     { .readings = 110, .untouched_s = 900, .capacity = ALL, .keep = ALL },
	     { .readings = 1, .ours = 8, .jobs = 8, .untouched_s = 0, .capacity = 0, .keep = ALL, .phase = PHASE_LEAVING, .hold = HOLD_PRESENT },
	     { .readings = 5, .ours = 8, .jobs = 8, .untouched_s = 1, .capacity = 0, .keep = 0, .phase = PHASE_LEAVING, .hold = HOLD_PRESENT },
	     { .readings = 370, .untouched_s = 5, .capacity = 0, .keep = ALL, .phase = PHASE_PAUSED, .hold = HOLD_PRESENT },
	     { .readings = 10, .untouched_s = 304, .capacity = ALL, .keep = ALL },
	     /* the desktop knows better than the terminals */
	     { .readings = 10, .untouched_s = 314, .session_idle = NO, .capacity = 0, .keep = 0, .phase = PHASE_PAUSED, .hold = HOLD_PRESENT });
	assert_string_equal(did.why, "the owner is at the machine");
}

static void idle_goes_on_through_small_work_only(void **unused UNUSED)
{
	LIVE(POLICY_IDLE,
	     { .readings = 110, .owner = 0.1, .untouched_s = -1, .capacity = ALL, .keep = ALL },
	     { .readings = 30, .owner = 0.7, .ours = 6, .jobs = 6, .untouched_s = -1, .capacity = 7, .keep = 7, .hold = HOLD_CPU },
	     { .readings = 10, .owner = 1.9, .ours = 6, .jobs = 6, .untouched_s = -1, .capacity = 0, .keep = 0, .phase = PHASE_LEAVING, .hold = HOLD_PRESENT },
	     { .readings = 60, .owner = 0.7, .untouched_s = -1, .capacity = 0, .keep = 0, .phase = PHASE_PAUSED, .hold = HOLD_PRESENT },
	     { .readings = 110, .owner = 0.1, .untouched_s = -1, .capacity = ALL, .keep = ALL });
}

/* The counters of before say nothing, and somebody may have opened the lid. */
static void after_a_gap_all_is_new(void **unused UNUSED)
{
	const struct stretch night = { .owner = 0.1, .ours = 8, .jobs = 8, .untouched_s = 900 };

	for (enum policy p = POLICY_POLITE; p <= POLICY_IDLE; p++) {
		setup(NULL);
		for (unsigned i = 0; i < 110; i++)
			once(p, &night, i);
		assert_int_equal(did.capacity, ALL);
		now_ms += 8 * 3600 * 1000;
		now.busy_us += (uint64_t)30 * 1000000;	/* while it went to sleep and woke */
		once(p, &night, 0);
		assert_int_equal(did.capacity, p == POLICY_POLITE ? ALL : 0);
		assert_int_equal(did.keep, ALL);
	}
}

static void unknown_signals_decide_nothing(void **unused UNUSED)
{
	now = (struct owner_signals){ .memory_stall = -1, .io_stall = -1, .untouched_s = -1, .jobs = 8 };
	for (unsigned i = 0; i < 90; i++)
		policy_step(POLICY_IDLE, SLOTS, &state, &now, now_ms += POLICY_MS, &did);
	assert_int_equal(did.capacity, ALL);
	assert_int_equal(did.keep, ALL);
}

static void slots_beyond_the_cores_shrink_in_proportion(void **unused UNUSED)
{
	for (unsigned i = 0; i < 7; i++) {
		now.busy_us += (uint64_t)(1.6 * POLICY_MS * 1000);
		now.available_kb = 12 * GIB;
		policy_step(POLICY_POLITE, 4 * CORES, &state, &now, now_ms += POLICY_MS, &did);
	}
	assert_int_equal(did.capacity, 4 * (CORES - 2));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dedicated_is_always_there),
		TEST(a_quiet_night_is_all_ours),
		TEST(our_own_jobs_are_not_the_owner),
		TEST(an_owner_who_compiles_gets_the_cores),
		TEST(only_those_over_capacity_go),
		TEST(a_video_call_costs_its_share_steadily),
		TEST(a_short_spike_costs_no_job),
		TEST(memory_is_the_owners_first),
		TEST(pressure_is_a_veto),
		TEST(a_laptop_on_battery_takes_nothing_new),
		TEST(a_user_who_types_is_there),
		TEST(idle_goes_on_through_small_work_only),
		TEST(after_a_gap_all_is_new),
		TEST(unknown_signals_decide_nothing),
		TEST(slots_beyond_the_cores_shrink_in_proportion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
