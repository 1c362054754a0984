/*
 * policy.h - how much of this machine its owner lets us have: a pure
 * function of (state, what the machine says now, now). No I/O, no clock.
 *
 * It is asked each POLICY_MS. Capacity goes down with one reading and up only
 * after several that agree; a running job is given up only when each of
 * several readings in a row said so. So a short spike costs a few grants and
 * no job, and an owner who stays has the machine after five seconds.
 */
#ifndef RCC_POLICY_H
#define RCC_POLICY_H

#include "base.h"
#include "wire.h"

enum policy {
	POLICY_DEDICATED,	/* all slots, always */
	POLICY_POLITE,		/* what the owner leaves free */
	POLICY_IDLE,		/* the same, and only while the owner is away */
	POLICIES
};
extern const char *const policy_names[POLICIES + 1];	/* ends with NULL */

enum known { UNKNOWN, NO, YES };

/* What the machine says. A signal that it does not give is marked unknown, and decides nothing. */
struct owner_signals {
	unsigned cores;			/* 0: unknown, and so is busy_us */
	uint64_t busy_us;		/* CPU that anything used since the machine started, of all cores together */
	uint64_t memory_kb, available_kb;	/* 0: unknown */
	double memory_stall, io_stall;	/* percent of the last 10 s in which something waited for it; below 0: unknown */
	int64_t untouched_s;		/* since somebody used a terminal; -1: unknown */
	enum known session_idle;	/* the login manager's view */
	enum known on_battery;
	uint64_t jobs_us;		/* CPU that our own jobs used, ever; never falls */
	unsigned jobs;			/* that run */
};

enum { POLICY_MS = 800, POLICY_WINDOW = 7 };	/* between readings; readings that count */

struct policy_reading {
	unsigned slots;		/* that may be granted, by this reading alone */
	unsigned keep;		/* jobs that may go on, likewise */
	enum hold hold;
	char why[80];
};

struct policy_state {		/* all zero at the start */
	bool started;
	uint64_t at_ms, busy_us, jobs_us;	/* of the last reading */
	struct policy_reading window[POLICY_WINDOW];	/* the newest first */
	size_t readings;	/* in it */
	unsigned taken;		/* cores that are the owner's */
	double owner_cores, our_cores;	/* that anything but our jobs used at the last reading, and our jobs */
	bool low_memory, memory_stalls, io_stalls;
	uint64_t quiet_ms;	/* since when no work of the owner was seen */
};

enum phase {
	PHASE_WORKING,
	PHASE_SHRINKING,	/* more jobs run than may stay; those go soon, or end */
	PHASE_LEAVING,		/* the same, and none may stay */
	PHASE_PAUSED,		/* none runs, none is taken */
	PHASES
};
const char *phase_text(enum phase p);

struct policy_decision {
	unsigned capacity;	/* slots that may be granted or run */
	unsigned keep;		/* at most so many of the running jobs go on; the rest ends now */
	enum phase phase;
	enum hold hold;		/* why it is not all of the slots */
	char why[112];		/* the same for people; "" */
};

void policy_step(enum policy policy, unsigned slots, struct policy_state *st, const struct owner_signals *s,
		 uint64_t now_ms, struct policy_decision *out);

#endif
