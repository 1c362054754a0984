/*
 * world.c - the run of one seed: what there is at its start, and one event after another.
 */
#include "world.h"

#include <math.h>
#include <stdio.h>

void must(struct world *w, bool holds, const char *invariant)
{
	if (!holds && !w->broken)
		w->broken = invariant;
}

void at(struct world *w, uint64_t at_us, struct event e)
{
	e.at_us = at_us;
	events_add(&w->events, e);
}

static const char *const names[] = {
	[ARRIVE] = "arrive", [DISPATCH] = "dispatch", [GRANTED] = "granted", [REFUSED] = "refused", [STATE] = "state",
	[RESULT] = "result", [LOST] = "lost", [CONNECT] = "connect", [LATE] = "late", [LOCAL_END] = "local-end",
	[RESERVE] = "reserve", [CANCEL] = "cancel", [JOB] = "job", [CLOSE] = "close", [LEAVE] = "leave", [RUN_END] = "run-end",
	[TICK] = "tick", [TELL] = "tell", [FAULT] = "fault",
};

/* The network */

/* One way, with jitter; a packet that is lost comes with its repetition. */
static uint64_t latency(struct world *w)
{
	double us = w->s->latency_us * (0.8 + dice_exponential(&w->dice, 0.2));

	if (w->loss > 0 && dice_chance(&w->dice, w->loss))
		us += 200000;
	return (uint64_t)us;
}

/* Over a connection that is whole, and in its order. */
static void send(struct world *w, struct view *v, uint64_t *last_us, uint64_t extra_us, struct event e)
{
	uint64_t from = v->cut_until_us > w->now_us ? v->cut_until_us : w->now_us;
	uint64_t arrives = from + latency(w) + extra_us;

	if (arrives < *last_us && !extra_us)
		arrives = *last_us;
	if (!extra_us)	/* what is large has a connection of its own */
		*last_us = arrives;
	at(w, arrives, e);
}

void send_to_volunteer(struct world *w, uint32_t agent, uint32_t view, uint64_t extra_us, struct event e)
{
	struct view *v = &w->agents[agent].views[view];

	e.agent = agent;
	e.view = view;
	e.volunteer = v->volunteer;
	e.epoch = v->epoch;
	if (v->up)
		send(w, v, &v->to_us, extra_us, e);
}

void send_to_agent(struct world *w, uint32_t agent, uint32_t view, uint64_t extra_us, struct event e)
{
	struct view *v = &w->agents[agent].views[view];

	e.agent = agent;
	e.view = view;
	e.epoch = v->epoch;
	send(w, v, &v->from_us, extra_us, e);
}

/* The start */

static double speed_of(struct world *w, size_t i)
{
	switch (w->s->mix) {
	case MIXED: return exp2(2 * dice_uniform(&w->dice) - 1);
	case FOUR_SPEEDS: return 1.0 / (double)(1 + i % 4);
	case EQUAL: break;
	}
	return 1;
}

static void make_volunteers(struct world *w)
{
	const struct scenario *s = w->s;

	w->volunteer_count = s->volunteers;
	w->volunteers = xcalloc(s->volunteers, sizeof *w->volunteers);
	for (size_t i = 0; i < s->volunteers; i++) {
		struct volunteer *v = &w->volunteers[i];

		v->slots = s->slots_min + (unsigned)dice_below(&w->dice, s->slots_max - s->slots_min + 1);
		v->speed = speed_of(w, i);
		v->runs = xcalloc(2 * (size_t)v->slots, sizeof *v->runs);	/* more than may be: that is checked, not relied on */
		w->capacity_slots += v->slots;
		volunteer_start(w, (uint32_t)i);
	}
}

/* Which volunteers an agent works with: all, or a random few. */
static void make_views(struct world *w, uint32_t agent)
{
	struct agent *a = &w->agents[agent];
	autofree uint32_t *order = xcalloc(w->volunteer_count, sizeof *order);

	a->view_count = w->s->sees && w->s->sees < w->volunteer_count ? w->s->sees : w->volunteer_count;
	a->views = xcalloc(a->view_count, sizeof *a->views);
	for (uint32_t i = 0; i < w->volunteer_count; i++)
		order[i] = i;
	for (uint32_t i = 0; i < a->view_count; i++) {
		size_t pick = i + dice_below(&w->dice, w->volunteer_count - i);
		struct volunteer *v = &w->volunteers[order[pick]];

		a->views[i] = (struct view){ .volunteer = order[pick], .up = true, .told = true,
						.outlook = { .slots = v->slots, .free = v->slots } };
		order[pick] = order[i];
		v->watchers = xrealloc(v->watchers, (v->watcher_count + 1) * sizeof *v->watchers);
		v->watchers[v->watcher_count].agent = agent;
		v->watchers[v->watcher_count++].view = i;
	}
}

