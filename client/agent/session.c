/*
 * session.c - what a wrapper may say in which state, and the step for each.
 *
 * A step sees one message and returns; placement happens later, in
 * sessions_dispatch(), so that no step is entered from another.
 */
#include "session_inner.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "answer.h"
#include "clock.h"
#include "environment.h"
#include "explain.h"
#include "log.h"
#include "place.h"
#include "planner.h"
#include "proc.h"
#include "toolchain_data.h"

/* A toolchain being found off the loop. The session may end first. */
struct closure {
	uv_work_t work;
	struct session *session;
	struct toolchains *toolchains;
	struct argv programs;
	struct argv needs;	/* what else the job will read */
	char *library_path;	/* the caller's LD_LIBRARY_PATH, or NULL */
	const struct toolchain *found;
	struct err err;
};

enum { LOCAL_FIRST_AFTER_MS = 10, CHANGED_MAX = 3, FAR_US = 3000 };

static void session_end(struct session *s)
{
	s->agent->session_count--;
	TAILQ_REMOVE(&s->agent->sessions, s, link);
	attempt_cancel(s->attempt);
	filejob_free(s->loading);
	if (s->closure)
		s->closure->session = NULL;
	if (s->conn)
		conn_finish(s->conn);
	if (s->pidfd >= 0)
		close(s->pidfd);
	plan_free(s->plan);
	ask_free(&s->ask);
	settings_free(&s->settings);
	free(s->candidates);
	free(s->caps);
	s->agent->busy_ms = clock_ms();
	agent_dispatch(s->agent);
	free(s);
}

/*
 * The wrapper hangs up once it has read its last answer: closing before
 * that would make a message of its own that crosses ours look like a lost
 * agent to it.
 */
static void session_leave(struct session *s)
{
	attempt_cancel(ptr_steal(&s->attempt));
	filejob_free(ptr_steal(&s->loading));
	s->preprocessing = false;
	s->state = LEAVING;
	agent_dispatch(s->agent);
}

static void send_buf(struct session *s, enum request_type type, const struct buf *b)
{
	conn_send(s->conn, (uint8_t)type, 0, b);
}

static void go_fatal(struct session *s, enum exit_status status, const char *text)
{
	autobuf struct buf b = { 0 };
	struct fatal m = { .status = (uint8_t)status, .text = (char *)text };

	fatal_put(&b, &m);
	send_buf(s, REQUEST_FATAL, &b);
	session_leave(s);
}

/*
 * Its source comes from another process, which may wait for a slot itself:
 * it must not hold the one that the other waits for.
 */
static bool reads_a_pipe(const struct session *s)
{
	return s->local.reason == REASON_INPUT_ODD || argv_has(&s->ask.argv, "-");
}

/* The wrapper execs its compiler now, and holds a slot until that ends. */
static void go_local(struct session *s, enum reason reason)
{
	struct stats *st = s->agent->stats;
	struct local_go m = { .reason = (uint8_t)reason, .lease = (char *)"" };
	autobuf struct buf b = { 0 };

	stats_add(st, reason_is_fallback(reason) ? COUNT_JOBS_FALLBACK : COUNT_JOBS_LOCAL, 1);
	stats_reason(st, reason, 1, reason_is_fallback(reason) ? clock_us() - s->came_us : 0);
	if (s->pidfd >= 0)
		m.lease = (char *)lease_new(s->agent->leases, s->pid, fd_steal(&s->pidfd),
					    environment_get(&s->ask.env, "RCC_LEASE"), reads_a_pipe(s), reason);
	log_debug("local", "pid=%d reason=%s", (int)s->pid, reason_key(reason));
	local_go_put(&b, &m);
	send_buf(s, REQUEST_LOCAL, &b);
	session_leave(s);
}

/* From now on only a local core is wanted. */
static void must_be_local(struct session *s, enum reason reason)
{
	if (reason_is_fallback(reason) && s->has_settings && !s->settings.fallback) {
		autofree char *text = xasprintf("remote attempt failed: %s; RCC_FALLBACK=0 forbids to compile here",
						reason_text(reason));

		stats_reason(s->agent->stats, reason, 1, clock_us() - s->came_us);
		go_fatal(s, EXIT_RCC_REMOTE, text);
		return;
	}
	s->must_local = true;
	s->local.reason = reason;
	s->state = WAITING;
	agent_dispatch(s->agent);
}

