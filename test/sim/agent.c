/*
 * agent.c - a caller's agent around client/agent's pure placement: it makes their questions out of what it has been
 * told, and does what they answer.
 */
#include "world.h"

enum { MEAN_US = 1000000, LOCAL_FIRST_US = 10000, LATE_AGAIN_US = 250000 };

static struct agent *agent_of(struct world *w, const struct attempt *t) { return &w->agents[w->jobs[t->job].agent]; }

void agent_wake(struct world *w, uint32_t agent)
{
	struct agent *a = &w->agents[agent];

	if (a->dispatching)
		return;
	a->dispatching = true;
	at(w, w->now_us, (struct event){ .kind = DISPATCH, .agent = agent });
}

static void list_drop(uint32_t *v, size_t *count, uint32_t what)
{
	for (size_t i = 0; i < *count; i++)
		if (v[i] == what) {
			memmove(v + i, v + i + 1, (--*count - i) * sizeof *v);
			return;
		}
}

/* Predictions */

struct history_job history_key(uint32_t job) { return (struct history_job){ .key = job + 1, .class = 1, .input_bytes = 1000 }; }

static uint64_t mean_us(const struct agent *a)
{
	uint64_t mean = history_mean_us(a->history);

	return mean ? mean : MEAN_US;
}

/* What it takes at speed 1; the mean, if that is not known. */
static uint64_t predict(const struct world *w, uint32_t job, bool *guessed)
{
	const struct agent *a = &w->agents[w->jobs[job].agent];
	struct history_cost cost;
	struct history_job j = history_key(job);

	*guessed = history_predict(a->history, &j, &cost) != HISTORY_KNOWN;
	return cost.occupancy_us ? cost.occupancy_us : mean_us(a);
}

/* Volunteers */

static bool usable(const struct world *w, const struct view *v, uint32_t avoid, uint32_t index)
{
	return v->up && v->told && !v->draining && v->outlook.slots && index != avoid &&
	       !ban_holds(&v->outlook.bans, 1, w->now_us / 1000);
}

static struct finish_peer peer_of(const struct world *w, const struct agent *a, uint32_t index)
{
	struct finish_peer p = outlook_peer(&a->views[index].outlook, mean_us(a), false, w->now_us);

	p.rtt_us = (uint64_t)(2 * w->s->latency_us);
	p.bandwidth = 100000000;
	return p;
}

static struct finish_job finish_job_of(const struct world *w, uint32_t job)
{
	bool guessed;

	return (struct finish_job){ .occupancy_us = predict(w, job, &guessed), .bytes = w->jobs[job].bytes };
}

/* Reservations */

static void reserve_at(struct world *w, uint32_t attempt, uint32_t index)
{
	struct attempt *t = &w->attempts[attempt];
	uint32_t agent = w->jobs[t->job].agent;
	struct view *v = &w->agents[agent].views[index];
	bool guessed;
	uint64_t predicted = predict(w, t->job, &guessed);

	t->ids[t->view_count] = attempt;
	t->views[t->view_count++] = index;
	outlook_reserved(&v->outlook, t->share);
	send_to_volunteer(w, agent, index, 0, (struct event){ .kind = RESERVE, .attempt = attempt, .took_us = guessed ? 0 : predicted });
}

static void forget_reservation(struct world *w, uint32_t attempt, size_t i, bool cancel)
{
	struct attempt *t = &w->attempts[attempt];

	outlook_unreserved(&agent_of(w, t)->views[t->views[i]].outlook, t->share);
	if (cancel)
		send_to_volunteer(w, w->jobs[t->job].agent, t->views[i], 0, (struct event){ .kind = CANCEL, .attempt = t->ids[i] });
	t->views[i] = t->views[--t->view_count];
	t->ids[i] = t->ids[t->view_count];
}

/* It is over, or runs: its other reservations are given up. */
static void forget_reservations(struct world *w, uint32_t attempt)
{
	struct attempt *t = &w->attempts[attempt];
	struct agent *a = agent_of(w, t);

	while (t->view_count)
		forget_reservation(w, attempt, t->view_count - 1, true);
	list_drop(a->reserved, &a->reserved_count, attempt);
}

