/*
 * session.c - what an agent may say on a connection, and when.
 *
 * One table of states and frames decides; an empty cell is a protocol
 * violation and ends that connection, nothing else.
 */
#include "session.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "callers.h"
#include "clock.h"
#include "intake.h"
#include "listen.h"
#include "log.h"
#include "owner.h"
#include "run.h"
#include "slots.h"
#include "toolchains.h"

enum { ANNOUNCED_MAX = 64 };

enum state {
	AWAIT_HELLO,
	CONTROL,
	IDLE,		/* a job connection without a job */
	INPUT,		/* its job is taking input */
	COMPILING,	/* its job has all its input */
	FACTS,		/* its job in file mode waits for what it starts with */
	FILES,		/* its job in file mode asks */
	FILES_OVER,	/* that job is over: what crossed its end is dropped */
	STORE,		/* brings the files of toolchains */
	DISCARD,	/* its job is over before its input was: the rest is dropped */
	SILENT,		/* --fault: nothing is answered */
	STATES
};

struct session {
	struct session *next, **link;	/* in server->sessions */
	struct server *server;
	struct conn *conn;
	struct caller *caller;		/* NULL before HELLO */
	enum wire_role role;
	enum state state;
	uint64_t opened_ms;
	char peer[ADDRESS_TEXT];
	char name[CALLER_TEXT];
	enum codec codec;		/* for output: by where the peer is */
	uint64_t token;			/* redeemed for the job */
	struct job_run *run;
	struct intake *intake;		/* of a STORE connection */
	bool stuck_slot;		/* --fault silent-job: a slot runs without a job */
	struct digest *announced;	/* toolchains the agent asked about; the last ones */
	size_t announced_count;
};

typedef int step(struct session *x, struct frame *f, struct err *err);

static int on_message(struct conn *c, struct frame *f, void *arg, struct err *err);
static void on_drained(struct conn *c, void *arg);
static void on_end(struct conn *c, void *arg, const struct err *err);
static void on_limit(struct conn *c, void *arg, const struct err *err);
/* Closing a job's connection cancels it, even while its box takes no more input. */
static const struct conn_ops ops = { on_message, on_drained, on_end, on_limit, .hangup_cancels = true };

/* For a connection that only writes its last words. */
static int ignore_message(struct conn *c UNUSED, struct frame *f UNUSED, void *arg UNUSED, struct err *err UNUSED)
{
	return 0;
}
static void ignore_end(struct conn *c UNUSED, void *arg UNUSED, const struct err *err UNUSED) {}
static const struct conn_ops parting_ops = { .on_message = ignore_message, .on_end = ignore_end };

static bool is_stranger(const struct session *x) { return x->state == AWAIT_HELLO || x->state == SILENT; }

const char *session_name(const struct session *x) { return x->name; }
struct conn *session_conn(struct session *x) { return x->conn; }
uint64_t session_caller(const struct session *x) { return x->caller->number; }
uint64_t session_token(const struct session *x) { return x->token; }

/* A caller must not fill the disk with what it made us say of it. What was not said is counted. */
static bool may_say(struct server *s)
{
	uint64_t second = clock_ms() / 1000;

	if (second != s->said_second) {
		if (s->unsaid)
			log_info("unsaid", "lines=%u", s->unsaid);
		s->said_second = second;
		s->said = s->unsaid = 0;
	}
	if (s->said < SAID_PER_SECOND)
		return ++s->said;
	s->unsaid++;
	return false;
}

/* Forget the session. Its connection is closed, or left to its last words. */
static void session_free(struct session *x)
{
	struct server *s = x->server;

	if (x->run)
		job_cancel(ptr_steal(&x->run));
	intake_end(ptr_steal(&x->intake));
	if (x->stuck_slot)
		slots_finish(s, x->token, 0);
	if (x->state == CONTROL)
		slots_leave(s, x);
	*x->link = x->next;
	if (x->next)
		x->next->link = x->link;
	s->session_count--;
	if (x->caller)
		caller_leaves(x->caller, x->role);
	s->stranger_count -= is_stranger(x);
	free(x->announced);
	free(x);
	listen_resume(s);
}

