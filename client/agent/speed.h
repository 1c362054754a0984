/*
 * speed.h - how fast a volunteer is beside the machine that predictions are made for, learned from its jobs. Pure.
 *
 * A speed of 2 halves what a job takes. A machine whose slots are all busy may be slower: how much is learned apart, so that
 * jobs which had it to themselves do not make it look fast, and others slow. What is learned fades, so that a machine that was slow for an
 * hour is tried again, and it never leaves SPEED_MIN to SPEED_MAX: one odd job must not make a volunteer unusable, or irresistible.
 */
#ifndef RCC_SPEED_H
#define RCC_SPEED_H

#include "base.h"

#define SPEED_MIN 0.25
#define SPEED_MAX 4.0

/* Decayed sums of the normal equations: of weights, of the load, its square, of logarithms of what was seen, and those by load. */
struct speed_sums { double w, load, load2, seen, load_seen; };

struct speed {			/* all zero: nothing known, 1 */
	/* logarithm of its speed when all slots are busy over that of a job alone, as it is to be expected; set by the user */
	double company;
	struct speed_sums took;		/* what was predicted over what it took */
	struct speed_sums share;	/* what it had of a processor: its processor time over what it took */
	uint64_t at_ms;			/* when they were last changed */
};

struct speed_seen {		/* a job that ended there */
	uint64_t predicted_us, took_us;
	uint64_t cpu_us;	/* 0: not known */
	double load;		/* how busy the machine was besides, from 0 (nothing else ran) to 1 (all slots) */
	bool guessed;		/* the prediction is what is typical of other jobs, and says little */
};
void speed_learn(struct speed *s, const struct speed_seen *j, uint64_t now_ms);
/* What to expect of a machine with so many processors, when jobs want nothing else. */
double speed_company(unsigned processors, unsigned slots);
/* Of a job at that load. */
double speed_now(const struct speed *s, double load, uint64_t now_ms);
/*
 * What company costs on the like of count machines, from all their jobs together, for speed.company of one whose own jobs tell
 * little of it yet. False: they tell too little.
 */
bool speed_common_company(const struct speed *const *all, size_t count, double *company);
/*
 * Then: where few jobs were alone, company is suspected of what the others lacked of a processor, up to all that there is to
 * share on a machine with so many slots. Whoever acts on that has jobs alone, and they tell. expected: without any job.
 */
double speed_suspected_company(const struct speed *const *all, size_t count, unsigned slots, double expected);
/*
 * As it was for this job, which has been learned: what it had less of a processor than jobs have there that are alone, its company
 * took from it, as far as so many can. It needs no mean over loads, as speed_now() does.
 */
double speed_met(const struct speed *s, const struct speed_seen *j, unsigned slots, uint64_t now_ms);
/* So many of slots give that share of what the machine can do: more jobs at once would mostly take longer each. */
unsigned speed_useful_slots(const struct speed *s, unsigned slots, double share, uint64_t now_ms);

#endif
