/*
 * steps.c - the box's loop: input in, programs run, what they say captured.
 *
 * The first program reads while its input still arrives, but what it reads
 * from only ends once the whole input has been verified: half a source never
 * compiles to an object.
 */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clock.h"
#include "codec.h"
#include "confine.h"
#include "file.h"
#include "program.h"
#include "root.h"
#include "syscalls.h"
#include "usage.h"

enum {
	BACKLOG_MAX = 256 * 1024,	/* input read ahead of the first program */
	PIPE_SIZE = 1 << 20,
	CAPTURE_MAX = 16 << 20,		/* of stdout, and of stderr */
	CAPTURE_CHUNK = 64 * 1024,
	SAMPLE_MS = 125,		/* how often its memory is looked at */
	SAMPLES_TOLD = 2,		/* each second time rccd is told */
	OPEN_MS = 1,			/* how often we look whether a program has opened its input */
};

struct steps {
	struct link *link;
	const struct box_request *q;
	struct borrowed *files;	/* NULL: text mode */
	struct captured *captured;
	struct job_result *result;
	struct argv env;
	uint64_t started_us;

	XXH3_state_t hash;
	uint64_t input_bytes;
	bool input_whole;	/* all there, and verified */
	int input_file;		/* job.input_name; -1: none, or complete, or a pipe */
	bool unopened;		/* it is a pipe that the program has not opened yet */
	int feed;		/* stdin of the first program, or that pipe; -1: none, or closed */
	struct buf backlog;	/* for it */
	size_t backlog_at;

	pid_t pid;		/* of the program that runs; 0: none */
	int watch;		/* tells of its calls that are not allowed; -1: none, or they kill it */
	size_t started;		/* how many have been */
	uint64_t sample_us;	/* when to look at it next */
	unsigned samples;
	bool over;		/* nothing more is to be started: the result stands */
	int children;		/* signalfd */
	int out[2], err[2];	/* pipes; or err a terminal */
	int report;		/* of a program that has yet to execute; -1: none */
};

static void finish(struct steps *s, enum job_outcome outcome, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The first reason stands. */
static void finish(struct steps *s, enum job_outcome outcome, const char *fmt, ...)
{
	va_list ap;

	if (s->over)
		return;
	s->over = true;
	s->result->outcome = (uint8_t)outcome;
	va_start(ap, fmt);
	vsnprintf(s->result->text, sizeof s->result->text, fmt, ap);
	va_end(ap);
}

/* The end of a pipe into the first program. */
static void feed_into(struct steps *s, int fd)
{
	fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);	/* fewer turns; refused: fine */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	s->feed = fd;
}

/* stdin of a step: the pipe, the input's file, or nothing. */
static int step_stdin(struct steps *s, const struct job_step *step, struct err *err)
{
	const char *name = s->q->job.input_name;
	int pipe_fds[2], fd;

	if (s->files) {
		fd = fcntl(borrowed_null(s->files), F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? err_sys(err, "/dev/null") : fd;
	}
	if (!step->stdin_input) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_sys(err, "/dev/null") : fd;
	}
	if (*name) {
		fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? err_sys(err, "%s", name) : fd;
	}
	if (s->started > 1)
		return err_set(err, ERR_UNSUPPORTED, "the input went to the first program");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	feed_into(s, pipe_fds[1]);
	return pipe_fds[0];
}

static void start_step(struct steps *s)
{
	const struct job_step *step = &s->q->job.steps[s->started++];
	struct err err = { 0 };
	autoclose int in = step_stdin(s, step, &err);
	struct program p = { .q = s->q, .step = step, .env = s->env.v, .fds = { in, s->out[1], s->err[1] } };

	s->result->step = (uint8_t)(s->started - 1);
	if (in < 0) {
		finish(s, JOB_BOX_FAILED, "%.120s", err.text);
		return;
	}
	s->unopened = s->q->input_pipe && s->started == 1;
	s->pid = program_start(&p);
	s->watch = p.watch;
	s->report = p.report;
	s->sample_us = clock_us() + SAMPLE_MS * 1000;
	if (p.failure) {
		s->pid = 0;	/* if there is a child, it has exited and is reaped with the rest */
		finish(s, JOB_BOX_FAILED, "%.80s: %s", step->program, strerror(p.failure));
	}
}