void session_bye(struct session *x, enum refusal refusal, const char *text)
{
	struct wire_bye m = { .refusal = (uint8_t)refusal, .text = (char *)(text ? text : refusal_text(refusal)) };
	autobuf struct buf b = { 0 };

	wire_bye_put(&b, &m);
	conn_send(x->conn, WIRE_BYE, 0, &b);
	conn_set_arg(x->conn, &parting_ops, NULL);
	conn_finish(x->conn);
	x->conn = NULL;
	session_free(x);
}

void session_grant(struct session *x, uint32_t id, uint64_t token)
{
	autobuf struct buf b = { 0 };

	wire_grant_put(&b, &(struct wire_grant){ .token = token });
	conn_send(x->conn, WIRE_GRANT, id, &b);
	x->server->ledger.grants++;
}

void session_refuse(struct session *x, uint32_t id, enum refusal refusal, const char *text)
{
	struct wire_refuse m = { .refusal = (uint8_t)refusal, .text = (char *)(text ? text : refusal_text(refusal)) };
	autobuf struct buf b = { 0 };

	wire_refuse_put(&b, &m);
	conn_send(x->conn, WIRE_REFUSE, id, &b);
	x->server->ledger.refused[refusal]++;
	if (may_say(x->server))
		log_info("refused", "peer=%s id=%u why=\"%s\"", x->peer, id, m.text);
}

static void send_state(struct session *x)
{
	struct wire_state m = slots_state(x->server);
	autobuf struct buf b = { 0 };

	wire_state_put(&b, &m);
	conn_send(x->conn, WIRE_STATE, 0, &b);
}

/* What strangers call themselves ends up in logs and pages. */
static void keep_printable(char *out, size_t room, const char *in)
{
	size_t n = 0;

	for (; in[n] && n + 1 < room; n++)
		out[n] = in[n] > ' ' && in[n] < 127 && !strchr("\"'<>&\\", in[n]) ? in[n] : '?';
	out[n] = 0;
}

static void welcome(struct session *x)
{
	const struct options *o = x->server->options;
	struct utsname u;
	struct wire_welcome m = { .version = WIRE_VERSION, .slots = (uint32_t)o->jobs, .processors = owner_processors(x->server), .name = o->name,
				  .build = (char *)VERSION };
	autobuf struct buf b = { 0 };

	uname(&u);
	m.modes = 1 << JOB_TEXT | (x->server->no_files ? 0 : 1 << JOB_FILES);
	m.machine = u.machine;
	m.kernel = u.release;
	wire_welcome_put(&b, &m);
	conn_send(x->conn, WIRE_WELCOME, 0, &b);
}

/* --fault garbage: what no frame looks like. */
static void send_noise(struct session *x)
{
	unsigned char noise[256];

	uv_random(NULL, NULL, noise, sizeof noise, 0, NULL);
	noise[12] = 255;	/* where the first frame would have its type */
	conn_send_bulk(x->conn, 255, 0xdeadbeef, 255, 0xffffffff, noise, sizeof noise);
}

/* ERR_LIMIT: its caller has enough connections. */
static int join_caller(struct session *x, enum wire_role role, struct err *err)
{
	struct server *s = x->server;
	const struct key *key = conn_key(x->conn);
	struct caller *c = caller_of(&s->callers, key ? key->name : NULL, x->name, x->peer, clock_ms());
	int rc = caller_comes(c, role, (unsigned)s->options->jobs, err);

	if (rc < 0)
		return rc;
	x->caller = c;
	x->role = role;
	conn_join(x->conn, &c->share);
	conn_set_backlog(x->conn, role == ROLE_CONTROL ? CONTROL_BACKLOG : JOB_BACKLOG);
	return 0;
}
static const struct { const char *name; enum state state; } roles[ROLES] = {
	[ROLE_CONTROL] = { "control", CONTROL },
	[ROLE_JOB] = { "job", IDLE },
	[ROLE_STORE] = { "store", STORE },
};

