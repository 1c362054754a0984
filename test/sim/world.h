/*
 * world.h - callers with their agents, volunteers, and the network between them.
 *
 * Decisions are made by the very code of the programs: client/agent's place, finish, outlook, hedge, breaker, ban, speed
 * and history, and server's admit. Everything here is what surrounds them.
 */
#ifndef RCC_SIM_WORLD_H
#define RCC_SIM_WORLD_H

#include "admit.h"
#include "breaker.h"
#include "dice.h"
#include "events.h"
#include "finish.h"
#include "hedge.h"
#include "history.h"
#include "outlook.h"
#include "place.h"

enum {
	RESERVED_MAX = 8,
	STALL_US = 10000000,		/* silence after which a connection is given up */
	HORIZON_S = 7200,		/* a job that is not done by then is starved */
	NONE = UINT32_MAX,
};

enum machine_mix { EQUAL, MIXED, FOUR_SPEEDS };	/* speed 1; 0.5 to 2; 1, 1/2, 1/3, 1/4 */

/* A kind of run. */
struct scenario {
	const char *name, *shows;
	unsigned callers, volunteers;
	unsigned slots_min, slots_max;
	enum machine_mix mix;
	unsigned jobs;			/* a caller */
	unsigned window;		/* make's -j; 0: jobs come as they come, by load */
	double load;			/* of all slots */
	double median_s, sigma;		/* of a job, log-normal; sigma 0: Pareto from median_s, alpha 1.3, up to 20 s */
	unsigned cores, local_slots;	/* of a caller's machine */
	unsigned sees;			/* volunteers that an agent works with; 0: all */
	double latency_us;		/* one way */
	bool known;			/* it was built before: history and speeds */
	double slow;			/* this share of executions takes ten times as long */
	bool faults;			/* loss, partitions, deaths, freezes, lies, withdrawals */
	unsigned losses;		/* so many die in the middle, and two thirds as many freeze */
	bool greed;			/* callers differ in how much they want at once; measured while all want more */
	unsigned seeds;			/* when none are asked for */
	bool check;			/* by default; else when named */
};

struct task {
	uint32_t agent;
	uint64_t work_us;		/* on a machine of speed 1 */
	uint64_t bytes;
	uint64_t arrived_us, started_us, done_us;	/* 0: not yet */
	uint32_t attempts[2];		/* that are under way; NONE */
	uint32_t copied;		/* its second copy was made */
	uint32_t avoid;			/* the view that failed it; NONE */
	unsigned failures, results;
	bool waiting, local;
};

enum attempt_state { RESERVED, RUNNING, OVER };
struct attempt {
	uint32_t job;
	enum attempt_state state;
	bool copy, trial;
	uint32_t views[RESERVED_MAX];
	uint32_t ids[RESERVED_MAX];	/* what each reservation is known by there: the attempt that made it, at first */
	size_t view_count;
	double share;			/* of a job that each of the reservations stands for */
	uint32_t view;			/* that runs it */
	uint64_t reserved_us, granted_us;
	uint64_t guess_us;		/* what it was thought to take when it was granted */
};

/* What an agent knows of one volunteer. */
struct view {
	uint32_t volunteer;
	uint32_t epoch;			/* of the connection */
	bool up, told;
	uint64_t cut_until_us;		/* partition */
	uint64_t to_us, from_us;	/* when the last message arrives: one connection keeps the order */
	bool draining;
	unsigned connects;		/* failed in a row */
	struct outlook outlook;
};

struct agent {
	struct view *views;
	size_t view_count;
	uint32_t *waiting, *reserved;	/* jobs; attempts */
	size_t waiting_count, reserved_count;
	uint32_t first_job, next_job, jobs, done;	/* its jobs are a range; next_job: not released by make yet */
	unsigned window, cores, local_slots, local_running;
	bool dispatching;
	struct hedge_budget budget;
	struct breaker breaker;
	struct history *history;
	uint64_t work_us;		/* done for it in the measured time */
};

struct run { uint32_t agent, view, attempt, epoch; uint64_t begun_us, number, token; };
struct volunteer {
	struct admit *admit;
	unsigned slots;
	double speed;
	bool dead, liar, telling;
	uint64_t frozen_until_us;
	uint32_t life;
	struct run *runs;
	size_t run_count;
	struct { uint32_t agent, view; } *watchers;
	size_t watcher_count;
	uint64_t tick_us;
};

struct world {
	const struct scenario *s;
	uint64_t seed, now_us;
	struct dice dice;		/* of what happens */
	struct dice agents_dice;	/* of what agents choose */
	struct events events;
	struct agent *agents;
	size_t agent_count;
	struct volunteer *volunteers;
	size_t volunteer_count;
	struct task *jobs;
	size_t job_count, done;
	struct attempt *attempts;
	size_t attempt_count, attempt_room;
	struct admit_actions actions;
	uint64_t trace;			/* of all events: replays must have the same */
	uint64_t executions, capacity_slots, runs;
	double loss;
	uint64_t measured_until_us;	/* fairness; 0: no bound */
	bool verbose;
	const char *broken;		/* the first invariant that did not hold */
};

/* world.c */
struct world *world_new(const struct scenario *s, uint64_t seed, bool verbose);
void world_run(struct world *w);
void world_free(struct world *w);
void must(struct world *w, bool holds, const char *invariant);
void at(struct world *w, uint64_t at_us, struct event e);
void send_to_volunteer(struct world *w, uint32_t agent, uint32_t view, uint64_t extra_us, struct event e);
void send_to_agent(struct world *w, uint32_t agent, uint32_t view, uint64_t extra_us, struct event e);

/* agent.c */
void agent_event(struct world *w, const struct event *e);
void agent_lost(struct world *w, uint32_t agent, uint32_t view);
void agent_wake(struct world *w, uint32_t agent);
/* As what the history knows it. */
struct history_job history_key(uint32_t job);

/* volunteer.c */
void volunteer_event(struct world *w, const struct event *e);
void volunteer_die(struct world *w, uint32_t volunteer);
void volunteer_capacity(struct world *w, uint32_t volunteer, unsigned slots);
void volunteer_drain(struct world *w, uint32_t volunteer);
void volunteer_start(struct world *w, uint32_t volunteer);

/* fault.c */
void faults_plan(struct world *w);
void fault_event(struct world *w, const struct event *e);

#endif
