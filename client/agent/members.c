/*
 * members.c - rendezvous: each volunteer has a number by which we rank it, and the highest are ours.
 *
 * The number is a hash of our seed, its name and its epoch. Each has a phase, one of MEMBERS_PARTS, in which its epoch
 * begins, so that at a time only one part of all gets new numbers. One that comes or goes moves no other's.
 */
#include "members.h"

struct ranked {
	uint64_t number;
	size_t index;
};

/* Each bit of x in all bits of the result (the finalizer of splitmix64). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t hash(const struct host *h, uint64_t seed)
{
	uint64_t x = mix(seed ^ h->port);

	for (const char *c = h->name; *c; c++)
		x = mix(x + (unsigned char)*c + 1);
	return x;
}

static uint64_t number_of(const struct host *h, uint64_t seed, uint64_t now_ms)
{
	uint64_t own = hash(h, seed);

	return mix(own ^ mix((now_ms / MEMBERS_EPOCH_MS + own % MEMBERS_PARTS) / MEMBERS_PARTS + 1));
}

static int by_number(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->number != y->number ? (x->number < y->number ? 1 : -1) : (x->index > y->index) - (x->index < y->index);
}

static struct ranked *rank(const struct host *all, size_t count, uint64_t seed, uint64_t now_ms)
{
	struct ranked *ranked = xcalloc(count, sizeof *ranked);

	for (size_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){ .number = number_of(&all[i], seed, now_ms), .index = i };
	qsort(ranked, count, sizeof *ranked, by_number);
	return ranked;
}

size_t members_choose(const struct host *all, size_t count, uint64_t seed, uint64_t now_ms,
		      bool (*usable)(const struct host *h, void *arg), void *arg, size_t chosen[MEMBERS_MAX])
{
	autofree struct ranked *ranked = NULL;
	size_t spare[MEMBERS_MAX] = { 0 }, spares = 0, n = 0;

	if (count <= MEMBERS_MAX) {
		for (size_t i = 0; i < count; i++)
			chosen[i] = i;
		return count;
	}
	ranked = rank(all, count, seed, now_ms);
	for (size_t i = 0; i < count && n < MEMBERS_MAX; i++) {
		if (usable(&all[ranked[i].index], arg))
			chosen[n++] = ranked[i].index;
		else if (spares < MEMBERS_MAX)
			spare[spares++] = ranked[i].index;
	}
	for (size_t i = 0; i < spares && n < MEMBERS_MAX; i++)
		chosen[n++] = spare[i];
	return n;
}