static int on_hello(struct session *x, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_hello m;
	struct err why = { 0 };
	int rc = wire_hello_get(&r, &m, err);

	if (rc < 0)
		return rc;
	keep_printable(x->name, sizeof x->name, m.name);
	free(m.name);
	if (x->server->fault == FAULT_SILENT) {
		x->state = SILENT;
		return 0;
	}
	if (x->server->fault == FAULT_GARBAGE) {
		send_noise(x);
		return 0;
	}
	if (m.version != WIRE_VERSION || x->server->draining) {
		session_bye(x, x->server->draining ? REFUSAL_DRAINING : REFUSAL_VERSION, NULL);
		return 0;
	}
	if (join_caller(x, m.role, &why) < 0) {
		session_bye(x, REFUSAL_TOO_MANY, why.text);
		return 0;
	}
	x->state = roles[m.role].state;
	if (x->state == STORE)
		x->intake = intake_new(x, x->server);
	x->server->stranger_count--;
	conn_set_quota(x->conn, 0);
	log_debug("hello", "peer=%s name=%s role=%s key=%s", x->peer, x->name, roles[m.role].name,
		  conn_key(x->conn) ? conn_key(x->conn)->name : "-");
	welcome(x);
	if (x->state == CONTROL)
		send_state(x);
	listen_resume(x->server);
	return 0;
}

static bool has_announced(const struct session *x, const struct digest *id)
{
	for (size_t i = 0; i < x->announced_count; i++)
		if (digest_eq(&x->announced[i], id))
			return true;
	return false;
}

static void remember(struct session *x, const struct digest *id)
{
	if (!x->announced)
		x->announced = xcalloc(ANNOUNCED_MAX, sizeof *id);
	if (x->announced_count == ANNOUNCED_MAX)
		memmove(x->announced, x->announced + 1, --x->announced_count * sizeof *id);
	x->announced[x->announced_count++] = *id;
}

static void say_lacking(struct session *x, const struct digest *id, char *why)
{
	autobuf struct buf b = { 0 };

	wire_toolchain_state_put(&b, &(struct wire_toolchain_state){ .id = *id, .state = TOOLCHAIN_LACKING, .text = why });
	conn_send(x->conn, WIRE_TOOLCHAIN_STATE, 0, &b);
}

static int on_toolchain(struct session *x, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct err why = { 0 };
	struct tree tree;
	struct digest id;
	int rc = tree_get(&r, &tree, err);

	if (rc < 0)
		return rc;
	if (!reader_done(&r)) {
		tree_free(&tree);
		return err_set(err, ERR_WIRE, "TOOLCHAIN: wrong length");
	}
	tree_digest(&tree, &id);
	if (!has_announced(x, &id))
		remember(x, &id);
	if (!toolchain_known(x->server, &id) && caller_announces(x->caller, f->length, clock_ms(), &why) < 0) {
		tree_free(&tree);
		say_lacking(x, &id, why.text);
		return 0;
	}
	toolchain_offer(x->server, &id, &tree);
	return 0;
}

static int on_reserve(struct session *x, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_reserve m;
	int rc = wire_reserve_get(&r, &m, err);

	if (rc < 0)
		return rc;
	if (x->server->fault == FAULT_EXIT_BEFORE_GRANT)
		_exit(1);
	if (x->server->fault == FAULT_REFUSE)
		session_refuse(x, f->id, REFUSAL_BUSY, NULL);
	else if (!toolchain_ready(x->server, &m.toolchain))
		session_refuse(x, f->id, REFUSAL_TOOLCHAIN, NULL);
	else
		slots_reserve(x->server, x, f->id, &m);
	return 0;
}

static int on_cancel(struct session *x, struct frame *f, struct err *err UNUSED)
{
	slots_cancel(x->server, x, f->id);
	return 0;
}

static int on_ping(struct session *x, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	autobuf struct buf b = { 0 };
	uint64_t stamp;
	int rc = wire_ping_get(&r, &stamp, err);

	if (rc < 0)
		return rc;
	wire_pong_put(&b, stamp, clock_time_us());
	conn_send(x->conn, WIRE_PONG, f->id, &b);
	return 0;
}