static void close_feed(struct steps *s)
{
	if (s->feed >= 0)
		close(s->feed);
	s->feed = -1;
	s->unopened = false;
	buf_free(&s->backlog);
	s->backlog_at = 0;
}

static void close_watch(struct steps *s)
{
	if (s->watch >= 0)
		close(s->watch);
	if (s->report >= 0)
		close(s->report);
	s->watch = s->report = -1;
}

/* It executes now, or could not. */
static void take_report(struct steps *s)
{
	const struct job *job = &s->q->job;
	int failure;

	switch (program_report(fd_steal(&s->report), &failure)) {
	case PROGRAM_EXECUTES:
		return;
	case PROGRAM_NO_DIRECTORY:
		finish(s, JOB_UNFIT, "%.80s: %s", job->caller.cwd, strerror(failure));
		return;
	case PROGRAM_FAILED:
		finish(s, JOB_BOX_FAILED, "%.80s: %s", job->steps[s->result->step].program, strerror(failure));
		return;
	}
}

/* It made a call that is not allowed, and waits in it until it is killed with the rest. */
static void refuse_call(struct steps *s)
{
	char name[SYSCALL_NAME];

	if (syscalls_refused(s->watch, name))
		finish(s, JOB_LIMIT, "system call %s is not allowed", name);
}

/* Input towards the first program, as much as it takes now. */
static void feed(struct steps *s)
{
	while (s->feed >= 0 && s->backlog_at < s->backlog.len) {
		ssize_t n = write(s->feed, s->backlog.p + s->backlog_at, s->backlog.len - s->backlog_at);

		if (n < 0 && errno == EAGAIN) {
			if (s->backlog_at > BACKLOG_MAX) {
				buf_drop(&s->backlog, s->backlog_at);
				s->backlog_at = 0;
			}
			return;
		}
		if (n < 0 && errno != EINTR)
			close_feed(s);	/* it does not want the rest */
		else if (n > 0)
			s->backlog_at += (size_t)n;
	}
	if (s->unopened)
		return;
	s->backlog.len = s->backlog_at = 0;
	if (s->input_whole)
		close_feed(s);
}

/* The input's pipe can be opened once the program has done so. Nobody can do it twice, and wait for ever. */
static void try_feed(struct steps *s)
{
	const char *name = s->q->job.input_name;
	int fd = s->unopened ? open(name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	unlink(name);
	s->unopened = false;
	feed_into(s, fd);
	feed(s);
}

static int store_input(struct steps *s, size_t before)
{
	if (s->input_file < 0)
		return 0;
	if (write_all(s->input_file, s->backlog.p + before, s->backlog.len - before) < 0) {
		finish(s, errno == EFBIG ? JOB_LIMIT : JOB_BOX_FAILED, "write the input: %s", strerror(errno));
		return -1;
	}
	s->backlog.len = before;
	return 0;
}

static void take_input(struct steps *s, const struct frame *f)
{
	size_t before = s->backlog.len;
	struct err err = { 0 };

	if (s->input_bytes + f->raw > s->q->input_bytes) {
		finish(s, JOB_LIMIT, "input: more than %llu bytes", (unsigned long long)s->q->input_bytes);
		return;
	}
	if (codec_unpack(f->codec, f->payload, f->length, f->raw, &s->backlog, &err) < 0) {
		finish(s, JOB_BAD_INPUT, "%.120s", err.text);
		return;
	}
	XXH3_64bits_update(&s->hash, s->backlog.p + before, f->raw);
	s->input_bytes += f->raw;
	if (store_input(s, before) == 0 && s->started && s->feed < 0 && !s->unopened)
		s->backlog.len = before;	/* nobody reads it, but it is verified all the same */
}

static void take_input_end(struct steps *s, const struct frame *f)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_input_end m;
	struct err err = { 0 };

	if (wire_input_end_get(&r, &m, &err) < 0) {
		finish(s, JOB_BAD_INPUT, "%.120s", err.text);
		return;
	}
	if (m.bytes != s->input_bytes || m.hash != XXH3_64bits_digest(&s->hash)) {
		finish(s, JOB_BAD_INPUT, "input of %llu bytes is not what was sent", (unsigned long long)s->input_bytes);
		return;
	}
	s->input_whole = true;
	if (s->input_file >= 0)
		close(s->input_file);
	s->input_file = -1;
}

