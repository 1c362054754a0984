/*
 * burst.c - over when none has come for three times their usual distance, or when that has taken as long as they took so far.
 *
 * Both follow the pace of the machine: where a processor is shared by many, make starts its jobs as much slower.
 */
#include "burst.h"

enum {
	PAUSE_US = 5000,	/* at least: make starts one in 1 to 2 ms */
	HOLD_US = 30000,
	DISTANCES = 3,
	MANY = 8,		/* fewer tell nothing of the next */
};

void burst_came(struct burst *b, bool first, uint64_t now_us)
{
	if (first || !b->jobs)
		*b = (struct burst){ .first_us = now_us };
	b->last_us = now_us;
	b->jobs++;
}

static uint64_t more(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* What the many took so far. */
static uint64_t took_us(const struct burst *b) { return b->jobs < MANY ? 0 : b->last_us - b->first_us; }

static void begin_hold(struct burst *b, uint64_t now_us)
{
	b->held_us = now_us;
	b->until_us = now_us + more(HOLD_US, took_us(b));
}

uint64_t burst_hold_us(struct burst *b, uint64_t now_us)
{
	uint64_t until;

	if (b->over)
		return 0;
	if (!b->held_us)
		begin_hold(b, now_us);
	until = b->last_us + more(PAUSE_US, DISTANCES * took_us(b) / b->jobs);
	until = until < b->until_us ? until : b->until_us;
	b->over = now_us >= until;
	return b->over ? 0 : until - now_us;
}
