/*
 * dice.h - chance that can be replayed: all of a run's comes from its seed.
 */
#ifndef RCC_SIM_DICE_H
#define RCC_SIM_DICE_H

#include "base.h"

struct dice { uint64_t state; };

uint64_t dice_next(void *dice);			/* as place_sample() wants it */
double dice_uniform(struct dice *d);		/* 0 to below 1 */
size_t dice_below(struct dice *d, size_t n);
bool dice_chance(struct dice *d, double p);
double dice_exponential(struct dice *d, double mean);
double dice_normal(struct dice *d);

#endif