static double work_s(struct world *w)
{
	const struct scenario *s = w->s;
	double v = s->sigma > 0 ? s->median_s * exp(s->sigma * dice_normal(&w->dice))
				: s->median_s * pow(1 - dice_uniform(&w->dice), -1 / 1.3);

	return fmin(v, 20);
}

static void make_jobs(struct world *w)
{
	w->job_count = (size_t)w->s->callers * w->s->jobs;
	w->jobs = xcalloc(w->job_count, sizeof *w->jobs);
	for (size_t i = 0; i < w->job_count; i++)
		w->jobs[i] = (struct task){ .agent = (uint32_t)(i / w->s->jobs), .work_us = (uint64_t)(work_s(w) * 1e6) + 1,
					   .bytes = 20000 + (uint64_t)dice_exponential(&w->dice, 200000),
					   .attempts = { NONE, NONE }, .avoid = NONE };
}

/* An earlier build has told of each job, within a tenth, and of each volunteer. */
static void teach(struct world *w, uint32_t agent)
{
	struct agent *a = &w->agents[agent];

	for (uint32_t i = 0; i < a->jobs; i++) {
		uint32_t job = a->first_job + i;
		uint64_t seen = (uint64_t)((double)w->jobs[job].work_us * exp(0.1 * dice_normal(&w->dice)));
		struct history_job key = history_key(job);

		history_learn(a->history, &key, (struct history_cost){ .cpu_us = seen, .occupancy_us = seen }, 1);
	}
	for (size_t i = 0; i < a->view_count; i++)
		for (unsigned n = 0; n < 8; n++)
			speed_learn(&a->views[i].outlook.speed, &(struct speed_seen){ .took_us = 1000000, .predicted_us = (uint64_t)(1e6 *
				    w->volunteers[a->views[i].volunteer].speed * exp(0.1 * dice_normal(&w->dice))) }, 0);
}

/* Jobs come as a Poisson process, so that all callers together ask for load of what there is. */
static void plan_arrivals(struct world *w, uint32_t agent)
{
	struct agent *a = &w->agents[agent];
	double capacity = 0, work = 0, when = 0;

	for (size_t i = 0; i < w->volunteer_count; i++)
		capacity += w->volunteers[i].slots * w->volunteers[i].speed;
	for (size_t i = 0; i < w->job_count; i++)
		work += (double)w->jobs[i].work_us;
	for (uint32_t i = 0; i < a->jobs; i++) {
		when += dice_exponential(&w->dice, work / (double)w->job_count / capacity / w->s->load * w->s->callers);
		at(w, (uint64_t)when, (struct event){ .kind = ARRIVE, .agent = agent });
	}
}

/* Of equal right and unequal greed. */
static unsigned window_of(const struct scenario *s, uint32_t agent)
{
	static const unsigned windows[] = { 16, 24, 40, 80, 200 };

	return s->greed ? windows[agent % ARRAY_LEN(windows)] : s->window;
}

static void make_agents(struct world *w)
{
	const struct scenario *s = w->s;

	w->agent_count = s->callers;
	w->agents = xcalloc(s->callers, sizeof *w->agents);
	for (uint32_t i = 0; i < s->callers; i++) {
		struct agent *a = &w->agents[i];

		*a = (struct agent){ .first_job = i * s->jobs, .next_job = i * s->jobs, .jobs = s->jobs, .window = window_of(s, i),
				     .cores = s->greed ? window_of(s, i) / 2 : s->cores, .local_slots = s->local_slots,
				     .history = history_new() };
		a->waiting = xcalloc(s->jobs, sizeof *a->waiting);
		a->reserved = xcalloc(2 * (size_t)s->jobs, sizeof *a->reserved);
		make_views(w, i);
		if (s->known)
			teach(w, i);
		if (!a->window)
			plan_arrivals(w, i);
		for (unsigned j = 0; j < a->window && j < a->jobs; j++)
			at(w, 0, (struct event){ .kind = ARRIVE, .agent = i });
	}
}

struct world *world_new(const struct scenario *s, uint64_t seed, bool verbose)
{
	struct world *w = xcalloc(1, sizeof *w);

