/*
 * burst.h - the many jobs that a build begins with. Pure.
 *
 * A make starts as many compiles as it may, one after the other, and the longest may be the last of them. Who places each as it comes
 * fills the volunteers with whatever came first, and the longest waits for one of those to end. So what is to go elsewhere
 * waits some milliseconds, once, for as long as more keep coming; then the longest goes first.
 */
#ifndef RCC_BURST_H
#define RCC_BURST_H

#include "base.h"

struct burst {			/* all zero: none yet */
	uint64_t first_us, last_us;	/* when jobs came */
	unsigned jobs;
	uint64_t held_us;	/* when the first could have gone; 0: none yet */
	uint64_t until_us;	/* for no longer than this */
	bool over;
};

/* A job came; first: after a while without any. */
void burst_came(struct burst *b, bool first, uint64_t now_us);
/* How long those that could go now should wait for more, in microseconds; 0 from then on until the next burst. */
uint64_t burst_hold_us(struct burst *b, uint64_t now_us);

#endif
