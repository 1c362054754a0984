/*
 * test_members.c - which of very many volunteers one agent works with, and how soon a lookup is repeated.
 */
#include "unit.h"

#include <stdio.h>

#include "members.h"
#include "resolve.h"

enum { MANY = 1000 };

struct farm {
	struct host hosts[MANY];
	char names[MANY][16];
	bool out[MANY];
	unsigned asked;
};

static struct farm *farm(void)
{
	struct farm *f = xcalloc(1, sizeof *f);

	for (size_t i = 0; i < MANY; i++) {
		snprintf(f->names[i], sizeof f->names[i], "10.0.%zu.%zu", i / 250, i % 250);
		f->hosts[i] = (struct host){ .name = f->names[i], .port = 17632 };
	}
	return f;
}

static bool usable(const struct host *h, void *arg)
{
	struct farm *f = arg;

	f->asked++;
	return !f->out[(const char (*)[16])h->name - f->names];
}

/* The choice as a set. */
static size_t choose(struct farm *f, size_t count, uint64_t seed, uint64_t now_ms, bool set[MANY])
{
	size_t chosen[MEMBERS_MAX], n = members_choose(f->hosts, count, seed, now_ms, usable, f, chosen);

	memset(set, 0, MANY * sizeof *set);
	for (size_t i = 0; i < n; i++) {
		assert_true(chosen[i] < count);
		assert_false(set[chosen[i]]);
		set[chosen[i]] = true;
	}
	return n;
}

static size_t in_both(const bool *a, const bool *b)
{
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++)
		n += a[i] && b[i];
	return n;
}

static void few_are_all_taken_usable_or_not(void **state)
{
	autofree struct farm *f = farm();
	bool set[MANY];

	(void)state;
	memset(f->out, true, sizeof f->out);
	assert_int_equal(choose(f, 0, 1, 0, set), 0);
	assert_int_equal(choose(f, 3, 1, 0, set), 3);
	assert_int_equal(choose(f, MEMBERS_MAX, 1, 0, set), MEMBERS_MAX);
	assert_int_equal(choose(f, MEMBERS_MAX + 1, 1, 0, set), MEMBERS_MAX);
}

static void many_callers_share_all_volunteers_alike(void **state)
{
	enum { CALLERS = 4000, EXPECTED = CALLERS * MEMBERS_MAX / MANY };
	autofree struct farm *f = farm();
	unsigned drawn[MANY] = { 0 };
	double chi = 0;
	bool set[MANY];

	(void)state;
	for (uint64_t seed = 0; seed < CALLERS; seed++) {
		assert_int_equal(choose(f, MANY, seed, 0, set), MEMBERS_MAX);
		for (size_t i = 0; i < MANY; i++)
			drawn[i] += set[i];
	}
	for (size_t i = 0; i < MANY; i++) {
		double off = (double)drawn[i] - EXPECTED;

		chi += off * off / EXPECTED;
	}
	/* of fair draws: 999 on average, with a deviation of 45 */
	assert_true(chi > 800 && chi < 1200);
}

static void a_draw_holds_and_then_an_eighth_of_it_changes(void **state)
{
	enum { EPOCHS = 800 };
	autofree struct farm *f = farm();
	bool before[MANY], now[MANY], ever[MANY] = { false };
	size_t kept = 0, seen = 0;

	(void)state;
	choose(f, MANY, 7, 0, before);
	choose(f, MANY, 7, MEMBERS_EPOCH_MS - 1, now);
	assert_int_equal(in_both(before, now), MEMBERS_MAX);
	for (uint64_t epoch = 1; epoch <= EPOCHS; epoch++) {
		size_t same;

		choose(f, MANY, 7, epoch * MEMBERS_EPOCH_MS, now);
		same = in_both(before, now);
		assert_true(same >= MEMBERS_MAX / 2);
		kept += same;
		memcpy(before, now, sizeof before);
	}
	/* a little more than 1/8 of 32 goes: those drawn anew, and those whom newly drawn ones surpass */
	assert_true(kept > EPOCHS * 26u && kept < EPOCHS * 29u);
	for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
		choose(f, MANY, 7, epoch * MEMBERS_EPOCH_MS, now);
		for (size_t i = 0; i < MANY; i++)
			ever[i] |= now[i];
	}
	for (size_t i = 0; i < MANY; i++)
		seen += ever[i];
	assert_true(seen > MANY * 9 / 10);
}