static void describe(struct session *s, enum describe_kind kind)
{
	struct describe m = { .kind = (uint8_t)kind, .temp_dir = s->agent->temp_dir };
	autobuf struct buf b = { 0 };

	s->describing = kind;
	s->state = DESCRIBING;
	describe_put(&b, &m);
	send_buf(s, REQUEST_DESCRIBE, &b);
}

static const struct unit *unit_of(const struct session *s)
{
	return &s->plan->units[s->unit];
}

/* Its source may be long in coming. */
static bool from_stdin(const struct session *s)
{
	return !by_files(s) && str_eq(unit_of(s)->input, "-");
}

static const struct job *job_of(const struct session *s)
{
	if (by_files(s))
		return &file_unit_of(s)->job;
	return s->plain ? &unit_of(s)->job_plain : &unit_of(s)->job;
}

/* Toolchain */

static void on_closure_work(uv_work_t *work)
{
	struct closure *c = work->data;

	if (toolchain_find(c->toolchains, &c->programs, &c->needs, &c->found, &c->err) < 0 ||
	    planner_shadowed(c->found, c->library_path, &c->err))
		c->found = NULL;
}

static void on_closure_done(uv_work_t *work, int status)
{
	struct closure *c = work->data;
	struct session *s = c->session;

	(void)status;
	if (s) {
		s->closure = NULL;
		s->toolchain = c->found;
		s->toolchain_failed = !c->found;
		if (!c->found)
			log_info("toolchain", "text=\"%s\"", c->err.text);
		agent_dispatch(s->agent);
	}
	argv_free(&c->programs);
	argv_free(&c->needs);
	free(c->library_path);
	free(c);
}

static void find_toolchain(struct session *s)
{
	struct closure *c = xcalloc(1, sizeof *c);
	const struct job *job = job_of(s);
	const char *library_path = environment_get(&s->ask.env, "LD_LIBRARY_PATH");

	*c = (struct closure){ .session = s, .toolchains = s->agent->toolchains,
			       .library_path = library_path ? xstrdup(library_path) : NULL };
	for (size_t i = 0; i < job->step_count; i++)
		argv_push(&c->programs, job->steps[i].program);
	/* a job that says anything is done again here, so what it would say it with does not count */
	data_needs(job, &s->ask.env, DATA_OUTPUT, &c->needs);
	c->work.data = c;
	s->closure = c;
	s->toolchain = NULL;
	s->toolchain_failed = false;
	uv_queue_work(s->agent->loop, &c->work, on_closure_work, on_closure_done);
}

/* Plan */

static void begin_unit(struct session *s)
{
	s->state = WAITING;
	s->plain = false;
	find_toolchain(s);
	agent_dispatch(s->agent);
}

static void finish_remote(struct session *s)
{
	stats_add(s->agent->stats, COUNT_JOBS_REMOTE, 1);
	stats_add(s->agent->stats, COUNT_JOBS_FILES, by_files(s));
	send_buf(s, REQUEST_DONE, NULL);
	session_end(s);
}

/* Ways */

static bool can_go_as_text(const struct session *s)
{
	return s->plan->verdict.kind == VERDICT_TEXT && s->settings.mode != MODE_FILE;
}

/* The first way is no way: is there another? */
static bool try_text(struct session *s)
{
	if (!by_files(s) || s->unit || !can_go_as_text(s))
		return false;
	s->mode = JOB_TEXT;
	begin_unit(s);
	return true;
}

/* Why it must be here, when no volunteer offers the one way that it could go. */
static enum reason unoffered(const struct session *s)
{
	if (!by_files(s))
		return REASON_NO_CANDIDATE;
	for (size_t i = 0; i < s->candidate_count; i++)
		if (!peer_offers(s->candidates[i], JOB_FILES) && s->settings.mode != MODE_FILE)
			return s->plan->verdict.reason;
	return REASON_NO_CANDIDATE;
}

