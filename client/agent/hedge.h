/*
 * hedge.h - when a job that is late gets a second copy elsewhere. Pure.
 *
 * The first verified result wins, the other copy is ended. It costs a slot, so: not on a full farm, not while jobs
 * wait, at most one copy in HEDGE_SHARE jobs, and only where the copy is likely to end first.
 */
#ifndef RCC_HEDGE_H
#define RCC_HEDGE_H

#include "base.h"

enum { HEDGE_MIN_US = 1000000, HEDGE_SHARE = 50 };

struct hedge_budget { uint64_t jobs, copies; };	/* that this agent placed elsewhere; second copies of them */

struct hedge_view {
	uint64_t elapsed_us;	/* since it was granted a slot */
	uint64_t predicted_us;	/* what it takes on a machine of speed 1 */
	bool guessed;		/* that is a mean of other jobs */
	double speed;		/* of the volunteer that runs it */
	double other;		/* of the best that has room; 0: none has */
	unsigned waiting;	/* jobs that have no slot yet */
};

/* Elapsed time before which it is not late. */
uint64_t hedge_after_us(const struct hedge_view *v);
bool hedge_due(const struct hedge_budget *b, const struct hedge_view *v);

#endif
