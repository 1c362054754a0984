/*
 * session.c - what a wrapper may say in which state, and the step for each.
 *
 * A step sees one message and returns; placement (session_place.c) happens later, in
 * sessions_dispatch(), so that no step is entered from another.
 */
#include "session_inner.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "answer.h"
#include "clock.h"
#include "environment.h"
#include "explain.h"
#include "log.h"
#include "planner.h"
#include "proc.h"
#include "threads.h"
#include "toolchain_data.h"

/* A toolchain being found off the loop. The session may end first. */
struct closure {
	uv_work_t work;
	struct session *session;
	struct toolchains *toolchains;
	struct toolchain_question question;
	char *library_path;	/* the caller's LD_LIBRARY_PATH, or NULL */
	const struct toolchain *found;
	struct err err;
};

enum {
	ALIKE_MS = 1000,	/* a driver that takes longer keeps nobody else */
	ALIKE_MAX = 3,
};

void session_settled(struct session *s)
{
	if (s->planned && !s->settled)
		burst_settled(&s->agent->burst);
	s->settled = true;
}

static void session_end(struct session *s)
{
	s->agent->session_count--;
	s->agent->descriptions += s->state == DESCRIBING;
	session_settled(s);
	if (s->planned)
		burst_left(&s->agent->burst, clock_us());
	TAILQ_REMOVE(&s->agent->sessions, s, link);
	away_give_up(s);
	if (s->closure)
		s->closure->session = NULL;
	if (s->conn)
		conn_finish(s->conn);
	if (s->pidfd >= 0)
		close(s->pidfd);
	plan_free(s->plan);
	ask_free(&s->ask);
	settings_free(&s->settings);
	toolchain_question_free(&s->unproven);
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
	away_give_up(s);
	s->state = LEAVING;
	agent_dispatch(s->agent);
}

void session_send(struct session *s, enum request_type type, const struct buf *b)
{
	conn_send(s->conn, (uint8_t)type, 0, b);
}

static void go_fatal(struct session *s, enum exit_status status, const char *text)
{
	autobuf struct buf b = { 0 };
	struct fatal m = { .status = (uint8_t)status, .text = (char *)text };

	fatal_put(&b, &m);
	session_send(s, REQUEST_FATAL, &b);
	session_leave(s);
}

/*
 * Its source comes from another process, which may wait for a slot itself:
 * it must not hold the one that the other waits for.
 */
bool session_reads_a_pipe(const struct session *s)
{
	return s->local.reason == REASON_INPUT_ODD || argv_has(&s->ask.argv, "-");
}

static unsigned slots_here(const struct session *s)
{
	return session_reads_a_pipe(s) ? 0 : threads_of(&s->ask.argv, s->agent->cores);
}

/* The wrapper execs its compiler now, and holds a slot until that ends. */
void session_go_local(struct session *s, enum reason reason)
{
	struct stats *st = s->agent->stats;
	struct local_go m = { .reason = (uint8_t)reason, .lease = (char *)"" };
	struct lease_note note = placing_note(s);
	autobuf struct buf b = { 0 };

	session_settled(s);
	stats_add(st, reason_is_fallback(reason) ? COUNT_JOBS_FALLBACK : COUNT_JOBS_LOCAL, 1);
	stats_reason(st, reason, 1, reason_is_fallback(reason) ? clock_us() - s->came_us : 0);
	if (s->pidfd >= 0)
		m.lease = (char *)lease_new(s->agent->leases, s->pid, fd_steal(&s->pidfd),
					    environment_get(&s->ask.env, "RCC_LEASE"), slots_here(s), reason, &note);
	log_debug("local", "pid=%d reason=%s", (int)s->pid, reason_key(reason));
	local_go_put(&b, &m);
	session_send(s, REQUEST_LOCAL, &b);
	session_leave(s);
}

/* From now on only a local core is wanted. */
void session_must_be_local(struct session *s, enum reason reason)
{
	if (reason_is_fallback(reason) && s->has_settings && !s->settings.fallback) {
		autofree char *text = xasprintf("remote attempt failed: %s; RCC_FALLBACK=0 forbids to compile here",
						reason_text(reason));

		stats_reason(s->agent->stats, reason, 1, clock_us() - s->came_us);
		go_fatal(s, EXIT_RCC_REMOTE, text);
		return;
	}
	session_settled(s);
	s->must_local = true;
	s->local.reason = reason;
	s->state = WAITING;
	agent_dispatch(s->agent);
}