static struct verdict why_neither(const struct session *s)
{
	if (s->settings.mode != MODE_TEXT && s->plan->files.kind == VERDICT_LOCAL)
		return s->plan->files;
	return s->plan->verdict.kind == VERDICT_LOCAL ? s->plan->verdict :
	       (struct verdict){ .kind = VERDICT_LOCAL, .reason = REASON_FILES_UNFIT };
}

/* The plan is made: which way? */
static void follow_plan(struct session *s)
{
	bool files = files_allowed(s);

	s->mode = files ? JOB_FILES : JOB_TEXT;
	s->local = s->plan->verdict;
	if (s->ask.explain) {
		autofree char *text = explain_plan(s->plan, &s->ask, s->settings.mode);

		answer_send(s->conn, text);
		session_end(s);
	} else if (!files && !can_go_as_text(s)) {
		s->local = why_neither(s);
		log_debug("plan", "reason=%s detail=\"%s\"", reason_key(s->local.reason), s->local.detail);
		must_be_local(s, s->local.reason);
	} else {
		begin_unit(s);
	}
}

static void make_plan(struct session *s, enum driver_kind kind, const char *text, bool learn)
{
	struct err err = { 0 };

	if (planner_make(s->agent->planner, &s->ask, kind, &s->driver, text, learn,
			 s->settings.mode == MODE_TEXT, s->agent->temp_dir, &s->plan, &err) < 0) {
		log_warn("plan", "text=\"%s\"", err.text);
		must_be_local(s, REASON_UNUSUAL_PLAN);
		return;
	}
	follow_plan(s);
}

static void plan_by_driver(struct session *s)
{
	enum driver_kind kind = memory_driver(s->agent->memory, &s->driver);
	autofree char *cached = NULL;

	if (kind == DRIVER_UNKNOWN) {
		describe(s, DESCRIBE_VERSION);
		return;
	}
	if (kind == DRIVER_NOT_ONE) {
		must_be_local(s, REASON_NOT_A_DRIVER);
		return;
	}
	cached = planner_recall(s->agent->planner, &s->ask, &s->driver);
	if (cached)
		make_plan(s, kind, cached, false);
	else
		describe(s, DESCRIBE_PLAN);
}

/* Frames */

/* Are the wrapper's files ours? We look at them by our own root and mounts. */
static bool same_files(pid_t pid)
{
	static const char *const names[] = { "ns/mnt", "root" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		autofree char *theirs = xasprintf("/proc/%d/%s", (int)pid, names[i]);
		autofree char *ours = xasprintf("/proc/self/%s", names[i]);
		struct stat a, b;

		if (stat(theirs, &a) < 0 || stat(ours, &b) < 0 || a.st_ino != b.st_ino || a.st_dev != b.st_dev)
			return false;
	}
	return true;
}

static void explain_quick(struct session *s, enum reason reason)
{
	autofree char *text = explain_reason(&s->ask, reason);

	answer_send(s->conn, text);
	session_end(s);
}

/* The reason why it needs no plan; REASON_NONE: it does. */
static enum reason early_reason(struct session *s)
{
	if (s->ask.after)
		return s->ask.after;
	if (s->ask.quick)
		return s->ask.quick;
	if (s->settings.mode == MODE_LOCAL)
		return REASON_MODE_LOCAL;
	if (!s->settings.host_count && !s->ask.explain)
		return REASON_NO_HOSTS;
	if (!same_files(s->pid))
		return REASON_ENVIRONMENT;
	if (stat(s->ask.program, &s->driver) < 0)
		return REASON_NOT_A_DRIVER;
	return REASON_NONE;
}

static int on_ask(struct session *s, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	enum reason early;
	int rc = ask_get(&r, &s->ask, err);

	if (rc < 0)
		return rc;
	if (f->fd_count)
		s->pidfd = fd_steal(&f->fds[0]);
	rc = settings_load(&s->ask.env, s->agent->cores, &s->settings, err);
	if (rc == ERR_CONFIG) {
		go_fatal(s, EXIT_RCC_CONFIG, err->text);
		return 0;
	}
	if (rc < 0) {
		log_warn("settings", "text=\"%s\"", err->text);
		must_be_local(s, REASON_NO_HOSTS);
		return 0;
	}
	s->has_settings = true;
	s->below_lease = lease_live(s->agent->leases, environment_get(&s->ask.env, "RCC_LEASE"));
	s->key = command_key(s->ask.cwd, &s->ask.argv);
	early = early_reason(s);
	if (s->ask.explain && early != REASON_NONE)
		explain_quick(s, early);
	else if (early != REASON_NONE)
		must_be_local(s, early);
	else
		plan_by_driver(s);
	return 0;
}

