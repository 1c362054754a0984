/*
 * volunteer.c - a machine that admits by server/admit.c and runs what it admitted.
 */
#include "world.h"

enum { QUEUE_MAX = 4096, IDENTITY_MAX = 1024, GRANT_MS = 250, TELL_US = 2000 };

static uint64_t tokens;

/* Never the same; the simulation needs no secrets. */
static uint64_t next_token(void) { return ++tokens; }

void volunteer_start(struct world *w, uint32_t n)
{
	struct volunteer *v = &w->volunteers[n];
	struct admit_config config = { .slots = v->slots, .queue_max = QUEUE_MAX, .identity_max = IDENTITY_MAX, .grant_ms = GRANT_MS,
				       .new_token = next_token };

	admit_free(v->admit);
	v->admit = admit_new(&config);
	v->dead = false;
	v->life++;
	v->tick_us = UINT64_MAX;
}

/* A connection's name: of the agent, and of how often it has come. */
static uint64_t owner_of(uint32_t agent, uint32_t epoch) { return (uint64_t)epoch << 32 | agent; }

/* Whoever is connected learns of it soon; what happens within TELL_US is told at once. */
static void changed(struct world *w, uint32_t n)
{
	struct volunteer *v = &w->volunteers[n];

	if (v->telling)
		return;
	v->telling = true;
	at(w, w->now_us + TELL_US, (struct event){ .kind = TELL, .volunteer = n, .epoch = v->life });
}

static void tell(struct world *w, uint32_t n)
{
	struct volunteer *v = &w->volunteers[n];
	struct admit_counts c = admit_counts(v->admit);

	v->telling = false;
	for (size_t i = 0; i < v->watcher_count; i++) {
		struct view *seen = &w->agents[v->watchers[i].agent].views[v->watchers[i].view];

		if (seen->up)
			send_to_agent(w, v->watchers[i].agent, v->watchers[i].view, 0, (struct event){
				.kind = STATE, .slots = c.capacity, .free = v->liar ? c.slots : admit_free_slots(&c),
				.queued = c.queued, .draining = c.draining });
	}
}

/* The view that the owner of a reservation has of us. */
static uint32_t view_of(const struct world *w, uint32_t n, uint32_t agent)
{
	const struct volunteer *v = &w->volunteers[n];

	for (size_t i = 0; i < v->watcher_count; i++)
		if (v->watchers[i].agent == agent)
			return v->watchers[i].view;
	return NONE;
}

static void tick_later(struct world *w, uint32_t n)
{
	struct volunteer *v = &w->volunteers[n];
	uint64_t due = admit_deadline(v->admit);

	if (due == UINT64_MAX || due * 1000 >= v->tick_us)
		return;
	v->tick_us = due * 1000;
	at(w, v->tick_us, (struct event){ .kind = TICK, .volunteer = n, .epoch = v->life });
}

/* One event of admission, and telling those whom it concerns. True: it started a job. */
static bool admit(struct world *w, uint32_t n, struct admit_event e)
{
	struct volunteer *v = &w->volunteers[n];
	struct admit_counts c;
	bool started = false;

	w->actions.count = 0;
	admit_step(v->admit, &e, w->now_us / 1000, &w->actions);
	for (size_t i = 0; i < w->actions.count; i++) {
		const struct admit_action *a = &w->actions.v[i];
		uint32_t agent = (uint32_t)a->owner, epoch = (uint32_t)(a->owner >> 32), view = view_of(w, n, agent);

		started |= a->verdict == ADMIT_START;
		if (a->verdict == ADMIT_START || (e.kind == ADMIT_REDEEM && a->verdict == ADMIT_REFUSE))
			continue;
		if (w->agents[agent].views[view].epoch == epoch)
			send_to_agent(w, agent, view, 0, (struct event){
				.kind = a->verdict == ADMIT_GRANT ? GRANTED : REFUSED, .attempt = a->id, .token = a->token });
	}
	c = admit_counts(v->admit);
	must(w, c.running <= c.slots, "slots in use are never above slots");
	must(w, c.running == v->run_count + started, "admission counts what runs");
	tick_later(w, n);
	changed(w, n);
	return started;
}

/* How long it takes here, and whether the result will be sound. */
static uint64_t duration(struct world *w, struct volunteer *v, const struct task *j, enum outcome *outcome)
{
	double us = (double)j->work_us / v->speed;

	*outcome = v->liar && dice_chance(&w->dice, 0.5) ? BAD : GOOD;
	if (w->s->slow > 0 && dice_chance(&w->dice, w->s->slow))
		us *= 10;
	return *outcome == BAD ? 1000 : (uint64_t)us + 1;
}

