/*
 * contents.c - one batch at a time: a worker thread opens, reads, hashes and
 * packs a few frames of the file at hand, then the loop queues them.
 *
 * Nothing of a file is announced before its first batch was read; one that turns
 * out changed later ends the connection, as what was sent of it cannot be taken back.
 */
#include "contents.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "codec.h"
#include "log.h"

enum { BATCH = 4, QUEUE_MAX = 1 << 20 };	/* frames; digests */

struct chunk {		/* the payload of one frame, packed */
	uint32_t raw, len;
	uint8_t codec;
};

struct contents {
	uv_loop_t *loop;
	struct conn *conn;
	const struct contents_events *events;
	void *arg;
	uv_work_t work;
	bool working, stopped;
	struct digest *queue;		/* wanted; at is the one at hand */
	size_t at, count, room;
	uint64_t sent_count, sent_bytes;
	uint64_t wanted_count, wanted_bytes;

	/* The content at hand: the worker's while it works. */
	struct digest digest;
	uint64_t size;
	uint16_t mode;
	char *path;			/* NULL: bytes */
	unsigned char *bytes;		/* copied, as what they are part of may go before the worker is back */
	bool open;
	int fd;
	uint64_t left;			/* bytes not read yet */
	struct hasher *hash;
	bool announced;			/* BLOB was sent */
	bool changed;			/* it is not what it was */
	enum codec codec;
	struct buf packed;
	struct chunk chunks[BATCH];
	size_t chunk_count;
};

/* In a worker thread */