static int on_description(struct session *s, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct description m = { 0 };
	int rc = description_get(&r, &m, err);

	if (rc == 0 && s->describing == DESCRIBE_VERSION) {
		/* one that could not be run now may be run later: nothing is learnt of it */
		if (!WIFEXITED(m.status)) {
			must_be_local(s, REASON_DRIVER_FAILED);
		} else {
			memory_set_driver(s->agent->memory, &s->driver,
					  m.status == 0 ? driver_kind_of(m.text) : DRIVER_NOT_ONE);
			plan_by_driver(s);
		}
	} else if (rc == 0 && m.status != 0) {
		if (s->ask.explain)
			explain_quick(s, REASON_DRIVER_FAILED);
		else
			must_be_local(s, REASON_DRIVER_FAILED);
	} else if (rc == 0) {
		make_plan(s, memory_driver(s->agent->memory, &s->driver), m.text, true);
	}
	free(m.text);
	return rc;
}

static int on_query(struct session *s, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct query q;
	int rc = query_get(&r, &q, err);

	if (rc == 0) {
		answer_query(s->agent, s->conn, &q);	/* it may finish the connection later */
		s->agent->session_count--;
		TAILQ_REMOVE(&s->agent->sessions, s, link);
		settings_free(&s->settings);
		free(s);
	}
	query_free(&q);
	return rc;
}

static const struct attempt_events attempt_events;

static uint32_t result_stream(const struct job *job, const char *name)
{
	for (size_t i = 0; i < job->outputs.count; i++)
		if (str_eq(job->outputs.v[i], name))
			return STREAM_FILE + (uint32_t)i;
	return STREAM_FILE;
}

/* Slots are asked for. */
static void begin_attempt(struct session *s)
{
	autojob struct job job = { 0 };
	struct attempt_spec spec = {
		.job = &job, .toolchain = s->toolchain, .candidates = s->candidates, .caps = s->caps,
		.candidate_count = s->candidate_count, .niceness = s->ask.niceness,
		.known_text = memory_diagnosed(s->agent->memory, s->key),
	};

	if (by_files(s)) {
		spec.files = files_job(s, &job);
		spec.known_text = 0;
	} else {
		planner_job(job_of(s), &s->ask.env, s->toolchain, &job);
		spec.result_stream = result_stream(&job, unit_of(s)->result_name);
	}
	s->attempt = attempt_new(s->agent->remotes, &spec, &attempt_events, s);
	s->placed_ms = clock_ms();
}

static int on_started(struct session *s, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	const struct unit *u = unit_of(s);
	uint32_t round;
	struct feed_text text = {
		.dialect = s->plan->dialect, .plain = s->plain || u->plain_text, .memo = s->agent->sources,
		.origin = { .doubts = u->doubts, .system_doubts = u->system_doubts },
	};

	if (started_get(&r, &round, err) < 0 || f->fd_count < 2)
		return err_set(err, ERR_WIRE, "STARTED without its descriptors");
	if (round != s->round)
		return 0;
	s->state = AWAY;
	s->preprocessing = true;
	if (!s->attempt)
		begin_attempt(s);
	text.origin.cwd = xstrdup(s->ask.cwd);
	text.origin.input = xstrdup(u->input);
	text.origin.stdin_fd = f->fd_count > 2 ? fd_steal(&f->fds[2]) : -1;
	attempt_text(s->attempt, fd_steal(&f->fds[0]), &text, f->fds[1]);
	return 0;
}

static int on_declined(struct session *s, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	enum reason reason;
	uint32_t round;
	int rc = declined_get(&r, &round, &reason, err);

	if (rc < 0 || round != s->round)
		return rc;
	attempt_cancel(ptr_steal(&s->attempt));
	must_be_local(s, reason);
	return 0;
}

