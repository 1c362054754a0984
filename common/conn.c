/*
 * conn.c - frames over a socket in the event loop.
 *
 * Sending tries the socket at once, so that a small answer costs one system
 * call; what does not fit waits for it to become writable. An operation may
 * close its own connection: the memory goes only when libuv let go of it.
 */
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

enum { READ_CHUNK = 128 * 1024, FDS_PER_MESSAGE = 16, FAREWELL_MS = 3000, FULL_EARLY = FRAME_MAX, GATHERED = 8 };

struct chunk {
	struct chunk *next;
	size_t len, at;
	int fds[FDS_PER_MESSAGE];	/* ours until sent */
	size_t fd_count;
	unsigned char data[];
};

struct conn {
	uv_poll_t poll;
	uv_timer_t again;	/* fires at once: frames that were read before a pause, or its end; when finishing: patience is over */
	int handles;		/* not yet closed by libuv */
	int fd;
	const struct protocol *protocol;
	const struct conn_ops *ops;
	void *arg;

	struct buf in;
	size_t in_at;
	int in_fds[4 * FDS_PER_MESSAGE];
	size_t in_fd_count;
	struct buf message;	/* parts with FRAME_MORE, put together */
	struct frame first;	/* of those parts */

	struct chunk *out, **out_end;
	size_t queued;
	bool above_high_water;
	bool paused;
	bool held;		/* what is queued waits for conn_let_go() */
	bool closed;
	bool finishing;
	int failed;		/* errno of a failed write, told from the loop */
	int watched;		/* of enum uv_poll_event: libuv asks the kernel anew each time it is told, even of the same */
	size_t backlog_max;	/* 0: none */
	bool overflowed;	/* the end is told from the loop */
	struct conn_share *share, own;	/* share is &own, or of several */
	struct seal *seal;	/* NULL: frames travel as they are */
	uint64_t quota;
	uint64_t bytes_in, bytes_out;
};

static void on_poll(uv_poll_t *handle, int status, int events);
static void on_again(uv_timer_t *timer);

/* The seal's handshake is not over: frames wait, and a pause does not count. */
static bool greeting(const struct conn *c) { return c->seal && !seal_is_ready(c->seal); }

static void watch(struct conn *c)
{
	int events = 0;

	if (c->closed)
		return;
	if (greeting(c) || (!c->paused && !c->finishing))
		events |= UV_READABLE;
	if (c->paused && c->ops->hangup_cancels)
		events |= UV_DISCONNECT;
	if (c->failed || (greeting(c) ? seal_wants_write(c->seal) : c->out != NULL))
		events |= UV_WRITABLE;
	if (events == c->watched)
		return;
	c->watched = events;
	if (events)
		uv_poll_start(&c->poll, events, on_poll);
	else
		uv_poll_stop(&c->poll);
}

static void close_fds(int *fds, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*count = 0;
}

static void free_chunk(struct chunk *k)
{
	close_fds(k->fds, &k->fd_count);
	free(k);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;

	if (--c->handles)
		return;
	buf_free(&c->in);
	buf_free(&c->message);
	seal_free(c->seal);
	free(c);
}

void conn_close(struct conn *c)
{
	if (!c || c->closed)
		return;
	c->closed = true;
	c->share->queued -= c->queued;
	c->share->parts -= c->message.len;
	c->share->connections--;
	uv_close((uv_handle_t *)&c->poll, on_handle_closed);
	uv_close((uv_handle_t *)&c->again, on_handle_closed);
	close(c->fd);
	close_fds(c->in_fds, &c->in_fd_count);
	while (c->out) {
		struct chunk *k = c->out;

		c->out = k->next;
		free_chunk(k);
	}
}

static void end(struct conn *c, const struct err *err)
{
	const struct conn_ops *ops = c->ops;
	void *arg = c->arg;

	if (c->closed)
		return;
	conn_close(c);
	if (!c->finishing)	/* whoever finished it has forgotten it */
		ops->on_end(c, arg, err);
}

/* The first chunk, and those behind it that have no descriptors. Returns how many. */
static size_t gather(struct conn *c, struct iovec *iov)
{
	size_t n = 0;

	for (struct chunk *k = c->out; k && n < GATHERED && (!n || !k->fd_count); k = k->next)
		iov[n++] = (struct iovec){ k->data + k->at, k->len - k->at };
	return n;
}

/* As much as the socket takes, with the first chunk's descriptors. */
static ssize_t write_plain(struct conn *c)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int) * FDS_PER_MESSAGE)]; } control;
	struct iovec iov[GATHERED];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = gather(c, iov) };
	const struct chunk *k = c->out;
	ssize_t n;

	if (k->fd_count) {
		size_t bytes = sizeof(int) * k->fd_count;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(bytes);
		control.h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(bytes), .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.h), k->fds, bytes);
	}
	do
		n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* The first n bytes of what is queued are gone. */
