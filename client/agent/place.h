/*
 * place.h - where a job goes: pure functions of what is known, so that the
 * simulator can replay them and a test can ask any question.
 *
 * This machine is one more candidate. Beside it: finish.h (which volunteers
 * are worth asking), hedge.h (a second copy), ban.h and breaker.h (where not,
 * and when nowhere), speed.h and history.h (what all of it is reckoned with).
 */
#ifndef RCC_PLACE_H
#define RCC_PLACE_H

#include "base.h"

enum {
	RESERVATIONS = 3,	/* late binding over so many candidates */
	OFFERED_MAX = 128,	/* jobs of which nothing is held here that may wait for a grant */
};

/* What the agent has under way. */
struct place_view {
	unsigned cores;
	unsigned local_running;		/* leases */
	unsigned preprocessing;		/* preprocessors that run now */
	unsigned ungranted;		/* preprocessed or at it, without a grant */
	unsigned offered;		/* without a grant, and nothing of them is held: file mode */
	unsigned waiting;		/* jobs that could go elsewhere and have not been placed, this one not counted */
};

enum place_candidates {
	CANDIDATES_NONE,	/* no volunteer can take it */
	CANDIDATES_UNKNOWN,	/* one may, once it has answered */
	CANDIDATES_SOME,
};

struct place_job {
	bool remote_able;	/* by its plan */
	bool holds_nothing;	/* while it waits: file mode, and so the bounds on texts are not for it */
	bool stay_remote;	/* the caller wants none that can go elsewhere here */
	unsigned local_slots;	/* the caller's bound; 0 bounds nothing that must be here */
	enum place_candidates candidates;
};

enum place_action { PLACE_WAIT, PLACE_LOCAL, PLACE_REMOTE };

enum place_action place_decide(const struct place_view *v, const struct place_job *j);

/* A job that waits for a grant may go to a local core that became free. */
bool place_local_first(const struct place_view *v, const struct place_job *j);

/* A job so small that sending it away would cost about as much is not sent. 0: nothing is known of it. */
bool place_early_local(uint64_t predicted_us, uint64_t remote_cost_us);

/* One of the jobs that wait. */
struct place_waiting {
	uint64_t predicted_us;	/* of an unknown job the mean of others */
	uint64_t since_us;	/* when it came, on the clock of now */
};

/* Does a go before b? */
bool place_before(const struct place_waiting *a, const struct place_waiting *b);

/*
 * Who goes next: the longest, since what is long and late is what everybody waits for at the end; but each
 * microsecond of waiting counts as one of length, so that nobody is passed by a job that came later by more than it is
 * longer. So their order does not change with time. count: none.
 */
size_t place_next(const struct place_waiting *jobs, size_t count);

/* A volunteer failed the job for the failures-th time: once more elsewhere, then here. */
enum place_action place_again(unsigned failures);

struct place_peer {
	unsigned slots;		/* its capacity for this toolchain */
	unsigned free;		/* as it last said */
};

/*
 * Choose up to RESERVATIONS of peers, without replacement, in proportion to
 * slots; those that said they have room come first. random yields uniform
 * 64-bit numbers. Returns how many, their indices in chosen.
 */
size_t place_sample(const struct place_peer *peers, size_t count, uint64_t (*random)(void *arg), void *arg,
		    size_t chosen[RESERVATIONS]);

#endif
