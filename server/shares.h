/*
 * shares.h - how much of this machine each caller has had of late: the books
 * behind fairness. Pure: no I/O, no clock.
 *
 * A caller that uses a slot is charged for it, a nice one many times over, and
 * who has been charged least is served next. Two rules keep that sane. Who
 * begins to wait starts level with those that wait: time in which somebody
 * wanted nothing is not saved up, and a newcomer does not push all others
 * aside. And every charge halves in SHARE_HALF_MS: nobody pays today for
 * having had an idle machine for himself yesterday.
 */
#ifndef RCC_SHARES_H
#define RCC_SHARES_H

#include "base.h"

enum { SHARE_HALF_MS = 10 * 60 * 1000, SHARE_NICE_MAX = 19 };

/* One caller. Times are of a processor or a slot, whichever was more. */
struct share {
	struct share *next;
	uint64_t identity;
	unsigned waiting, holding;	/* its reservations and its slots: who counts them, sets them */
	double charged_us;		/* weighed by niceness; raised to the level when it begins to wait */
	double expected_us;		/* weighed: what its slots are predicted to use yet */
	double used_us;			/* as it was, for people to read; halves like the charges */
};

struct shares {		/* all zero is empty */
	struct share *all;
	double level_us;		/* the least charged of those that waited when one was served last */
	uint64_t decayed_ms;
};

/* What the machine's time costs at that niceness: 1 at 0 and below, 68 at 19. */
double share_price(int niceness);

/* Found, or new. Good while it waits or holds; then until shares_advance() finds that nothing is left to remember of it. */
struct share *shares_of(struct shares *s, uint64_t identity);
const struct share *shares_find(const struct shares *s, uint64_t identity);	/* or NULL */

/* One reservation more waits. */
void share_wait(const struct shares *s, struct share *who);
void share_charge(struct share *who, uint64_t us, int niceness);
/* Whose charge is lower, what is expected of it included, is served first. */
static inline double share_rank(const struct share *who) { return who->charged_us + who->expected_us; }
/* One that waits is about to be served: from now on, nobody starts below the least charged that waits. */
void shares_serve(struct shares *s);

/* Time passes. */
void shares_advance(struct shares *s, uint64_t now_ms);
double shares_used_us(const struct shares *s);	/* of all */
void shares_free(struct shares *s);

#endif