static int on_preprocessed(struct session *s, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	bool clean;
	uint32_t round;
	int rc = preprocessed_get(&r, &round, &clean, err);

	if (rc < 0 || round != s->round)
		return rc;
	s->preprocessing = false;
	agent_dispatch(s->agent);
	if (s->attempt)
		attempt_preprocessed(s->attempt, clean);
	return 0;
}

static int on_committed(struct session *s, struct frame *f, struct err *err)
{
	(void)f, (void)err;
	if (++s->unit < (by_files(s) ? s->plan->file_unit_count : s->plan->unit_count))
		begin_unit(s);
	else
		finish_remote(s);
	return 0;
}

/* PREPROCESSED may cross what we sent since. */
static int on_late(struct session *s, struct frame *f, struct err *err)
{
	(void)s, (void)f, (void)err;
	return 0;
}

typedef int step(struct session *s, struct frame *f, struct err *err);

static step *const steps[STATES][REQUEST_TYPES] = {
	[ASKING] = { [REQUEST_ASK] = on_ask, [REQUEST_QUERY] = on_query },
	[DESCRIBING] = { [REQUEST_DESCRIPTION] = on_description },
	[WAITING] = { [REQUEST_PREPROCESSED] = on_late, [REQUEST_STARTED] = on_late, [REQUEST_DECLINED] = on_late },
	[PREPARING] = { [REQUEST_STARTED] = on_started, [REQUEST_DECLINED] = on_declined,
			[REQUEST_PREPROCESSED] = on_late },
	[AWAY] = { [REQUEST_PREPROCESSED] = on_preprocessed, [REQUEST_STARTED] = on_late, [REQUEST_DECLINED] = on_late },
	[COMMITTING] = { [REQUEST_COMMITTED] = on_committed, [REQUEST_DECLINED] = on_declined },
	[LEAVING] = { [REQUEST_PREPROCESSED] = on_late, [REQUEST_STARTED] = on_late, [REQUEST_DECLINED] = on_late },
};

static int on_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct session *s = arg;
	step *act = steps[s->state][f->type];

	(void)c;
	s->agent->busy_ms = clock_ms();
	if (!act)
		return err_set(err, ERR_WIRE, "%s in state %d", request_protocol.rules[f->type].name, s->state);
	return act(s, f, err);
}

static void on_conn_end(struct conn *c, void *arg, const struct err *err)
{
	struct session *s = arg;

	(void)c;
	s->conn = NULL;
	if (err->code != ERR_CLOSED && s->state != LEAVING)
		log_warn("wrapper", "pid=%d text=\"%s\"", (int)s->pid, err->text);
	session_end(s);
}

static const struct conn_ops conn_ops = { .on_message = on_message, .on_end = on_conn_end };

/* An attempt's end */

static void on_granted(struct attempt *at, void *arg)
{
	(void)at;
	agent_dispatch(((struct session *)arg)->agent);
}

static void remember_diagnostics(struct session *s, struct attempt *at)
{
	uint64_t hash = attempt_text_hash(at);

	if (hash)
		memory_set_diagnosed(s->agent->memory, s->key, hash);
}

/* Placement */

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

/* The configured volunteers, woken, and whether any can take this, the way it goes. */
static enum place_candidates look_for_candidates(struct session *s)
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

/* What another volunteer may do better. A limit or a full disk here would be met again. */
static bool worth_another(enum reason why)
{
	static const bool worth[REASON_COUNT] = {
		[REASON_SERVER_LOST] = true, [REASON_SERVER_STALLED] = true, [REASON_SERVER_REFUSED] = true,
		[REASON_SERVER_GARBAGE] = true, [REASON_BOX_FAILED] = true, [REASON_JOB_KILLED] = true,
	};

	return worth[why];
}

/*
 * A volunteer failed it: one other, then here. One whose owner came back did
 * not fail it: any other, as long as there is one. False if there is no other.
 */