/* The views to choose from, for one attempt; none of those it has asked. */
static void candidates(const struct world *w, const struct agent *a, const struct attempt *t, struct finish_peer *out)
{
	const struct task *j = &w->jobs[t->job];

	for (uint32_t i = 0; i < a->view_count; i++) {
		const struct view *v = &a->views[i];
		bool other_runs = t->copy && i == w->attempts[j->attempts[0]].view;

		out[i] = (struct finish_peer){ 0 };
		if (usable(w, v, j->avoid, i) && !other_runs && outlook_worth_asking(&v->outlook, w->now_us) && (!t->copy || outlook_has_room(&v->outlook, w->now_us)))
			out[i] = peer_of(w, a, i);
	}
}

static uint32_t new_attempt(struct world *w, uint32_t job, bool copy)
{
	if (w->attempt_count == w->attempt_room) {
		w->attempt_room = w->attempt_room ? 2 * w->attempt_room : 256;
		w->attempts = xrealloc(w->attempts, w->attempt_room * sizeof *w->attempts);
	}
	w->attempts[w->attempt_count] = (struct attempt){ .job = job, .copy = copy, .view = NONE, .reserved_us = w->now_us };
	return (uint32_t)w->attempt_count++;
}

/* Ask for slots. False: there is nobody to ask. */
static bool reserve(struct world *w, uint32_t job, bool copy)
{
	struct agent *a = &w->agents[w->jobs[job].agent];
	uint32_t attempt = new_attempt(w, job, copy);
	autofree struct finish_peer *peers = xcalloc(a->view_count + 1, sizeof *peers);
	struct finish_job fj = finish_job_of(w, job);
	size_t chosen[RESERVATIONS], n;
	struct attempt *t = &w->attempts[attempt];

	candidates(w, a, t, peers);
	n = finish_choose(&fj, peers, a->view_count, dice_next, &w->agents_dice, chosen);
	t->state = n ? RESERVED : OVER;
	if (!n)
		return false;
	w->jobs[job].attempts[copy] = attempt;
	a->reserved[a->reserved_count++] = attempt;
	t->share = 1.0 / (double)n;
	t->trial = breaker_take(&a->breaker);
	for (size_t i = 0; i < n; i++)
		reserve_at(w, attempt, (uint32_t)chosen[i]);
	return true;
}

/* A job without an attempt waits again. */
static void wait_again(struct world *w, uint32_t job)
{
	struct task *j = &w->jobs[job];
	struct agent *a = &w->agents[j->agent];

	if (j->done_us || j->waiting || j->local || j->attempts[0] != NONE || j->attempts[1] != NONE)
		return;
	j->waiting = true;
	a->waiting[a->waiting_count++] = job;
	agent_wake(w, j->agent);
}

static void end_attempt(struct world *w, uint32_t attempt, enum breaker_end how)
{
	struct attempt *t = &w->attempts[attempt];
	struct agent *a = agent_of(w, t);
	struct task *j = &w->jobs[t->job];

	if (t->state == RUNNING)
		outlook_ended(&a->views[t->view].outlook, attempt, w->now_us);
	forget_reservations(w, attempt);
	t->state = OVER;
	breaker_ended(&a->breaker, t->trial, how, w->now_us / 1000);
	j->attempts[t->copy] = NONE;
	if (!t->copy && j->attempts[1] != NONE && w->attempts[j->attempts[1]].state == RUNNING) {
		/* the copy is all there is now */
		w->attempts[j->attempts[1]].copy = false;
		j->attempts[0] = j->attempts[1];
		j->attempts[1] = NONE;
	} else if (!t->copy && j->attempts[1] != NONE) {
		end_attempt(w, j->attempts[1], BREAKER_NEITHER);
	}
	wait_again(w, t->job);
}

/* Results */

static void release_next(struct world *w, uint32_t agent)
{
	struct agent *a = &w->agents[agent];
	uint32_t job = a->next_job;

	if (job == a->first_job + a->jobs)
		return;
	a->next_job++;
	w->jobs[job].arrived_us = w->now_us;
	wait_again(w, job);
}

