/*
 * session_away.c - a command that goes elsewhere: its attempts, what their ends mean, and a second copy when one is late.
 */
#include "session_inner.h"

#include "clock.h"
#include "log.h"
#include "planner.h"

enum { CHANGED_MAX = 3, FAR_US = 3000 };

static const struct attempt_events attempt_events;

/* Attempts */

static uint32_t result_stream(const struct job *job, const char *name)
{
	for (size_t i = 0; i < job->outputs.count; i++)
		if (str_eq(job->outputs.v[i], name))
			return STREAM_FILE + (uint32_t)i;
	return STREAM_FILE;
}

static struct attempt *new_attempt(struct session *s, struct peer *const *candidates, const unsigned *caps, size_t count, bool copy)
{
	autojob struct job job = { 0 };
	struct attempt_spec spec = {
		.job = &job, .toolchain = s->toolchain, .candidates = candidates, .caps = caps, .candidate_count = count,
		.niceness = s->ask.niceness, .predicted = s->predicted, .waiting = placing_turn(s), .alone = copy,
		.known_text = memory_diagnosed(s->agent->memory, s->key),
	};

	if (by_files(s)) {
		spec.files = files_job(s, &job);
		spec.known_text = 0;
	} else {
		planner_job(job_of(s), &s->ask.env, s->toolchain, &job);
		spec.result_stream = result_stream(&job, unit_of(s)->result_name);
	}
	return attempt_new(s->agent->remotes, &spec, &attempt_events, s);
}

void away_attempt(struct session *s)
{
	s->trial = breaker_take(&s->agent->breaker);
	s->attempt = new_attempt(s, s->candidates, s->caps, s->candidate_count, false);
	s->placed_ms = clock_ms();
}

/* Of its first one, or of the copy, which is nobody's trial. */
static void attempt_over(struct session *s, bool copy, enum breaker_end how)
{
	breaker_ended(&s->agent->breaker, !copy && s->trial, how, clock_ms());
	if (!copy)
		s->trial = false;
}

static void drop_copy(struct session *s)
{
	attempt_cancel(ptr_steal(&s->copy));
	filejob_free(ptr_steal(&s->loading));
}

void away_give_up(struct session *s)
{
	if (s->attempt)
		attempt_over(s, false, BREAKER_NEITHER);
	attempt_cancel(ptr_steal(&s->attempt));
	drop_copy(s);
	s->preprocessing = false;
}

/* How it begins */

static void send_prepare(struct session *s)
{
	const struct unit *u = unit_of(s);
	struct prepare m = {
		.input = u->input, .stdin_input = str_eq(u->input, "-"), .output = u->output,
		.output_kind = (uint8_t)u->output_kind, .preprocess = s->plain ? u->preprocess_plain : u->preprocess,
		.round = ++s->round,
		.dependencies_at = (uint32_t)u->dependencies_at[s->plain],
	};
	autobuf struct buf b = { 0 };

	s->prepared_us = clock_us();
	prepare_put(&b, &m);
	session_send(s, REQUEST_PREPARE, &b);
}

/*
 * A source of which nothing is known asks some hundred questions, one after the other: 300 for one in C++. Where each takes
 * its time, its text is there before.
 */
static bool too_far(const struct session *s)
{
	for (size_t i = 0; i < s->candidate_count; i++) {
		struct peer_info info;

		peer_describe(s->candidates[i], &info);
		if (info.state == PEER_READY && peer_offers(s->candidates[i], JOB_FILES) && info.rtt_us < FAR_US)
			return false;
	}
	return true;
}

static void on_loaded(void *session)
{
	struct session *s = session;

	if (!files_sound(s)) {
		filejob_free(ptr_steal(&s->loading));
		s->state = WAITING;
		session_find_toolchain(s);
		agent_dispatch(s->agent);
		return;
	}
	if (filejob_counts(s->loading).manifest == MANIFEST_NONE && too_far(s) && session_try_text(s))
		filejob_free(ptr_steal(&s->loading));
	else
		away_attempt(s);
}

void away_begin(struct session *s)
{
	if (by_files(s)) {
		s->state = AWAY;
		files_go(s, on_loaded);
		return;
	}
	s->state = PREPARING;
	if (!from_stdin(s))
		away_attempt(s);	/* else no slot is asked for before its source is there */
	send_prepare(s);
}

static void on_granted(struct attempt *at, void *arg)
{
	struct session *s = arg;

	if (at != s->copy) {
		s->agent->budget.jobs++;
		s->guess_us = s->predicted.cost.occupancy_us;
	}
	agent_watch_late(s->agent);
	agent_dispatch(s->agent);
}

/* How it ends */

