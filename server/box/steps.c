/*
 * steps.c - the box's loop: input in, programs run, what they say captured.
 *
 * The first program reads while its input still arrives, but its stdin only
 * ends once the whole input has been verified: half a source never compiles
 * to an object.
 */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clock.h"
#include "codec.h"
#include "confine.h"
#include "file.h"
#include "root.h"
#include "syscalls.h"

enum {
	BACKLOG_MAX = 256 * 1024,	/* input read ahead of the first program */
	PIPE_SIZE = 1 << 20,
	CAPTURE_MAX = 16 << 20,		/* of stdout, and of stderr */
	CAPTURE_CHUNK = 64 * 1024,
};

struct steps {
	struct link *link;
	const struct box_request *q;
	struct captured *captured;
	struct job_result *result;
	struct argv env;
	const struct sock_fprog *filter;	/* NULL: any system call may be made */
	uint64_t started_us;

	XXH3_state_t hash;
	uint64_t input_bytes;
	bool input_whole;	/* all there, and verified */
	int input_file;		/* job.input_name; -1: none, or complete */
	int feed;		/* stdin of the first program; -1: none, or closed */
	struct buf backlog;	/* for it */
	size_t backlog_at;

	pid_t pid;		/* of the program that runs; 0: none */
	size_t started;		/* how many have been */
	bool over;		/* nothing more is to be started: the result stands */
	int children;		/* signalfd */
	int out[2], err[2];	/* pipes */
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

/* stdin of a step: the pipe, the input's file, or nothing. */
static int step_stdin(struct steps *s, const struct job_step *step, struct err *err)
{
	const char *name = s->q->job.input_name;
	int pipe_fds[2], fd;

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
	fcntl(pipe_fds[1], F_SETPIPE_SZ, PIPE_SIZE);	/* fewer turns; refused: fine */
	fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK);
	s->feed = pipe_fds[1];
	return pipe_fds[0];
}

/* In the child, which shares our memory until it executes: nothing here may allocate. */
static NORETURN void become(const struct steps *s, const struct job_step *step, const int fds[3], pid_t box,
			    volatile int *failure)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != box)
		_exit(127);
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0) {
			*failure = errno;
			_exit(127);
		}
	if (!s->filter || syscalls_restrict(s->filter) == 0)
		execve(step->program, step->argv.v, s->env.v);
	*failure = errno;
	_exit(127);
}

/* vfork: the child runs first, so that its failure to execute is known when this returns. */
static pid_t spawn(const struct steps *s, const struct job_step *step, const int fds[3], int *failure)
{
	volatile int told = 0;
	pid_t box = getpid(), pid = vfork();

	if (pid == 0)
		become(s, step, fds, box, &told);
	*failure = pid < 0 ? errno : told;
	return pid;
}

static void start_step(struct steps *s)
{
	const struct job_step *step = &s->q->job.steps[s->started++];
	struct err err = { 0 };
	autoclose int in = step_stdin(s, step, &err);
	int fds[3] = { in, s->out[1], s->err[1] }, failure;

	s->result->step = (uint8_t)(s->started - 1);
	if (in < 0) {
		finish(s, JOB_BOX_FAILED, "%.120s", err.text);
		return;
	}
	s->pid = spawn(s, step, fds, &failure);
	if (failure) {
		s->pid = 0;	/* if there is a child, it has exited and is reaped with the rest */
		finish(s, JOB_BOX_FAILED, "%.80s: %s", step->program, strerror(failure));
	}
}

static void close_feed(struct steps *s)
{
	if (s->feed >= 0)
		close(s->feed);
	s->feed = -1;
	buf_free(&s->backlog);
	s->backlog_at = 0;
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
	s->backlog.len = s->backlog_at = 0;
	if (s->input_whole)
		close_feed(s);
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
	if (store_input(s, before) == 0 && s->started && s->feed < 0)
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

	while (!s->over && has_room(s) && (rc = link_next(s->link, &f, &err)) > 0) {
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
	capture_all(s);
	r->exit_status = WIFEXITED(status) ? (uint8_t)WEXITSTATUS(status) : 0;
	r->signal = WIFSIGNALED(status) ? (uint8_t)WTERMSIG(status) : 0;
}

/* The steps ran, and the input was whole: how did the last one end? */
static void conclude(struct steps *s)
{
	uint8_t signal = s->result->signal;

	if (signal == SIGXCPU)
		finish(s, JOB_LIMIT, "processor time: more than %u s", s->q->cpu_seconds);
	if (signal == SIGXFSZ)
		finish(s, JOB_LIMIT, "a file of more than %llu bytes", (unsigned long long)s->q->file_bytes);
	if (signal == SIGSYS && s->filter)
		finish(s, JOB_LIMIT, "a system call that is not allowed");
	finish(s, JOB_RAN, "%s", "");
}

static uint64_t us_of(const struct timeval *t) { return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec; }

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
		s->result->cpu_us += us_of(&used.ru_utime) + us_of(&used.ru_stime);
		if ((uint64_t)used.ru_maxrss > s->result->max_rss_kb)
			s->result->max_rss_kb = (uint64_t)used.ru_maxrss;
		if (pid == s->pid)
			step_ended(s, status);
	}
}

