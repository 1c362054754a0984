/*
 * events.h - what is going to happen, in the order of time; of one time, in the order it was said.
 */
#ifndef RCC_SIM_EVENTS_H
#define RCC_SIM_EVENTS_H

#include "base.h"

enum event_kind {
	/* at an agent */
	ARRIVE, DISPATCH, GRANTED, REFUSED, STATE, RESULT, LOST, CONNECT, LATE, LOCAL_END,
	/* at a volunteer */
	RESERVE, CANCEL, JOB, CLOSE, LEAVE, RUN_END, TICK, TELL,
	/* to the world */
	FAULT,
};

enum outcome { GOOD, BAD, PREEMPTED, EXPIRED };

struct event {
	uint64_t at_us, number;
	enum event_kind kind;
	uint32_t agent, view;		/* the agent, and its view of the volunteer */
	uint32_t volunteer;
	uint32_t attempt;		/* or the job; or the fault */
	uint32_t epoch;			/* of the connection it came by, of the volunteer's life, of the timer */
	uint64_t token;
	enum outcome outcome;
	uint64_t took_us;
	uint32_t slots, free, queued;	/* STATE */
	bool draining;
};

struct events {			/* all zero: none */
	struct event *heap;
	size_t count, room;
	uint64_t number;
};

void events_add(struct events *e, struct event event);
bool events_next(struct events *e, struct event *out);
void events_free(struct events *e);

#endif
