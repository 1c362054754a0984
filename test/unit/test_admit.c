/*
 * test_admit.c - slots, reservations and grants, event by event; fairness, by the hour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admit.h"
#include "shares.h"

enum { ALICE = 1, BOB = 2, CAROL = 3 };

static struct admit *a;
static struct admit_actions did;

static uint64_t next_token(void)
{
	static uint64_t tokens;

	return ++tokens;
}

static void renew(unsigned slots, uint32_t memory_mb)
{
	admit_free(a);
	a = admit_new(&(struct admit_config){ .slots = slots, .queue_max = 1000, .identity_max = 100, .grant_ms = 250,
					    .memory_mb = memory_mb, .new_token = next_token });
}

static int setup(void **state UNUSED)
{
	a = admit_new(&(struct admit_config){ .slots = 2, .queue_max = 3, .identity_max = 2, .grant_ms = 250,
					    .new_token = next_token });
	return 0;
}

static int teardown(void **state UNUSED)
{
	admit_free(a);
	a = NULL;
	admit_actions_free(&did);
	return 0;
}

static void step(struct admit_event e, uint64_t now_ms)
{
	did.count = 0;
	admit_step(a, &e, now_ms, &did);
}

static void reserve(uint64_t owner, uint32_t id, uint64_t now_ms)
{
	step((struct admit_event){ .kind = ADMIT_RESERVE, .owner = owner, .identity = owner, .id = id, .niceness = 5 }, now_ms);
}

/* Reserve, and take the grant that comes at once. */
static uint64_t granted(uint64_t owner, uint32_t id, uint64_t now_ms)
{
	reserve(owner, id, now_ms);
	assert_int_equal(did.count, 1);
	assert_int_equal(did.v[0].verdict, ADMIT_GRANT);
	assert_int_equal(did.v[0].owner, owner);
	assert_int_equal(did.v[0].id, id);
	return did.v[0].token;
}

static void redeem(uint64_t token, uint64_t now_ms)
{
	step((struct admit_event){ .kind = ADMIT_REDEEM, .token = token }, now_ms);
}

/* A job that runs: its token. */
static uint64_t runs(uint64_t owner, uint32_t id, uint64_t now_ms)
{
	uint64_t token = granted(owner, id, now_ms);

	redeem(token, now_ms);
	assert_int_equal(did.v[0].verdict, ADMIT_START);
	return token;
}

static void finish(uint64_t token, uint64_t now_ms)
{
	step((struct admit_event){ .kind = ADMIT_FINISH, .token = token }, now_ms);
}

static void assert_counts(unsigned running, unsigned given, unsigned queued)
{
	struct admit_counts c = admit_counts(a);

	assert_int_equal(c.running, running);
	assert_int_equal(c.granted, given);
	assert_int_equal(c.queued, queued);
}

static void assert_did(size_t i, enum admit_verdict verdict, uint64_t owner, uint32_t id)
{
	assert_true(i < did.count);
	assert_int_equal(did.v[i].verdict, verdict);
	assert_int_equal(did.v[i].owner, owner);
	assert_int_equal(did.v[i].id, id);
}

static void a_free_slot_is_granted_at_once(void **state UNUSED)
{
	uint64_t one = granted(ALICE, 1, 0), two = granted(ALICE, 2, 0);

	assert_int_equal(two, one + 1);	/* both are new_token's, as they are */
	assert_counts(0, 2, 0);
	redeem(one, 10);
	assert_int_equal(did.count, 1);
	assert_int_equal(did.v[0].verdict, ADMIT_START);
	assert_int_equal(did.v[0].niceness, 5);
	assert_counts(1, 1, 0);
}

static void of_one_caller_the_first_is_the_first_served(void **state UNUSED)
{
	uint64_t one = runs(ALICE, 1, 0), two = runs(ALICE, 2, 0);

	for (uint32_t id = 7; id < 10; id++)	/* by two connections of one caller */
		step((struct admit_event){ .kind = ADMIT_RESERVE, .owner = id, .id = id, .identity = id < 9 ? BOB : CAROL }, 0);
	assert_int_equal(did.count, 0);
	assert_counts(2, 0, 3);
	finish(one, 1);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_GRANT, 7, 7);
	finish(two, 2);
	assert_did(0, ADMIT_GRANT, 9, 9);
	step((struct admit_event){ .kind = ADMIT_LEAVE, .owner = 9 }, 3);
	assert_did(0, ADMIT_GRANT, 8, 8);
}

