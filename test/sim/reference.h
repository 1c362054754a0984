/*
 * reference.h - what other rules would make of the same jobs and machines, without a network and without faults.
 */
#ifndef RCC_SIM_REFERENCE_H
#define RCC_SIM_REFERENCE_H

#include "world.h"

enum rule {
	CLAIRVOYANT,		/* in the order they come, where each is finished first; every duration is known */
	LEAST_LOADED,		/* where the fewest jobs a slot are, by the true state of now */
	RANDOM,			/* by slots */
	BEST_OF_TWO,		/* two at random, the less loaded */
	IDLE_QUEUE,		/* a machine that has said it is idle, the longest idle first; else random */
	ICECREAM,		/* one queue; of the machines with a free slot the fastest by bytes of output a second */
	RULES
};

struct reference { double makespan_s, mean_wait_s, p99_wait_s; };

const char *rule_name(enum rule r);
/* The jobs of a world that has not run yet. */
struct reference reference_run(const struct world *w, enum rule rule);
/* All work over all capacity, or the longest job on the fastest machine. */
double lower_bound_s(const struct world *w);
int by_double(const void *a, const void *b);

#endif
