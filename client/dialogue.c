/*
 * dialogue.c - the wrapper's half of request.h.
 *
 * The agent decides, the wrapper acts: it runs the driver to hear its plan,
 * preprocesses, hands the pipe and the output over, and gives the output its
 * name in the end. It waits for two things at once, the agent's next word
 * and the end of its one child. Whatever goes wrong ends in the compiler
 * being run here; nothing that was begun has a name by then.
 */
#include "dialogue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent.h"
#include "apply.h"
#include "child.h"
#include "environment.h"
#include "fds.h"
#include "file.h"
#include "interrupt.h"
#include "local.h"
#include "output.h"
#include "request.h"

enum { SAID_MAX = REQUEST_BYTES_MAX - 1024, PIPE_BYTES = 1 << 20, SPOOL_CHUNK = 64 * 1024 };

/* What a step leads to. */
enum turn { TURN_WAIT, TURN_EXIT, TURN_LOCAL, TURN_LOST };

struct dialogue {
	const struct dialogue_command *command;
	int agent;
	struct child child;
	bool describing;	/* else the child preprocesses */
	uint32_t round;		/* of the last PREPARE */
	bool clean;		/* the last preprocessor succeeded and printed nothing */
	bool attempted;		/* something was handed over */
	int said;		/* the child's stderr */
	int spool;		/* standard input, once it was read to its end */
	bool spoilt;		/* it was read in part, and can be had no more */
	struct output output;
	struct output dependencies;	/* the `.d` that the preprocessor writes: it gets its name with the output */
	int came;		/* the descriptor that came with the message, closed after its step */
	int status;
	struct err err;
};

/* --- to the agent -------------------------------------------------------- */

static enum turn tell_with(struct dialogue *d, enum request_type type, const struct buf *payload, const int *fds,
			   size_t count)
{
	return agent_send(d->agent, (uint8_t)type, payload, fds, count, &d->err) < 0 ? TURN_LOST : TURN_WAIT;
}

static enum turn tell(struct dialogue *d, enum request_type type, const struct buf *payload)
{
	return tell_with(d, type, payload, NULL, 0);
}

static void drop_outputs(struct dialogue *d)
{
	output_drop(&d->output);
	output_drop(&d->dependencies);
}

static enum turn decline(struct dialogue *d, enum reason why)
{
	autobuf struct buf payload = { 0 };

	drop_outputs(d);
	declined_put(&payload, d->round, why);
	return tell(d, REQUEST_DECLINED, &payload);
}

/*
 * gcc takes the width from its standard input, whatever its stderr is, and
 * has no bound when that says none: so it is with UINT16_MAX, too.
 */
static void measure_terminal(struct ask *ask)
{
	struct winsize size = { 0 };

	ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	ask->columns = size.ws_col ? size.ws_col : UINT16_MAX;
	ask->lines = size.ws_row;
}

/* A directory that was entered before its namespace was is one that the kernel cannot name; $PWD may. Caller frees; NULL: it has no name. */
static char *current_dir(void)
{
	const char *said = getenv("PWD");
	char *name = getcwd(NULL, 0);
	struct stat here, there;

	if (!name && said && *said == '/' && stat(".", &here) == 0 && stat(said, &there) == 0 && here.st_dev == there.st_dev &&
	    here.st_ino == there.st_ino)
		name = xstrdup(said);
	return name;
}

static void fill_ask(struct ask *ask, const struct dialogue_command *command, enum reason after)
{
	*ask = (struct ask){
		.program = xstrdup(command->compiler->file),
		.expanded = argv_copy(command->expanded),
		.cwd = current_dir(),
		.niceness = (int8_t)getpriority(PRIO_PROCESS, 0),
		.cores = local_cores(),
		.explain = (uint8_t)command->explain,
		.quick = (uint8_t)command->quick,
		.after = (uint8_t)after,
		.stderr_tty = isatty(STDERR_FILENO) == 1,
		.umask = (uint16_t)output_umask(),
	};
	if (ask->stderr_tty)
		measure_terminal(ask);
	argv_extend(&ask->argv, command->words);
	argv_set(&ask->argv, 0, command->compiler->argv0);
	environment_collect(&ask->env, environ);
}