static void a_grant_lapses_and_the_next_gets_the_slot(void **state UNUSED)
{
	uint64_t one = granted(ALICE, 1, 0);

	granted(ALICE, 2, 100);
	reserve(BOB, 9, 100);
	assert_int_equal(admit_deadline(a), 250);
	step((struct admit_event){ .kind = ADMIT_TICK }, 249);
	assert_int_equal(did.count, 0);
	step((struct admit_event){ .kind = ADMIT_TICK }, 250);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_GRANT, BOB, 9);
	assert_int_equal(admit_deadline(a), 350);
	redeem(one, 251);
	assert_int_equal(did.v[0].verdict, ADMIT_REFUSE);
	assert_int_equal(did.v[0].refusal, REFUSAL_GRANT_EXPIRED);
}

/* The timer may be late: what counts is the time. */
static void a_grant_is_late_without_any_tick(void **state UNUSED)
{
	uint64_t token = granted(ALICE, 1, 0);

	redeem(token, 250);
	assert_did(0, ADMIT_REFUSE, 0, 0);
	assert_counts(0, 0, 0);
}

static void a_token_works_once(void **state UNUSED)
{
	uint64_t token = granted(ALICE, 1, 0);

	redeem(token, 1);
	redeem(token, 2);
	assert_int_equal(did.v[0].verdict, ADMIT_REFUSE);
	assert_counts(1, 0, 0);
}

static void cancel_takes_what_is_waiting_or_granted(void **state UNUSED)
{
	granted(ALICE, 1, 0);
	granted(ALICE, 2, 0);
	reserve(ALICE, 3, 0);
	reserve(BOB, 3, 0);
	step((struct admit_event){ .kind = ADMIT_CANCEL, .owner = ALICE, .id = 3 }, 1);
	assert_int_equal(did.count, 0);
	assert_counts(0, 2, 1);
	step((struct admit_event){ .kind = ADMIT_CANCEL, .owner = ALICE, .id = 1 }, 2);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_GRANT, BOB, 3);
	step((struct admit_event){ .kind = ADMIT_CANCEL, .owner = ALICE, .id = 77 }, 3);
	assert_counts(0, 2, 0);
}

static void who_leaves_gives_up_all_but_what_runs(void **state UNUSED)
{
	redeem(granted(ALICE, 1, 0), 0);
	granted(ALICE, 2, 0);
	reserve(ALICE, 3, 0);
	reserve(BOB, 4, 0);
	step((struct admit_event){ .kind = ADMIT_LEAVE, .owner = ALICE }, 1);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_GRANT, BOB, 4);
	assert_counts(1, 1, 0);
}

static void a_full_queue_says_so(void **state UNUSED)
{
	granted(ALICE, 1, 0);
	granted(ALICE, 2, 0);
	reserve(ALICE, 3, 0);
	reserve(ALICE, 4, 0);
	reserve(BOB, 5, 0);
	assert_int_equal(did.count, 0);
	reserve(BOB, 6, 0);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_REFUSE, BOB, 6);
	assert_int_equal(did.v[0].refusal, REFUSAL_QUEUE_FULL);
	assert_counts(0, 2, 3);
}

static void one_caller_does_not_fill_the_queue(void **state UNUSED)
{
	granted(BOB, 1, 0);
	granted(BOB, 2, 0);
	reserve(ALICE, 3, 0);
	reserve(ALICE, 4, 0);
	reserve(ALICE, 5, 0);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_REFUSE, ALICE, 5);
	assert_int_equal(did.v[0].refusal, REFUSAL_QUEUE_FULL);
	reserve(BOB, 6, 0);
	assert_int_equal(did.count, 0);
	assert_counts(0, 2, 3);
}

