/*
 * logind.c - one busctl at a time, bounded in time and in what it may say.
 *
 * A program, not a library of the bus: it is asked rarely, and what goes
 * wrong in it stays out of rccd.
 */
#include "logind.h"

#include <signal.h>
#include <sys/stat.h>

#include "clock.h"

enum {
	SOON_MS = 2000,		/* between questions while jobs run, */
	SELDOM_MS = 15000,	/* and while none does */
	PATIENCE_MS = 2000,	/* for one answer */
	ANSWER_BYTES = 64,
};

struct logind {
	uv_loop_t *loop;
	uv_process_t process;
	uv_pipe_t pipe;
	bool running;
	unsigned open;		/* of those two, handles not closed yet: 0 when nothing is being asked */
	uint64_t asked_ms;
	char answer[ANSWER_BYTES];
	size_t length;
	enum known idle;
	bool stopped;
};

struct logind *logind_new(uv_loop_t *loop, const char *root)
{
	autofree char *seats = xasprintf("%s/run/systemd/seats", root);
	struct logind *l;

	if (access(seats, F_OK) < 0)
		return NULL;
	l = xcalloc(1, sizeof *l);
	l->loop = loop;
	return l;
}

enum known logind_idle(const struct logind *l) { return l ? l->idle : UNKNOWN; }

static void on_closed(uv_handle_t *handle)
{
	struct logind *l = handle->data;

	if (--l->open)
		return;
	l->answer[l->length] = 0;
	l->idle = str_starts(l->answer, "b true") ? YES : str_starts(l->answer, "b false") ? NO : UNKNOWN;
	if (l->stopped)
		free(l);
}

static void on_asked(uv_process_t *process, int64_t status UNUSED, int signal UNUSED)
{
	struct logind *l = process->data;

	l->running = false;
	uv_close((uv_handle_t *)process, on_closed);
}

static void on_room(uv_handle_t *handle, size_t wanted UNUSED, uv_buf_t *out)
{
	struct logind *l = handle->data;

	*out = uv_buf_init(l->answer + l->length, (unsigned)(ANSWER_BYTES - 1 - l->length));
}

/* Its end, or more than it has to say (no room: ENOBUFS). */
static void on_answer(uv_stream_t *stream, ssize_t n, const uv_buf_t *b UNUSED)
{
	struct logind *l = stream->data;

	if (n < 0)
		uv_close((uv_handle_t *)stream, on_closed);
	else
		l->length += (size_t)n;
}

static void ask(struct logind *l)
{
	static char *const argv[] = { (char *)"busctl", (char *)"--system", (char *)"get-property",
				      (char *)"org.freedesktop.login1", (char *)"/org/freedesktop/login1",
				      (char *)"org.freedesktop.login1.Manager", (char *)"IdleHint", NULL };
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE), .data.stream = (uv_stream_t *)&l->pipe },
		{ .flags = UV_IGNORE },
	};
	uv_process_options_t options = { .file = argv[0], .args = (char **)argv, .exit_cb = on_asked, .stdio = stdio,
					 .stdio_count = 3 };

	l->length = 0;
	l->open = 2;
	uv_pipe_init(l->loop, &l->pipe, 0);
	l->pipe.data = l->process.data = l;
	l->running = uv_spawn(l->loop, &l->process, &options) == 0;
	if (l->running) {
		uv_read_start((uv_stream_t *)&l->pipe, on_room, on_answer);
		return;
	}
	uv_close((uv_handle_t *)&l->process, on_closed);
	uv_close((uv_handle_t *)&l->pipe, on_closed);
}

/* A child of its own may keep the pipe open. */
static void give_up(struct logind *l)
{
	if (l->running)
		uv_process_kill(&l->process, SIGKILL);
	if (!uv_is_closing((uv_handle_t *)&l->pipe))
		uv_close((uv_handle_t *)&l->pipe, on_closed);
}

void logind_tick(struct logind *l, bool soon)
{
	uint64_t now_ms = clock_ms(), age_ms = now_ms - l->asked_ms;

	if (l->open) {
		if (age_ms > PATIENCE_MS)
			give_up(l);
		return;
	}
	if (l->asked_ms && age_ms < (soon ? SOON_MS : SELDOM_MS))
		return;
	l->asked_ms = now_ms;
	ask(l);
}

void logind_stop(struct logind *l)
{
	if (!l)
		return;
	l->stopped = true;
	if (l->open)
		give_up(l);
	else
		free(l);
}