static void one_that_cannot_be_had_makes_room_for_one_other(void **state)
{
	autofree struct farm *f = farm();
	bool before[MANY], now[MANY];
	size_t first = 0;

	(void)state;
	choose(f, MANY, 7, 0, before);
	while (!before[first])
		first++;
	f->out[first] = true;
	assert_int_equal(choose(f, MANY, 7, 0, now), MEMBERS_MAX);
	assert_false(now[first]);
	assert_int_equal(in_both(before, now), MEMBERS_MAX - 1);
	f->out[first] = false;
	choose(f, MANY, 7, 0, now);
	assert_int_equal(in_both(before, now), MEMBERS_MAX);
}

static void those_out_fill_up_what_usable_ones_leave(void **state)
{
	autofree struct farm *f = farm();
	bool set[MANY];

	(void)state;
	memset(f->out, true, sizeof f->out);
	f->out[5] = f->out[900] = false;
	assert_int_equal(choose(f, MANY, 7, 0, set), MEMBERS_MAX);
	assert_true(set[5] && set[900]);
}

static void one_that_comes_or_leaves_moves_no_other(void **state)
{
	autofree struct farm *f = farm();
	bool before[MANY], now[MANY];
	size_t both;

	(void)state;
	choose(f, MANY - 1, 7, 0, before);
	choose(f, MANY, 7, 0, now);
	both = in_both(before, now);
	assert_int_equal(both, MEMBERS_MAX - now[MANY - 1]);
}

static void few_are_asked_whether_they_are_usable(void **state)
{
	autofree struct farm *f = farm();
	bool set[MANY];

	(void)state;
	choose(f, MANY, 7, 0, set);
	assert_int_equal(f->asked, MEMBERS_MAX);
}

static void an_answer_is_asked_for_again_when_it_has_aged(void **state)
{
	(void)state;
	assert_int_equal(resolve_delay_ms(0, 0), 30000);
	assert_int_equal(resolve_delay_ms(0, 1), 1000);
	assert_int_equal(resolve_delay_ms(0, 7), 7000);
	assert_int_equal(resolve_delay_ms(0, 86400), 30000);
	assert_int_equal(resolve_delay_ms(0, UINT32_MAX), 30000);
}

static void and_sooner_when_something_is_wrong_with_it(void **state)
{
	uint64_t last = 0;

	(void)state;
	assert_int_equal(resolve_delay_ms(1, 0), 1000);
	for (unsigned setbacks = 1; setbacks < 100; setbacks++) {
		assert_true(resolve_delay_ms(setbacks, 0) >= last);
		last = resolve_delay_ms(setbacks, 0);
	}
	assert_int_equal(last, 30000);
	assert_int_equal(resolve_delay_ms(5, 3), 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_are_all_taken_usable_or_not),
		cmocka_unit_test(many_callers_share_all_volunteers_alike),
		cmocka_unit_test(a_draw_holds_and_then_an_eighth_of_it_changes),
		cmocka_unit_test(one_that_cannot_be_had_makes_room_for_one_other),
		cmocka_unit_test(those_out_fill_up_what_usable_ones_leave),
		cmocka_unit_test(one_that_comes_or_leaves_moves_no_other),
		cmocka_unit_test(few_are_asked_whether_they_are_usable),
		cmocka_unit_test(an_answer_is_asked_for_again_when_it_has_aged),
		cmocka_unit_test(and_sooner_when_something_is_wrong_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