/* A command too long for a message is not one that goes elsewhere: ask for a slot only. */
static void put_ask(struct buf *payload, struct ask *ask)
{
	ask_put(payload, ask);
	if (payload->len <= REQUEST_BYTES_MAX)
		return;
	payload->len = 0;
	argv_remove(&ask->argv, 1, ask->argv.count - 1);
	argv_free(&ask->expanded);
	argv_free(&ask->env);
	if (ask->quick == REASON_NONE)
		ask->quick = REASON_UNUSUAL_PLAN;
	ask_put(payload, ask);
}

static enum turn send_ask(struct dialogue *d, enum reason after)
{
	autobuf struct buf payload = { 0 };
	autoclose int self = pidfd_of(getpid());
	struct ask ask;

	if (self < 0) {
		err_sys(&d->err, "pidfd_open");
		return TURN_LOST;
	}
	fill_ask(&ask, d->command, after);
	put_ask(&payload, &ask);
	ask_free(&ask);
	return tell_with(d, REQUEST_ASK, &payload, &self, 1);
}

/* --- the driver's own words ---------------------------------------------- */

static void describe_argv(struct argv *out, const struct dialogue *d, uint8_t kind)
{
	argv_push(out, d->command->compiler->argv0);
	argv_push(out, kind == DESCRIBE_VERSION ? "-v" : "-###");
	if (kind == DESCRIBE_PLAN)
		argv_extend(out, d->command->words + 1);
}

/*
 * The caller's environment, for it may bear on the plan, with two changes.
 * LANGUAGE is read by nothing but gettext, and makes the driver speak
 * English whatever LC_ALL says, so that the agent understands it.
 */
static void describe_environment(struct argv *out, const char *temp_dir)
{
	for (char **e = environ; *e; e++)
		if (!str_starts(*e, "TMPDIR=") && !str_starts(*e, "LANGUAGE="))
			argv_push(out, *e);
	argv_push(out, "LANGUAGE=C");
	argv_pushf(out, "TMPDIR=%s", temp_dir);
}

/* A new file for what the child says. */
static int hear(struct dialogue *d)
{
	if (d->said >= 0)
		close(d->said);
	return d->said = fd_scratch("rcc-stderr");
}

static enum turn tell_description(struct dialogue *d, int status)
{
	autobuf struct buf text = { 0 }, payload = { 0 };
	struct description said = { .status = status, .text = "" };

	if (lseek(d->said, 0, SEEK_SET) == 0 && read_all(d->said, SAID_MAX, &text, NULL) == 0)
		said.text = buf_str(&text);
	else
		said.status = -1;
	description_put(&payload, &said);
	return tell(d, REQUEST_DESCRIPTION, &payload);
}

static void start_describe(struct dialogue *d, const struct describe *what, int null)
{
	autoargv struct argv argv = { 0 }, env = { 0 };
	struct proc_spec spec = { .program = d->command->compiler->file, .fd_in = null, .fd_out = null,
				  .fd_err = d->said };

	describe_argv(&argv, d, what->kind);
	describe_environment(&env, what->temp_dir);
	spec.argv = argv.v;
	spec.envp = env.v;
	child_start(&d->child, &spec, &d->err);
}

static enum turn on_describe(struct dialogue *d, struct reader *in)
{
	autoclose int null = fd_null();
	struct describe what = { 0 };

	child_kill(&d->child);
	if (describe_get(in, &what, &d->err) == 0 && null >= 0 && hear(d) >= 0)
		start_describe(d, &what, null);
	free(what.temp_dir);
	d->describing = true;
	if (d->child.pidfd >= 0)
		return TURN_WAIT;
	return d->said >= 0 ? tell_description(d, -1) : TURN_LOST;
}

/* --- preprocessing -------------------------------------------------------- */

/* All that standard input has, into spool. False, and why in errno, when it cannot be read to its end. */
static bool read_input(struct dialogue *d, int spool)
{
	autofree char *chunk = xmalloc(SPOOL_CHUNK);
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	while (interrupt_poll(&p, 1, -1) > 0) {
		ssize_t n = read(STDIN_FILENO, chunk, SPOOL_CHUNK);

		if (n == 0)
			return true;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		d->spoilt |= n > 0;
		if (n > 0 && write_all(spool, chunk, (size_t)n) < 0)
			return false;
	}
	return false;
}

