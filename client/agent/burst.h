/*
 * burst.h - the many jobs that a build begins with. Pure.
 *
 * A make starts as many compiles as it may, one after the other, and the longest may be the last of them. Who places each as it comes
 * fills the volunteers with whatever came first, and the longest waits for one of those to end. So what is to go elsewhere
 * waits some milliseconds, once, for as long as more keep coming, or have come and are being looked at; then the longest goes first.
 */
#ifndef RCC_BURST_H
#define RCC_BURST_H

#include "base.h"

struct burst {			/* all zero: none yet */
	unsigned here;		/* jobs, of this burst or not */
	unsigned unsettled;	/* those of them of which it is not known yet where they could go */
	uint64_t idle_us;	/* when the last of them left */
	uint64_t first_us, last_us;	/* when jobs came */
	unsigned jobs;		/* so many */
	uint64_t until_us;	/* nobody waits for longer; 0: nobody does yet */
	bool over;
};

void burst_came(struct burst *b, uint64_t now_us);
/* Of one that came it is known now where it could go, or that it stays. */
void burst_settled(struct burst *b);
/* One that came, and was settled, is no more. */
void burst_left(struct burst *b, uint64_t now_us);
/* How long those that could go now should wait for more, in microseconds; 0 from then on until the next burst. */
uint64_t burst_hold_us(struct burst *b, uint64_t now_us);

#endif