static bool has_room(const struct steps *s) { return s->backlog.len - s->backlog_at < BACKLOG_MAX; }

/* Frames that have been read, as long as there is room for what they unpack to: it may be a thousand times as much. */
static void take_some(struct steps *s)
{
	struct err err = { 0 };
	struct frame f;
	int rc = 0;

	while (!s->over && has_room(s) && rc >= 0 && (rc = link_next(s->link, &f, &err)) > 0) {
		if (s->files && borrowed_take(s->files, &f, &rc, &err))
			continue;
		if (f.type == WIRE_INPUT && !s->input_whole)
			take_input(s, &f);
		else if (f.type == WIRE_INPUT_END && !s->input_whole)
			take_input_end(s, &f);
		else
			finish(s, JOB_BAD_INPUT, "an unexpected %s", wire_protocol.rules[f.type].name);
	}
	if (rc < 0)
		finish(s, JOB_BAD_INPUT, "%.120s", err.text);
}

/* All of them, or until the program does not keep up: nothing would wake us for those that were read already. */
static void take_frames(struct steps *s)
{
	bool full;

	do {
		take_some(s);
		full = !has_room(s);
		feed(s);
	} while (full && has_room(s) && !s->over);
}

static void capture(struct steps *s, int fd, struct buf *out, const char *name)
{
	ssize_t n;

	do {
		buf_reserve(out, CAPTURE_CHUNK);
		n = read(fd, out->p + out->len, out->room - out->len);
		if (n > 0)
			out->len += (size_t)n;
		if (out->len > CAPTURE_MAX)
			finish(s, JOB_LIMIT, "%s: more than %d bytes", name, CAPTURE_MAX);
	} while (n > 0 && !s->over);
}

static void capture_all(struct steps *s)
{
	capture(s, s->out[0], &s->captured->out, "stdout");
	capture(s, s->err[0], &s->captured->err, "stderr");
}

/* The step that ran has ended. */
static void step_ended(struct steps *s, int status)
{
	struct job_result *r = s->result;

	s->pid = 0;
	close_feed(s);
	close_watch(s);
	if (s->files)
		borrowed_program_ended(s->files);
	capture_all(s);
	r->exit_status = WIFEXITED(status) ? (uint8_t)WEXITSTATUS(status) : 0;
	r->signal = WIFSIGNALED(status) ? (uint8_t)WTERMSIG(status) : 0;
}

static bool failed(const struct steps *s) { return s->result->exit_status || s->result->signal; }

static bool too_much(const struct steps *s, uint64_t kb) { return s->q->memory_bytes && kb > s->q->memory_bytes / 1024; }

static void finish_for_memory(struct steps *s)
{
	finish(s, JOB_LIMIT, "memory: more than %llu MB", (unsigned long long)s->q->memory_bytes >> 20);
}

/* The steps ran, and the input was whole: how did the last one end? */
static void conclude(struct steps *s)
{
	uint8_t signal = s->result->signal;

	/* it met the kernel's limit before we had looked */
	if (failed(s) && too_much(s, s->result->max_rss_kb))
		finish_for_memory(s);
	if (signal == SIGXCPU)
		finish(s, JOB_LIMIT, "processor time: more than %u s", s->q->cpu_seconds);
	if (signal == SIGXFSZ)
		finish(s, JOB_LIMIT, "a file of more than %llu bytes", (unsigned long long)s->q->file_bytes);
	if (signal == SIGSYS && s->q->confined)
		finish(s, JOB_LIMIT, "a system call is not allowed");
	finish(s, JOB_RAN, "%s", "");
}