/* The refusal that an error of job_start() amounts to. */
static enum refusal refusal_of(int code)
{
	return code == ERR_REFUSED ? REFUSAL_PROGRAM : code == ERR_ABSENT ? REFUSAL_TOOLCHAIN : REFUSAL_INTERNAL;
}

/* Until the rest of what was sent for it has come. */
static const enum state over[JOB_MODES] = { [JOB_TEXT] = DISCARD, [JOB_FILES] = FILES_OVER };

/* The grant is used up and a slot runs for this job. */
static void start_job(struct session *x, struct job *job, int8_t niceness)
{
	struct err why = { 0 };
	int rc;

	x->state = job->mode == JOB_FILES ? FACTS : INPUT;
	x->stuck_slot = x->server->fault == FAULT_SILENT_JOB;
	if (x->stuck_slot)
		return;
	rc = job_start(x, x->server, job, niceness, x->codec, &x->run, &why);
	if (rc == 0) {
		conn_set_backlog(x->conn, job->mode == JOB_FILES ? FILES_BACKLOG : JOB_BACKLOG);
		return;
	}
	x->state = over[job->mode];
	slots_finish(x->server, x->token, 0);
	make_printable(why.text);	/* it may name what the job names */
	session_refuse(x, 0, refusal_of(rc), why.text);
}

static int on_job(struct session *x, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	autojob struct job job = { 0 };
	enum refusal refusal;
	int8_t niceness = 0;
	int rc = wire_job_get(&r, &x->token, &job, err);

	if (rc < 0)
		return rc;
	refusal = slots_redeem(x->server, x->token, &niceness);
	if (refusal == REFUSAL_NONE) {
		start_job(x, &job, niceness);
		return 0;
	}
	x->state = over[job.mode];
	session_refuse(x, 0, refusal, NULL);
	return 0;
}

static int on_input(struct session *x, struct frame *f, struct err *err UNUSED)
{
	if (x->server->fault == FAULT_EXIT_ON_INPUT)
		_exit(1);
	if (x->run)
		job_input(x->run, f);
	return 0;
}

static int on_input_end(struct session *x, struct frame *f, struct err *err UNUSED)
{
	x->state = COMPILING;
	if (x->run)
		job_input(x->run, f);
	if (x->server->fault == FAULT_EXIT_COMPILING)
		_exit(1);
	return 0;
}

static int on_facts(struct session *x, struct frame *f, struct err *err UNUSED)
{
	if (x->server->fault == FAULT_EXIT_ON_INPUT)
		_exit(1);
	x->state = FILES;
	if (x->run)
		job_facts(x->run, f);
	if (x->server->fault == FAULT_EXIT_COMPILING)
		_exit(1);
	return 0;
}

static int on_answer(struct session *x, struct frame *f, struct err *err UNUSED)
{
	if (x->run)
		job_facts(x->run, f);
	return 0;
}

static int on_contents(struct session *x, struct frame *f, struct err *err)
{
	return x->run ? job_contents(x->run, f, err) : 0;
}

static int on_late(struct session *x UNUSED, struct frame *f UNUSED, struct err *err UNUSED) { return 0; }

static int on_late_end(struct session *x, struct frame *f UNUSED, struct err *err UNUSED)
{
	x->state = IDLE;
	return 0;
}

static int on_supply(struct session *x, struct frame *f, struct err *err) { return intake_supply(x->intake, f, err); }
static int on_blob(struct session *x, struct frame *f, struct err *err) { return intake_blob(x->intake, f, err); }
static int on_blob_data(struct session *x, struct frame *f, struct err *err) { return intake_data(x->intake, f, err); }
static int on_blob_none(struct session *x, struct frame *f, struct err *err) { return intake_none(x->intake, f, err); }

/*
 * What an agent may say, and when. A job may be over before its input was
 * sent, so its rest is still on the way: DISCARD, FILES_OVER.
 */