/* Done, by one of its attempts, or (NONE) here: the others are ended. */
static void finish_job(struct world *w, uint32_t job, uint32_t served)
{
	struct task *j = &w->jobs[job];
	struct agent *a = &w->agents[j->agent];

	j->done_us = w->now_us;
	j->results++;
	must(w, j->results == 1, "exactly one result per job");
	w->done++;
	a->done++;
	for (unsigned i = 2; i-- > 0; ) {	/* the copy first: it would take the other's place */
		uint32_t attempt = j->attempts[i];

		if (attempt == NONE)
			continue;
		if (w->attempts[attempt].state == RUNNING && attempt != served)
			send_to_volunteer(w, j->agent, w->attempts[attempt].view, 0, (struct event){ .kind = CLOSE, .attempt = attempt });
		end_attempt(w, attempt, attempt == served ? BREAKER_SERVED : BREAKER_NEITHER);
	}
	if (a->window)
		release_next(w, j->agent);
	agent_wake(w, j->agent);
}

static void on_served(struct world *w, uint32_t attempt, uint64_t took_us)
{
	struct attempt *t = &w->attempts[attempt];
	struct agent *a = agent_of(w, t);
	struct view *v = &a->views[t->view];
	uint64_t now_ms = w->now_us / 1000;
	uint32_t job = t->job;
	struct history_job key = history_key(job);
	bool guessed;
	uint64_t predicted = predict(w, job, &guessed);
	double load = outlook_load_of(&v->outlook, attempt, w->now_us);
	struct speed_seen seen;

	seen = (struct speed_seen){ .predicted_us = guessed ? history_typical_us(a->history) : predicted, .took_us = took_us, .load = load, .guessed = guessed };
	speed_learn(&v->outlook.speed, &seen, now_ms);
	history_learn(a->history, &key, (struct history_cost){ .cpu_us = took_us, .occupancy_us = took_us },
		      speed_met(&v->outlook.speed, &seen, v->outlook.slots, now_ms));
	ban_served(&v->outlook.bans, 1);
	finish_job(w, job, attempt);
}

static void on_result(struct world *w, const struct event *e)
{
	struct attempt *t = &w->attempts[e->attempt];
	struct task *j = &w->jobs[t->job];
	struct view *v = &w->agents[e->agent].views[e->view];
	uint64_t now_ms = w->now_us / 1000;

	if (t->state != RUNNING || t->view != e->view)
		return;
	if (e->outcome == GOOD) {
		on_served(w, e->attempt, e->took_us);
		return;
	}
	if (e->outcome == BAD) {
		j->failures++;
		j->avoid = e->view;
		ban_failed(&v->outlook.bans, BAN_HOST, dice_next(&w->agents_dice), now_ms);
	}
	end_attempt(w, e->attempt, e->outcome == BAD ? BREAKER_FAILED : BREAKER_NEITHER);
}

static void late_check_at(struct world *w, uint32_t attempt, uint64_t at_us)
{
	at(w, at_us, (struct event){ .kind = LATE, .agent = w->jobs[w->attempts[attempt].job].agent, .attempt = attempt });
}

static struct hedge_view hedge_view_of(const struct world *w, const struct agent *a, const struct attempt *t)
{
	struct hedge_view v = { .elapsed_us = w->now_us - t->granted_us, .speed = outlook_speed(&a->views[t->view].outlook, w->now_us),
				.waiting = (unsigned)(a->waiting_count + a->reserved_count) };

	v.predicted_us = predict(w, t->job, &v.guessed);
	if (v.guessed)
		v.predicted_us = t->guess_us;
	for (uint32_t i = 0; i < a->view_count; i++) {
		const struct outlook *o = &a->views[i].outlook;

		if (i != t->view && usable(w, &a->views[i], w->jobs[t->job].avoid, i) && outlook_has_room(o, w->now_us) && !o->queued)
			v.other = v.other > outlook_speed(o, w->now_us) ? v.other : outlook_speed(o, w->now_us);
	}
	return v;
}

static void on_late(struct world *w, uint32_t attempt)
{
	struct attempt *t = &w->attempts[attempt];
	struct agent *a = agent_of(w, t);
	uint32_t job = t->job;
	struct hedge_view v;

	if (t->state != RUNNING || w->jobs[job].copied)
		return;
	v = hedge_view_of(w, a, t);
	if (hedge_due(&a->budget, &v) && reserve(w, job, true)) {
		w->jobs[job].copied = true;
		a->budget.copies++;
		return;
	}
	late_check_at(w, attempt, w->now_us + LATE_AGAIN_US);
}