static bool try_elsewhere(struct session *s, const struct peer *failed, enum reason why)
{
	bool preempted = why == REASON_PREEMPTED;

	if (!failed || (!preempted && (s->first_failure || !worth_another(why))))
		return false;
	s->candidates_fixed = true;
	for (size_t i = 0; i < s->candidate_count; i++)
		if (s->candidates[i] == failed) {
			s->candidates[i] = s->candidates[--s->candidate_count];
			s->caps[i] = s->caps[s->candidate_count];
			break;
		}
	if (look_for_candidates(s) < (preempted ? CANDIDATES_UNKNOWN : CANDIDATES_SOME))
		return false;
	if (!preempted)
		s->first_failure = why;
	s->state = WAITING;
	return true;
}

/* What file mode came to is no fault of a volunteer's: as text then, or again. */
static bool once_more(struct session *s, enum reason why)
{
	if (why == REASON_FILES_UNFIT) {
		memory_set_unfit(s->agent->memory, s->key);
		return try_text(s);
	}
	if (why != REASON_FILES_CHANGED || ++s->changed >= CHANGED_MAX)
		return false;
	stats_add(s->agent->stats, COUNT_RUN_AGAIN, 1);
	s->state = WAITING;
	return true;
}

static void on_ended(struct attempt *at, enum reason why, void *arg)
{
	struct session *s = arg;
	uint64_t sent, received;

	attempt_bytes(at, &sent, &received);
	stats_add(s->agent->stats, COUNT_BYTES_SENT, sent);
	stats_add(s->agent->stats, COUNT_BYTES_RECEIVED, received);
	log_debug("remote", "pid=%d peer=%s reason=%s sent=%llu received=%llu", (int)s->pid, attempt_peer(at),
		  reason_key(why), (unsigned long long)sent, (unsigned long long)received);
	s->attempt = NULL;
	s->preprocessing = false;
	if (by_files(s))
		files_count(s, at);
	else if (why == REASON_DIAGNOSTICS)
		remember_diagnostics(s, at);
	if (why == REASON_NONE) {
		s->state = COMMITTING;
		if (by_files(s))
			files_deliver(s, at);
		else
			send_buf(s, REQUEST_FINISHED, NULL);
	} else if (!by_files(s) && why == REASON_PREPROCESSOR && !s->plain && unit_of(s)->preprocess_plain.count) {
		s->plain = true;
		s->state = WAITING;
		find_toolchain(s);
	} else if (!(by_files(s) && once_more(s, why)) && !try_elsewhere(s, attempt_where(at), why)) {
		must_be_local(s, why);
	}
	agent_dispatch(s->agent);
}

static const struct attempt_events attempt_events = { .granted = on_granted, .ended = on_ended };

static struct place_view view_of(const struct agent *a)
{
	struct place_view v = { .cores = a->cores, .local_running = leases_taken(a->leases) };
	struct session *s;

	TAILQ_FOREACH(s, &a->sessions, link) {
		v.preprocessing += ((s->state == PREPARING && !from_stdin(s)) || s->preprocessing) && !s->below_lease;
		v.ungranted += s->attempt && !by_files(s) && !attempt_granted(s->attempt);
		v.offered += s->loading || (s->attempt && by_files(s) && !attempt_granted(s->attempt));
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
		.stay_remote = s->settings.mode == MODE_TEXT || s->settings.mode == MODE_FILE || !s->settings.local_slots,
	};

	if (j.remote_able)
		j.candidates = look_for_candidates(s);
	return j;
}

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

	prepare_put(&b, &m);
	send_buf(s, REQUEST_PREPARE, &b);
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

	if (filejob_counts(s->loading).manifest == MANIFEST_NONE && too_far(s) && try_text(s))
		filejob_free(ptr_steal(&s->loading));
	else
		begin_attempt(s);
}

static void go_remote(struct session *s)
{
	if (by_files(s)) {
		s->state = AWAY;
		files_go(s, on_loaded);
		return;
	}
	s->state = PREPARING;
	if (!from_stdin(s))
		begin_attempt(s);	/* else no slot is asked for before its source is there */
	send_prepare(s);
}

/* Why it is placed here, where nothing else had settled it. */
static enum reason local_reason(const struct session *s, const struct place_job *j)
{
	if (s->must_local)
		return s->local.reason;
	return j->candidates == CANDIDATES_NONE ? unoffered(s) : REASON_LOCAL_IDLE;
}

