/*
 * ban.c - a small table of failures in a row.
 */
#include "ban.h"

uint64_t backoff_draw(unsigned failures, uint64_t random)
{
	uint64_t bound = (uint64_t)BAN_MIN_MS << (failures < 5 ? failures : 5);

	if (bound > BAN_MAX_MS)
		bound = BAN_MAX_MS;
	return BAN_MIN_MS / 2 + random % bound;
}

static struct ban *find(struct bans *b, uint64_t toolchain)
{
	for (size_t i = 0; i < BANS; i++)
		if (b->v[i].failures && b->v[i].toolchain == toolchain)
			return &b->v[i];
	return NULL;
}

/* An unused entry has ended at 0, so it goes first. */
static struct ban *room(struct bans *b)
{
	struct ban *first = &b->v[0];

	for (size_t i = 1; i < BANS; i++)
		if (b->v[i].until_ms < first->until_ms)
			first = &b->v[i];
	*first = (struct ban){ 0 };
	return first;
}

void ban_failed(struct bans *b, uint64_t toolchain, uint64_t random, uint64_t now_ms)
{
	struct ban *ban = find(b, toolchain);

	if (!ban)
		ban = room(b);
	ban->toolchain = toolchain;
	ban->until_ms = now_ms + backoff_draw(ban->failures++, random);
}

void ban_served(struct bans *b, uint64_t toolchain)
{
	for (size_t i = 0; i < BANS; i++)
		if (b->v[i].toolchain == toolchain || b->v[i].toolchain == BAN_HOST)
			b->v[i] = (struct ban){ 0 };
}

bool ban_holds(const struct bans *b, uint64_t toolchain, uint64_t now_ms)
{
	for (size_t i = 0; i < BANS; i++)
		if (b->v[i].failures && now_ms < b->v[i].until_ms &&
		    (b->v[i].toolchain == toolchain || b->v[i].toolchain == BAN_HOST))
			return true;
	return false;
}
