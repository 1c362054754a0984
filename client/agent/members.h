/*
 * members.h - which of very many volunteers one agent works with.
 *
 * A thousand callers of a thousand volunteers would be a million connections.
 * So of volunteers that a lookup found an agent takes MEMBERS_MAX, drawn at
 * random by a seed of its own: all together use all of them alike. A draw
 * holds for a while, so that connections stay warm and compilers in place;
 * then an eighth of it is drawn anew, so that nobody keeps the slow ones. Pure.
 */
#ifndef RCC_MEMBERS_H
#define RCC_MEMBERS_H

#include "settings.h"

enum {
	MEMBERS_MAX = 32,
	MEMBERS_PARTS = 8,			/* one of them is drawn anew */
	MEMBERS_EPOCH_MS = 10 * 60 * 1000,	/* so often */
};

/*
 * Choose from all: all of them if they are at most MEMBERS_MAX, else those drawn, those that are not usable only
 * where usable ones do not suffice. usable is asked of few. Returns how many, their indices in chosen.
 */
size_t members_choose(const struct host *all, size_t count, uint64_t seed, uint64_t now_ms,
		      bool (*usable)(const struct host *h, void *arg), void *arg, size_t chosen[MEMBERS_MAX]);

#endif
