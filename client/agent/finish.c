/*
 * finish.c - transfer, wait and work of a job, added up.
 */
#include "finish.h"

enum {
	SLACK_SHARE = 8,	/* estimates that differ by less than an eighth */
	SLACK_US = 5000,	/* or by this are the same */
	CLEAR_SHARE = 32,	/* more than a thirty-second is more than noise, where only the load differs */
	FULL_MAX = 256,		/* slots of one volunteer that are looked at one by one */
};

uint64_t finish_left_us(uint64_t expected_us, uint64_t elapsed_us)
{
	uint64_t late = elapsed_us / 4;
	uint64_t left = expected_us > elapsed_us ? expected_us - elapsed_us : 0;

	return left > late ? left : elapsed_us > expected_us ? late : left;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* When each busy slot is expected to become free: ours as known, those of others evenly over the mean. */
static size_t releases(const struct finish_slots *s, uint64_t out[FULL_MAX])
{
	size_t busy = s->slots > s->free ? s->slots - s->free : 0, n = 0, others;

	if (busy > FULL_MAX)
		busy = FULL_MAX;
	for (; n < s->ours && n < busy; n++)
		out[n] = s->ours_us[n];
	others = busy - n;
	for (size_t i = 1; i <= others; i++)
		out[n++] = s->mean_us * i / (others + 1);
	qsort(out, n, sizeof *out, by_value);
	return n;
}

uint64_t finish_wait_us(const struct finish_slots *s)
{
	uint64_t at[FULL_MAX];
	size_t busy, before;

	if (s->free > s->ahead)
		return 0;
	busy = releases(s, at);
	before = s->ahead - s->free;
	/* all its slots are ours to come */
	if (!busy)
		return s->mean_us * (before + 1) / (s->slots ? s->slots : 1);
	return at[before % busy] + s->mean_us * (before / busy);
}

uint64_t finish_us(const struct finish_job *j, const struct finish_peer *p)
{
	double sent_us = p->bandwidth ? (double)j->bytes * 1e6 / (double)p->bandwidth : 0;

	return p->rtt_us + p->wait_us + (uint64_t)(sent_us + (double)j->occupancy_us / p->speed);
}

bool finish_worth(uint64_t here_us, uint64_t best_us)
{
	return here_us <= best_us + best_us / SLACK_SHARE + SLACK_US;
}

bool finish_clearly_sooner(uint64_t there_us, uint64_t here_us) { return here_us > there_us + here_us / CLEAR_SHARE; }

size_t finish_choose(const struct finish_job *j, const struct finish_peer *peers, size_t count,
		     uint64_t (*random)(void *arg), void *arg, size_t chosen[RESERVATIONS])
{
	autofree struct place_peer *worthy = xcalloc(count + 1, sizeof *worthy);
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (peers[i].slots && finish_us(j, &peers[i]) < best)
			best = finish_us(j, &peers[i]);
	for (size_t i = 0; i < count; i++)
		if (peers[i].slots && finish_worth(finish_us(j, &peers[i]), best))
			worthy[i] = (struct place_peer){ .slots = peers[i].slots, .free = !peers[i].wait_us };
	return place_sample(worthy, count, random, arg, chosen);
}
