/*
 * supply.c - one toolchain on its way to one volunteer.
 *
 * One batch at a time: a worker thread opens, reads, hashes and packs a few
 * frames of the file at hand, then the loop queues them. Nothing of a file is
 * announced before its first batch was read; one that turns out changed
 * later ends the connection, as what was sent of it cannot be taken back.
 */
#include "supply.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "clock.h"
#include "codec.h"
#include "log.h"
#include "wire.h"

enum { BATCH = 4 };	/* frames */

struct chunk {		/* the payload of one frame, packed */
	uint32_t raw, len;
	uint8_t codec;
};

struct supply {
	struct conn *conn;
	const struct toolchain *toolchain;
	const struct supply_events *events;
	void *arg;
	uv_loop_t *loop;
	uv_work_t work;
	bool working, stopped;
	bool welcomed;
	bool some_gone;			/* the volunteer was told of a file that changed */
	uint64_t moved_ms;		/* when something was last heard, or taken by the socket */
	uint64_t moved_bytes;
	struct wire_want want;
	size_t at;			/* of want: the file at hand */

	/* The file at hand: the worker's while it works. */
	const struct tree_entry *file;
	int fd;				/* -1: not opened yet */
	struct stat opened;
	uint64_t left;			/* bytes not read yet */
	struct hasher *hash;
	bool announced;			/* BLOB was sent */
	bool changed;			/* it is not what it was */
	enum codec codec;
	struct buf packed;
	struct chunk chunks[BATCH];
	size_t chunk_count;
};

const struct tree_entry *supply_find(const struct tree *t, const struct digest *d)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].type == TREE_FILE && digest_eq(&t->entries[i].digest, d))
			return &t->entries[i];
	return NULL;
}

/* In a worker thread */

