/*
 * gap.h - did this process, or the whole machine, stand still for a while?
 *
 * A machine that slept, a process that was stopped: what they knew of others
 * before is old, and others may have given them up. Pure but for the clock.
 */
#ifndef RCC_GAP_H
#define RCC_GAP_H

#include <stdint.h>
#include <time.h>

struct gap { uint64_t last_ms; };	/* all zero at the start */

/* CLOCK_BOOTTIME: it goes on while the machine sleeps. */
static inline uint64_t gap_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* To be asked each period. How long it stood still since the last time; 0 when that was about a period ago. */
static inline uint64_t gap_look(struct gap *g, uint64_t now_ms, uint64_t period_ms)
{
	uint64_t last_ms = g->last_ms, late_ms;

	g->last_ms = now_ms;
	late_ms = now_ms > last_ms ? now_ms - last_ms : 0;
	return last_ms && late_ms > period_ms ? late_ms - period_ms : 0;
}

#endif