static void wrote(struct conn *c, size_t n)
{
	c->queued -= n;
	c->share->queued -= n;
	c->bytes_out += n;
	while (n) {
		struct chunk *k = c->out;
		size_t part = size_min(n, k->len - k->at);

		close_fds(k->fds, &k->fd_count);
		k->at += part;
		n -= part;
		if (k->at < k->len)
			return;
		c->out = k->next;
		if (!c->out)
			c->out_end = &c->out;
		free_chunk(k);
	}
}

static void flush(struct conn *c)
{
	if (c->held)
		return;
	while (c->out && !c->failed && !greeting(c)) {
		struct chunk *k = c->out;
		ssize_t n = c->seal ? seal_write(c->seal, k->data + k->at, k->len - k->at) : write_plain(c);

		if (n < 0)
			c->failed = errno;
		if (n <= 0)
			break;
		wrote(c, (size_t)n);
	}
	if (conn_full(c))
		c->above_high_water = true;
	if (c->backlog_max && c->queued > c->backlog_max) {
		c->overflowed = true;
		uv_timer_start(&c->again, on_again, 0, 0);
	}
	watch(c);
}

static void enqueue(struct conn *c, const struct frame *f, const void *payload, const int *fds, size_t fd_count)
{
	struct chunk *k;

	if (c->closed || c->finishing)
		return;
	k = xmalloc(sizeof *k + FRAME_HEADER + f->length);
	*k = (struct chunk){ .len = FRAME_HEADER + f->length };
	frame_header_put(k->data, f);
	if (f->length)
		memcpy(k->data + FRAME_HEADER, payload, f->length);
	for (; k->fd_count < fd_count; k->fd_count++)
		k->fds[k->fd_count] = fcntl(fds[k->fd_count], F_DUPFD_CLOEXEC, 0);
	*c->out_end = k;
	c->out_end = &k->next;
	c->queued += k->len;
	c->share->queued += k->len;
}

void conn_send_fds(struct conn *c, uint8_t type, uint32_t id, const struct buf *payload,
		   const int *fds, size_t count)
{
	size_t len = payload ? payload->len : 0, at = 0;

	do {
		size_t part = size_min(len - at, FRAME_MAX);
		struct frame f = { .length = (uint32_t)part, .raw = (uint32_t)part, .id = id, .type = type,
				   .flags = at + part < len ? FRAME_MORE : 0, .fd_count = at ? 0 : count };

		enqueue(c, &f, payload ? payload->p + at : NULL, fds, f.fd_count);
		at += part;
	} while (at < len);
	if (!c->closed)
		flush(c);
}

void conn_hold(struct conn *c) { c->held = true; }

void conn_let_go(struct conn *c)
{
	c->held = false;
	if (!c->closed)
		flush(c);
}

void conn_send(struct conn *c, uint8_t type, uint32_t id, const struct buf *payload)
{
	conn_send_fds(c, type, id, payload, NULL, 0);
}

void conn_send_bulk(struct conn *c, uint8_t type, uint32_t id, uint8_t codec, uint32_t raw,
		    const void *payload, size_t len)
{
	struct frame f = { .length = (uint32_t)len, .raw = raw, .id = id, .type = type, .codec = codec };

	enqueue(c, &f, payload, NULL, 0);
	if (!c->closed)
		flush(c);
}

/* A message is whole: hand it over. */
static int deliver(struct conn *c, struct frame *f, struct err *err)
{
	int fds[FDS_PER_MESSAGE];
	int rc;

	memcpy(fds, c->in_fds, f->fd_count * sizeof *fds);
	c->in_fd_count -= f->fd_count;
	memmove(c->in_fds, c->in_fds + f->fd_count, c->in_fd_count * sizeof *fds);
	f->fds = fds;
	rc = c->ops->on_message(c, f, c->arg, err);
	close_fds(fds, &f->fd_count);
	return rc;
}

/* One part of a message of several, or its last. */
static int assemble(struct conn *c, struct frame *f, struct err *err)
{
	const struct frame_rule *rule = &c->protocol->rules[f->type];
	struct buf whole;
	int rc;

	if (c->message.len == 0)
		c->first = *f;
	else if (f->type != c->first.type || f->id != c->first.id || f->fd_count)
		return err_set(err, ERR_WIRE, "%s: %s in the middle of another message", c->protocol->name, rule->name);
	if (c->message.len + f->length > rule->max)
		return err_set(err, ERR_WIRE, "%s: %s over its bound", c->protocol->name, rule->name);
	if (c->share->parts + f->length > c->share->parts_max)
		return err_set(err, ERR_LIMIT, "%s: more than %llu bytes of messages in parts", c->protocol->name,
			       (unsigned long long)c->share->parts_max);
	buf_add(&c->message, f->payload, f->length);
	c->share->parts += f->length;
	if (f->flags & FRAME_MORE)
		return 0;
	c->share->parts -= c->message.len;
	whole = c->message;
	c->message = (struct buf){ 0 };
	c->first.payload = whole.p;
	c->first.length = c->first.raw = (uint32_t)whole.len;
	rc = deliver(c, &c->first, err);
	buf_free(&whole);
	return rc;
}

