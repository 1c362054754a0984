/*
 * intake.c - what comes on a store connection, in the order in which it was asked for.
 *
 * The loop checks and queues frames; a worker thread unpacks, hashes and
 * writes them, one batch at a time. The connection is not read while much is
 * queued, so a caller's blobs hold about a megabyte here.
 */
#include "intake.h"

#include <sys/queue.h>

#include "codec.h"
#include "session.h"
#include "store.h"
#include "toolchains.h"

enum { QUEUE_HIGH = 1 << 20, QUEUE_LOW = 1 << 18 };

/* A piece of a blob; the first one brings its name as well. */
struct piece {
	STAILQ_ENTRY(piece) link;
	struct wire_blob begins;	/* of the first piece */
	bool first, last;
	uint8_t codec;
	uint32_t raw;
	size_t len;
	unsigned char data[];
};
STAILQ_HEAD(pieces, piece);

struct intake {
	struct session *session;	/* NULL: it is gone */
	struct server *server;
	bool supplying;			/* a toolchain was asked for, and its end not told yet */
	struct digest toolchain;
	struct wire_want want;
	size_t at;			/* how many of want have begun to come, or cannot */
	uint64_t left;			/* bytes of the blob that comes now */
	bool coming;
	bool lacking;			/* BLOB_NONE was said */
	struct pieces queue;		/* the loop's */
	size_t queued;			/* bytes, with those in work */

	uv_work_t work;
	bool working;
	struct pieces batch;		/* the worker's, while it works */
	struct store_blob *blob;
	uint64_t written;		/* bytes of blobs, by this batch */
	struct err err;
	int rc;
};

struct intake *intake_new(struct session *x, struct server *s)
{
	struct intake *i = xcalloc(1, sizeof *i);

	*i = (struct intake){ .session = x, .server = s };
	i->work.data = i;
	STAILQ_INIT(&i->queue);
	STAILQ_INIT(&i->batch);
	return i;
}

static void drop_pieces(struct pieces *all)
{
	struct piece *p;

	while ((p = STAILQ_FIRST(all))) {
		STAILQ_REMOVE_HEAD(all, link);
		free(p);
	}
}

static void intake_free(struct intake *i)
{
	drop_pieces(&i->queue);
	drop_pieces(&i->batch);
	wire_want_free(&i->want);
	free(i);
}

/* Once for each SUPPLY that was taken. */
static void tell_end(struct intake *i, enum supply_end how, const struct err *err)
{
	if (!i->supplying)
		return;
	i->supplying = false;
	toolchain_supplied(i->server, &i->toolchain, i, how, err ? err->text : "");
}

static void send_want(struct intake *i)
{
	autobuf struct buf b = { 0 };

	wire_want_put(&b, &i->want);
	conn_send(session_conn(i->session), WIRE_WANT, 0, &b);
}

/* What is still wanted of the toolchain; nothing when its caller has brought all it can. */
static void ask(struct intake *i)
{
	wire_want_free(&i->want);
	i->at = 0;
	if (i->lacking)
		tell_end(i, SUPPLY_NONE, NULL);
	else if (i->supplying && !toolchain_wanted(i->server, &i->toolchain, &i->want))
		tell_end(i, SUPPLY_WHOLE, NULL);
	send_want(i);
}

int intake_supply(struct intake *i, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct digest id;
	int rc = wire_digest_get(&r, &id, err);

	if (rc < 0)
		return rc;
	if (i->supplying || i->coming)
		return err_set(err, ERR_WIRE, "SUPPLY before the last one's end");
	i->lacking = false;
	i->toolchain = id;
	i->supplying = toolchain_supplier(i->server, &id, i);
	ask(i);
	return 0;
}

/* The worker's part */

static int take_piece(struct intake *i, const struct piece *p, struct err *err)
{
	autobuf struct buf raw = { 0 };
	int rc = 0;

	if (p->first)
		rc = store_blob_begin(i->server->store, &p->begins.digest, p->begins.size, &i->blob, err);
	if (rc == 0 && p->len)
		rc = codec_unpack(p->codec, p->data, p->len, p->raw, &raw, err);
	if (rc == 0)
		rc = store_blob_write(i->blob, raw.p, raw.len, err);
	i->written += raw.len;
	if (rc == 0 && p->last)
		rc = store_blob_end(ptr_steal(&i->blob), err);
	return rc;
}

static void work(uv_work_t *w)
{
	struct intake *i = w->data;
	struct piece *p;

	STAILQ_FOREACH(p, &i->batch, link) {
		i->rc = take_piece(i, p, &i->err);
		if (i->rc < 0)
			break;
	}
	if (i->rc < 0 && i->blob)
		store_blob_drop(ptr_steal(&i->blob));
}