static step *const steps[STATES][WIRE_TYPES] = {
	[AWAIT_HELLO] = { [WIRE_HELLO] = on_hello },
	[CONTROL] = { [WIRE_TOOLCHAIN] = on_toolchain, [WIRE_RESERVE] = on_reserve, [WIRE_CANCEL] = on_cancel,
		      [WIRE_PING] = on_ping },
	[IDLE] = { [WIRE_JOB] = on_job },
	[INPUT] = { [WIRE_INPUT] = on_input, [WIRE_INPUT_END] = on_input_end },
	[FACTS] = { [WIRE_FACTS] = on_facts, [WIRE_BLOB] = on_contents, [WIRE_BLOB_DATA] = on_contents,
		    [WIRE_BLOB_NONE] = on_contents },	/* the manifest */
	[FILES] = { [WIRE_ANSWER] = on_answer, [WIRE_BLOB] = on_contents, [WIRE_BLOB_DATA] = on_contents,
		    [WIRE_BLOB_NONE] = on_contents },
	[FILES_OVER] = { [WIRE_FACTS] = on_late, [WIRE_ANSWER] = on_late, [WIRE_BLOB] = on_late, [WIRE_BLOB_DATA] = on_late,
			 [WIRE_BLOB_NONE] = on_late, [WIRE_JOB_END] = on_late_end },
	[STORE] = { [WIRE_SUPPLY] = on_supply, [WIRE_BLOB] = on_blob, [WIRE_BLOB_DATA] = on_blob_data,
		    [WIRE_BLOB_NONE] = on_blob_none },
	[DISCARD] = { [WIRE_INPUT] = on_late, [WIRE_INPUT_END] = on_late_end, [WIRE_JOB] = on_job },
};

static const char *const state_names[STATES] = {
	[AWAIT_HELLO] = "before HELLO", [CONTROL] = "on a control connection", [IDLE] = "without a job",
	[INPUT] = "during input", [COMPILING] = "while compiling", [FACTS] = "before FACTS", [FILES] = "during a job in file mode",
	[FILES_OVER] = "after a job in file mode", [STORE] = "on a store connection", [DISCARD] = "after a job", [SILENT] = "in silence",
};

void session_violation(struct session *x, const struct err *err)
{
	struct err why = *err;

	make_printable(why.text);
	if (may_say(x->server))
		log_warn("violation", "peer=%s name=%s why=\"%s\"", x->peer, x->name, why.text);
	session_bye(x, REFUSAL_PROTOCOL, why.text);
}

static int on_message(struct conn *c UNUSED, struct frame *f, void *arg, struct err *err UNUSED)
{
	struct session *x = arg;
	step *act = steps[x->state][f->type];
	struct err why = { 0 };
	int rc;

	if (x->state == SILENT)
		return 0;
	rc = act ? act(x, f, &why) : err_set(&why, ERR_WIRE, "%s %s", wire_protocol.rules[f->type].name,
					     state_names[x->state]);
	if (rc < 0)
		session_violation(x, &why);
	return 0;
}

static void on_drained(struct conn *c UNUSED, void *arg)
{
	struct session *x = arg;

	if (x->run)
		job_resume_output(x->run);
}

static void on_end(struct conn *c UNUSED, void *arg, const struct err *err)
{
	struct session *x = arg;

	if (err->code == ERR_CLOSED || may_say(x->server))
		log_line(err->code == ERR_CLOSED ? LOG_DEBUG : LOG_WARN, "gone", "peer=%s name=%s why=\"%s\"", x->peer,
			 x->name, err->text);
	x->conn = NULL;
	session_free(x);
}

static void on_limit(struct conn *c UNUSED, void *arg, const struct err *err)
{
	struct session *x = arg;

	if (may_say(x->server))
		log_warn("limit", "peer=%s name=%s why=\"%s\"", x->peer, x->name, err->text);
	session_bye(x, REFUSAL_LIMIT, err->text);
}

void session_job_over(struct session *x)
{
	x->run = NULL;
	x->state = x->state == COMPILING ? IDLE : x->state == INPUT ? DISCARD : FILES_OVER;
	conn_resume(x->conn);
}