	*w = (struct world){ .s = s, .seed = seed, .dice = { seed * 2 + 1 }, .agents_dice = { ~seed }, .verbose = verbose,
			     .trace = 0xcbf29ce484222325u };
	make_volunteers(w);
	make_jobs(w);
	make_agents(w);
	faults_plan(w);
	return w;
}

void world_free(struct world *w)
{
	for (size_t i = 0; i < w->volunteer_count; i++) {
		admit_free(w->volunteers[i].admit);
		free(w->volunteers[i].runs);
		free(w->volunteers[i].watchers);
	}
	for (size_t i = 0; i < w->agent_count; i++) {
		for (size_t j = 0; j < w->agents[i].view_count; j++)
			outlook_free(&w->agents[i].views[j].outlook);
		free(w->agents[i].views);
		free(w->agents[i].waiting);
		free(w->agents[i].reserved);
		history_free(w->agents[i].history);
	}
	admit_actions_free(&w->actions);
	events_free(&w->events);
	free(w->volunteers);
	free(w->agents);
	free(w->jobs);
	free(w->attempts);
	free(w);
}

/* One event after another */

static void trace(struct world *w, const struct event *e)
{
	const uint64_t words[] = { e->at_us, e->kind, e->agent, e->view, e->volunteer, e->attempt };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		w->trace = (w->trace ^ words[i]) * 0x100000001b3u;
	if (w->verbose)
		printf("%10.6f %-9s agent=%u volunteer=%u attempt=%u\n", (double)e->at_us / 1e6, names[e->kind], e->agent,
		       e->kind < RESERVE && e->view < w->agents[e->agent].view_count ? w->agents[e->agent].views[e->view].volunteer : e->volunteer,
		       e->attempt);
}

static bool is_message_to_agent(enum event_kind k) { return k == GRANTED || k == REFUSED || k == STATE || k == RESULT || k == LOST || k == CONNECT; }
static bool is_message_to_volunteer(enum event_kind k) { return k == RESERVE || k == CANCEL || k == JOB || k == CLOSE; }

/* Whether who it is for is still there; a frozen machine gets it when it thaws. */
static bool deliverable(struct world *w, struct event *e)
{
	const struct volunteer *v = &w->volunteers[e->volunteer];

	if (is_message_to_agent(e->kind))
		return w->agents[e->agent].views[e->view].epoch == e->epoch;
	if (e->kind < RESERVE || e->kind == FAULT)
		return true;
	if (v->dead || (e->kind == LEAVE && v->life != e->token))
		return false;
	if (is_message_to_volunteer(e->kind) && w->agents[e->agent].views[e->view].epoch != e->epoch)
		return false;
	if ((e->kind == RUN_END || e->kind == TICK || e->kind == TELL) && v->life != e->epoch)
		return false;
	if (v->frozen_until_us <= w->now_us)
		return true;
	at(w, v->frozen_until_us, *e);
	return false;
}

/* Nothing is left behind, on any machine that is there. */
static void check_end(struct world *w)
{
	must(w, w->done == w->job_count, "no job starves");
	for (size_t i = 0; i < w->job_count; i++)
		must(w, w->jobs[i].results == 1, "exactly one result per job");
	for (size_t i = 0; i < w->volunteer_count; i++) {
		struct admit_counts c = admit_counts(w->volunteers[i].admit);

		must(w, w->volunteers[i].dead || w->volunteers[i].frozen_until_us > w->now_us ||
			(!c.granted && !c.queued && !c.running), "every reservation ends");
	}
	for (size_t i = 0; i < w->agent_count; i++)
		must(w, !w->agents[i].reserved_count && !w->agents[i].waiting_count && !w->agents[i].local_running, "an agent is left with nothing");
}

/* Till all is done, and what was on its way has come. Volunteers that are away for good are tried for ever. */
void world_run(struct world *w)
{
	uint64_t quiet_us = UINT64_MAX;
	struct event e;

	while (!w->broken && events_next(&w->events, &e) && e.at_us < quiet_us && e.at_us < HORIZON_S * 1000000ull) {
		w->now_us = e.at_us;
		if (w->done == w->job_count && quiet_us == UINT64_MAX)
			quiet_us = w->now_us + 600000000;
		if (!deliverable(w, &e))
			continue;
		trace(w, &e);
		if (e.kind == FAULT)
			fault_event(w, &e);
		else if (e.kind < RESERVE)
			agent_event(w, &e);
		else
			volunteer_event(w, &e);
	}
	check_end(w);
}