static void draining_refuses_the_queue_but_keeps_its_word(void **state UNUSED)
{
	uint64_t token = granted(ALICE, 1, 0);

	redeem(granted(BOB, 2, 0), 0);
	reserve(BOB, 3, 0);
	step((struct admit_event){ .kind = ADMIT_DRAIN }, 1);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_REFUSE, BOB, 3);
	assert_int_equal(did.v[0].refusal, REFUSAL_DRAINING);
	reserve(BOB, 4, 2);
	assert_int_equal(did.v[0].refusal, REFUSAL_DRAINING);
	redeem(token, 3);
	assert_int_equal(did.v[0].verdict, ADMIT_START);
	assert_true(admit_counts(a).draining);
	assert_counts(2, 0, 0);
}

static void capacity(unsigned slots, uint64_t now_ms)
{
	step((struct admit_event){ .kind = ADMIT_CAPACITY, .capacity = slots }, now_ms);
}

static void fewer_slots_grant_nothing_above_and_keep_what_runs(void **state UNUSED)
{
	uint64_t one = runs(ALICE, 1, 0), two = runs(ALICE, 2, 0);

	capacity(1, 1);
	assert_counts(2, 0, 0);
	reserve(BOB, 3, 1);
	reserve(BOB, 4, 1);
	finish(two, 2);
	assert_int_equal(did.count, 0);
	assert_counts(1, 0, 2);
	finish(one, 3);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_GRANT, BOB, 3);
	capacity(99, 4);
	assert_int_equal(admit_counts(a).capacity, 2);
	assert_did(0, ADMIT_GRANT, BOB, 4);
}

static void without_a_slot_nobody_is_left_waiting(void **state UNUSED)
{
	uint64_t token = granted(ALICE, 1, 0), running = runs(ALICE, 2, 0);

	reserve(BOB, 3, 0);
	capacity(0, 1);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_REFUSE, BOB, 3);
	assert_int_equal(did.v[0].refusal, REFUSAL_OWNER);
	reserve(BOB, 4, 2);
	assert_int_equal(did.v[0].refusal, REFUSAL_OWNER);
	redeem(token, 3);	/* what was promised before is kept */
	assert_int_equal(did.v[0].verdict, ADMIT_START);
	capacity(2, 4);
	finish(running, 5);
	granted(BOB, 5, 6);
}

/* Whatever happens in whatever order: never more slots used than there are, and none lost. */
static void no_order_of_events_loses_a_slot(void **state UNUSED)
{
	uint64_t token = 0, running = 0, x = 1;

	for (uint64_t now = 0; now < 20000; now++) {
		struct admit_event e = { .owner = now % 3, .identity = now % 2, .id = (uint32_t)(now % 5), .token = token };
		struct admit_counts c = admit_counts(a);

		x = x * 6364136223846793005u + 1442695040888963407u;
		e.kind = (enum admit_kind)((x >> 33) % ADMIT_KINDS);
		e.capacity = (unsigned)(x >> 50) % 4;
		if (e.kind == ADMIT_DRAIN)
			continue;
		if (e.kind == ADMIT_FINISH)
			e.token = running;
		step(e, now * 20);
		c = admit_counts(a);
		for (size_t i = 0; i < did.count; i++) {
			bool grant = did.v[i].verdict == ADMIT_GRANT;

			running = did.v[i].verdict == ADMIT_START ? e.token : running;
			token = grant ? did.v[i].token : token;
			assert_true(!grant || c.running + c.granted <= c.capacity);
		}
		assert_true(c.running + c.granted <= c.slots);
		assert_true(c.queued == 0 || (admit_free_slots(&c) == 0 && c.capacity));
	}
}