static void on_hello_timer(uv_timer_t *timer)
{
	struct server *s = timer->data;
	uint64_t now_ms = clock_ms();

	for (struct session *x = s->sessions, *next; x; x = next) {
		next = x->next;
		if (x->state == AWAIT_HELLO && now_ms - x->opened_ms >= HELLO_MS)
			session_bye(x, REFUSAL_PROTOCOL, "no HELLO");
	}
	if (!s->stranger_count)
		uv_timer_stop(timer);
}

static struct session *oldest_stranger(const struct server *s)
{
	struct session *oldest = NULL;

	for (struct session *x = s->sessions; x; x = x->next)
		if (x->state == AWAIT_HELLO)
			oldest = x;
	return oldest;
}

bool sessions_have_room(const struct server *s)
{
	const struct session *x;

	if (s->stranger_count < STRANGERS_MAX)
		return true;
	x = oldest_stranger(s);
	return x && clock_ms() - x->opened_ms >= STRANGER_MS;
}

static void lock_out(struct session *x)
{
	log_info("locked-out", "peer=%s name=%s why=\"its key is no longer one of ours\"", x->peer, x->name);
	conn_close(ptr_steal(&x->conn));
	session_free(x);
}

void sessions_check_keys(struct server *s)
{
	for (struct session *x = s->sessions, *next; x; x = next) {
		const struct key *shown = conn_key(x->conn), *now = NULL;

		next = x->next;
		if (shown)
			now = keys_find(s->keys, shown->name, strlen(shown->name));
		if ((x->state == CONTROL || x->state == IDLE || x->state == STORE) && !(now && key_eq(shown, now)))
			lock_out(x);
	}
}

void session_open(struct server *s, int fd, const struct address *peer)
{
	struct session *x = xcalloc(1, sizeof *x);

	*x = (struct session){ .server = s, .state = AWAIT_HELLO, .opened_ms = clock_ms(), .name = "?",
			       .next = s->sessions, .link = &s->sessions,
			       .codec = address_is_loopback(peer) ? CODEC_NONE : CODEC_LZ4 };
	address_text(peer, x->peer);
	if (x->next)
		x->next->link = &x->next;
	s->sessions = x;
	s->session_count++;
	s->stranger_count++;
	x->conn = conn_new(s->loop, fd, &wire_protocol, &ops, x);
	conn_set_quota(x->conn, STRANGER_BYTES);
	if (s->keys)
		conn_seal(x->conn, SEAL_VOLUNTEER, s->keys);
	if (s->stranger_count > STRANGERS_MAX)
		session_bye(oldest_stranger(s), REFUSAL_TOO_MANY, "too slow to say HELLO");
	if (s->session_count > SESSIONS_MAX) {
		session_bye(x, REFUSAL_TOO_MANY, NULL);
		return;
	}
	if (!uv_is_active((uv_handle_t *)&s->hello_timer))
		uv_timer_start(&s->hello_timer, on_hello_timer, HELLO_MS, 500);
}

unsigned sessions_agents(const struct server *s)
{
	unsigned n = 0;

	for (const struct session *x = s->sessions; x; x = x->next)
		n += x->state == CONTROL;
	return n;
}

void sessions_push_state(struct server *s)
{
	for (struct session *x = s->sessions; x; x = x->next)
		if (x->state == CONTROL)
			send_state(x);
}

void sessions_push_toolchain(struct server *s, const struct wire_toolchain_state *m)
{
	autobuf struct buf b = { 0 };

	wire_toolchain_state_put(&b, m);
	for (struct session *x = s->sessions; x; x = x->next)
		if (x->state == CONTROL && has_announced(x, &m->id))
			conn_send(x->conn, WIRE_TOOLCHAIN_STATE, 0, &b);
}

void sessions_drop(struct server *s)
{
	while (s->sessions) {
		struct session *x = s->sessions;

		conn_close(ptr_steal(&x->conn));
		session_free(x);
	}
}

void sessions_close(struct server *s, enum refusal refusal)
{
	while (s->sessions)
		session_bye(s->sessions, refusal, NULL);
}
