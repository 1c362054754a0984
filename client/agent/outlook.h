/*
 * outlook.h - what an agent knows of one volunteer's slots, and when one would be free. Pure.
 *
 * A volunteer says how many slots it has, how many are free, and how many reservations wait there, all of which is a
 * little old when it is read. What we know ourselves is exact: our reservations, and our jobs that run there.
 * Both together, with the speed and the bans that were learned, make it a candidate for a job (finish.h).
 */
#ifndef RCC_OUTLOOK_H
#define RCC_OUTLOOK_H

#include "ban.h"
#include "finish.h"
#include "speed.h"

struct outlook_run {
	uint64_t id;			/* any number that names it while it runs */
	uint64_t predicted_us;		/* on a machine of speed 1 */
	uint64_t since_us;
	double company_us;		/* filled in: outlook.company_us then */
};

struct outlook {			/* all zero: nothing known; freed by outlook_free() */
	unsigned slots, free, queued;	/* as it last said */
	unsigned outstanding;		/* our reservations there */
	double pending;			/* the jobs that they stand for: one that asks at three is a third of a job at each */
	struct outlook_run *running;	/* our jobs there */
	size_t running_count, running_room;
	double company_us;		/* our running jobs, summed over time until changed_us */
	uint64_t changed_us;
	struct speed speed;
	struct bans bans;
};

void outlook_free(struct outlook *o);

/* A reservation is made, or is over; share: the part of a job that it stands for. */
void outlook_reserved(struct outlook *o, double share);
void outlook_unreserved(struct outlook *o, double share);
/* A job of ours begins, or has ended. */
void outlook_started(struct outlook *o, const struct outlook_run *run);
void outlook_ended(struct outlook *o, uint64_t id, uint64_t now_us);
/* What one that runs is likely to take has been learned from others since. */
void outlook_foresee(struct outlook *o, uint64_t id, uint64_t predicted_us);

/* How busy it is besides a job that may come (speed.h), which waits until no more run there than are of use. */
double outlook_load(const struct outlook *o, uint64_t now_us);
/* How busy we kept it besides this job that runs there, from its begin to now. */
double outlook_load_of(const struct outlook *o, uint64_t id, uint64_t now_us);
/* How fast it would be for one more job. */
double outlook_speed(const struct outlook *o, uint64_t now_us);
/* More slots are free there than our reservations will take, and would be of use. */
bool outlook_has_room(const struct outlook *o, uint64_t now_us);
/* One more reservation makes sense: not where further jobs would only make each other slower. */
bool outlook_worth_asking(const struct outlook *o, uint64_t now_us);
/* One more job of ours that begins there now is of use: grants of several can come at once, more than were worth asking for. */
bool outlook_worth_taking(const struct outlook *o, uint64_t now_us);
/* Our jobs there have it do most of what it can: one more would take from them nearly all that it got. */
bool outlook_does_most(const struct outlook *o, uint64_t now_us);
/* Until a slot is free there for one more job. mean_us: what an unknown job takes, at speed 1. */
uint64_t outlook_wait_us(const struct outlook *o, uint64_t mean_us, uint64_t now_us);
/*
 * As a candidate: slots, speed and wait; the caller adds what it knows of the link. lasting: for a job that outlasts ours that
 * run there, and will then be left alone: they slow it only until they end.
 */
struct finish_peer outlook_peer(const struct outlook *o, uint64_t mean_us, bool lasting, uint64_t now_us);

#endif