/* Where the reservation of this name is held: which attempt, and which of its views. False: nowhere any more. */
static bool find_reservation(const struct world *w, const struct event *e, uint32_t *attempt, size_t *view)
{
	const struct agent *a = &w->agents[e->agent];

	for (size_t k = 0; k < a->reserved_count; k++) {
		const struct attempt *t = &w->attempts[a->reserved[k]];

		for (size_t i = 0; i < t->view_count; i++)
			if (t->views[i] == e->view && t->ids[i] == e->attempt) {
				*attempt = a->reserved[k];
				*view = i;
				return true;
			}
	}
	return false;
}

/* A grant is as good for any job that asked there: the one that is to go next takes it, and gives its own reservation there. */
static uint32_t exchange(struct world *w, const struct event *e, uint32_t attempt, size_t *view)
{
	const struct agent *a = &w->agents[e->agent];
	uint32_t best = attempt, id = w->attempts[attempt].ids[*view];
	size_t at_view = *view;
	bool guessed;

	for (size_t k = 0; k < a->reserved_count; k++) {
		const struct attempt *t = &w->attempts[a->reserved[k]];

		for (size_t i = 0; i < t->view_count && !t->copy; i++) {
			struct place_waiting x = { predict(w, t->job, &guessed), w->jobs[t->job].arrived_us };
			struct place_waiting y = { predict(w, w->attempts[best].job, &guessed), w->jobs[w->attempts[best].job].arrived_us };

			if (t->views[i] == e->view && place_before(&x, &y)) {
				best = a->reserved[k];
				at_view = i;
			}
		}
	}
	w->attempts[attempt].ids[*view] = w->attempts[best].ids[at_view];
	w->attempts[best].ids[at_view] = id;
	*view = at_view;
	return best;
}

static void on_granted(struct world *w, const struct event *e)
{
	struct agent *a = &w->agents[e->agent];
	struct view *v = &a->views[e->view];
	struct hedge_view h;
	struct attempt *t;
	uint32_t attempt;
	bool guessed;
	size_t i;

	if (!find_reservation(w, e, &attempt, &i))
		return;	/* it has been cancelled, and that gives the grant back */
	if (!w->attempts[attempt].copy)
		attempt = exchange(w, e, attempt, &i);
	t = &w->attempts[attempt];
	if (!outlook_worth_taking(&v->outlook, w->now_us)) {
		forget_reservation(w, attempt, i, true);
		if (!t->view_count)
			end_attempt(w, attempt, BREAKER_NEITHER);
		return;
	}
	forget_reservation(w, attempt, i, false);
	forget_reservations(w, attempt);
	t->state = RUNNING;
	t->view = e->view;
	t->granted_us = w->now_us;
	t->guess_us = predict(w, t->job, &guessed);
	a->budget.jobs += !t->copy;
	outlook_started(&v->outlook, &(struct outlook_run){ .id = attempt, .predicted_us = t->guess_us, .since_us = w->now_us });
	send_to_volunteer(w, e->agent, e->view, 0, (struct event){ .kind = JOB, .attempt = attempt, .token = e->token });
	h = hedge_view_of(w, a, t);
	late_check_at(w, attempt, w->now_us + hedge_after_us(&h) + 1);
	agent_wake(w, e->agent);
}

static void on_refused(struct world *w, const struct event *e)
{
	uint32_t attempt;
	size_t i;

	if (!find_reservation(w, e, &attempt, &i))
		return;
	forget_reservation(w, attempt, i, false);
	if (!w->attempts[attempt].view_count)
		end_attempt(w, attempt, BREAKER_NEITHER);
}

/* Here */

static void start_local(struct world *w, uint32_t job)
{
	struct task *j = &w->jobs[job];

	j->local = true;
	if (j->waiting)
		list_drop(w->agents[j->agent].waiting, &w->agents[j->agent].waiting_count, job);
	j->waiting = false;
	if (!j->started_us)
		j->started_us = w->now_us;
	w->agents[j->agent].local_running++;
	w->executions++;
	at(w, w->now_us + j->work_us, (struct event){ .kind = LOCAL_END, .agent = j->agent, .attempt = job });
}