/* True if it was placed: the view has changed. */
static bool place(struct session *s, struct place_view v)
{
	struct place_job j = job_view(s);
	enum place_action action;

	if (j.remote_able && j.candidates == CANDIDATES_NONE && try_text(s))
		return true;
	v.waiting -= j.remote_able;
	action = place_decide(&v, &j);
	/* its caller's lease is its own; or it must not wait for one */
	if ((s->below_lease || reads_a_pipe(s)) && action == PLACE_WAIT &&
	    (!j.remote_able || j.candidates == CANDIDATES_NONE))
		action = PLACE_LOCAL;
	if (action == PLACE_LOCAL)
		go_local(s, local_reason(s, &j));
	else if (action == PLACE_REMOTE)
		go_remote(s);
	return action != PLACE_WAIT;
}

/* Attempts that have waited for a grant, while a core is free. */
static void take_back(struct agent *a)
{
	uint64_t now = clock_ms();
	struct session *s, *next;

	for (s = TAILQ_FIRST(&a->sessions); s; s = next) {
		struct place_view v;
		struct place_job j;

		next = TAILQ_NEXT(s, link);
		if (!s->attempt || attempt_granted(s->attempt) || now - s->placed_ms < LOCAL_FIRST_AFTER_MS)
			continue;
		v = view_of(a);
		j = job_view(s);
		if (!place_local_first(&v, &j))
			continue;
		attempt_cancel(ptr_steal(&s->attempt));
		s->preprocessing = false;
		go_local(s, REASON_LOCAL_FIRST);
	}
}

void sessions_dispatch(struct agent *a)
{
	struct place_view v = view_of(a);
	struct session *s, *next;

	for (s = TAILQ_FIRST(&a->sessions); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->state == WAITING && place(s, v))
			v = view_of(a);
	}
	take_back(a);
}

size_t sessions_count(const struct agent *a) { return a->session_count; }

/* What it compiles now; NULL: not known. */
static const char *source_of(const struct session *s)
{
	if (!s->plan)
		return NULL;
	if (by_files(s))
		return s->unit < s->plan->file_unit_count ? file_unit_of(s)->input : NULL;
	return s->unit < s->plan->unit_count ? unit_of(s)->input : NULL;
}

/* Where a command is, for people. */
static struct watch_job describe_job(const struct session *s)
{
	bool away = s->state == AWAY && s->attempt && attempt_granted(s->attempt);
	bool waits = s->state == WAITING || (s->state == AWAY && !s->preprocessing);

	return (struct watch_job){
		.place = away ? WATCH_AWAY : waits ? WATCH_WAITING : WATCH_PREPARING,
		.host = away ? attempt_peer(s->attempt) : "",
		.for_us = clock_us() - (away ? attempt_granted_ms(s->attempt) * 1000 : s->came_us),
		.source = source_of(s) ? source_of(s) : path_base(s->ask.program),
	};
}

size_t sessions_jobs(const struct agent *a, struct watch_job **out)
{
	static const bool shown[STATES] = { [DESCRIBING] = true, [WAITING] = true, [PREPARING] = true, [AWAY] = true };
	struct watch_job *jobs = xcalloc(a->session_count + 1, sizeof *jobs);
	struct session *s;
	size_t n = 0;

	TAILQ_FOREACH(s, &a->sessions, link)
		if (shown[s->state] && !s->ask.explain)
			jobs[n++] = describe_job(s);
	*out = jobs;
	return n;
}

bool sessions_idle(const struct agent *a)
{
	return TAILQ_EMPTY(&a->sessions);
}

void session_new(struct agent *a, int fd)
{
	struct session *s = xcalloc(1, sizeof *s);
	struct ucred cred = { 0 };
	socklen_t len = sizeof cred;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	*s = (struct session){ .agent = a, .pidfd = -1, .pid = cred.pid, .came_us = clock_us() };
	s->conn = conn_new(a->loop, fd, &request_protocol, &conn_ops, s);
	TAILQ_INSERT_TAIL(&a->sessions, s, link);
	a->session_count++;
}