static void describe(struct session *s, enum describe_kind kind)
{
	struct describe m = { .kind = (uint8_t)kind, .temp_dir = s->agent->temp_dir };
	autobuf struct buf b = { 0 };

	log_debug("describe", "pid=%d kind=%d", (int)s->pid, kind);
	s->describing = kind;
	s->state = DESCRIBING;
	describe_put(&b, &m);
	session_send(s, REQUEST_DESCRIBE, &b);
}

/* Toolchain */

static void on_closure_work(uv_work_t *work)
{
	struct closure *c = work->data;

	if (toolchain_find(c->toolchains, &c->question.programs, &c->question.needs, &c->found, &c->err) < 0 ||
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
	toolchain_question_free(&c->question);
	free(c->library_path);
	free(c);
}

static struct toolchain_question question_of(const struct session *s)
{
	struct toolchain_question q = { 0 };
	const struct job *job = job_of(s);

	for (size_t i = 0; i < job->step_count; i++)
		argv_push(&q.programs, job->steps[i].program);
	/* a job that says anything is done again here, so what it would say it with does not count */
	data_needs(job, &s->ask.env, DATA_OUTPUT, &q.needs);
	return q;
}

/* It is taken to be what it was, where the worker that looks up the job's past will see whether it is. */
static bool recall_toolchain(struct session *s, const struct toolchain_question *q, const char *library_path)
{
	s->toolchain = by_files(s) && !library_path ? toolchain_last(s->agent->toolchains, &q->programs, &q->needs) : NULL;
	return s->toolchain;
}

void session_find_toolchain(struct session *s)
{
	const char *library_path = environment_get(&s->ask.env, "LD_LIBRARY_PATH");
	struct toolchain_question q = question_of(s);
	struct closure *c;

	toolchain_question_free(&s->unproven);
	if (s->closure)
		s->closure->session = NULL;	/* the other way's, still under way */
	s->closure = NULL;
	s->toolchain_failed = false;
	if (recall_toolchain(s, &q, library_path)) {
		s->unproven = q;
		return;
	}
	c = xcalloc(1, sizeof *c);
	*c = (struct closure){ .session = s, .toolchains = s->agent->toolchains, .question = q,
			       .library_path = library_path ? xstrdup(library_path) : NULL };
	c->work.data = c;
	s->closure = c;
	uv_queue_work(s->agent->loop, &c->work, on_closure_work, on_closure_done);
}

/* Plan */

static void begin_unit(struct session *s)
{
	s->state = WAITING;
	s->plain = false;
	placing_predict(s);
	session_find_toolchain(s);
	agent_dispatch(s->agent);
}

static void finish_remote(struct session *s)
{
	stats_add(s->agent->stats, COUNT_JOBS_REMOTE, 1);
	stats_add(s->agent->stats, COUNT_JOBS_FILES, by_files(s));
	session_send(s, REQUEST_DONE, NULL);
	session_end(s);
}

/* Ways */

static bool can_go_as_text(const struct session *s)
{
	return s->plan->verdict.kind == VERDICT_TEXT && s->settings.mode != MODE_FILE;
}

/* The first way is no way: is there another? */
bool session_try_text(struct session *s)
{
	if (!by_files(s) || s->unit || !can_go_as_text(s))
		return false;
	s->mode = JOB_TEXT;
	begin_unit(s);
	return true;
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
		session_must_be_local(s, s->local.reason);
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
		session_must_be_local(s, REASON_UNUSUAL_PLAN);
		return;
	}
	follow_plan(s);
}

/*
 * At a build's start many commands come at once that are the same but for names: one asks the driver, and the others wait for
 * what it learns: what kind of driver it is, and two plans (plan_cache.h). No longer, so that commands which are not alike do
 * not ask one after the other.
 */
