/*
 * session_place.c - where each command goes: it makes the questions for the pure functions (place.h, finish.h, history.h)
 * out of what the agent knows, and does what they answer.
 */
#include "session_inner.h"

#include <stdio.h>

#include "clock.h"
#include "environment.h"
#include "log.h"

enum {
	LOCAL_FIRST_AFTER_MS = 10,
	FILES_COST_US = 3000,		/* of our CPU, to send a job in file mode: the budget */
	TEXT_COST_US = 30000,		/* in text mode, until a preprocessor has shown */
	COST_SHARE = 8,			/* of the newest preprocessor in what is expected of the next */
	HOPE_MS = 200,			/* for volunteers to answer, while a core is idle that is known to be slow */
	CROWDED_HOPE_MS = 1000,		/* while none is idle: what asks them is slow as well */
};

/* What it is likely to take */

static const char *input_of(const struct session *s)
{
	return by_files(s) ? file_unit_of(s)->input : unit_of(s)->input;
}

static struct history_job known_by(const struct session *s)
{
	const char *input = input_of(s) ? input_of(s) : "-";
	autofree char *source = *input == '/' ? xstrdup(input) : xasprintf("%s/%s", s->ask.cwd, input);
	autofree char *flags = history_flags(s->ask.argv.v, s->ask.argv.count);
	struct history_words words = { .source = source, .flags = flags, .compiler = s->ask.program,
				       .level = history_level(s->ask.argv.v, s->ask.argv.count) };
	struct stat st;

	if (str_eq(input, "-") || stat(source, &st) < 0)
		return (struct history_job){ 0 };
	return history_job(&words, (uint64_t)st.st_size);
}

void placing_predict(struct session *s)
{
	s->known_by = known_by(s);
	s->predicted = (struct prediction){ 0 };
	if (s->known_by.key)
		s->predicted.known = history_predict(s->agent->history, &s->known_by, &s->predicted.cost) == HISTORY_KNOWN;
}

struct lease_note placing_note(const struct session *s)
{
	size_t units = !s->plan ? 0 : by_files(s) ? s->plan->file_unit_count : s->plan->unit_count;

	if (units != 1)		/* a lease is for the whole command */
		return (struct lease_note){ 0 };
	return (struct lease_note){ .job = s->known_by, .predicted_us = s->predicted.known ? s->predicted.cost.occupancy_us : 0 };
}

static struct history_cost seen_of(const struct attempt *at)
{
	struct job_result r = attempt_result(at);
	uint64_t took = attempt_took_us(at), sent, received;

	attempt_bytes(at, &sent, &received);
	return (struct history_cost){ .cpu_us = r.cpu_us, .occupancy_us = took, .memory_kb = r.max_rss_kb, .bytes = sent + received };
}

void placing_preprocessed(struct session *s)
{
	uint64_t *cost = &s->agent->preprocess_us, took = clock_us() - s->prepared_us;

	*cost = *cost ? *cost - *cost / COST_SHARE + took / COST_SHARE : took;
}

static uint64_t remote_cost_us(const struct session *s)
{
	if (by_files(s))
		return FILES_COST_US;
	return s->agent->preprocess_us ? s->agent->preprocess_us : TEXT_COST_US;
}

/* An unknown job is as long as the mean; at the very first, all are alike. */
static uint64_t occupancy_us(const struct session *s)
{
	uint64_t us = s->predicted.cost.occupancy_us;

	return us ? us : history_mean_us(s->agent->history);
}

struct place_waiting placing_turn(const struct session *s)
{
	return (struct place_waiting){ .predicted_us = occupancy_us(s), .since_us = s->came_us };
}

/* In the first build of a project what ends tells of what waits and runs. */
static void foresee_others(const struct session *ended)
{
	struct agent *a = ended->agent;
	struct session *s;

	TAILQ_FOREACH(s, &a->sessions, link) {
		struct place_waiting turn;

		if (s == ended || s->predicted.known || !s->known_by.key)
			continue;
		s->predicted.known = history_predict(a->history, &s->known_by, &s->predicted.cost) == HISTORY_KNOWN;
		turn = placing_turn(s);
		if (s->attempt)
			attempt_foresee(s->attempt, &s->predicted, &turn);
	}
}

void placing_learn(struct session *s, const struct attempt *at)
{
	const struct history *h = s->agent->history;
	struct outlook *o = peer_outlook(attempt_where(at));
	struct history_cost seen = seen_of(at);
	uint64_t now_ms = clock_ms();
	struct speed_seen met;

	if (!s->known_by.key || attempt_result(at).exit_status)
		return;		/* an error ends a compile early */
	met = (struct speed_seen){
		.predicted_us = s->predicted.known ? s->predicted.cost.occupancy_us : history_typical_us(h), .took_us = seen.occupancy_us,
		.cpu_us = seen.cpu_us, .load = attempt_load(at), .guessed = !s->predicted.known,
	};
	speed_learn(&o->speed, &met, now_ms);
	history_note_speed(s->agent->history, attempt_peer(at), &o->speed);
	history_learn(s->agent->history, &s->known_by, seen, speed_met(&o->speed, &met, o->slots, now_ms));
	foresee_others(s);
}

