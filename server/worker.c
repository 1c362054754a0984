/*
 * worker.c - has boxes made, passes their frames on, clears up after them.
 *
 * Closing the socket is how a box is told to stop: it then ends whatever its
 * job started, also what left its process group, and so it does when rccd
 * itself dies. Only a box that has not gone by itself is killed.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "file.h"
#include "wire.h"

enum { PATIENCE_MS = 1000 };

struct worker {
	struct spawned *box;	/* NULL: it has ended */
	uv_timer_t patience;
	uv_work_t removal;
	int busy;		/* handles and work that still use this memory */
	struct conn *conn;	/* NULL: at its end */
	char *directory;	/* NULL: the box has one of its own */
	const struct worker_ops *ops;
	void *arg;
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

/* Box and socket are both at their end. */
static void end_if_over(struct worker *w)
{
	const struct worker_ops *ops = w->ops;

	if (w->box || w->conn || !ops)
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

static void remove_later(uv_loop_t *loop, struct worker *w)
{
	w->busy++;
	w->removal.data = w;
	uv_queue_work(loop, &w->removal, remove_directory, on_removed);
}

static void on_box_end(void *arg, const char *why)
{
	struct worker *w = arg;

	w->box = NULL;
	if (*why)
		snprintf(w->why, sizeof w->why, "%s", why);
	if (w->directory)
		remove_later(w->patience.loop, w);
	uv_close((uv_handle_t *)&w->patience, on_closed);
	w->ops->on_reaped(w->arg);
	end_if_over(w);
}

static void on_patience(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	if (w->box)
		spawned_kill(w->box);
}

/* The socket is closed, so the box should go by itself, and soon. */
static void expect_exit(struct worker *w)
{
	if (w->box)
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

/* What could not be started leaves nothing. */
static int undo(struct worker *w, int rc)
{
	if (w->directory)
		rmdir(w->directory);
	w->busy--;
	uv_close((uv_handle_t *)&w->patience, on_closed);
	return rc;
}

static struct worker *worker_new(uv_loop_t *loop, const struct box_request *q, const struct worker_ops *ops, void *arg)
{
	struct worker *w = xcalloc(1, sizeof *w);

	/* busy: the timer, and ourselves until on_end */
	*w = (struct worker){ .busy = 2, .directory = q->confined ? NULL : xstrdup(q->directory), .ops = ops, .arg = arg };
	uv_timer_init(loop, &w->patience);
	w->patience.data = w;
	return w;
}

/* A socket to a box that is being made. */
static int make_box(struct worker *w, const struct worker_place *place, struct err *err)
{
	int pair[2], rc;

	if (w->directory && mkdir(w->directory, 0700) < 0)
		return err_sys(err, "make %s", w->directory);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "socketpair");
	rc = spawner_box(place->spawner, pair[1], place->cgroup_fd, on_box_end, w, &w->box, err);
	close(pair[1]);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	return rc;
}

int worker_start(uv_loop_t *loop, const struct worker_place *place, const struct box_request *q,
		 const struct worker_ops *ops, void *arg, struct worker **out, struct err *err)
{
	autobuf struct buf message = { 0 };
	struct worker *w = worker_new(loop, q, ops, arg);
	int fd = make_box(w, place, err);

	if (fd < 0)
		return undo(w, fd);
	w->conn = conn_new(loop, fd, &wire_protocol, &conn_ops, w);
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

void worker_message(struct worker *w, uint8_t type, uint32_t id, const struct buf *b)
{
	if (w->conn)
		conn_send(w->conn, type, id, b);
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