/* Whoever has exited: the step, or what it left behind. */
static void reap(struct steps *s)
{
	struct signalfd_siginfo any;
	struct rusage used;
	int status;
	pid_t pid;

	if (read(s->children, &any, sizeof any) < 0 && errno != EAGAIN)
		return;
	while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
		if ((uint64_t)used.ru_maxrss > s->result->max_rss_kb)
			s->result->max_rss_kb = (uint64_t)used.ru_maxrss;
		if (pid == s->pid)
			step_ended(s, status);
	}
}

/* Start what can be started; notice when all is done. */
static void advance(struct steps *s)
{
	const struct job *job = &s->q->job;

	if (s->over || s->pid)
		return;
	if (s->started < job->step_count && !failed(s)) {
		if (s->input_whole || s->input_file < 0)
			start_step(s);
	} else if (s->input_whole) {
		/* not before: a program that saw a damaged input has proved nothing */
		conclude(s);
	}
}

static uint64_t us_of(const struct timeval *t) { return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec; }

/* Of all that have ended and been waited for. */
static uint64_t reaped_cpu_us(void)
{
	struct rusage used;

	getrusage(RUSAGE_CHILDREN, &used);
	return us_of(&used.ru_utime) + us_of(&used.ru_stime);
}

static void tell_usage(struct steps *s, uint64_t memory_kb)
{
	struct wire_progress m = { .cpu_us = reaped_cpu_us() + usage_cpu_us(s->pid), .memory_kb = memory_kb };
	struct frame f = { .type = WIRE_PROGRESS };
	autobuf struct buf b = { 0 };

	wire_progress_put(&b, &m);
	f.payload = b.p;
	f.length = f.raw = (uint32_t)b.len;
	link_send(s->link, &f, NULL);	/* if rccd is gone, the next turn finds that */
}

/* What it holds now; too much is its end. The limits of the kernel are further up, as they count what is not used too. */
static void sample(struct steps *s)
{
	uint64_t memory_kb = s->files ? borrowed_usage_kb(s->files, s->pid) :
			     usage_memory_kb(s->pid) + (s->q->confined ? usage_files_kb() : 0);

	if (memory_kb > s->result->max_rss_kb)
		s->result->max_rss_kb = memory_kb;
	if (too_much(s, memory_kb))
		finish_for_memory(s);
	if (++s->samples % SAMPLES_TOLD == 0)
		tell_usage(s, memory_kb);
}

/* The caller's files: has the job to stop? When must it be looked at again? */
static bool files_waited(struct steps *s, const uint64_t *now_us, uint64_t *next_us)
{
	int patience_ms = borrowed_patience(s->files);
	const char *why = borrowed_stopped(s->files);

	if (why)
		finish(s, JOB_UNFIT, "%s", why);
	if (patience_ms >= 0 && *now_us + (uint64_t)patience_ms * 1000 < *next_us)
		*next_us = *now_us + (uint64_t)patience_ms * 1000;
	return why;
}

/* Do what is due, and say in how many milliseconds the next is. */
static int attend(struct steps *s)
{
	uint64_t now_us = clock_us(), end_us = s->started_us + (uint64_t)s->q->wall_seconds * 1000000, next_us = end_us;

	if (now_us >= end_us)
		finish(s, JOB_LIMIT, "wall time: more than %u s", s->q->wall_seconds);
	if (s->pid && now_us >= s->sample_us) {
		sample(s);
		s->sample_us = now_us + SAMPLE_MS * 1000;
	}
	if (s->over)
		return 0;
	if (s->files && files_waited(s, &now_us, &next_us))
		return 0;
	try_feed(s);
	if (s->unopened)
		return OPEN_MS;
	if (s->pid && s->sample_us < next_us)
		next_us = s->sample_us;
	return (int)((next_us - now_us) / 1000 + 1);
}