/* Candidates */

/* Whom the caller's entries mean now, unless that is known. */
static void find_candidates(struct session *s)
{
	struct volunteers *vs = s->agent->volunteers;
	autofree struct volunteer *v = NULL;

	if (s->candidates && (s->candidates_fixed ||
			      (!s->candidates_awaited && s->candidates_as_of == volunteers_changes(vs))))
		return;
	s->candidate_count = volunteers_of(vs, &s->settings, &v, &s->candidates_awaited);
	s->candidates_as_of = volunteers_changes(vs);
	s->candidates = xrealloc(s->candidates, (s->candidate_count + 1) * sizeof *s->candidates);
	s->caps = xrealloc(s->caps, (s->candidate_count + 1) * sizeof *s->caps);
	for (size_t i = 0; i < s->candidate_count; i++) {
		s->candidates[i] = v[i].peer;
		s->caps[i] = v[i].slots;
	}
}

enum place_candidates placing_candidates(struct session *s)
{
	enum place_candidates best;

	if (s->toolchain_failed)
		return CANDIDATES_NONE;
	find_candidates(s);
	best = s->candidates_awaited && !s->candidates_fixed ? CANDIDATES_UNKNOWN : CANDIDATES_NONE;
	for (size_t i = 0; i < s->candidate_count; i++) {
		enum peer_can can;

		peer_wake(s->candidates[i]);
		if (!peer_offers(s->candidates[i], s->mode))
			continue;
		can = peer_can_run(s->candidates[i], s->toolchain);
		if (can == PEER_CAN)
			best = CANDIDATES_SOME;
		else if (can == PEER_MAYBE && best == CANDIDATES_NONE)
			best = CANDIDATES_UNKNOWN;
	}
	return best;
}

/* When it would be done at the best volunteer. hoped: of those that have yet to answer, too, as if they were idle. */
static uint64_t best_away_us(struct session *s, bool hoped)
{
	uint64_t best = UINT64_MAX, mean = history_mean_us(s->agent->history);
	struct finish_job job = { .occupancy_us = occupancy_us(s), .bytes = s->predicted.cost.bytes };
	bool lasting = s->predicted.known && job.occupancy_us > remotes_left_us(s->agent->remotes);

	for (size_t i = 0; i < s->candidate_count; i++) {
		struct finish_peer f;

		if (!peer_offers(s->candidates[i], s->mode) ||
		    peer_can_run(s->candidates[i], s->toolchain) < (hoped ? PEER_MAYBE : PEER_CAN))
			continue;
		f = peer_finish(s->candidates[i], mean, lasting);
		if (hoped && !f.slots)
			f = (struct finish_peer){ .slots = 1, .speed = f.speed };
		if (f.slots && finish_us(&job, &f) < best)
			best = finish_us(&job, &f);
	}
	return best;
}

static bool worth_here(struct session *s, bool hoped)
{
	const struct agent *a = s->agent;
	double load = agent_load(a, leases_taken(a->leases));
	double here_us = (double)occupancy_us(s) / speed_now(&a->here, load, clock_ms());
	uint64_t best = best_away_us(s, hoped);

	return best == UINT64_MAX || finish_worth((uint64_t)here_us, best);
}

/* The decision */

struct place_view placing_view(const struct agent *a)
{
	struct place_view v = { .cores = a->cores, .local_running = leases_taken(a->leases) };
	struct session *s;

	TAILQ_FOREACH(s, &a->sessions, link) {
		bool ungranted = s->attempt && !attempt_granted(s->attempt);

		v.preprocessing += ((s->state == PREPARING && !from_stdin(s)) || s->preprocessing) && !s->below_lease;
		v.ungranted += ungranted && !by_files(s);
		v.offered += (s->loading && !s->attempt) || (ungranted && by_files(s));
		v.waiting += s->state == WAITING && !s->must_local;
	}
	return v;
}

static struct place_job job_view(struct session *s)
{
	struct place_job j = {
		.remote_able = !s->must_local,
		.holds_nothing = by_files(s),
		.local_slots = s->settings.local_slots,
		.stay_remote = stays_away(s),
	};

	if (j.remote_able && breaker_allows(&s->agent->breaker, clock_ms()))
		j.candidates = placing_candidates(s);
	return j;
}

/* Why it is placed here, where nothing else had settled it. */
static enum reason local_reason(const struct session *s, const struct place_job *j)
{
	if (s->must_local)
		return s->local.reason;
	if (j->candidates != CANDIDATES_NONE)
		return REASON_LOCAL_IDLE;
	if (!breaker_allows(&s->agent->breaker, clock_ms()))
		return REASON_BREAKER;
	/* no volunteer offers the one way that it could go */
	for (size_t i = 0; by_files(s) && i < s->candidate_count; i++)
		if (!peer_offers(s->candidates[i], JOB_FILES) && s->settings.mode != MODE_FILE)
			return s->plan->verdict.reason;
	return REASON_NO_CANDIDATE;
}