static bool wait_for_alike(struct session *s)
{
	const struct session *o;

	if (s->waited_alike == ALIKE_MAX || s->ask.explain)
		return false;
	TAILQ_FOREACH(o, &s->agent->sessions, link)
		if (o != s && o->state == DESCRIBING && o->driver.st_ino == s->driver.st_ino && o->driver.st_dev == s->driver.st_dev) {
			s->waited_alike++;
			s->descriptions = s->agent->descriptions;
			s->alike_ms = clock_ms();
			s->state = ALIKE;
			log_debug("alike", "pid=%d waits_for=%d", (int)s->pid, (int)o->pid);
			return true;
		}
	return false;
}

static void plan_by_driver(struct session *s)
{
	enum driver_kind kind = memory_driver(s->agent->memory, &s->driver);
	autofree char *cached = NULL;

	if (kind == DRIVER_UNKNOWN) {
		if (!wait_for_alike(s))
			describe(s, DESCRIBE_VERSION);
		return;
	}
	if (kind == DRIVER_NOT_ONE) {
		session_must_be_local(s, REASON_NOT_A_DRIVER);
		return;
	}
	cached = planner_recall(s->agent->planner, &s->ask, &s->driver);
	if (cached)
		make_plan(s, kind, cached, false);
	else if (!wait_for_alike(s))
		describe(s, DESCRIBE_PLAN);
}

void session_plan_again(struct session *s)
{
	if (s->descriptions != s->agent->descriptions || clock_ms() - s->alike_ms > ALIKE_MS)
		plan_by_driver(s);
}

/* Frames */

/* Are the wrapper's files ours? We look at them by our own root and mounts, which stay what they are. */
static bool same_files(pid_t pid)
{
	static const char *const names[] = { "ns/mnt", "root" };
	static struct stat ours[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64];
		struct stat st;

		if (!ours[i].st_ino) {
			snprintf(path, sizeof path, "/proc/self/%s", names[i]);
			if (stat(path, &ours[i]) < 0)
				return false;
		}
		snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, names[i]);
		if (stat(path, &st) < 0 || st.st_ino != ours[i].st_ino || st.st_dev != ours[i].st_dev)
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

static void begin_plan(struct session *s)
{
	s->planned = !s->ask.explain;
	if (s->planned)
		burst_came(&s->agent->burst, clock_us());
	plan_by_driver(s);
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
	rc = settings_load(&s->ask.env, s->agent->spare, &s->settings, err);
	if (rc == ERR_CONFIG) {
		go_fatal(s, EXIT_RCC_CONFIG, err->text);
		return 0;
	}
	if (rc < 0) {
		log_warn("settings", "text=\"%s\"", err->text);
		session_must_be_local(s, REASON_NO_HOSTS);
		return 0;
	}
	s->has_settings = true;
	s->below_lease = lease_live(s->agent->leases, environment_get(&s->ask.env, "RCC_LEASE"));
	s->key = command_key(s->ask.cwd, &s->ask.argv);
	early = early_reason(s);
	if (s->ask.explain && early != REASON_NONE)
		explain_quick(s, early);
	else if (early != REASON_NONE)
		session_must_be_local(s, early);
	else
		begin_plan(s);
	return 0;
}

static int on_description(struct session *s, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct description m = { 0 };
	int rc = description_get(&r, &m, err);

	if (rc == 0) {
		s->agent->descriptions++;
		agent_dispatch(s->agent);
	}
	if (rc == 0 && s->describing == DESCRIBE_VERSION) {
		/* one that could not be run now may be run later: nothing is learnt of it */
		if (!WIFEXITED(m.status)) {
			session_must_be_local(s, REASON_DRIVER_FAILED);
		} else {
			memory_set_driver(s->agent->memory, &s->driver,
					  m.status == 0 ? driver_kind_of(m.text) : DRIVER_NOT_ONE);
			plan_by_driver(s);
		}
	} else if (rc == 0 && m.status != 0) {
		if (s->ask.explain)
			explain_quick(s, REASON_DRIVER_FAILED);
		else
			session_must_be_local(s, REASON_DRIVER_FAILED);
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
		away_attempt(s);
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
	away_give_up(s);
	session_must_be_local(s, reason);
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
	placing_preprocessed(s);
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
		.for_us = clock_us() - (away ? attempt_granted_us(s->attempt) : s->came_us),
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
