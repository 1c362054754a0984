/*
 * shares.c - charges, the level, and forgetting.
 *
 * This is stride scheduling with the charge as the pass: the level is what
 * others call virtual time.
 */
#include "shares.h"

/* Charges decay in steps of a sixty-fourth of the half-life, so that the answer does not depend on who asked how often. */
enum { DECAY_STEPS = 64, DECAY_MS = SHARE_HALF_MS / DECAY_STEPS };
#define DECAY 0.98922801319397548	/* 2 to the power of -1/64 */
/* After that many steps nothing is left of anything. */
enum { DECAY_LONG = DECAY_STEPS * 64 };
/* Who has used less than this is as good as new. */
enum { FORGET_US = 100 * 1000 };

/* As sched(7) has it: each step of niceness is worth about a quarter. 1024 / 1.25^n. */
static const unsigned weights[SHARE_NICE_MAX + 1] = {
	[0] = 1024, [1] = 819, [2] = 655, [3] = 524, [4] = 419, [5] = 336, [6] = 268, [7] = 215, [8] = 172, [9] = 137,
	[10] = 110, [11] = 88, [12] = 70, [13] = 56, [14] = 45, [15] = 36, [16] = 29, [17] = 23, [18] = 18, [19] = 15,
};

double share_price(int niceness)
{
	int n = niceness < 0 ? 0 : niceness > SHARE_NICE_MAX ? SHARE_NICE_MAX : niceness;

	return (double)weights[0] / weights[n];
}

const struct share *shares_find(const struct shares *s, uint64_t identity)
{
	const struct share *who = s->all;

	while (who && who->identity != identity)
		who = who->next;
	return who;
}

struct share *shares_of(struct shares *s, uint64_t identity)
{
	struct share *who = (struct share *)shares_find(s, identity);

	if (who)
		return who;
	who = xcalloc(1, sizeof *who);
	*who = (struct share){ .next = s->all, .identity = identity };
	return s->all = who;
}

void share_wait(const struct shares *s, struct share *who)
{
	if (!who->waiting++ && who->charged_us < s->level_us)
		who->charged_us = s->level_us;
}

void share_charge(struct share *who, uint64_t us, int niceness)
{
	who->used_us += (double)us;
	who->charged_us += (double)us * share_price(niceness);
}

/*
 * Without what is expected: a prediction may be wrong, or a lie, and would raise the level for all who come later.
 */
void shares_serve(struct shares *s)
{
	const struct share *least = NULL;

	for (const struct share *who = s->all; who; who = who->next)
		if (who->waiting && (!least || who->charged_us < least->charged_us))
			least = who;
	if (least && least->charged_us > s->level_us)
		s->level_us = least->charged_us;
}

/* What the time until now leaves of a charge. */
static double remains(struct shares *s, uint64_t now_ms)
{
	uint64_t steps = (now_ms - s->decayed_ms) / DECAY_MS;
	double rest = 1;

	s->decayed_ms += steps * DECAY_MS;
	for (uint64_t i = 0; i < steps && i < DECAY_LONG; i++)
		rest *= DECAY;
	return rest;
}

void shares_advance(struct shares *s, uint64_t now_ms)
{
	double rest;

	if (now_ms < s->decayed_ms + DECAY_MS)
		return;
	rest = remains(s, now_ms);
	s->level_us *= rest;
	for (struct share **at = &s->all, *who; (who = *at);) {
		who->charged_us *= rest;
		who->used_us *= rest;
		if (!who->waiting && !who->holding && who->used_us < FORGET_US) {
			*at = who->next;
			free(who);
			continue;
		}
		at = &who->next;
	}
}

double shares_used_us(const struct shares *s)
{
	double sum = 0;

	for (const struct share *who = s->all; who; who = who->next)
		sum += who->used_us;
	return sum;
}

void shares_free(struct shares *s)
{
	while (s->all) {
		struct share *who = s->all;

		s->all = who->next;
		free(who);
	}
}
