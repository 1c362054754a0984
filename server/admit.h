/*
 * admit.h - who gets a slot, and when: a pure function of (state, event,
 * now). No I/O, no clock, no globals: rccd runs it, and so can a simulator,
 * each with a source of tokens of its own.
 *
 * A slot is free, granted (promised to one reservation for a short while) or
 * running. Reservations wait in a queue. The owner of the machine may leave
 * us fewer slots for a while: no more are granted than that, and those that
 * run above it go on here.
 */
#ifndef RCC_ADMIT_H
#define RCC_ADMIT_H

#include "base.h"
#include "wire.h"

struct admit_config {
	unsigned slots;
	unsigned queue_max;	/* reservations waiting, of all owners together */
	unsigned owner_max;	/* of those, of one owner */
	unsigned grant_ms;	/* a grant not used by then lapses */
	uint64_t (*new_token)(void);	/* never the same, and nothing tells the next: who knows one may use the grant */
};

enum admit_kind {
	ADMIT_RESERVE,	/* owner, id, predicted_ms, niceness */
	ADMIT_CANCEL,	/* owner, id: gives up a reservation or an unused grant */
	ADMIT_LEAVE,	/* owner: all of that */
	ADMIT_REDEEM,	/* owner, token: the job is here */
	ADMIT_FINISH,	/* a running job has ended */
	ADMIT_TICK,	/* time has passed */
	ADMIT_DRAIN,	/* no new reservations from now on */
	ADMIT_CAPACITY,	/* capacity: so many slots from now on, of all; with none, nobody is left waiting */
	ADMIT_KINDS
};

struct admit_event {
	enum admit_kind kind;
	uint64_t owner;		/* of a reservation: any number that names it while it lives */
	uint32_t id;
	uint64_t token;
	uint32_t predicted_ms;
	int8_t niceness;
	unsigned capacity;
};

enum admit_verdict {
	ADMIT_GRANT,	/* owner, id, token */
	ADMIT_REFUSE,	/* owner, id, refusal */
	ADMIT_START,	/* owner (of REDEEM), niceness: a slot is running */
};

struct admit_action {
	enum admit_verdict verdict;
	uint64_t owner;
	uint32_t id;
	uint64_t token;
	enum refusal refusal;
	int8_t niceness;
};

struct admit_actions {		/* all zero is empty; kept and cleared by the caller */
	struct admit_action *v;
	size_t count, room;
};

struct admit_counts {
	unsigned slots, capacity, running, granted, queued;
	bool draining;
};

/* That could be granted now. */
static inline unsigned admit_free_slots(const struct admit_counts *c)
{
	unsigned used = c->running + c->granted;

	return c->capacity > used ? c->capacity - used : 0;
}

struct admit;
struct admit *admit_new(const struct admit_config *config);
void admit_free(struct admit *a);

/* One event; what is to be done about it is appended to out. REDEEM yields exactly one START or REFUSE. */
void admit_step(struct admit *a, const struct admit_event *e, uint64_t now_ms, struct admit_actions *out);

/* When the next TICK is due: the first grant to lapse. UINT64_MAX: none. */
uint64_t admit_deadline(const struct admit *a);
struct admit_counts admit_counts(const struct admit *a);
void admit_actions_free(struct admit_actions *actions);

#endif