static void on_job(struct world *w, const struct event *e)
{
	struct volunteer *v = &w->volunteers[e->volunteer];
	struct task *j = &w->jobs[w->attempts[e->attempt].job];
	uint64_t input_us = (uint64_t)((double)j->bytes / 2 / 100), took;	/* 100 bytes a microsecond */
	enum outcome outcome;

	if (!admit(w, e->volunteer, (struct admit_event){ .kind = ADMIT_REDEEM, .owner = owner_of(e->agent, e->epoch), .token = e->token })) {
		send_to_agent(w, e->agent, e->view, 0, (struct event){ .kind = RESULT, .attempt = e->attempt, .outcome = EXPIRED });
		return;
	}
	took = duration(w, v, j, &outcome);
	w->executions++;
	v->runs[v->run_count++] = (struct run){ e->agent, e->view, e->attempt, e->epoch, w->now_us, ++w->runs, e->token };
	if (!j->started_us)
		j->started_us = w->now_us;
	at(w, w->now_us + input_us + took, (struct event){ .kind = RUN_END, .volunteer = e->volunteer, .attempt = e->attempt,
				.epoch = v->life, .token = w->runs, .outcome = outcome, .took_us = took });
}

/* A slot is free again. */
static struct run end_run(struct world *w, uint32_t n, size_t i)
{
	struct volunteer *v = &w->volunteers[n];
	struct run r = v->runs[i];
	struct agent *a = &w->agents[r.agent];
	uint64_t until = w->measured_until_us && w->measured_until_us < w->now_us ? w->measured_until_us : w->now_us;

	if (until > r.begun_us)
		a->work_us += until - r.begun_us;
	v->runs[i] = v->runs[--v->run_count];
	admit(w, n, (struct admit_event){ .kind = ADMIT_FINISH, .token = r.token });
	return r;
}

static void on_run_end(struct world *w, const struct event *e)
{
	struct volunteer *v = &w->volunteers[e->volunteer];

	for (size_t i = 0; i < v->run_count; i++)
		if (v->runs[i].number == e->token) {
			uint64_t output_us = w->jobs[w->attempts[e->attempt].job].bytes / 2 / 100;
			struct run r = end_run(w, e->volunteer, i);

			if (w->agents[r.agent].views[r.view].epoch == r.epoch)
				send_to_agent(w, r.agent, r.view, output_us, (struct event){
					.kind = RESULT, .attempt = r.attempt, .outcome = e->outcome, .took_us = e->took_us });
			return;
		}
}

/* Its caller wants it no more: one attempt, or (NONE) all that came by the connection. */
static void stop(struct world *w, const struct event *e, uint32_t attempt)
{
	struct volunteer *v = &w->volunteers[e->volunteer];

	for (size_t i = v->run_count; i-- > 0; )
		if (v->runs[i].agent == e->agent && v->runs[i].epoch == e->epoch && (attempt == NONE || v->runs[i].attempt == attempt))
			end_run(w, e->volunteer, i);
}

void volunteer_event(struct world *w, const struct event *e)
{
	struct volunteer *v = &w->volunteers[e->volunteer];
	uint64_t owner = owner_of(e->agent, e->epoch);

	switch (e->kind) {
	case RESERVE:
		admit(w, e->volunteer, (struct admit_event){ .kind = ADMIT_RESERVE, .owner = owner, .identity = e->agent, .id = e->attempt,
							     .predicted_ms = (uint32_t)(e->took_us / 1000) });
		break;
	case CANCEL: admit(w, e->volunteer, (struct admit_event){ .kind = ADMIT_CANCEL, .owner = owner, .id = e->attempt }); break;
	case JOB: on_job(w, e); break;
	case CLOSE: stop(w, e, e->attempt); break;
	case LEAVE:
		stop(w, e, NONE);
		admit(w, e->volunteer, (struct admit_event){ .kind = ADMIT_LEAVE, .owner = owner });
		break;
	case RUN_END: on_run_end(w, e); break;
	case TICK:
		v->tick_us = UINT64_MAX;
		admit(w, e->volunteer, (struct admit_event){ .kind = ADMIT_TICK });
		break;
	case TELL: tell(w, e->volunteer); break;
	default: break;
	}
}

/* Its kernel resets all connections. */
void volunteer_die(struct world *w, uint32_t n)
{
	struct volunteer *v = &w->volunteers[n];

	v->dead = true;
	v->life++;
	v->telling = false;
	v->run_count = 0;
	for (size_t i = 0; i < v->watcher_count; i++) {
		const struct view *seen = &w->agents[v->watchers[i].agent].views[v->watchers[i].view];

		at(w, (seen->cut_until_us > w->now_us ? seen->cut_until_us : w->now_us) + (uint64_t)w->s->latency_us,
		   (struct event){ .kind = LOST, .agent = v->watchers[i].agent, .view = v->watchers[i].view, .epoch = seen->epoch });
	}
}

/* Its owner came back, or left. Above the new bound nothing goes on: jobs are taken back. */
void volunteer_capacity(struct world *w, uint32_t n, unsigned slots)
{
	struct volunteer *v = &w->volunteers[n];

	admit(w, n, (struct admit_event){ .kind = ADMIT_CAPACITY, .capacity = slots });
	while (v->run_count > slots) {
		struct run r = end_run(w, n, v->run_count - 1);

		if (w->agents[r.agent].views[r.view].epoch == r.epoch)
			send_to_agent(w, r.agent, r.view, 0, (struct event){ .kind = RESULT, .attempt = r.attempt, .outcome = PREEMPTED });
	}
}

void volunteer_drain(struct world *w, uint32_t n)
{
	admit(w, n, (struct admit_event){ .kind = ADMIT_DRAIN });
}