static struct place_job place_job_of(const struct world *w, const struct agent *a, uint32_t job)
{
	struct place_job p = { .local_slots = a->local_slots, .remote_able = true, .holds_nothing = true, .candidates = CANDIDATES_NONE };

	if (w->jobs[job].failures)
		p.remote_able = place_again(w->jobs[job].failures) == PLACE_REMOTE;
	if (!breaker_allows(&a->breaker, w->now_us / 1000))
		return p;
	for (uint32_t i = 0; i < a->view_count && p.candidates != CANDIDATES_SOME; i++)
		if (usable(w, &a->views[i], w->jobs[job].avoid, i))
			p.candidates = CANDIDATES_SOME;
		else if (a->views[i].up && !a->views[i].told)
			p.candidates = CANDIDATES_UNKNOWN;
	return p;
}

/* One that was offered elsewhere, and not been taken, may go to a core of ours. */
static void local_first(struct world *w, struct agent *a)
{
	for (size_t i = 0; i < a->reserved_count; i++) {
		uint32_t attempt = a->reserved[i], job = w->attempts[attempt].job;
		struct place_view v = { .cores = a->cores, .local_running = a->local_running };
		struct place_job p = place_job_of(w, a, job);

		if (w->now_us - w->attempts[attempt].reserved_us < LOCAL_FIRST_US || w->attempts[attempt].copy || !place_local_first(&v, &p))
			continue;
		w->jobs[job].local = true;	/* so that it does not wait again */
		end_attempt(w, attempt, BREAKER_NEITHER);
		start_local(w, job);
		i--;
	}
}

/* The one that goes next, of the jobs at which; the invariant is checked on the way. */
static size_t next_of(struct world *w, const uint32_t *jobs, size_t count)
{
	autofree struct place_waiting *waiting = xcalloc(count + 1, sizeof *waiting);
	uint64_t longest = 0;
	bool guessed;
	size_t next;

	for (size_t i = 0; i < count; i++) {
		waiting[i] = (struct place_waiting){ predict(w, jobs[i], &guessed), w->jobs[jobs[i]].arrived_us };
		longest = waiting[i].predicted_us > longest ? waiting[i].predicted_us : longest;
	}
	next = place_next(waiting, count);
	for (size_t i = 0; i < count; i++)
		must(w, waiting[next].since_us <= waiting[i].since_us + longest, "nobody is passed by who came much later");
	return next;
}

static enum place_action decide(struct world *w, struct agent *a, uint32_t job)
{
	struct place_view v = { .cores = a->cores, .local_running = a->local_running, .offered = (unsigned)a->reserved_count,
				.waiting = (unsigned)a->waiting_count - 1 };
	struct place_job p = place_job_of(w, a, job);
	bool guessed;
	uint64_t predicted = predict(w, job, &guessed);

	if (place_local_first(&v, &p) && !guessed && place_early_local(predicted, (uint64_t)(2 * w->s->latency_us)))
		return PLACE_LOCAL;
	return place_decide(&v, &p);
}

static void dispatch(struct world *w, uint32_t agent)
{
	struct agent *a = &w->agents[agent];
	autofree uint32_t *left = xcalloc(a->waiting_count + 1, sizeof *left);
	size_t count = a->waiting_count;

	a->dispatching = false;
	local_first(w, a);
	memcpy(left, a->waiting, (count = a->waiting_count) * sizeof *left);
	while (count) {
		size_t i = next_of(w, left, count);
		uint32_t job = left[i];
		enum place_action action = decide(w, a, job);

		left[i] = left[--count];
		if (action == PLACE_LOCAL) {
			start_local(w, job);
		} else if (action == PLACE_REMOTE && reserve(w, job, false)) {
			w->jobs[job].waiting = false;
			list_drop(a->waiting, &a->waiting_count, job);
		} else if (!w->jobs[job].failures) {
			break;	/* nor can those after it, but for such as must be here */
		}
	}
}

