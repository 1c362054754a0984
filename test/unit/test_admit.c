/*
 * test_admit.c - slots, reservations and grants, event by event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admit.h"

enum { ALICE = 1, BOB = 2 };

static struct admit *a;
static struct admit_actions did;

static uint64_t next_token(void)
{
	static uint64_t tokens;

	return ++tokens;
}

static int setup(void **state UNUSED)
{
	a = admit_new(&(struct admit_config){ .slots = 2, .queue_max = 3, .owner_max = 2, .grant_ms = 250,
					    .new_token = next_token });
	return 0;
}

static int teardown(void **state UNUSED)
{
	admit_free(a);
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
	step((struct admit_event){ .kind = ADMIT_RESERVE, .owner = owner, .id = id, .niceness = 5 }, now_ms);
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

static void the_first_to_come_is_the_first_served(void **state UNUSED)
{
	redeem(granted(ALICE, 1, 0), 0);
	redeem(granted(ALICE, 2, 0), 0);
	reserve(BOB, 7, 0);
	assert_int_equal(did.count, 0);
	reserve(ALICE, 3, 0);
	reserve(BOB, 8, 0);
	assert_counts(2, 0, 3);
	step((struct admit_event){ .kind = ADMIT_FINISH }, 1);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_GRANT, BOB, 7);
	step((struct admit_event){ .kind = ADMIT_FINISH }, 2);
	assert_did(0, ADMIT_GRANT, ALICE, 3);
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

static void one_owner_does_not_fill_the_queue(void **state UNUSED)
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
	redeem(granted(ALICE, 1, 0), 0);
	redeem(granted(ALICE, 2, 0), 0);
	capacity(1, 1);
	assert_counts(2, 0, 0);
	reserve(BOB, 3, 1);
	reserve(BOB, 4, 1);
	step((struct admit_event){ .kind = ADMIT_FINISH }, 2);
	assert_int_equal(did.count, 0);
	assert_counts(1, 0, 2);
	step((struct admit_event){ .kind = ADMIT_FINISH }, 3);
	assert_int_equal(did.count, 1);
	assert_did(0, ADMIT_GRANT, BOB, 3);
	capacity(99, 4);
	assert_int_equal(admit_counts(a).capacity, 2);
	assert_did(0, ADMIT_GRANT, BOB, 4);
}

static void without_a_slot_nobody_is_left_waiting(void **state UNUSED)
{
	uint64_t token = granted(ALICE, 1, 0);

	redeem(granted(ALICE, 2, 0), 0);
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
	step((struct admit_event){ .kind = ADMIT_FINISH }, 5);
	granted(BOB, 5, 6);
}

/* Whatever happens in whatever order: never more slots used than there are, and none lost. */
static void no_order_of_events_loses_a_slot(void **state UNUSED)
{
	uint64_t token = 0, x = 1;

	for (uint64_t now = 0; now < 20000; now++) {
		struct admit_event e = { .owner = now % 3, .id = (uint32_t)(now % 5), .token = token };
		struct admit_counts c = admit_counts(a);

		x = x * 6364136223846793005u + 1442695040888963407u;
		e.kind = (enum admit_kind)((x >> 33) % ADMIT_KINDS);
		e.capacity = (unsigned)(x >> 50) % 4;
		if (e.kind == ADMIT_DRAIN)
			continue;
		if (e.kind == ADMIT_FINISH && !c.running)
			e.kind = ADMIT_TICK;
		step(e, now * (x >> 63 ? 1 : 40));
		c = admit_counts(a);
		for (size_t i = 0; i < did.count; i++) {
			bool grant = did.v[i].verdict == ADMIT_GRANT;

			token = grant ? did.v[i].token : token;
			assert_true(!grant || c.running + c.granted <= c.capacity);
		}
		assert_true(c.running + c.granted <= c.slots);
		assert_true(c.queued == 0 || (admit_free_slots(&c) == 0 && c.capacity));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_free_slot_is_granted_at_once),
		TEST(the_first_to_come_is_the_first_served),
		TEST(a_grant_lapses_and_the_next_gets_the_slot),
		TEST(a_grant_is_late_without_any_tick),
		TEST(a_token_works_once),
		TEST(cancel_takes_what_is_waiting_or_granted),
		TEST(who_leaves_gives_up_all_but_what_runs),
		TEST(a_full_queue_says_so),
		TEST(one_owner_does_not_fill_the_queue),
		TEST(draining_refuses_the_queue_but_keeps_its_word),
		TEST(fewer_slots_grant_nothing_above_and_keep_what_runs),
		TEST(without_a_slot_nobody_is_left_waiting),
		TEST(no_order_of_events_loses_a_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