/* The next frame that was read whole. 1: handled, 0: there is none, < 0: the end. */
static int next_frame(struct conn *c, struct err *err)
{
	size_t have = c->in.len - c->in_at;
	const unsigned char *p = c->in.p + c->in_at;
	struct frame f;
	int rc;

	if (have < FRAME_HEADER)
		return 0;
	rc = frame_header_get(p, c->protocol, &f, err);
	if (rc < 0)
		return rc;
	if (have < FRAME_HEADER + f.length)
		return 0;
	if (f.fd_count > c->in_fd_count)
		return err_set(err, ERR_WIRE, "%s: descriptors are missing", c->protocol->name);
	f.payload = p + FRAME_HEADER;
	c->in_at += FRAME_HEADER + f.length;
	rc = (f.flags & FRAME_MORE) || c->message.len ? assemble(c, &f, err) : deliver(c, &f, err);
	return rc < 0 ? rc : 1;
}

static void dispatch(struct conn *c)
{
	struct err err = { 0 };
	int rc = 1;

	while (rc > 0 && !c->closed && !c->paused && !c->finishing)
		rc = next_frame(c, &err);
	if (c->closed)
		return;
	if (rc < 0) {
		if (rc == ERR_LIMIT && c->ops->on_limit)
			c->ops->on_limit(c, c->arg, &err);
		else
			end(c, &err);
		return;
	}
	buf_drop(&c->in, c->in_at);
	c->in_at = 0;
	if (!c->in.len)		/* most connections are idle most of the time */
		buf_free(&c->in);
}

static void take_fds(struct conn *c, struct msghdr *msg)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
			if (c->in_fd_count < ARRAY_LEN(c->in_fds))
				c->in_fds[c->in_fd_count++] = fd;
			else
				close(fd);
		}
	}
}

/* Records as they come; one at a time from whom we do not know, for what it says may end the quota. */
static int fill_sealed(struct conn *c, struct err *err)
{
	size_t before = c->in.len;
	ssize_t n;

	do {
		buf_reserve(&c->in, SEAL_RECORD);
		n = seal_read(c->seal, c->in.p + c->in.len, err);
		if (n > 0)
			c->in.len += (size_t)n;
	} while (n > 0 && !c->quota && c->in.len - before < READ_CHUNK);
	c->bytes_in += c->in.len - before;
	return n < 0 && c->in.len == before ? (int)n : c->in.len > before;
}

/* > 0: bytes came, 0: none now, < 0: the peer or the socket is gone. */
static int fill(struct conn *c, struct err *err)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int) * FDS_PER_MESSAGE)]; } control;
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
			      .msg_controllen = sizeof control };
	size_t want = c->quota ? size_min(READ_CHUNK, c->quota - c->bytes_in) : READ_CHUNK;
	ssize_t n;

	if (c->seal)
		return fill_sealed(c, err);
	buf_reserve(&c->in, want);
	iov = (struct iovec){ c->in.p + c->in.len, c->quota ? want : c->in.room - c->in.len };
	n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : err_sys(err, "receive");
	if (n == 0)
		return err_set(err, ERR_CLOSED, "closed by the peer");
	take_fds(c, &msg);
	c->in.len += (size_t)n;
	c->bytes_in += (uint64_t)n;
	return 1;
}

static void drained(struct conn *c)
{
	if (c->finishing && !c->out)
		conn_close(c);
	if (c->closed || !c->above_high_water || c->queued > CONN_LOW_WATER)
		return;
	c->above_high_water = false;
	if (c->ops->on_drained)
		c->ops->on_drained(c, c->arg);
}

static void check_quota(struct conn *c)
{
	uint64_t in = c->seal ? seal_bytes_in(c->seal) : c->bytes_in;
	struct err err = { 0 };

	if (c->closed || !c->quota || in < c->quota)
		return;
	err_set(&err, ERR_WIRE, "%llu bytes, and has not said who it is", (unsigned long long)in);
	end(c, &err);
}

/* A step of the seal's handshake; after the last, what has been queued so far. */
static void greet(struct conn *c)
{
	struct err err = { 0 };
	int rc = seal_handshake(c->seal, &err);

	if (rc < 0) {
		end(c, &err);
		return;
	}
	flush(c);
	drained(c);
	check_quota(c);
}