static void remember_diagnostics(struct session *s, const struct attempt *at)
{
	uint64_t hash = attempt_text_hash(at);

	if (hash)
		memory_set_diagnosed(s->agent->memory, s->key, hash);
}

/* What another volunteer may do better. A limit or a full disk here would be met again. */
static bool worth_another(enum reason why)
{
	enum job_end blame = attempt_blame(why);

	return blame == JOB_FAILED || blame == JOB_FAILED_SO;
}

/*
 * A volunteer failed it: one other, then here. One whose owner came back did
 * not fail it: any other, as long as there is one. False if there is no other.
 */
static bool try_elsewhere(struct session *s, const struct peer *failed, enum reason why)
{
	bool preempted = why == REASON_PREEMPTED;

	if (!failed || (!preempted && !worth_another(why)))
		return false;
	s->failures += !preempted;
	if (!preempted && place_again(s->failures) != PLACE_REMOTE)
		return false;
	s->candidates_fixed = true;
	for (size_t i = 0; i < s->candidate_count; i++)
		if (s->candidates[i] == failed) {
			s->candidates[i] = s->candidates[--s->candidate_count];
			s->caps[i] = s->caps[s->candidate_count];
			break;
		}
	if (placing_candidates(s) < (preempted ? CANDIDATES_UNKNOWN : CANDIDATES_SOME))
		return false;
	s->state = WAITING;
	return true;
}

/* What file mode came to is no fault of a volunteer's: as text then, or again. */
static bool once_more(struct session *s, enum reason why)
{
	if (why == REASON_FILES_UNFIT) {
		memory_set_unfit(s->agent->memory, s->key);
		return session_try_text(s);
	}
	if (why != REASON_FILES_CHANGED || ++s->changed >= CHANGED_MAX)
		return false;
	stats_add(s->agent->stats, COUNT_RUN_AGAIN, 1);
	s->state = WAITING;
	return true;
}

static void count(struct session *s, const struct attempt *at, enum reason why)
{
	uint64_t sent, received;

	attempt_bytes(at, &sent, &received);
	stats_add(s->agent->stats, COUNT_BYTES_SENT, sent);
	stats_add(s->agent->stats, COUNT_BYTES_RECEIVED, received);
	log_debug("remote", "pid=%d peer=%s reason=%s copy=%d predicted_ms=%llu took_ms=%llu cpu_ms=%llu sent=%llu received=%llu", (int)s->pid,
		  attempt_peer(at), reason_key(why), at == s->copy, (unsigned long long)s->predicted.cost.occupancy_us / 1000,
		  (unsigned long long)attempt_took_us(at) / 1000, (unsigned long long)attempt_result(at).cpu_us / 1000, (unsigned long long)sent, (unsigned long long)received);
	if (by_files(s))
		files_count(s, at);
}

static void on_served(struct session *s, const struct attempt *at)
{
	placing_learn(s, at);
	s->state = COMMITTING;
	if (by_files(s))
		files_deliver(s, at);
	else
		session_send(s, REQUEST_FINISHED, NULL);
}

/* There were two of it, and one is over: true if that is not the end of it. */
static bool other_goes_on(struct session *s, const struct attempt *at, enum reason why)
{
	if (at == s->copy) {
		s->copy = NULL;
		if (why != REASON_NONE)
			return true;
		attempt_over(s, false, BREAKER_NEITHER);	/* it may be the trial: the next must be able to try */
		attempt_cancel(ptr_steal(&s->attempt));
		return false;
	}
	s->attempt = NULL;
	if (s->copy && (worth_another(why) || why == REASON_PREEMPTED)) {
		s->failures += why != REASON_PREEMPTED;
		s->attempt = ptr_steal(&s->copy);
		return true;
	}
	drop_copy(s);
	return false;
}

static void on_failed(struct session *s, struct attempt *at, enum reason why)
{
	if (!by_files(s) && why == REASON_DIAGNOSTICS)
		remember_diagnostics(s, at);
	if (!by_files(s) && why == REASON_PREPROCESSOR && !s->plain && unit_of(s)->preprocess_plain.count) {
		s->plain = true;
		s->state = WAITING;
		session_find_toolchain(s);
	} else if (!(by_files(s) && once_more(s, why)) && !try_elsewhere(s, attempt_where(at), why)) {
		session_must_be_local(s, why);
	}
}

static enum breaker_end breaker_end_of(enum reason why)
{
	if (worth_another(why))
		return BREAKER_FAILED;
	return reason_is_fallback(why) || why == REASON_NO_CANDIDATE ? BREAKER_NEITHER : BREAKER_SERVED;
}