static int turn(struct steps *s, struct err *err)
{
	int timeout_ms = attend(s);
	struct pollfd p[] = {
		{ .fd = s->link->fd, .events = has_room(s) ? POLLIN : 0 },
		{ .fd = s->children, .events = POLLIN },
		{ .fd = s->out[0], .events = POLLIN },
		{ .fd = s->err[0], .events = POLLIN },
		{ .fd = s->backlog.len > s->backlog_at ? s->feed : -1, .events = POLLOUT },
		{ .fd = s->watch, .events = POLLIN },
		{ .fd = s->report, .events = POLLIN },
		{ .fd = s->files ? borrowed_fd(s->files) : -1, .events = POLLIN },
	};

	if (poll(p, ARRAY_LEN(p), timeout_ms) < 0)
		return errno == EINTR ? 0 : err_sys(err, "poll");
	if (p[0].revents & (POLLHUP | POLLERR))
		return err_set(err, ERR_CLOSED, "cancelled");
	if (p[2].revents | p[3].revents)
		capture_all(s);
	if (p[4].revents)
		feed(s);
	if (p[5].revents & POLLIN)
		refuse_call(s);
	if (p[6].revents)
		take_report(s);
	if (p[7].revents && borrowed_turn(s->files, err) < 0)
		finish(s, JOB_BOX_FAILED, "%.120s", err->text);
	if (p[1].revents)
		reap(s);
	if (p[0].revents && link_fill(s->link, err) < 0)
		return err->code;
	take_frames(s);
	return 0;
}

/* TMPDIR for compilers that need one, in file mode never the caller's; besides, just what the job says. */
static void make_env(struct steps *s)
{
	const struct argv *env = &s->q->job.env;
	bool has = false;

	for (size_t i = 0; i < env->count; i++) {
		bool is = str_starts(env->v[i], "TMPDIR=");

		has |= is;
		if (!is || !s->files)
			argv_push(&s->env, env->v[i]);
	}
	if (s->files)
		argv_push(&s->env, "TMPDIR=" JOB_SCRATCH);
	else if (!has)
		argv_pushf(&s->env, "TMPDIR=%s", s->q->confined ? ROOT_JOB : s->q->directory);
}

/* What the programs say, and where we hear it. */
static int open_ears(struct steps *s, struct err *err)
{
	bool terminal = s->files && borrowed_terminal(s->files, s->err);

	if (pipe2(s->out, O_CLOEXEC) < 0 || (!terminal && pipe2(s->err, O_CLOEXEC) < 0))
		return err_sys(err, "pipes");
	fcntl(s->out[0], F_SETFL, O_NONBLOCK);
	fcntl(s->err[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static int open_all(struct steps *s, struct err *err)
{
	const char *name = s->q->job.input_name;
	sigset_t chld;
	int rc;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	s->children = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	rc = s->children < 0 ? err_sys(err, "signalfd") : open_ears(s, err);
	if (rc < 0 || !*name)
		return rc;
	if (s->q->input_pipe)
		return mkfifo(name, 0600) < 0 ? err_sys(err, "%s", name) : 0;
	s->input_file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return s->input_file < 0 ? err_sys(err, "%s", name) : 0;
}

int steps_run(struct link *l, const struct box_request *q, struct borrowed *files, struct captured *captured,
	      struct job_result *result, struct err *err)
{
	struct steps s = { .link = l, .q = q, .captured = captured, .result = result, .started_us = clock_us(),
			   .files = files, .input_whole = files, .input_file = -1, .feed = -1, .watch = -1, .report = -1 };
	int rc = 0;

	XXH3_64bits_reset(&s.hash);
	make_env(&s);
	if (open_all(&s, err) < 0)
		finish(&s, JOB_BOX_FAILED, "%.120s", err->text);
	advance(&s);
	take_frames(&s);	/* that came together with the request */
	while (advance(&s), !s.over && rc == 0)
		rc = turn(&s, err);
	if (files)
		borrowed_end(files);
	end_descendants();
	result->wall_us = clock_us() - s.started_us;
	result->cpu_us = reaped_cpu_us();
	close_feed(&s);
	close_watch(&s);
	argv_free(&s.env);
	return rc;
}