/* Once. Where nothing could be read, the compiler will find standard input as it was. */
static bool fill_spool(struct dialogue *d)
{
	autoclose int spool = -1;

	if (d->spool >= 0)
		return true;
	spool = fd_scratch("rcc-stdin");
	if (spool < 0 || !read_input(d, spool)) {
		err_sys(&d->err, "standard input");
		return false;
	}
	d->spoilt = false;
	d->spool = fd_steal(&spool);
	return true;
}

/* The preprocessor's standard input: the spool from its start, or nothing. */
static int open_input(struct dialogue *d, const struct prepare *m)
{
	struct stat st;

	if (!m->stdin_input)
		return stat(m->input, &st) == 0 && S_ISREG(st.st_mode) ? fd_null() : -1;
	if (!fill_spool(d) || lseek(d->spool, 0, SEEK_SET) < 0)
		return -1;
	return fd_high(dup(d->spool));
}

/* Runs m->preprocess into a pipe; its read end, or -1. */
static int start_preprocessor(struct dialogue *d, const struct prepare *m, int in)
{
	autofree char *program = proc_find(m->preprocess.v[0], getenv("PATH"), NULL, NULL);
	int ends[2];
	struct proc_spec spec = { .program = program, .argv = m->preprocess.v, .envp = environ, .fd_in = in };
	int rc;

	if (!program || hear(d) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	ends[0] = fd_high(ends[0]);
	ends[1] = fd_high(ends[1]);
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);	/* fewer switches if it may be had */
	spec.fd_out = ends[1];
	spec.fd_err = d->said;
	spec.fd_kept = d->dependencies.fd;
	rc = child_start(&d->child, &spec, &d->err);
	close(ends[1]);
	if (rc == 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

/*
 * A compiler that dies, or a command that fails after all, leaves no `.d`:
 * so the preprocessor writes it where it has no name yet.
 */
static enum reason open_outputs(struct dialogue *d, struct prepare *m)
{
	enum reason why = output_prepare(&d->output, m->output, m->output_kind);
	autofree char *path = NULL;

	if (why != REASON_NONE || !m->dependencies_at)
		return why;
	why = output_prepare(&d->dependencies, m->preprocess.v[m->dependencies_at], OUTPUT_THROUGH);
	if (why != REASON_NONE)
		return why;
	path = xasprintf("/proc/self/fd/%d", d->dependencies.fd);
	argv_set(&m->preprocess, m->dependencies_at, path);
	return REASON_NONE;
}

/* Part of the source is gone: to compile the rest would make a wrong object. */
static enum turn spoilt(struct dialogue *d)
{
	fprintf(stderr, "rcc: %s\n", d->err.text);
	d->status = EXIT_RCC_INTERNAL;
	return TURN_EXIT;
}

static enum turn prepare(struct dialogue *d, struct prepare *m)
{
	autobuf struct buf started = { 0 };
	autoclose int in = open_input(d, m);
	autoclose int text = -1;
	enum reason why;

	if (in < 0 && d->spoilt)
		return spoilt(d);
	if (in < 0)
		return decline(d, REASON_INPUT_ODD);
	why = open_outputs(d, m);
	if (why != REASON_NONE)
		return decline(d, why);
	text = start_preprocessor(d, m, in);
	if (text < 0)
		return decline(d, REASON_PREPROCESSOR);
	d->attempted = true;
	started_put(&started, d->round);
	return tell_with(d, REQUEST_STARTED, &started, (int[]){ text, d->output.fd, d->spool }, m->stdin_input ? 3 : 2);
}

static enum turn on_prepare(struct dialogue *d, struct reader *in)
{
	struct prepare m;
	enum turn turn = TURN_LOST;

	/* another way for the same unit, or the next unit */
	child_kill(&d->child);
	drop_outputs(d);
	d->describing = d->clean = false;
	if (prepare_get(in, &m, &d->err) == 0) {
		d->round = m.round;
		turn = prepare(d, &m);
	}
	prepare_free(&m);
	return turn;
}

static enum turn tell_preprocessed(struct dialogue *d, int status)
{
	autobuf struct buf payload = { 0 };
	struct stat st;

	d->clean = WIFEXITED(status) && WEXITSTATUS(status) == 0 && fstat(d->said, &st) == 0 && st.st_size == 0;
	preprocessed_put(&payload, d->round, d->clean);
	return tell(d, REQUEST_PREPROCESSED, &payload);
}

static enum turn on_child_end(struct dialogue *d)
{
	int status = child_reap(&d->child);

	return d->describing ? tell_description(d, status) : tell_preprocessed(d, status);
}

/* --- how it ends ----------------------------------------------------------- */

static enum turn on_finished(struct dialogue *d, struct reader *in UNUSED)
{
	if (!d->clean)
		return decline(d, REASON_PREPROCESSOR);
	if (d->dependencies.fd >= 0 && output_commit(&d->dependencies, &d->err) < 0)
		return decline(d, REASON_OUTPUT_FAILED);
	if (d->output.fd < 0 || output_commit(&d->output, &d->err) < 0)
		return decline(d, REASON_OUTPUT_FAILED);
	return tell(d, REQUEST_COMMITTED, NULL);
}

/* Part of what was said, as far as anybody listens. False once a signal was noted. */
static bool say(int to, int from, off_t at, uint64_t left)
{
	char chunk[PIPE_BUF];	/* that much a pipe takes at once when it takes any */
	struct pollfd p = { .fd = to, .events = POLLOUT };

	while (left) {
		ssize_t n = pread(from, chunk, left < sizeof chunk ? left : sizeof chunk, at);

		if (n <= 0 || interrupt_poll(&p, 1, -1) < 0)
			return n <= 0;
		n = write(to, chunk, (size_t)n);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return true;	/* closed, or its disk is full: no compiler minds */
		at += n > 0 ? n : 0;
		left -= n > 0 ? (uint64_t)n : 0;
	}
	return true;
}

/* What was said on the one and on the other came in an order that is not known. */
static bool order_is_lost(const struct outcome *m)
{
	struct stat out, error;

	if (!m->out_bytes || !m->err_bytes || fstat(STDOUT_FILENO, &out) < 0 || fstat(STDERR_FILENO, &error) < 0)
		return false;
	return (out.st_dev == error.st_dev && out.st_ino == error.st_ino) ||
	       (isatty(STDOUT_FILENO) && isatty(STDERR_FILENO));
}

static enum turn make_so(struct dialogue *d, const struct outcome *m)
{
	enum reason why = order_is_lost(m) ? REASON_DIAGNOSTICS : apply_outcome(m, d->came);

	if (why != REASON_NONE)
		return decline(d, why);
	d->status = m->status;
	if (!say(STDOUT_FILENO, d->came, 0, m->out_bytes) ||
	    !say(STDERR_FILENO, d->came, (off_t)m->out_bytes, m->err_bytes))
		return TURN_LOST;
	return tell(d, REQUEST_COMMITTED, NULL);
}

static enum turn on_outcome(struct dialogue *d, struct reader *in)
{
	struct outcome m;
	enum turn turn = TURN_LOST;

	/* a unit that was to be preprocessed may have gone the other way */
	child_kill(&d->child);
	drop_outputs(d);
	d->describing = false;
	if (outcome_get(in, &m, &d->err) == 0) {
		d->round = m.round;
		d->attempted = true;
		turn = make_so(d, &m);
	}
	outcome_free(&m);
	return turn;
}

static enum turn on_done(struct dialogue *d UNUSED, struct reader *in UNUSED)
{
	return TURN_EXIT;
}

static enum turn on_local(struct dialogue *d, struct reader *in)
{
	struct local_go m;

	if (local_go_get(in, &m, &d->err) == 0 && *m.lease)
		setenv("RCC_LEASE", m.lease, 1);
	free(m.lease);
	return TURN_LOCAL;
}

static enum turn on_fatal(struct dialogue *d, struct reader *in)
{
	struct fatal m;
	enum turn turn = fatal_get(in, &m, &d->err) < 0 ? TURN_LOST : TURN_EXIT;

	if (turn == TURN_EXIT)
		fprintf(stderr, "rcc: %s\n", m.text);
	d->status = m.status;
	free(m.text);
	return turn;
}

static enum turn on_answer(struct dialogue *d, struct reader *in)
{
	struct fatal m;
	enum turn turn = fatal_get(in, &m, &d->err) < 0 ? TURN_LOST : TURN_EXIT;

	if (turn == TURN_EXIT)
		fputs(m.text, stdout);
	d->status = m.status;
	free(m.text);
	return turn;
}

/* What the agent may say. An empty cell breaks the protocol. */
static enum turn (*const steps[REQUEST_TYPES])(struct dialogue *d, struct reader *in) = {
	[REQUEST_DESCRIBE] = on_describe,
	[REQUEST_PREPARE] = on_prepare,
	[REQUEST_FINISHED] = on_finished,
	[REQUEST_OUTCOME] = on_outcome,
	[REQUEST_DONE] = on_done,
	[REQUEST_LOCAL] = on_local,
	[REQUEST_FATAL] = on_fatal,
	[REQUEST_ANSWER] = on_answer,
};

static enum turn on_message(struct dialogue *d)
{
	autobuf struct buf payload = { 0 };
	struct reader in;
	enum turn turn = TURN_LOST;
	uint8_t type;

	if (agent_receive(d->agent, &type, &payload, &d->came, &d->err) < 0)
		return TURN_LOST;
	in = reader_of(payload.p, payload.len);
	if (steps[type])
		turn = steps[type](d, &in);
	else
		err_set(&d->err, ERR_WIRE, "the agent said %s", request_protocol.rules[type].name);
	if (d->came >= 0)
		close(d->came);
	return turn;
}

/* --- one conversation ------------------------------------------------------- */

static enum turn converse(struct dialogue *d)
{
	enum turn turn = TURN_WAIT;

	while (turn == TURN_WAIT) {
		struct pollfd p[] = { { .fd = d->agent, .events = POLLIN }, { .fd = d->child.pidfd, .events = POLLIN } };

		if (interrupt_poll(p, ARRAY_LEN(p), -1) < 0)
			return TURN_LOST;
		/* the child first: it has ended before the agent saw the end of its text */
		turn = p[1].revents ? on_child_end(d) : on_message(d);
	}
	return turn;
}

/* Nothing stays that was begun, except what was read from standard input. */
static void hang_up(struct dialogue *d)
{
	child_kill(&d->child);
	drop_outputs(d);
	if (d->said >= 0)
		close(d->said);
	if (d->agent >= 0)
		close(d->agent);
	d->said = d->agent = -1;
}

static enum turn attempt(struct dialogue *d, enum reason after)
{
	enum turn turn;

	d->status = 0;
	d->agent = agent_connect(true, &d->err);
	turn = d->agent < 0 ? TURN_LOST : send_ask(d, after);
	if (turn == TURN_WAIT)
		turn = converse(d);
	hang_up(d);
	return turn;
}

static bool fallback_forbidden(void)
{
	const char *v = getenv("RCC_FALLBACK");

	return v && str_eq(v, "0");
}

static enum dialogue_end lost(struct dialogue *d, int *status, struct err *err)
{
	if (!d->attempted || !fallback_forbidden()) {
		*err = d->err;
		return DIALOGUE_NO_AGENT;
	}
	fprintf(stderr, "rcc: %s (and RCC_FALLBACK is 0)\n", d->err.text);
	*status = EXIT_RCC_REMOTE;
	return DIALOGUE_EXIT;
}

enum dialogue_end dialogue_run(const struct dialogue_command *command, int *status, int *spool, struct err *err)
{
	struct dialogue d = { .command = command, .agent = -1, .came = -1, .child = NO_CHILD, .said = -1, .spool = -1,
			    .output = NO_OUTPUT, .dependencies = NO_OUTPUT };
	enum turn turn;

	interrupt_begin();
	turn = attempt(&d, REASON_NONE);
	/* twice: one that dies may still take a connection before it is gone */
	for (int i = 0; i < 2 && turn == TURN_LOST && d.err.code == ERR_CLOSED && !(d.attempted && fallback_forbidden()); i++)
		turn = attempt(&d, d.attempted ? REASON_AGENT_LOST : REASON_NONE);
	interrupt_end();
	*spool = d.spool;
	*status = d.status;
	if (turn == TURN_LOST)
		return lost(&d, status, err);
	return turn == TURN_EXIT ? DIALOGUE_EXIT : DIALOGUE_LOCAL;
}