static void on_ended(struct attempt *at, enum reason why, void *arg)
{
	struct session *s = arg;

	count(s, at, why);
	attempt_over(s, at == s->copy, breaker_end_of(why));
	if (!other_goes_on(s, at, why)) {
		s->preprocessing = false;
		if (why == REASON_NONE)
			on_served(s, at);
		else
			on_failed(s, at, why);
	}
	agent_dispatch(s->agent);
}

static const struct attempt_events attempt_events = { .granted = on_granted, .ended = on_ended };

/* What is late */

/* Where a copy may go: volunteers with room, but for the one that has the job. */
static size_t others_with_room(const struct session *s, struct peer **out, unsigned *caps)
{
	size_t n = 0;

	for (size_t i = 0; i < s->candidate_count; i++) {
		struct peer *p = s->candidates[i];
		const struct outlook *o = peer_outlook(p);

		if (p == attempt_where(s->attempt) || !outlook_has_room(o, clock_us()) || o->queued || !peer_offers(p, s->mode) ||
		    peer_can_run(p, s->toolchain) != PEER_CAN)
			continue;
		caps[n] = s->caps[i];
		out[n++] = p;
	}
	return n;
}

static void on_copy_loaded(void *session)
{
	struct session *s = session;
	autofree struct peer **others = xcalloc(s->candidate_count + 1, sizeof(struct peer *));
	autofree unsigned *caps = xcalloc(s->candidate_count + 1, sizeof *caps);
	size_t n = s->attempt ? others_with_room(s, others, caps) : 0;

	if (!n)
		filejob_free(ptr_steal(&s->loading));
	else
		s->copy = new_attempt(s, others, caps, n, true);
}

static double fastest(struct peer *const *peers, size_t n)
{
	double best = 0;

	for (size_t i = 0; i < n; i++) {
		double speed = outlook_speed(peer_outlook(peers[i]), clock_us());

		best = speed > best ? speed : best;
	}
	return best;
}

/* In text mode nothing of the text is left, but a free core of ours can begin anew. */
static bool can_end_here(const struct session *s, const struct place_view *v)
{
	struct place_job j = { .local_slots = s->settings.local_slots, .stay_remote = stays_away(s) };

	return !by_files(s) && s->predicted.known && place_local_first(v, &j);
}

/* A guess as it was then: of late, long jobs have ended, as the short ones had before, and by them nothing is late. */
static uint64_t was_to_take_us(const struct session *s)
{
	uint64_t us = s->predicted.known ? s->predicted.cost.occupancy_us : s->guess_us;

	return us ? us : history_mean_us(s->agent->history);
}

static struct hedge_view hedge_view_of(const struct session *s, const struct place_view *v)
{
	autofree struct peer **others = xcalloc(s->candidate_count + 1, sizeof(struct peer *));
	autofree unsigned *caps = xcalloc(s->candidate_count + 1, sizeof *caps);
	struct hedge_view h = {
		.elapsed_us = clock_us() - attempt_granted_us(s->attempt), .predicted_us = was_to_take_us(s),
		.guessed = !s->predicted.known, .speed = outlook_speed(peer_outlook(attempt_where(s->attempt)), clock_us()),
		.waiting = v->waiting + v->offered + v->ungranted,
	};

	if (by_files(s))
		h.other = fastest(others, others_with_room(s, others, caps));
	else if (can_end_here(s, v))
		h.other = speed_now(&s->agent->here, agent_load(s->agent, leases_taken(s->agent->leases)), clock_ms());
	return h;
}

static void look_at(struct session *s, const struct place_view *v)
{
	struct hedge_view h = hedge_view_of(s, v);

	if (!hedge_due(&s->agent->budget, &h))
		return;
	s->copied = true;
	s->agent->budget.copies++;
	stats_add(s->agent->stats, COUNT_COPIES, 1);
	log_info("late", "pid=%d peer=%s ms=%llu predicted_ms=%llu", (int)s->pid, attempt_peer(s->attempt),
		 (unsigned long long)h.elapsed_us / 1000, (unsigned long long)h.predicted_us / 1000);
	if (by_files(s)) {
		files_go(s, on_copy_loaded);
		return;
	}
	away_give_up(s);
	session_go_local(s, REASON_LATE);
}

bool sessions_look_for_late(struct agent *a)
{
	struct session *s, *next;
	bool any = false;

	for (s = TAILQ_FIRST(&a->sessions); s; s = next) {
		struct place_view v;

		next = TAILQ_NEXT(s, link);
		if (s->state != AWAY || !s->attempt || !attempt_granted(s->attempt))
			continue;
		any = true;
		if (s->copied || clock_us() - attempt_granted_us(s->attempt) < HEDGE_MIN_US)
			continue;
		v = placing_view(a);
		look_at(s, &v);
	}
	return any;
}