/* Bob has had much, so Alice is before him; three of four slots are hers. Whose is the last? */
static uint64_t who_gets_the_last(int8_t niceness_of_bob)
{
	uint64_t carols[4];

	renew(4, 0);
	finish(runs(BOB, 1, 0), 100000);
	for (uint32_t i = 0; i < 4; i++)
		carols[i] = runs(CAROL, i, 100000);
	for (uint32_t i = 0; i < 4; i++)
		reserve(ALICE, i, 100000);
	step((struct admit_event){ .kind = ADMIT_RESERVE, .owner = BOB, .identity = BOB, .niceness = niceness_of_bob }, 100000);
	for (uint32_t i = 0; i < 3; i++) {
		finish(carols[i], 100001);
		assert_did(0, ADMIT_GRANT, ALICE, i);
	}
	finish(carols[3], 100001);
	assert_int_equal(did.count, 1);
	return did.v[0].owner;
}

static void nobody_has_all_slots_while_another_waits(void **state UNUSED)
{
	assert_int_equal(who_gets_the_last(5), BOB);
	assert_int_equal(who_gets_the_last(0), BOB);
}

static void unless_that_one_is_nicer(void **state UNUSED)
{
	assert_int_equal(who_gets_the_last(6), ALICE);
}

static void alone_one_has_them_all(void **state UNUSED)
{
	renew(4, 0);
	for (uint32_t i = 0; i < 4; i++)
		granted(ALICE, i, 0);
}

/* A reservation with that prediction, and its job if there is a slot: the token. 0: it waits. */
static uint64_t tries(uint64_t owner, uint32_t id, uint32_t ms, uint32_t mb, uint64_t now_ms)
{
	uint64_t token;

	step((struct admit_event){ .kind = ADMIT_RESERVE, .owner = owner, .identity = owner, .id = id,
				   .predicted_ms = ms, .predicted_mb = mb }, now_ms);
	if (!did.count)
		return 0;
	assert_did(0, ADMIT_GRANT, owner, id);
	token = did.v[0].token;
	redeem(token, now_ms);
	return token;
}

static void one_slot_is_kept_for_short_jobs_while_such_come(void **state UNUSED)
{
	uint64_t token;

	renew(8, 0);
	finish(tries(ALICE, 0, SHORT_MS, 0, 0), 0);
	for (uint32_t i = 1; i < 8; i++)
		assert_true(tries(ALICE, i, i % 2 ? SHORT_MS + 1 : 0, 0, 1));
	assert_false(tries(ALICE, 8, 0, 0, 1));
	assert_int_equal(admit_counts(a).kept, 1);
	assert_int_equal(admit_free_slots(&(struct admit_counts){ .capacity = 8, .running = 7, .kept = 1 }), 0);
	token = tries(BOB, 9, 1, 0, 400);
	assert_true(token);
	finish(token, 410);
	assert_int_equal(did.count, 0);
	assert_int_equal(admit_deadline(a), 400 + SHORT_COME_MS);
	step((struct admit_event){ .kind = ADMIT_TICK }, 399 + SHORT_COME_MS);
	assert_int_equal(did.count, 0);
	step((struct admit_event){ .kind = ADMIT_TICK }, 400 + SHORT_COME_MS);
	assert_did(0, ADMIT_GRANT, ALICE, 8);
	assert_int_equal(admit_counts(a).kept, 0);
}

static void no_slot_is_kept_of_few_or_for_nobody(void **state UNUSED)
{
	renew(SLOTS_TO_KEEP_ONE - 1, 0);
	finish(tries(ALICE, 0, 1, 0, 0), 0);
	for (uint32_t i = 1; i < SLOTS_TO_KEEP_ONE; i++)
		assert_true(tries(ALICE, i, 1000, 0, 1));
	renew(SLOTS_TO_KEEP_ONE, 0);
	for (uint32_t i = 0; i < SLOTS_TO_KEEP_ONE; i++)
		assert_true(tries(ALICE, i, i ? 1000 : 0, 0, 1));
}

static void who_is_first_waits_for_memory_and_others_behind_him(void **state UNUSED)
{
	uint64_t big;

	renew(4, 8000);
	big = tries(ALICE, 1, 0, 5000, 0);
	assert_true(big);
	assert_false(tries(BOB, 2, 0, 4000, 1));
	assert_false(tries(CAROL, 3, 0, 100, 1));
	finish(big, 2);
	assert_int_equal(did.count, 2);
	assert_did(0, ADMIT_GRANT, BOB, 2);
	assert_did(1, ADMIT_GRANT, CAROL, 3);
}

