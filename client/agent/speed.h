/*
 * speed.h - how fast a volunteer is beside the machine that predictions are made for, learned from its jobs. Pure.
 *
 * A speed of 2 halves what a job takes. What is learned fades, so that a machine that was slow for an hour is tried
 * again, and it never leaves SPEED_MIN to SPEED_MAX: one odd job must not make a volunteer unusable, or irresistible.
 */
#ifndef RCC_SPEED_H
#define RCC_SPEED_H

#include "base.h"

#define SPEED_MIN 0.25
#define SPEED_MAX 4.0

struct speed {			/* all zero: nothing known, 1 */
	double sum, weight;	/* of the logarithms of what was seen */
	uint64_t at_ms;		/* when they were last changed */
};

/* A job ended there. guessed: the prediction is what is typical of other jobs, and says little. */
void speed_learn(struct speed *s, uint64_t predicted_us, uint64_t took_us, bool guessed, uint64_t now_ms);
double speed_now(const struct speed *s, uint64_t now_ms);

#endif
