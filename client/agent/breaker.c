/*
 * breaker.c - a shift register of failures, and one trial.
 */
#include "breaker.h"

static void open_it(struct breaker *b, uint64_t now_ms)
{
	*b = (struct breaker){ .open = true, .until_ms = now_ms + BREAKER_OPEN_MS };
}

bool breaker_allows(const struct breaker *b, uint64_t now_ms)
{
	return !b->open || (!b->trying && now_ms >= b->until_ms);
}

bool breaker_take(struct breaker *b)
{
	bool trial = b->open && !b->trying;

	b->trying = b->open;
	return trial;
}

static void end_of_trial(struct breaker *b, enum breaker_end how, uint64_t now_ms)
{
	b->trying = false;
	if (how == BREAKER_SERVED)
		*b = (struct breaker){ 0 };
	else if (how == BREAKER_FAILED)
		open_it(b, now_ms);
}

void breaker_ended(struct breaker *b, bool trial, enum breaker_end how, uint64_t now_ms)
{
	if (b->open) {
		if (trial)
			end_of_trial(b, how, now_ms);
		return;
	}
	if (how == BREAKER_NEITHER)
		return;
	b->failed = (b->failed << 1 | (how == BREAKER_FAILED)) & ((1u << BREAKER_JOBS) - 1);
	if (__builtin_popcount(b->failed) >= BREAKER_JOBS / 2)
		open_it(b, now_ms);
}