static void memory_that_nobody_has_is_all_there_is(void **state UNUSED)
{
	uint64_t big;

	renew(4, 8000);
	big = tries(ALICE, 1, 0, 99999, 0);
	assert_true(big);
	assert_false(tries(BOB, 2, 0, 1, 0));
	finish(big, 1);
	assert_did(0, ADMIT_GRANT, BOB, 2);
	renew(3, 8000);		/* a slot's part is not whole */
	for (uint32_t i = 0; i < 3; i++)
		assert_true(tries(ALICE, i, 0, 0, 0));
}

static void assert_share(uint64_t identity, double share)
{
	double is = admit_use(a, identity).share;

	assert_true(is > share - 0.01 && is < share + 0.01);
}

static void the_memory_of_three_slots_costs_three(void **state UNUSED)
{
	uint64_t big, small;

	renew(4, 8000);
	big = tries(ALICE, 1, 0, 6000, 0);
	small = tries(BOB, 2, 0, 10, 0);
	finish(big, 10000);
	finish(small, 10000);
	assert_share(ALICE, 0.75);
	assert_share(BOB, 0.25);
	assert_share(CAROL, 0);
}

static void processor_time_counts_where_it_is_more(void **state UNUSED)
{
	uint64_t wide = runs(ALICE, 1, 0), asleep = runs(BOB, 2, 0);

	assert_int_equal(admit_use(a, ALICE).holding, 1);
	step((struct admit_event){ .kind = ADMIT_FINISH, .token = wide, .cpu_us = 30000000 }, 10000);
	step((struct admit_event){ .kind = ADMIT_FINISH, .token = asleep, .cpu_us = 1 }, 10000);
	assert_share(ALICE, 0.75);
	assert_share(BOB, 0.25);
	assert_int_equal(admit_use(a, ALICE).holding, 0);
}