/* What the volunteer said, and whom it concerns: jobs that wait elsewhere for a slot, the longest first. */
static void ask_as_well(struct world *w, struct agent *a, uint32_t index)
{
	struct view *v = &a->views[index];

	for (size_t k = 0; k < a->reserved_count && outlook_has_room(&v->outlook, w->now_us); k++) {
		uint32_t attempt = a->reserved[k];
		struct attempt *t = &w->attempts[attempt];
		struct finish_job fj = finish_job_of(w, t->job);
		uint64_t best = UINT64_MAX;
		struct finish_peer p;
		bool asked = false;

		for (size_t i = 0; i < t->view_count; i++) {
			p = peer_of(w, a, t->views[i]);
			best = finish_us(&fj, &p) < best ? finish_us(&fj, &p) : best;
			asked |= t->views[i] == index;
		}
		p = peer_of(w, a, index);
		if (!asked && !t->copy && t->view_count < RESERVED_MAX && usable(w, v, w->jobs[t->job].avoid, index) &&
		    finish_worth(finish_us(&fj, &p), best))
			reserve_at(w, attempt, index);
	}
}

static void on_state(struct world *w, const struct event *e)
{
	struct view *v = &w->agents[e->agent].views[e->view];

	v->told = true;
	v->outlook.slots = e->slots;
	v->outlook.free = e->free;
	v->outlook.queued = e->queued;
	v->draining = e->draining;
	if (e->free)
		ask_as_well(w, &w->agents[e->agent], e->view);
	agent_wake(w, e->agent);
}

/* Connections */

static void lose_reservation(struct world *w, uint32_t attempt, uint32_t view)
{
	struct attempt *t = &w->attempts[attempt];

	for (size_t i = 0; i < t->view_count; i++)
		if (t->views[i] == view) {
			forget_reservation(w, attempt, i, false);
			break;
		}
	if (!t->view_count)
		end_attempt(w, attempt, BREAKER_NEITHER);
}

void agent_lost(struct world *w, uint32_t agent, uint32_t index)
{
	struct agent *a = &w->agents[agent];
	struct view *v = &a->views[index];
	uint64_t gone_us = v->cut_until_us > w->now_us ? v->cut_until_us : w->now_us;
	uint64_t delay_us = backoff_draw(v->connects++, dice_next(&w->agents_dice)) * 1000;

	if (v->up)	/* the other end learns of it */
		at(w, gone_us + (uint64_t)w->s->latency_us, (struct event){ .kind = LEAVE, .agent = agent, .view = index,
			.volunteer = v->volunteer, .epoch = v->epoch, .token = w->volunteers[v->volunteer].life });
	v->up = v->told = false;
	v->epoch++;
	for (size_t i = a->reserved_count; i-- > 0; )
		if (i < a->reserved_count)
			lose_reservation(w, a->reserved[i], index);
	while (v->outlook.running_count) {
		uint32_t attempt = (uint32_t)v->outlook.running[0].id;

		w->jobs[w->attempts[attempt].job].failures++;
		w->jobs[w->attempts[attempt].job].avoid = index;
		end_attempt(w, attempt, BREAKER_FAILED);
	}
	at(w, w->now_us + delay_us, (struct event){ .kind = CONNECT, .agent = agent, .view = index, .epoch = v->epoch });
	agent_wake(w, agent);
}

static void on_connect(struct world *w, const struct event *e)
{
	struct view *v = &w->agents[e->agent].views[e->view];
	struct volunteer *o = &w->volunteers[v->volunteer];

	if (o->dead || o->frozen_until_us > w->now_us || v->cut_until_us > w->now_us) {
		agent_lost(w, e->agent, e->view);
		return;
	}
	v->up = true;
	v->connects = 0;
	v->to_us = v->from_us = 0;
	at(w, w->now_us + 1, (struct event){ .kind = TELL, .volunteer = v->volunteer, .epoch = o->life });
}

void agent_event(struct world *w, const struct event *e)
{
	switch (e->kind) {
	case ARRIVE: release_next(w, e->agent); break;
	case DISPATCH: dispatch(w, e->agent); break;
	case GRANTED: on_granted(w, e); break;
	case REFUSED: on_refused(w, e); break;
	case STATE: on_state(w, e); break;
	case RESULT: on_result(w, e); break;
	case LOST: agent_lost(w, e->agent, e->view); break;
	case CONNECT: on_connect(w, e); break;
	case LATE: on_late(w, e->attempt); break;
	case LOCAL_END:
		w->agents[e->agent].local_running--;
		w->jobs[e->attempt].local = false;
		finish_job(w, e->attempt, NONE);
		break;
	default: break;
	}
}
