/*
 * receipt.c - the loop queues pieces, a worker thread writes them, a batch at a time.
 *
 * A connection's blobs hold about a megabyte here.
 */
#include "receipt.h"

#include <sys/queue.h>

#include "codec.h"

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

struct receipt {
	uv_loop_t *loop;
	struct store *store;
	const struct receipt_ops *ops;	/* NULL: its end was called for */
	void *arg;
	uint64_t left;			/* bytes of the blob that comes now */
	struct pieces queue;		/* the loop's */
	size_t queued;			/* bytes, with those in work */
	bool failed;

	uv_work_t work;
	bool working;
	struct pieces batch;		/* the worker's, while it works */
	struct store_blob *blob;
	uint64_t written;		/* bytes of blobs, by this batch */
	size_t whole;
	struct err err;
	int rc;
};

struct receipt *receipt_new(uv_loop_t *loop, struct store *s, const struct receipt_ops *ops, void *arg)
{
	struct receipt *r = xcalloc(1, sizeof *r);

	*r = (struct receipt){ .loop = loop, .store = s, .ops = ops, .arg = arg };
	r->work.data = r;
	STAILQ_INIT(&r->queue);
	STAILQ_INIT(&r->batch);
	return r;
}

static void drop_pieces(struct pieces *all)
{
	struct piece *p;

	while ((p = STAILQ_FIRST(all))) {
		STAILQ_REMOVE_HEAD(all, link);
		free(p);
	}
}

static void receipt_free(struct receipt *r)
{
	if (r->blob)
		store_blob_drop(ptr_steal(&r->blob));
	drop_pieces(&r->queue);
	drop_pieces(&r->batch);
	free(r);
}

/* The worker's part */

static int take_piece(struct receipt *r, const struct piece *p, struct err *err)
{
	autobuf struct buf raw = { 0 };
	int rc = 0;

	if (p->first)
		rc = store_blob_begin(r->store, &p->begins.digest, p->begins.size, &r->blob, err);
	if (rc == 0 && p->len)
		rc = codec_unpack(p->codec, p->data, p->len, p->raw, &raw, err);
	if (rc == 0)
		rc = store_blob_write(r->blob, raw.p, raw.len, err);
	r->written += raw.len;
	if (rc == 0 && p->last) {
		rc = store_blob_end(ptr_steal(&r->blob), err);
		r->whole += rc == 0;
	}
	return rc;
}

static void work(uv_work_t *w)
{
	struct receipt *r = w->data;
	struct piece *p;

	STAILQ_FOREACH(p, &r->batch, link) {
		r->rc = take_piece(r, p, &r->err);
		if (r->rc < 0)
			break;
	}
	if (r->rc < 0 && r->blob)
		store_blob_drop(ptr_steal(&r->blob));
}

/* The loop's part */

static void on_worked(uv_work_t *w, int status);

static void start_work(struct receipt *r)
{
	if (r->working || r->failed || STAILQ_EMPTY(&r->queue))
		return;
	STAILQ_CONCAT(&r->batch, &r->queue);
	r->working = true;
	r->written = 0;
	r->whole = 0;
	uv_queue_work(r->loop, &r->work, work, on_worked);
}

static void drop_batch(struct receipt *r)
{
	const struct piece *p;

	STAILQ_FOREACH(p, &r->batch, link)
		r->queued -= sizeof *p + p->len;
	drop_pieces(&r->batch);
}

/* What is idle when it is told has written all that it was given. */
static void on_worked(uv_work_t *w, int status UNUSED)
{
	struct receipt *r = w->data;
	struct err err = r->err;
	uint64_t written = r->written;
	size_t whole = r->whole;
	int rc = r->rc;

	r->working = false;
	r->failed = rc < 0;
	drop_batch(r);
	if (!r->ops) {
		receipt_free(r);
		return;
	}
	if (r->queued < QUEUE_LOW)
		r->ops->resume(r->arg);
	start_work(r);
	r->ops->on_written(r->arg, written, whole, rc, &err);
}

static void push(struct receipt *r, const struct wire_blob *begins, const struct frame *f)
{
	struct piece *p;

	if (r->failed)
		return;
	p = xmalloc(sizeof *p + (f ? f->length : 0));
	*p = (struct piece){ .first = begins, .last = !r->left };
	if (begins)
		p->begins = *begins;
	if (f) {
		p->codec = f->codec;
		p->raw = f->raw;
		p->len = f->length;
		memcpy(p->data, f->payload, f->length);
	}
	STAILQ_INSERT_TAIL(&r->queue, p, link);
	r->queued += sizeof *p + p->len;
	if (r->queued > QUEUE_HIGH)
		r->ops->pause(r->arg);
	start_work(r);
}

void receipt_blob(struct receipt *r, const struct wire_blob *m)
{
	r->left = m->size;
	push(r, m, NULL);
}

int receipt_data(struct receipt *r, const struct frame *f, struct err *err)
{
	if (f->raw > r->left || !f->raw)
		return err_set(err, ERR_WIRE, "BLOB_DATA beyond its blob");
	r->left -= f->raw;
	push(r, NULL, f);
	return 0;
}

bool receipt_coming(const struct receipt *r) { return r->left; }
bool receipt_idle(const struct receipt *r) { return !r->left && !r->working && STAILQ_EMPTY(&r->queue); }

void receipt_end(struct receipt *r)
{
	if (!r)
		return;
	r->ops = NULL;
	if (!r->working)
		receipt_free(r);
}