/* What the peer said before it went. */
static void hear_out(struct conn *c, struct err *err)
{
	while (!c->closed && !c->paused && !c->finishing && !greeting(c) && fill(c, err) > 0)
		dispatch(c);
}

/*
 * libuv says only that epoll told of an error; which one, the socket knows.
 * What the peer said before it reset the connection is still heard.
 */
static void on_socket_error(struct conn *c, int status)
{
	socklen_t len = sizeof(int);
	struct err err = { 0 };
	int error = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	hear_out(c, &err);
	if (error == ECONNRESET || error == EPIPE)
		err_set(&err, ERR_CLOSED, "reset by the peer");
	else
		err_set(&err, ERR_IO, "%s", error ? strerror(error) : uv_strerror(status));
	end(c, &err);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct conn *c = handle->data;
	struct err err = { 0 };

	if (status < 0) {
		c->watched = 0;		/* libuv has stopped */
		on_socket_error(c, status);
		return;
	}
	if (greeting(c)) {
		greet(c);
		return;
	}
	if (events & UV_WRITABLE) {
		if (!c->failed)
			flush(c);
		if (c->failed) {
			hear_out(c, &err);
			errno = c->failed;
			err_sys(&err, "send");
			end(c, &err);
			return;
		}
		drained(c);
	}
	if ((events & UV_DISCONNECT) && !c->closed && c->paused) {
		err_set(&err, ERR_CLOSED, "closed by the peer");
		end(c, &err);
	}
	if ((events & UV_READABLE) && !c->closed && !c->paused && !c->finishing) {
		if (fill(c, &err) < 0)
			end(c, &err);
		else
			dispatch(c);
		check_quota(c);
	}
}

static void on_again(uv_timer_t *timer)
{
	struct conn *c = timer->data;
	struct err err = { 0 };

	if (c->finishing) {
		conn_close(c);
	} else if (c->overflowed) {
		err_set(&err, ERR_LIMIT, "more than %zu bytes that it has not read", c->backlog_max);
		end(c, &err);
	} else if (!c->closed && !c->paused) {
		dispatch(c);
	}
}

struct conn *conn_new(uv_loop_t *loop, int fd, const struct protocol *protocol,
		      const struct conn_ops *ops, void *arg)
{
	struct conn *c = xcalloc(1, sizeof *c);

	*c = (struct conn){ .fd = fd, .protocol = protocol, .ops = ops, .arg = arg, .handles = 2 };
	c->out_end = &c->out;
	c->own.connections = 1;
	c->own.queued_max = c->own.parts_max = UINT64_MAX;
	c->share = &c->own;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	/* fail only for descriptors that epoll does not take: never for a socket */
	if (uv_poll_init(loop, &c->poll, fd) < 0 || uv_timer_init(loop, &c->again) < 0)
		abort();
	c->poll.data = c->again.data = c;
	watch(c);
	return c;
}

void conn_set_arg(struct conn *c, const struct conn_ops *ops, void *arg)
{
	c->ops = ops;
	c->arg = arg;
}

void conn_seal(struct conn *c, enum seal_role role, struct keys *keys)
{
	c->seal = seal_new(c->fd, role, keys);
	watch(c);
}

const struct key *conn_key(const struct conn *c) { return c->seal ? seal_key(c->seal) : NULL; }
void conn_set_quota(struct conn *c, uint64_t bytes) { c->quota = bytes; }

int conn_fd(const struct conn *c) { return c->fd; }
size_t conn_queued(const struct conn *c) { return c->queued; }
void conn_set_backlog(struct conn *c, size_t bytes) { c->backlog_max = bytes; }

bool conn_full(const struct conn *c)
{
	return c->queued > (c->share->queued > c->share->queued_max ? FULL_EARLY : CONN_HIGH_WATER);
}

void conn_join(struct conn *c, struct conn_share *share)
{
	c->share = share;
	share->connections++;
	share->queued += c->queued;
	share->parts += c->message.len;
}
uint64_t conn_bytes_in(const struct conn *c) { return c->bytes_in; }
uint64_t conn_bytes_out(const struct conn *c) { return c->bytes_out; }

void conn_pause(struct conn *c)
{
	c->paused = true;
	watch(c);
}

void conn_resume(struct conn *c)
{
	if (!c->paused || c->closed)
		return;
	c->paused = false;
	watch(c);
	uv_timer_start(&c->again, on_again, 0, 0);
}

void conn_finish(struct conn *c)
{
	if (c->closed)
		return;
	c->finishing = true;
	if (!c->out || greeting(c)) {	/* a peer without a key is told nothing */
		conn_close(c);
		return;
	}
	uv_timer_start(&c->again, on_again, FAREWELL_MS, 0);
	watch(c);
}