static bool open_content(struct contents *c)
{
	struct stat st;

	c->left = c->size;
	c->hash = hasher_new();
	c->open = true;
	if (!c->path)
		return true;
	c->fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return c->fd >= 0 && fstat(c->fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == c->size &&
	       (c->mode == ANY_MODE || c->mode == (st.st_mode & 07777));
}

/* One frame's worth, whole unless the file has shrunk. */
static bool read_frame(struct contents *c, unsigned char *p, size_t len)
{
	if (!c->path)
		memcpy(p, c->bytes + (c->size - c->left), len);
	for (size_t got = 0; c->path && got < len;) {
		ssize_t n = read(c->fd, p + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	hasher_add(c->hash, p, len);
	return true;
}

static void pack_frame(struct contents *c, const unsigned char *p, size_t len)
{
	size_t before = c->packed.len;
	enum codec codec = codec_pack(c->codec, p, len, &c->packed);

	c->chunks[c->chunk_count++] = (struct chunk){
		.raw = (uint32_t)len, .len = (uint32_t)(c->packed.len - before), .codec = (uint8_t)codec,
	};
	c->left -= len;
}

/* All of it was read: is it what was wanted? */
static bool is_itself(struct contents *c)
{
	struct digest d;

	hasher_end(ptr_steal(&c->hash), &d);
	return digest_eq(&d, &c->digest);
}

static void read_batch(uv_work_t *work)
{
	struct contents *c = work->data;
	unsigned char frame[FRAME_MAX];

	if (!c->open && !open_content(c)) {
		c->changed = true;
		return;
	}
	while (c->left && c->chunk_count < BATCH) {
		size_t len = c->left < FRAME_MAX ? (size_t)c->left : FRAME_MAX;

		if (!read_frame(c, frame, len)) {
			c->changed = true;
			return;
		}
		pack_frame(c, frame, len);
	}
	if (!c->left)
		c->changed = !is_itself(c);
}

/* In the loop */

static void close_content(struct contents *c)
{
	struct digest unused;

	if (c->fd >= 0)
		close(fd_steal(&c->fd));
	if (c->hash)
		hasher_end(ptr_steal(&c->hash), &unused);
	free(ptr_steal(&c->path));
	free(ptr_steal(&c->bytes));
	c->open = c->announced = c->changed = false;
	c->packed.len = c->chunk_count = 0;
}

static void dispose(struct contents *c)
{
	close_content(c);
	buf_free(&c->packed);
	free(c->queue);
	free(c);
}

void contents_stop(struct contents *c)
{
	if (!c)
		return;
	c->stopped = true;
	if (!c->working)
		dispose(c);	/* else once the worker is back */
}

/* What is next in the queue becomes what is at hand. */
static void take_next(struct contents *c)
{
	struct content next = { 0 };

	if (c->path || c->bytes)
		return;
	/* it was known when it was wanted; what is known is not forgotten */
	if (!c->events->find(&c->queue[c->at], &next, c->arg))
		next = (struct content){ .path = "" };
	c->digest = c->queue[c->at];
	c->size = next.size;
	c->mode = next.mode;
	c->path = next.path ? xstrdup(next.path) : NULL;
	if (!next.path) {
		c->bytes = xmalloc(next.size + 1);
		memcpy(c->bytes, next.bytes, next.size);
	}
}

static void on_batch(uv_work_t *work, int status);

void contents_go_on(struct contents *c)
{
	if (c->working || contents_idle(c) || conn_queued(c->conn) > CONN_HIGH_WATER)
		return;
	take_next(c);
	c->codec = c->events->codec(c->arg);
	c->working = true;
	c->work.data = c;
	uv_queue_work(c->loop, &c->work, read_batch, on_batch);
}

static void announce(struct contents *c)
{
	struct wire_blob blob = { .digest = c->digest, .size = c->size };
	autobuf struct buf b = { 0 };

	wire_blob_put(&b, &blob);
	conn_send(c->conn, WIRE_BLOB, 0, &b);
	c->announced = true;
	c->sent_count++;
	c->sent_bytes += c->size;
}

static void send_batch(struct contents *c)
{
	const unsigned char *p = c->packed.p;

	if (!c->announced)
		announce(c);
	for (size_t i = 0; i < c->chunk_count; p += c->chunks[i++].len)
		conn_send_bulk(c->conn, WIRE_BLOB_DATA, 0, c->chunks[i].codec, c->chunks[i].raw, p, c->chunks[i].len);
	c->packed.len = c->chunk_count = 0;
}

static void send_none(struct contents *c)
{
	autobuf struct buf b = { 0 };

	log_info("contents", "file=\"%s\" text=\"is not what it was\"", c->path);
	wire_digest_put(&b, &c->digest);
	conn_send(c->conn, WIRE_BLOB_NONE, 0, &b);
	if (c->events->gone)
		c->events->gone(c->path, c->arg);
}

static void on_batch(uv_work_t *work, int status)
{
	struct contents *c = work->data;
	struct err err = { 0 };

	(void)status;
	c->working = false;
	if (c->stopped) {
		dispose(c);
		return;
	}
	if (c->changed && c->announced) {
		err_set(&err, ERR_ABSENT, "%s changed while it was sent", c->path);
		c->events->failed(&err, c->arg);
		return;
	}
	if (c->changed)
		send_none(c);
	else
		send_batch(c);
	if (c->changed || !c->left) {
		close_content(c);
		c->at++;
	}
	contents_go_on(c);
}

static void append(struct contents *c, const struct wire_want *m)
{
	if (c->at)
		memmove(c->queue, c->queue + c->at, (c->count - c->at) * sizeof *c->queue);
	c->count -= c->at;
	c->at = 0;
	while (c->count + m->count > c->room) {
		c->room = c->room ? c->room * 2 : WANT_MAX;
		c->queue = xrealloc(c->queue, c->room * sizeof *c->queue);
	}
	memcpy(c->queue + c->count, m->digests, m->count * sizeof *m->digests);
	c->count += m->count;
}

static bool too_much(const struct contents *c)
{
	const struct contents_events *e = c->events;

	return c->count - c->at > QUEUE_MAX || (e->max_count && c->wanted_count > e->max_count) ||
	       (e->max_bytes && c->wanted_bytes > e->max_bytes);
}

int contents_want(struct contents *c, struct reader *r, struct err *err)
{
	struct wire_want m;
	struct content found;
	int rc = wire_want_get(r, &m, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < m.count && rc == 0; i++) {
		if (!c->events->find(&m.digests[i], &found, c->arg))
			rc = err_set(err, ERR_WIRE, "WANT: of what it was not told");
		else
			c->wanted_bytes += found.size;
	}
	c->wanted_count += m.count;
	if (rc == 0 && too_much(c))
		rc = err_set(err, ERR_WIRE, "WANT: too much");
	if (rc == 0 && m.count) {
		append(c, &m);
		contents_go_on(c);
	}
	wire_want_free(&m);
	return rc;
}

bool contents_idle(const struct contents *c) { return c->at == c->count; }
bool contents_busy(const struct contents *c) { return c->working; }

void contents_sent(const struct contents *c, uint64_t *count, uint64_t *bytes)
{
	*count = c->sent_count;
	*bytes = c->sent_bytes;
}

struct contents *contents_new(uv_loop_t *loop, struct conn *conn, const struct contents_events *events, void *arg)
{
	struct contents *c = xcalloc(1, sizeof *c);

	*c = (struct contents){ .loop = loop, .conn = conn, .events = events, .arg = arg, .fd = -1 };
	return c;
}