/* The loop's part */

static void on_worked(uv_work_t *w, int status);

static void start_work(struct intake *i)
{
	if (i->working || STAILQ_EMPTY(&i->queue))
		return;
	STAILQ_CONCAT(&i->batch, &i->queue);
	i->working = true;
	uv_queue_work(i->server->loop, &i->work, work, on_worked);
}

static size_t batch_bytes(const struct intake *i)
{
	const struct piece *p;
	size_t sum = 0;

	STAILQ_FOREACH(p, &i->batch, link)
		sum += sizeof *p + p->len;
	return sum;
}

/* What was brought cannot be used. The session, and with it i, is gone afterwards. */
static void fail(struct intake *i)
{
	bool lie = i->rc == ERR_WIRE;

	tell_end(i, lie ? SUPPLY_LOST : SUPPLY_FULL, &i->err);
	make_printable(i->err.text);
	session_bye(i->session, lie ? REFUSAL_PROTOCOL : REFUSAL_INTERNAL, i->err.text);
}

/* Nothing more of this WANT is to come, and all of it is written. */
static bool all_done(const struct intake *i)
{
	return i->want.count && i->at == i->want.count && !i->coming && STAILQ_EMPTY(&i->queue);
}

static void on_worked(uv_work_t *w, int status UNUSED)
{
	struct intake *i = w->data;

	i->working = false;
	i->queued -= batch_bytes(i);
	drop_pieces(&i->batch);
	if (!i->session) {
		if (i->blob)
			store_blob_drop(ptr_steal(&i->blob));
		intake_free(i);
		return;
	}
	toolchain_progress(i->server, &i->toolchain, i->written);
	i->written = 0;
	if (i->rc < 0) {
		fail(i);
		return;
	}
	if (i->queued < QUEUE_LOW)
		conn_resume(session_conn(i->session));
	if (all_done(i))
		ask(i);
	start_work(i);
}

static void push(struct intake *i, const struct wire_blob *begins, const struct frame *f)
{
	struct piece *p = xmalloc(sizeof *p + (f ? f->length : 0));

	*p = (struct piece){ .first = begins, .last = !i->left };
	if (begins)
		p->begins = *begins;
	if (f) {
		p->codec = f->codec;
		p->raw = f->raw;
		p->len = f->length;
		memcpy(p->data, f->payload, f->length);
	}
	STAILQ_INSERT_TAIL(&i->queue, p, link);
	i->queued += sizeof *p + p->len;
	if (i->queued > QUEUE_HIGH)
		conn_pause(session_conn(i->session));
	i->coming = i->left;
	start_work(i);
}

int intake_blob(struct intake *i, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_blob m;
	int rc = wire_blob_get(&r, &m, err);

	if (rc < 0)
		return rc;
	if (i->coming || i->at == i->want.count || !digest_eq(&m.digest, &i->want.digests[i->at]))
		return err_set(err, ERR_WIRE, "BLOB that was not the next to be wanted");
	if (m.size != toolchain_blob_size(i->server, &i->toolchain, &m.digest))
		return err_set(err, ERR_WIRE, "BLOB of %llu bytes, which the tree denies", (unsigned long long)m.size);
	i->at++;
	i->left = m.size;
	push(i, &m, NULL);
	return 0;
}

int intake_data(struct intake *i, const struct frame *f, struct err *err)
{
	if (!i->coming || f->raw > i->left || !f->raw)
		return err_set(err, ERR_WIRE, "BLOB_DATA beyond its blob");
	i->left -= f->raw;
	push(i, NULL, f);
	return 0;
}

int intake_none(struct intake *i, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct digest d;
	int rc = wire_digest_get(&r, &d, err);

	if (rc < 0)
		return rc;
	if (i->coming || i->at == i->want.count || !digest_eq(&d, &i->want.digests[i->at]))
		return err_set(err, ERR_WIRE, "BLOB_NONE of what was not the next to be wanted");
	i->at++;
	i->lacking = true;
	if (all_done(i) && !i->working)
		ask(i);
	return 0;
}

uint64_t intake_caller(const struct intake *i) { return session_caller(i->session); }

void intake_give_up(struct intake *i) { session_bye(i->session, REFUSAL_PROTOCOL, "too slow to supply a toolchain"); }

void intake_end(struct intake *i)
{
	if (!i)
		return;
	tell_end(i, SUPPLY_LOST, NULL);
	i->session = NULL;
	if (i->working)
		return;
	if (i->blob)
		store_blob_drop(ptr_steal(&i->blob));
	intake_free(i);
}
