/*
 * worker.c - starts boxes, passes their frames on, reaps them and clears up.
 *
 * Closing the socket is how a box is told to stop: it then ends whatever its
 * job started, also what left its process group, and so it does when rccd
 * itself dies. Only a box that has not gone by itself is killed.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "file.h"
#include "wire.h"

enum { PATIENCE_MS = 1000 };

struct worker {
	uv_process_t process;
	uv_timer_t patience;
	uv_work_t removal;
	int busy;		/* handles and work that still use this memory */
	struct conn *conn;	/* NULL: at its end */
	char *directory;
	const struct worker_ops *ops;
	void *arg;
	bool alive;
	char why[96];
};

static void release(struct worker *w)
{
	if (--w->busy)
		return;
	free(w->directory);
	free(w);
}

static void on_closed(uv_handle_t *handle) { release(handle->data); }

/* Process and socket are both at their end. */
static void end_if_over(struct worker *w)
{
	const struct worker_ops *ops = w->ops;

	if (w->alive || w->conn || !ops)
		return;
	w->ops = NULL;
	ops->on_end(w->arg, w->why);
	release(w);
}

static void remove_directory(uv_work_t *work)
{
	struct worker *w = work->data;

	remove_tree(AT_FDCWD, w->directory);
}

static void on_removed(uv_work_t *work, int status UNUSED)
{
	release(work->data);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
	struct worker *w = process->data;

	w->alive = false;
	if (signal)
		snprintf(w->why, sizeof w->why, "the box was ended by signal %d", signal);
	else if (status)
		snprintf(w->why, sizeof w->why, "the box failed with status %d", (int)status);
	if (signal || status)	/* it did not clear up after itself */
		kill(-process->pid, SIGKILL);
	uv_close((uv_handle_t *)&w->process, on_closed);
	uv_close((uv_handle_t *)&w->patience, on_closed);
	w->busy++;
	w->removal.data = w;
	uv_queue_work(process->loop, &w->removal, remove_directory, on_removed);
	w->ops->on_reaped(w->arg);
	end_if_over(w);
}

/* The box and all in its process group. */
static void on_patience(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	if (w->alive)
		kill(-w->process.pid, SIGKILL);
}

/* The socket is closed, so the box should go by itself, and soon. */
static void expect_exit(struct worker *w)
{
	if (w->alive)
		uv_timer_start(&w->patience, on_patience, PATIENCE_MS, 0);
	else
		end_if_over(w);
}

static int on_message(struct conn *c UNUSED, struct frame *f, void *arg, struct err *err)
{
	struct worker *w = arg;

	return w->ops->on_frame(f, w->arg, err);
}

static void on_drained(struct conn *c UNUSED, void *arg)
{
	struct worker *w = arg;

	w->ops->on_room(w->arg);
}

static void on_conn_end(struct conn *c UNUSED, void *arg, const struct err *err)
{
	struct worker *w = arg;

	w->conn = NULL;
	if (err->code != ERR_CLOSED && !*w->why)
		snprintf(w->why, sizeof w->why, "the box: %.80s", err->text);
	expect_exit(w);
}

static const struct conn_ops conn_ops = { .on_message = on_message, .on_drained = on_drained, .on_end = on_conn_end };

static int spawn(uv_loop_t *loop, struct worker *w, const char *box, int fd, struct err *err)
{
	char *argv[] = { (char *)"rccd-box", NULL }, *env[] = { NULL };
	uv_stdio_container_t stdio[BOX_FD + 1] = {
		[0] = { .flags = UV_IGNORE },
		[1] = { .flags = UV_IGNORE },
		[2] = { .flags = UV_INHERIT_FD, .data.fd = 2 },
		[BOX_FD] = { .flags = UV_INHERIT_FD, .data.fd = fd },
	};
	uv_process_options_t options = { .exit_cb = on_process_exit, .file = box, .args = argv, .env = env, .cwd = "/",
					 .flags = UV_PROCESS_DETACHED, .stdio_count = BOX_FD + 1, .stdio = stdio };
	int rc = uv_spawn(loop, &w->process, &options);

	if (rc < 0)
		return err_set(err, ERR_IO, "start %s: %s", box, uv_strerror(rc));
	return 0;
}

/* What could not be started leaves nothing. */
static int undo(struct worker *w, int rc)
{
	rmdir(w->directory);
	w->busy--;
	w->ops = NULL;
	uv_close((uv_handle_t *)&w->process, on_closed);
	uv_close((uv_handle_t *)&w->patience, on_closed);
	return rc;
}

static struct worker *worker_new(uv_loop_t *loop, const struct box_request *q, const struct worker_ops *ops, void *arg)
{
	struct worker *w = xcalloc(1, sizeof *w);

	/* busy: the process, the timer, and ourselves until on_end */
	*w = (struct worker){ .busy = 3, .directory = xstrdup(q->directory), .ops = ops, .arg = arg };
	uv_timer_init(loop, &w->patience);
	w->patience.data = w->process.data = w;
	return w;
}

int worker_start(uv_loop_t *loop, const char *box, const struct box_request *q, const struct worker_ops *ops,
		 void *arg, struct worker **out, struct err *err)
{
	autobuf struct buf message = { 0 };
	struct worker *w;
	int pair[2], rc;

	if (mkdir(q->directory, 0700) < 0)
		return err_sys(err, "make %s", q->directory);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		rmdir(q->directory);
		return err_sys(err, "socketpair");
	}
	w = worker_new(loop, q, ops, arg);
	rc = spawn(loop, w, box, pair[1], err);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return undo(w, rc);
	}
	w->alive = true;
	w->conn = conn_new(loop, pair[0], &wire_protocol, &conn_ops, w);
	box_request_put(&message, q);
	conn_send(w->conn, WIRE_BOX, 0, &message);
	*out = w;
	return 0;
}

void worker_send(struct worker *w, const struct frame *f)
{
	if (w->conn)
		conn_send_bulk(w->conn, f->type, f->id, f->codec, f->raw, f->payload, f->length);
}

bool worker_full(const struct worker *w) { return w->conn && conn_queued(w->conn) > CONN_HIGH_WATER; }

void worker_pause(struct worker *w)
{
	if (w->conn)
		conn_pause(w->conn);
}

void worker_resume(struct worker *w)
{
	if (w->conn)
		conn_resume(w->conn);
}

void worker_cancel(struct worker *w)
{
	conn_close(w->conn);
	w->conn = NULL;
	expect_exit(w);
}