static bool failed(const struct steps *s) { return s->result->exit_status || s->result->signal; }

/* Start what can be started; notice when all is done. */
static void advance(struct steps *s)
{
	const struct job *job = &s->q->job;

	if (s->over || s->pid)
		return;
	if (s->started < job->step_count && !failed(s)) {
		if (s->input_whole || !*job->input_name)
			start_step(s);
	} else if (s->input_whole) {
		/* not before: a program that saw a damaged input has proved nothing */
		conclude(s);
	}
}

/* Until the job's wall time is up, in milliseconds. */
static int time_left(struct steps *s)
{
	uint64_t used_us = clock_us() - s->started_us, all_us = (uint64_t)s->q->wall_seconds * 1000000;

	if (used_us < all_us)
		return (int)((all_us - used_us) / 1000 + 1);
	finish(s, JOB_LIMIT, "wall time: more than %u s", s->q->wall_seconds);
	return 0;
}

static int turn(struct steps *s, struct err *err)
{
	struct pollfd p[] = {
		{ .fd = s->link->fd, .events = has_room(s) ? POLLIN : 0 },
		{ .fd = s->children, .events = POLLIN },
		{ .fd = s->out[0], .events = POLLIN },
		{ .fd = s->err[0], .events = POLLIN },
		{ .fd = s->backlog.len > s->backlog_at ? s->feed : -1, .events = POLLOUT },
	};

	if (poll(p, ARRAY_LEN(p), time_left(s)) < 0)
		return errno == EINTR ? 0 : err_sys(err, "poll");
	if (p[0].revents & (POLLHUP | POLLERR))
		return err_set(err, ERR_CLOSED, "cancelled");
	if (p[2].revents | p[3].revents)
		capture_all(s);
	if (p[4].revents)
		feed(s);
	if (p[1].revents)
		reap(s);
	if (p[0].revents && link_fill(s->link, err) < 0)
		return err->code;
	take_frames(s);
	return 0;
}

/* TMPDIR for compilers that need one; besides, just what the job says. */
static void make_env(struct steps *s)
{
	bool has = false;

	s->env = argv_copy(&s->q->job.env);
	for (size_t i = 0; i < s->env.count; i++)
		has |= str_starts(s->env.v[i], "TMPDIR=");
	if (!has)
		argv_pushf(&s->env, "TMPDIR=%s", s->q->confined ? ROOT_JOB : s->q->directory);
}

static int open_all(struct steps *s, struct err *err)
{
	const char *name = s->q->job.input_name;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	s->children = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->children < 0 || pipe2(s->out, O_CLOEXEC) < 0 || pipe2(s->err, O_CLOEXEC) < 0)
		return err_sys(err, "pipes");
	fcntl(s->out[0], F_SETFL, O_NONBLOCK);
	fcntl(s->err[0], F_SETFL, O_NONBLOCK);
	if (!*name)
		return 0;
	s->input_file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return s->input_file < 0 ? err_sys(err, "%s", name) : 0;
}

int steps_run(struct link *l, const struct box_request *q, struct captured *captured,
	      struct job_result *result, struct err *err)
{
	struct steps s = { .link = l, .q = q, .captured = captured, .result = result, .started_us = clock_us(),
			   .input_file = -1, .feed = -1 };
	int rc = 0;

	XXH3_64bits_reset(&s.hash);
	make_env(&s);
	s.filter = q->confined ? syscalls_filter() : NULL;
	if (open_all(&s, err) < 0)
		finish(&s, JOB_BOX_FAILED, "%.120s", err->text);
	advance(&s);
	take_frames(&s);	/* that came together with the request */
	while (advance(&s), !s.over && rc == 0)
		rc = turn(&s, err);
	end_descendants();
	result->wall_us = clock_us() - s.started_us;
	close_feed(&s);
	argv_free(&s.env);
	return rc;
}
