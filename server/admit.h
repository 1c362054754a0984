/*
 * admit.h - who gets a slot, and when: a pure function of (state, event,
 * now). No I/O, no clock, no globals: rccd runs it, and so can a simulator,
 * each with a source of tokens of its own.
 *
 * A slot is free, granted (promised to one reservation for a short while) or
 * running. Reservations wait in a queue. The owner of the machine may leave
 * us fewer slots for a while: no more are granted than that, and those that
 * run above it go on here.
 *
 * A slot goes to the identity that has been charged least (shares.h), and
 * within one to the first that came. A slot is charged from its grant on: by
 * time, or by processor time where that is more, and until then by what was
 * predicted. Three exceptions: no identity gets all slots while another waits
 * that is no nicer; where there are SLOTS_TO_KEEP_ONE, the last is for jobs
 * predicted to be short, as long as such jobs come; and who is first waits,
 * and all others with him, until there is the memory that his job will take.
 */
#ifndef RCC_ADMIT_H
#define RCC_ADMIT_H

#include "base.h"
#include "wire.h"

enum {
	SLOTS_TO_KEEP_ONE = 8,
	SHORT_MS = 500,			/* predicted to take no longer: a short job */
	SHORT_COME_MS = 10 * 1000,	/* after the last of them, no slot is kept */
};

struct admit_config {
	unsigned slots;
	unsigned queue_max;	/* reservations waiting, of all together */
	unsigned identity_max;	/* of those, of one identity */
	uint32_t memory_mb;	/* for all jobs together; 0: enough for any */
	unsigned grant_ms;	/* a grant not used by then lapses */
	uint64_t (*new_token)(void);	/* never the same, and nothing tells the next: who knows one may use the grant */
};

enum admit_kind {
	ADMIT_RESERVE,	/* owner, id, identity, predicted_ms, predicted_mb, niceness */
	ADMIT_CANCEL,	/* owner, id: gives up a reservation or an unused grant */
	ADMIT_LEAVE,	/* owner: all of that */
	ADMIT_REDEEM,	/* owner, token: the job is here */
	ADMIT_FINISH,	/* token, cpu_us: the job that it was redeemed for has ended */
	ADMIT_TICK,	/* time has passed */
	ADMIT_DRAIN,	/* no new reservations from now on */
	ADMIT_CAPACITY,	/* capacity: so many slots from now on, of all; with none, nobody is left waiting */
	ADMIT_KINDS
};

struct admit_event {
	enum admit_kind kind;
	uint64_t owner;		/* of a reservation: any number that names it while it lives */
	uint32_t id;
	uint64_t identity;	/* who is charged: any number that names a caller for good; several owners may share it */
	uint64_t token;
	uint32_t predicted_ms;	/* 0: unknown, and then as much as jobs here take on average */
	uint32_t predicted_mb;	/* 0: unknown, and then as much as a slot's part */
	int8_t niceness;
	unsigned capacity;
	uint64_t cpu_us;
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
	unsigned kept;		/* 1: the last slot is free, and not for everybody */
	bool draining;
};

/* That could be granted now, to anybody. */
static inline unsigned admit_free_slots(const struct admit_counts *c)
{
	unsigned used = c->running + c->granted + c->kept;

	return c->capacity > used ? c->capacity - used : 0;
}

struct admit;
struct admit *admit_new(const struct admit_config *config);
void admit_free(struct admit *a);

/* One event; what is to be done about it is appended to out. REDEEM yields exactly one START or REFUSE. */
void admit_step(struct admit *a, const struct admit_event *e, uint64_t now_ms, struct admit_actions *out);

/* When the next TICK is due: a grant lapses, or a slot is no longer kept. UINT64_MAX: none. */
uint64_t admit_deadline(const struct admit *a);
struct admit_counts admit_counts(const struct admit *a);

/* One identity, for people to read. */
struct admit_use {
	double share;			/* of all that was used of late, 0 to 1 */
	unsigned waiting, holding;	/* reservations; slots, granted or running */
};
struct admit_use admit_use(const struct admit *a, uint64_t identity);
void admit_actions_free(struct admit_actions *actions);

#endif
