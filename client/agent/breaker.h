/*
 * breaker.h - when so much fails that nothing should leave this machine for a while. Pure.
 *
 * It is for what no ban of one volunteer covers: a network that loses us, a farm that is being replaced.
 * Closed, jobs go out. When half of the last BREAKER_JOBS failed it opens: all is local for BREAKER_OPEN_MS.
 * Then one job is let out as a trial: it closes the breaker, or opens it again.
 */
#ifndef RCC_BREAKER_H
#define RCC_BREAKER_H

#include "base.h"

enum { BREAKER_JOBS = 20, BREAKER_OPEN_MS = 5000 };

struct breaker {		/* all zero: closed */
	uint32_t failed;	/* the last jobs, a bit each, the newest lowest */
	bool open;
	bool trying;		/* the trial is out */
	uint64_t until_ms;	/* no trial before */
};

/* May a job go out now? The one that is the trial must be followed by breaker_take(). */
bool breaker_allows(const struct breaker *b, uint64_t now_ms);
/* A job goes out. True: it is the trial, and its end is told with that. One that was let out beside it is none. */
bool breaker_take(struct breaker *b);

enum breaker_end {
	BREAKER_SERVED,
	BREAKER_FAILED,
	BREAKER_NEITHER,	/* it was given up: the next may try */
};
/* Ends of jobs that left before it opened say nothing new and do not count while it is open. */
void breaker_ended(struct breaker *b, bool trial, enum breaker_end how, uint64_t now_ms);

#endif