static void a_slot_is_charged_from_its_grant_on(void **state UNUSED)
{
	renew(4, 0);
	capacity(1, 0);
	runs(CAROL, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		reserve(ALICE, i, 0);
	reserve(BOB, 1, 0);
	capacity(4, 0);
	assert_int_equal(did.count, 3);
	assert_did(0, ADMIT_GRANT, ALICE, 0);
	assert_did(1, ADMIT_GRANT, BOB, 1);
	assert_did(2, ADMIT_GRANT, ALICE, 1);
}

/* Alice's job takes longer than anybody expected, Bob's took less than that. */
static void a_long_job_is_charged_while_it_runs(void **state UNUSED)
{
	uint64_t carols;

	renew(3, 0);
	runs(CAROL, 1, 0);
	carols = runs(CAROL, 0, 0);
	finish(runs(BOB, 1, 0), 5000);
	runs(ALICE, 1, 5000);
	reserve(ALICE, 2, 15000);
	reserve(BOB, 2, 15000);
	finish(carols, 15000);
	assert_did(0, ADMIT_GRANT, BOB, 2);
}

static void the_unknown_is_expected_to_be_as_others_were(void **state UNUSED)
{
	uint64_t now = 0, carols;

	renew(3, 0);
	for (uint32_t i = 0; i < 100; i++, now += 10000)
		finish(runs(CAROL, i, now), now + 10000);
	carols = runs(CAROL, 0, now);
	assert_true(tries(ALICE, 1, 0, 0, now) && tries(BOB, 1, 5000, 0, now));
	assert_false(tries(ALICE, 2, 0, 0, now) || tries(BOB, 2, 0, 0, now));
	finish(carols, now);
	assert_did(0, ADMIT_GRANT, BOB, 2);
}

static void a_grant_that_lapses_is_charged_for_its_time(void **state UNUSED)
{
	granted(ALICE, 1, 0);
	finish(runs(BOB, 2, 0), 750);
	assert_share(ALICE, 0.25);
}

static void what_was_used_is_forgotten(void **state UNUSED)
{
	finish(runs(ALICE, 1, 0), 8000);
	step((struct admit_event){ .kind = ADMIT_TICK }, 8000 + 3 * SHARE_HALF_MS);
	finish(runs(BOB, 1, 8000 + 3 * SHARE_HALF_MS), 9000 + 3 * SHARE_HALF_MS);
	assert_share(ALICE, 0.5);
	step((struct admit_event){ .kind = ADMIT_TICK }, 100 * (uint64_t)SHARE_HALF_MS);
	assert_share(ALICE, 0);
	assert_share(BOB, 0);
}

/*
 * By the hour, in time of our own: callers that keep so many reservations
 * waiting, and jobs that take what they take.
 */
enum { CALLERS = 4, SLOTS_MAX = 8, MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

struct greed { unsigned waiting; uint32_t ms; int8_t niceness; uint32_t predicted_ms; bool heavy_tailed; };
struct errand { uint64_t token, end_ms; unsigned caller; uint32_t ms; };

static struct {
	struct greed wants[CALLERS];
	unsigned waiting[CALLERS];
	uint64_t used_ms[CALLERS];
	struct errand jobs[SLOTS_MAX];
	unsigned running;
	uint64_t now_ms, random, trail;
	uint32_t ids;
} world;

static void start_world(unsigned slots, const struct greed *wants, size_t count)
{
	renew(slots, 0);
	memset(&world, 0, sizeof world);
	world.random = 1;
	memcpy(world.wants, wants, count * sizeof *wants);
}

/* Mostly as it says, at times up to 32 times that. */
static uint32_t length(const struct greed *w)
{
	unsigned tail = 0;

	world.random = world.random * 6364136223846793005u + 1442695040888963407u;
	while (w->heavy_tailed && tail < 5 && world.random >> (63 - tail) & 1)
		tail++;
	return w->ms << tail;
}

static void take_grants(void);

static void ask(unsigned caller)
{
	const struct greed *w = &world.wants[caller];

	while (world.waiting[caller] < w->waiting) {
		world.waiting[caller]++;
		step((struct admit_event){ .kind = ADMIT_RESERVE, .owner = caller, .identity = caller, .id = ++world.ids,
					   .predicted_ms = w->predicted_ms, .niceness = w->niceness }, world.now_ms);
		take_grants();
	}
}

static void start(unsigned caller, uint64_t token)
{
	uint32_t ms = length(&world.wants[caller]);

	redeem(token, world.now_ms);
	assert_int_equal(did.v[0].verdict, ADMIT_START);
	assert_true(world.running < SLOTS_MAX);
	world.jobs[world.running++] = (struct errand){ token, world.now_ms + ms, caller, ms };
	world.waiting[caller]--;
	world.trail = (world.trail ^ (caller + world.now_ms)) * 1099511628211u;
	ask(caller);
}

static void take_grants(void)
{
	struct admit_actions got = did;

	did = (struct admit_actions){ 0 };
	for (size_t i = 0; i < got.count; i++) {
		assert_int_equal(got.v[i].verdict, ADMIT_GRANT);
		start((unsigned)got.v[i].owner, got.v[i].token);
	}
	admit_actions_free(&got);
}

static void end_first_job(void)
{
	unsigned at = 0;
	struct errand j;

	for (unsigned i = 1; i < world.running; i++)
		if (world.jobs[i].end_ms < world.jobs[at].end_ms)
			at = i;
	j = world.jobs[at];
	world.jobs[at] = world.jobs[--world.running];
	world.now_ms = j.end_ms;
	world.used_ms[j.caller] += j.ms;
	step((struct admit_event){ .kind = ADMIT_FINISH, .token = j.token, .cpu_us = j.ms * 1000ull / 2 }, world.now_ms);
	take_grants();
}

/* Used by each in that time: what was used before is left out. */
static void work(uint64_t ms)
{
	uint64_t end_ms = world.now_ms + ms;

	memset(world.used_ms, 0, sizeof world.used_ms);
	for (unsigned i = 0; i < CALLERS; i++)
		ask(i);
	while (world.running && world.now_ms < end_ms)
		end_first_job();
}

/* Jain's index: 1 when all are served alike. */
static double jain(unsigned count)
{
	double sum = 0, squares = 0;

	for (unsigned i = 0; i < count; i++) {
		sum += (double)world.used_ms[i];
		squares += (double)world.used_ms[i] * (double)world.used_ms[i];
	}
	return sum * sum / (count * squares);
}

static double ratio(unsigned x, unsigned y) { return (double)world.used_ms[x] / (double)world.used_ms[y]; }

static const struct greed unequal[CALLERS] = {
	{ .waiting = 1, .ms = 100, .heavy_tailed = true },
	{ .waiting = 4, .ms = 400, .heavy_tailed = true },
	{ .waiting = 16, .ms = 900, .heavy_tailed = true },
	{ .waiting = 64, .ms = 1500, .heavy_tailed = true },
};

static void equal_callers_of_unequal_greed_get_the_same(void **state UNUSED)
{
	for (unsigned slots = 1; slots <= SLOTS_MAX; slots *= 2) {
		start_world(slots, unequal, CALLERS);
		work(HOUR);
		assert_true(jain(CALLERS) >= 0.95);
		assert_true(world.used_ms[0] + world.used_ms[1] + world.used_ms[2] + world.used_ms[3] >= (uint64_t)HOUR * slots * 99 / 100);
	}
}

/* Who says that each job is nothing, or says nothing at all, beside one who tells the truth. */
static void wrong_predictions_gain_nothing(void **state UNUSED)
{
	struct greed wants[CALLERS] = { { 8, 1000, .predicted_ms = 1000 }, { 8, 1000, .predicted_ms = 1 }, { 8, 1000 },
					{ 8, 1000, .predicted_ms = 100000 } };

	for (unsigned slots = 1; slots <= SLOTS_MAX; slots *= 2) {
		start_world(slots, wants, slots == 1 ? CALLERS : 3);
		work(HOUR);
		assert_true(jain(slots == 1 ? CALLERS : 3) >= 0.95);
	}
}

static void niceness_lowers_the_share(void **state UNUSED)
{
	struct greed wants[] = { { 8, 200 }, { 8, 200, .niceness = 19 } };

	start_world(1, wants, 2);
	work(HOUR);
	assert_true(ratio(0, 1) > 55 && ratio(0, 1) < 70);
	wants[1].niceness = 5;
	start_world(1, wants, 2);
	work(HOUR);
	assert_true(ratio(0, 1) > 2.9 && ratio(0, 1) < 3.2);
	wants[0].niceness = -20;	/* asks for more than there is */
	wants[1].niceness = 0;
	start_world(1, wants, 2);
	work(HOUR);
	assert_true(ratio(0, 1) > 0.99 && ratio(0, 1) < 1.01);
}

static void a_newcomer_is_neither_first_nor_last(void **state UNUSED)
{
	for (unsigned slots = 1; slots <= SLOTS_MAX; slots *= 2) {
		start_world(slots, (struct greed[]){ { 16, 500 } }, 1);
		work(HOUR);
		world.wants[1] = (struct greed){ 16, 500 };
		work(2 * MINUTE);
		assert_true(ratio(0, 1) > 0.9 && ratio(0, 1) < 1.1);
	}
}

/* A caller with absurd predictions does not raise what the next one starts with. */
static void predictions_do_not_keep_newcomers_out(void **state UNUSED)
{
	start_world(1, (struct greed[]){ { 16, 500, .predicted_ms = UINT32_MAX } }, 1);
	work(MINUTE);
	world.wants[1] = (struct greed){ 16, 500 };
	work(MINUTE);
	assert_true(ratio(0, 1) < 1.1);
}

static void who_was_idle_has_saved_nothing_up(void **state UNUSED)
{
	start_world(4, (struct greed[]){ { 16, 500 }, { 16, 500 } }, 2);
	work(10 * MINUTE);
	world.wants[1].waiting = 0;
	work(20 * MINUTE);
	assert_true(ratio(0, 1) > 15);	/* what was waiting ran */
	world.wants[1].waiting = 16;
	work(2 * MINUTE);
	assert_true(ratio(0, 1) > 0.9 && ratio(0, 1) < 1.1);
}

/* Among three that want all there is, whoever asks for one job has the next slot. */
static void who_asks_for_little_is_next(void **state UNUSED)
{
	start_world(2, (struct greed[]){ { 64, 900 }, { 64, 900 }, { 64, 900 } }, 3);
	work(10 * MINUTE);
	for (unsigned i = 0; i < 100; i++) {
		unsigned before_ms = (unsigned)world.used_ms[3];

		world.wants[3] = (struct greed){ 1, 50 };
		ask(3);
		world.wants[3].waiting = 0;
		assert_int_equal(world.waiting[3], 1);
		end_first_job();
		assert_int_equal(world.waiting[3], 0);
		while (world.used_ms[3] == before_ms)
			end_first_job();
	}
}

/* When they stop asking, each has had all that it asked for. */
static void nobody_waits_for_ever(void **state UNUSED)
{
	start_world(8, unequal, CALLERS);
	for (unsigned i = 0; i < CALLERS; i++)
		world.wants[i].predicted_ms = i % 2 ? 100 : 5000;
	world.wants[2].niceness = 19;
	work(10 * MINUTE);
	for (unsigned i = 0; i < CALLERS; i++)
		world.wants[i].waiting = 0;
	while (world.running)
		end_first_job();
	step((struct admit_event){ .kind = ADMIT_TICK }, world.now_ms + SHORT_COME_MS);
	take_grants();
	while (world.running)
		end_first_job();
	assert_counts(0, 0, 0);
	for (unsigned i = 0; i < CALLERS; i++)
		assert_int_equal(world.waiting[i], 0);
}

static void the_same_events_have_the_same_answers(void **state UNUSED)
{
	uint64_t trail;

	start_world(4, unequal, CALLERS);
	work(10 * MINUTE);
	trail = world.trail;
	start_world(4, unequal, CALLERS);
	work(10 * MINUTE);
	assert_int_equal(world.trail, trail);
	start_world(4, unequal, 3);
	work(10 * MINUTE);
	assert_int_not_equal(world.trail, trail);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_free_slot_is_granted_at_once),
		TEST(of_one_caller_the_first_is_the_first_served),
		TEST(a_grant_lapses_and_the_next_gets_the_slot),
		TEST(a_grant_is_late_without_any_tick),
		TEST(a_token_works_once),
		TEST(cancel_takes_what_is_waiting_or_granted),
		TEST(who_leaves_gives_up_all_but_what_runs),
		TEST(a_full_queue_says_so),
		TEST(one_caller_does_not_fill_the_queue),
		TEST(draining_refuses_the_queue_but_keeps_its_word),
		TEST(fewer_slots_grant_nothing_above_and_keep_what_runs),
		TEST(without_a_slot_nobody_is_left_waiting),
		TEST(no_order_of_events_loses_a_slot),
		TEST(nobody_has_all_slots_while_another_waits),
		TEST(unless_that_one_is_nicer),
		TEST(alone_one_has_them_all),
		TEST(one_slot_is_kept_for_short_jobs_while_such_come),
		TEST(no_slot_is_kept_of_few_or_for_nobody),
		TEST(who_is_first_waits_for_memory_and_others_behind_him),
		TEST(memory_that_nobody_has_is_all_there_is),
		TEST(the_memory_of_three_slots_costs_three),
		TEST(processor_time_counts_where_it_is_more),
		TEST(a_slot_is_charged_from_its_grant_on),
		TEST(a_long_job_is_charged_while_it_runs),
		TEST(the_unknown_is_expected_to_be_as_others_were),
		TEST(a_grant_that_lapses_is_charged_for_its_time),
		TEST(what_was_used_is_forgotten),
		TEST(equal_callers_of_unequal_greed_get_the_same),
		TEST(wrong_predictions_gain_nothing),
		TEST(niceness_lowers_the_share),
		TEST(a_newcomer_is_neither_first_nor_last),
		TEST(predictions_do_not_keep_newcomers_out),
		TEST(who_was_idle_has_saved_nothing_up),
		TEST(who_asks_for_little_is_next),
		TEST(nobody_waits_for_ever),
		TEST(the_same_events_have_the_same_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
