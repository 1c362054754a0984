/*
 * finish.h - when a job would be finished at a volunteer, and which are worth asking. Pure.
 *
 * A slot that is free now is no gain on a machine that takes four times as long. So a job is offered only where it is
 * expected to end about as early as anywhere; among those the choice is random by capacity, so that agents which
 * know the same do not all go to the same volunteer.
 */
#ifndef RCC_FINISH_H
#define RCC_FINISH_H

#include "place.h"

struct finish_job {
	uint64_t occupancy_us;		/* on a machine of speed 1; of an unknown job the mean of others */
	uint64_t bytes;			/* to it and back */
};

struct finish_peer {		/* a candidate, for one job */
	unsigned slots;			/* 0: is not asked */
	double speed;			/* speed.h */
	uint64_t wait_us;		/* until a slot is free: finish_wait_us() */
	uint64_t rtt_us;
	uint64_t bandwidth;		/* bytes a second; 0: not measured, costs nothing */
};

/* What is known of a volunteer's slots. */
struct finish_slots {
	unsigned slots, free;		/* as it last said, less what we have since taken */
	unsigned ahead;			/* jobs that are in line there before the one asked about */
	const uint64_t *ours_us;	/* our jobs there: for how long each is still expected to run */
	size_t ours;
	uint64_t mean_us;		/* an unknown job, at its speed */
};

/* For how long a slot there is still expected to be taken: a job that is late goes on, by its age. */
uint64_t finish_left_us(uint64_t expected_us, uint64_t elapsed_us);
uint64_t finish_wait_us(const struct finish_slots *s);
uint64_t finish_us(const struct finish_job *j, const struct finish_peer *p);

/* Choose up to RESERVATIONS, without replacement; how many, their indices in chosen. */
size_t finish_choose(const struct finish_job *j, const struct finish_peer *peers, size_t count,
		     uint64_t (*random)(void *arg), void *arg, size_t chosen[RESERVATIONS]);

/*
 * Of the job that all others wait for in the end little counts, though estimates are rough: is it worth a moment to wait for the one
 * volunteer that would finish it at there_us, while another that would at here_us may have it now?
 */
bool finish_clearly_sooner(uint64_t there_us, uint64_t here_us);

/* A job that is asked for elsewhere, where the best would finish it at best_us: is this one worth asking as well? */
bool finish_worth(uint64_t here_us, uint64_t best_us);

#endif
