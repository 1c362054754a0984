/*
 * ban.h - where a job must not go for a while. Pure.
 *
 * Two things can be wrong with a volunteer: itself, or one toolchain on it. They are held apart: a compiler that
 * crashes there says nothing about the others. Each ban is drawn with full jitter, so that callers that were
 * disappointed together do not come back together.
 */
#ifndef RCC_BAN_H
#define RCC_BAN_H

#include "base.h"

enum {
	BAN_MIN_MS = 1000, BAN_MAX_MS = 30000,
	BANS = 8,		/* remembered of one volunteer; the one that ends first makes room */
	BAN_HOST = 0,		/* in place of a toolchain: the volunteer itself */
};

/* How long after the failures-th failure in a row (from 0): anywhere up to a bound that doubles, and not at once. */
uint64_t backoff_draw(unsigned failures, uint64_t random);

struct ban {
	uint64_t toolchain;	/* a number that names it, or BAN_HOST */
	unsigned failures;	/* in a row; 0: the entry is not used */
	uint64_t until_ms;
};

struct bans { struct ban v[BANS]; };	/* all zero: none */

void ban_failed(struct bans *b, uint64_t toolchain, uint64_t random, uint64_t now_ms);
/* A job with it was served: the volunteer and that toolchain are in good standing. */
void ban_served(struct bans *b, uint64_t toolchain);
/* No job with it may go there now. */
bool ban_holds(const struct bans *b, uint64_t toolchain, uint64_t now_ms);

#endif