static enum place_action decide(struct session *s, const struct place_view *v, struct place_job *j)
{
	bool crowded = crowd_is(&s->agent->crowd);
	bool hoped = j->candidates == CANDIDATES_UNKNOWN && clock_us() - s->came_us < (crowded ? CROWDED_HOPE_MS : HOPE_MS) * 1000;

	if (j->remote_able && (j->candidates == CANDIDATES_SOME || hoped) && place_local_first(v, j)) {
		if (s->predicted.known && place_early_local(s->predicted.cost.occupancy_us, remote_cost_us(s)))
			return PLACE_LOCAL;
		j->stay_remote = crowded || !worth_here(s, hoped);
		if (j->stay_remote)
			agent_dispatch_in(s->agent, HOPE_MS);
	}
	return place_decide(v, j);
}

/* At a build's start, what is known to be long waits for what may be longer. */
static bool held(struct session *s)
{
	struct agent *a = s->agent;
	uint64_t us;

	session_settled(s);
	us = s->predicted.known ? burst_hold_us(&a->burst, clock_us()) : 0;
	if (us)
		agent_dispatch_in(a, (unsigned)(us / 1000 + 1));
	return us;
}

/* True if it was placed: the view has changed. */
static bool place(struct session *s, struct place_view v)
{
	struct place_job j = job_view(s);
	enum place_action action;

	if (j.remote_able && j.candidates == CANDIDATES_NONE && breaker_allows(&s->agent->breaker, clock_ms()) && session_try_text(s))
		return true;
	v.waiting -= j.remote_able;
	action = decide(s, &v, &j);
	/* its caller's lease is its own; or it must not wait for one */
	if ((s->below_lease || session_reads_a_pipe(s)) && action == PLACE_WAIT &&
	    (!j.remote_able || j.candidates == CANDIDATES_NONE))
		action = PLACE_LOCAL;
	if (action == PLACE_LOCAL)
		session_go_local(s, local_reason(s, &j));
	else if (action == PLACE_REMOTE && held(s))
		action = PLACE_WAIT;
	else if (action == PLACE_REMOTE)
		away_begin(s);
	return action != PLACE_WAIT;
}

/* Attempts that have waited for a grant, while a core is free that would end them as soon. */
static void take_back(struct agent *a)
{
	uint64_t now = clock_ms();
	struct session *s, *next;

	if (crowd_is(&a->crowd))
		return;
	for (s = TAILQ_FIRST(&a->sessions); s; s = next) {
		struct place_view v;
		struct place_job j;

		next = TAILQ_NEXT(s, link);
		if (!s->attempt || attempt_granted(s->attempt) || now - s->placed_ms < LOCAL_FIRST_AFTER_MS || stays_away(s) ||
		    leases_taken(a->leases) >= s->settings.local_slots)
			continue;
		v = placing_view(a);
		j = job_view(s);
		if (!place_local_first(&v, &j) || !worth_here(s, false))
			continue;
		away_give_up(s);
		session_go_local(s, REASON_LOCAL_FIRST);
	}
}

/* The order */

struct turn {
	struct session *session;
	struct place_waiting waiting;
};

/* What must be here first, as it came; of the others as place_before() has it. */
static int by_turn(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->session->must_local != y->session->must_local)
		return x->session->must_local ? -1 : 1;
	if (x->session->must_local)
		return (x->waiting.since_us > y->waiting.since_us) - (x->waiting.since_us < y->waiting.since_us);
	return place_before(&y->waiting, &x->waiting) - place_before(&x->waiting, &y->waiting);
}

static size_t list_waiting(const struct agent *a, struct turn **out)
{
	struct turn *turns = xcalloc(a->session_count + 1, sizeof *turns);
	struct session *s;
	size_t n = 0;

	TAILQ_FOREACH(s, &a->sessions, link)
		if (s->state == WAITING)
			turns[n++] = (struct turn){ s, placing_turn(s) };
	qsort(turns, n, sizeof *turns, by_turn);
	*out = turns;
	return n;
}

void sessions_dispatch(struct agent *a)
{
	autofree struct turn *turns = NULL;
	struct session *s, *next;
	struct place_view v;
	size_t n;

	for (s = TAILQ_FIRST(&a->sessions); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->state == ALIKE)
			session_plan_again(s);
	}
	v = placing_view(a);
	n = list_waiting(a, &turns);
	if ((n || v.offered || v.ungranted) && crowd_is_due(&a->crowd, clock_us()))
		crowd_look(&a->crowd, crowd_waited_us(), clock_us());
	for (size_t i = 0; i < n; i++)
		if (place(turns[i].session, v))
			v = placing_view(a);
	take_back(a);
}