static bool open_file(struct supply *s)
{
	s->fd = open(s->file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (s->fd < 0 || fstat(s->fd, &s->opened) < 0 || !S_ISREG(s->opened.st_mode) ||
	    (uint64_t)s->opened.st_size != s->file->size)
		return false;
	s->left = s->file->size;
	s->hash = hasher_new();
	return true;
}

/* One frame's worth, whole unless the file has shrunk. */
static bool read_frame(struct supply *s, unsigned char *p, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = read(s->fd, p + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	hasher_add(s->hash, p, len);
	return true;
}

static void pack_frame(struct supply *s, const unsigned char *p, size_t len)
{
	size_t before = s->packed.len;
	enum codec codec = codec_pack(s->codec, p, len, &s->packed);

	s->chunks[s->chunk_count++] = (struct chunk){
		.raw = (uint32_t)len, .len = (uint32_t)(s->packed.len - before), .codec = (uint8_t)codec,
	};
	s->left -= len;
}

/* All of it was read: is it the file that the toolchain names? */
static bool is_itself(struct supply *s)
{
	struct digest d;

	hasher_end(ptr_steal(&s->hash), &d);
	return digest_eq(&d, &s->file->digest);
}

static void read_batch(uv_work_t *work)
{
	struct supply *s = work->data;
	unsigned char frame[FRAME_MAX];

	if (s->fd < 0 && !open_file(s)) {
		s->changed = true;
		return;
	}
	while (s->left && s->chunk_count < BATCH) {
		size_t len = s->left < FRAME_MAX ? (size_t)s->left : FRAME_MAX;

		if (!read_frame(s, frame, len)) {
			s->changed = true;
			return;
		}
		pack_frame(s, frame, len);
	}
	if (!s->left)
		s->changed = !is_itself(s);
}

/* In the loop */

static void close_file(struct supply *s)
{
	struct digest unused;

	if (s->fd >= 0)
		close(fd_steal(&s->fd));
	if (s->hash)
		hasher_end(ptr_steal(&s->hash), &unused);
	s->announced = s->changed = false;
	s->packed.len = s->chunk_count = 0;
}

static void dispose(struct supply *s)
{
	close_file(s);
	buf_free(&s->packed);
	wire_want_free(&s->want);
	free(s);
}

void supply_stop(struct supply *s)
{
	if (!s || s->stopped)
		return;
	s->stopped = true;
	conn_close(ptr_steal(&s->conn));
	if (!s->working)
		dispose(s);	/* else once the worker is back */
}

static void finish(struct supply *s, const struct err *err)
{
	s->events->ended(s, err, s->arg);
	supply_stop(s);
}

static void on_batch(uv_work_t *work, int status);

/* The next batch, if there is room for it. on_drained comes once the queue has been above the mark. */
static void go_on(struct supply *s)
{
	if (s->working || s->at == s->want.count || conn_queued(s->conn) > CONN_HIGH_WATER)
		return;
	s->file = supply_find(&s->toolchain->tree, &s->want.digests[s->at]);
	s->codec = s->events->codec(s->conn, s->arg);
	s->working = true;
	s->work.data = s;
	uv_queue_work(s->loop, &s->work, read_batch, on_batch);
}

static void announce(struct supply *s)
{
	struct wire_blob blob = { .digest = s->file->digest, .size = s->file->size };
	autobuf struct buf b = { 0 };

	wire_blob_put(&b, &blob);
	conn_send(s->conn, WIRE_BLOB, 0, &b);
	s->announced = true;
}

static void send_batch(struct supply *s)
{
	const unsigned char *p = s->packed.p;

	if (!s->announced)
		announce(s);
	for (size_t i = 0; i < s->chunk_count; p += s->chunks[i++].len)
		conn_send_bulk(s->conn, WIRE_BLOB_DATA, 0, s->chunks[i].codec, s->chunks[i].raw, p, s->chunks[i].len);
	s->packed.len = s->chunk_count = 0;
}

static void send_none(struct supply *s)
{
	autobuf struct buf b = { 0 };

	log_info("supply", "file=\"%s\" text=\"changed since the toolchain was found\"", s->file->path);
	wire_digest_put(&b, &s->file->digest);
	conn_send(s->conn, WIRE_BLOB_NONE, 0, &b);
	s->some_gone = true;
}

static void on_batch(uv_work_t *work, int status)
{
	struct supply *s = work->data;
	struct err err = { 0 };

	(void)status;
	s->working = false;
	if (s->stopped) {
		dispose(s);
		return;
	}
	if (s->changed && s->announced) {
		err_set(&err, ERR_ABSENT, "%s changed while it was sent", s->file->path);
		finish(s, &err);
		return;
	}
	if (s->changed)
		send_none(s);
	else
		send_batch(s);
	if (s->changed || !s->left) {
		close_file(s);
		s->at++;
	}
	go_on(s);
}

static int check_want(const struct supply *s, struct err *err)
{
	for (size_t i = 0; i < s->want.count; i++)
		if (!supply_find(&s->toolchain->tree, &s->want.digests[i]))
			return err_set(err, ERR_WIRE, "WANT: not a file of the toolchain");
	return 0;
}

static int on_want(struct supply *s, struct reader *r, struct err *err)
{
	static const struct err gone = { .code = ERR_ABSENT, .text = "some files have changed" };
	int rc;

	if (s->at < s->want.count)
		return err_set(err, ERR_WIRE, "WANT: the last one is not answered");
	wire_want_free(&s->want);
	s->at = 0;
	rc = wire_want_get(r, &s->want, err);
	if (rc == 0)
		rc = check_want(s, err);
	if (rc < 0)
		return rc;
	if (s->want.count)
		go_on(s);
	else
		finish(s, s->some_gone ? &gone : NULL);
	return 0;
}

static int on_welcome(struct supply *s, struct reader *r, struct err *err)
{
	struct wire_welcome m = { 0 };
	int rc = s->welcomed ? err_set(err, ERR_WIRE, "WELCOME: twice") : wire_welcome_get(r, &m, err);

	s->welcomed = true;
	wire_welcome_free(&m);
	return rc;
}

static int on_bye(struct reader *r, struct err *err)
{
	struct wire_bye m = { 0 };
	int rc = wire_bye_get(r, &m, err);

	if (rc == 0)
		rc = err_set(err, ERR_REFUSED, "%s%s%s", refusal_text(m.refusal), *m.text ? ": " : "", m.text);
	free(m.text);
	return rc;
}

static int on_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct supply *s = arg;

	(void)c;
	s->moved_ms = clock_ms();
	switch (f->type) {
	case WIRE_WELCOME: return on_welcome(s, &r, err);
	case WIRE_BYE: return on_bye(&r, err);
	case WIRE_WANT: return on_want(s, &r, err);
	default: return err_set(err, ERR_WIRE, "unexpected %s", wire_protocol.rules[f->type].name);
	}
}

static void on_drained(struct conn *c, void *arg)
{
	(void)c;
	go_on(arg);
}

static void on_end(struct conn *c, void *arg, const struct err *err)
{
	struct supply *s = arg;

	(void)c;
	s->conn = NULL;
	finish(s, err);
}

static const struct conn_ops conn_ops = { .on_message = on_message, .on_drained = on_drained, .on_end = on_end };

struct supply *supply_start(uv_loop_t *loop, struct conn *c, const struct toolchain *tc,
			    const struct supply_events *events, void *arg)
{
	struct supply *s = xcalloc(1, sizeof *s);
	autobuf struct buf b = { 0 };

	*s = (struct supply){ .conn = c, .toolchain = tc, .events = events, .arg = arg, .loop = loop, .fd = -1,
			      .moved_ms = clock_ms() };
	conn_set_arg(c, &conn_ops, s);
	wire_digest_put(&b, &tc->id);
	conn_send(c, WIRE_SUPPLY, 0, &b);
	return s;
}

void supply_check(struct supply *s, uint64_t now_ms)
{
	struct err err = { 0 };

	if (conn_bytes_out(s->conn) != s->moved_bytes) {
		s->moved_bytes = conn_bytes_out(s->conn);
		s->moved_ms = now_ms;
	}
	if (now_ms < s->moved_ms + SUPPLY_STALL_MS || s->working)
		return;
	err_set(&err, ERR_IO, "nothing moved for %d s", SUPPLY_STALL_MS / 1000);
	finish(s, &err);
}
