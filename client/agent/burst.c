/*
 * burst.c - over when all are settled and none has come for several times their usual distance, or when that has taken three times as long as they
 * took until then.
 *
 * Both follow the pace of the machine: where a processor is shared by many, make starts its jobs as much slower. Jobs that come one after
 * the other, as a configure script's do, or for long before one of them is to go elsewhere, are no burst.
 */
#include "burst.h"

enum {
	PAUSE_US = 5000,	/* at least: make starts one in 1 to 2 ms */
	HOLD_US = 30000, HOLD_MAX_US = 1000000,
	DISTANCES = 8,		/* a make that is given a fifth of a processor stops for longer than three */
	TIMES = 3,		/* the first that could go may have come early among them */
	MANY = 8,		/* fewer tell nothing of the next */
	GAP_US = 200000, LONG_US = 3000000,
	CALM_US = 1000000,	/* without any job: the next begins another build */
};

static bool begins(const struct burst *b, uint64_t now_us) { return !b->here && (!b->idle_us || now_us - b->idle_us > CALM_US); }

void burst_came(struct burst *b, uint64_t now_us)
{
	if (begins(b, now_us))
		*b = (struct burst){ .first_us = now_us };
	else if (now_us - b->last_us > GAP_US || now_us - b->first_us > LONG_US)
		b->over = true;
	b->last_us = now_us;
	b->jobs++;
	b->here++;
	b->unsettled++;
}

void burst_settled(struct burst *b) { b->unsettled--; }

void burst_left(struct burst *b, uint64_t now_us)
{
	b->here--;
	b->idle_us = now_us;
}

static uint64_t more(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t less(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What the many took so far. */
static uint64_t took_us(const struct burst *b) { return b->jobs < MANY ? 0 : b->last_us - b->first_us; }

uint64_t burst_hold_us(struct burst *b, uint64_t now_us)
{
	uint64_t until;

	if (b->over || !b->jobs)
		return 0;
	if (!b->until_us)
		b->until_us = now_us + less(HOLD_MAX_US, more(HOLD_US, TIMES * took_us(b)));
	until = b->unsettled ? b->until_us : less(b->until_us, b->last_us + less(GAP_US, more(PAUSE_US, DISTANCES * took_us(b) / b->jobs)));
	b->over = now_us >= until;
	return b->over ? 0 : until - now_us;
}
