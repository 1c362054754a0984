/*
 * feed.c - one preprocessor's text, made into frames off the loop.
 *
 * A readable pipe starts one piece of work; when it is done the pipe is
 * watched again, unless too much is waiting to be taken. So the memory of a
 * job that waits for a grant is bounded, and the preprocessor waits instead.
 *
 * Compilers write 4 KiB at a time, and nothing leaves before there is a
 * frame. So after less than a frame the pipe is left alone for a moment: to
 * be woken for each write cost more than all that is done with the text.
 */
#include "feed.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <xxhash.h>

#include "log.h"
#include "plan.h"

enum { BATCH = 1 << 20, SPOOL_MAX = 16 << 20, PAUSE_MS = 1 };

struct feed {
	uv_poll_t poll;
	uv_timer_t pause;
	uv_work_t work;
	const struct feed_events *events;
	void *arg;
	int fd;
	enum codec codec;
	bool unbounded;
	bool working, stopped, at_end;
	bool hurried;			/* the writer has ended: no pauses */
	unsigned handles;		/* not closed yet */
	size_t got;			/* by the last work */
	enum reason why;
	struct text_scan scan;
	struct source_memo *memo;
	struct text_origin origin;
	XXH3_state_t *hash;		/* apart: it wants an alignment of 64 */
	uint64_t bytes;
	struct buf pending;		/* read, less than a frame */
	struct parcel *made, **made_end;	/* by the work under way */
	struct parcel *spool, **spool_end;
	size_t spooled;
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void free_parcels(struct parcel *p)
{
	while (p) {
		struct parcel *next = p->next;

		free(p);
		p = next;
	}
}

static void release(struct feed *f)
{
	if (f->working || f->handles)
		return;
	free_parcels(f->made);
	free_parcels(f->spool);
	buf_free(&f->pending);
	XXH3_freeState(f->hash);
	text_scan_free(&f->scan);
	text_origin_free(&f->origin);
	free(f);
}

static void on_closed(uv_handle_t *handle)
{
	struct feed *f = handle->data;

	f->handles--;
	release(f);
}

/* One frame's worth from the front of pending. */
static void make_parcel(struct feed *f, size_t raw)
{
	autobuf struct buf packed = { 0 };
	enum codec codec = codec_pack(f->codec, f->pending.p, raw, &packed);
	struct parcel *p = xmalloc(sizeof *p + packed.len);

	*p = (struct parcel){ .raw = (uint32_t)raw, .len = (uint32_t)packed.len, .codec = (uint8_t)codec };
	memcpy(p->data, packed.p, packed.len);
	*f->made_end = p;
	f->made_end = &p->next;
	buf_drop(&f->pending, raw);
}

static void take_text(struct feed *f, size_t n)
{
	const unsigned char *p = f->pending.p + f->pending.len;

	f->pending.len += n;
	f->bytes += n;
	XXH3_64bits_update(f->hash, p, n);
	if (f->why == REASON_NONE)
		f->why = text_scan(&f->scan, p, n);
	while (f->pending.len >= FRAME_MAX)
		make_parcel(f, FRAME_MAX);
}

/* What the text does not show, the files it came from do. */
static void judge(struct feed *f)
{
	autofree char *culprit = NULL;

	f->why = source_memo_judge(f->memo, &f->scan, &f->origin, &culprit);
	if (f->why != REASON_NONE)
		log_debug("text", "reason=%s file=\"%s\"", reason_key(f->why), culprit);
}

/* In a worker thread: whatever the pipe holds now. */
static void read_batch(uv_work_t *work)
{
	struct feed *f = work->data;

	for (f->got = 0; f->got < BATCH && !f->at_end;) {
		ssize_t n;

		buf_reserve(&f->pending, FRAME_MAX);
		n = read(f->fd, f->pending.p + f->pending.len, FRAME_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			f->why = REASON_PREPROCESSOR;
		if (n <= 0) {
			f->at_end = true;
			break;
		}
		take_text(f, (size_t)n);
		f->got += (size_t)n;
	}
	if (f->at_end && f->pending.len)
		make_parcel(f, f->pending.len);
	if (f->at_end && f->why == REASON_NONE)
		judge(f);
}

static void on_pause_end(uv_timer_t *pause)
{
	struct feed *f = pause->data;

	uv_poll_start(&f->poll, UV_READABLE, on_readable);
}

static void watch(struct feed *f)
{
	if (f->working || f->at_end || f->stopped || (!f->unbounded && f->spooled >= SPOOL_MAX))
		return;
	if (f->got && f->got < FRAME_MAX && !f->hurried)
		uv_timer_start(&f->pause, on_pause_end, PAUSE_MS, 0);
	else
		uv_poll_start(&f->poll, UV_READABLE, on_readable);
}

static void on_batch(uv_work_t *work, int status)
{
	struct feed *f = work->data;

	(void)status;
	f->working = false;
	if (f->stopped) {
		close(f->fd);
		release(f);
		return;
	}
	for (struct parcel *p = f->made; p; p = p->next)
		f->spooled += p->len;
	if (f->made) {
		*f->spool_end = f->made;
		f->spool_end = f->made_end;
		f->made = NULL;
		f->made_end = &f->made;
	}
	watch(f);
	f->events->ready(f, f->arg);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct feed *f = poll->data;

	(void)status, (void)events;	/* an error shows in read() */
	uv_poll_stop(poll);
	f->working = true;
	uv_queue_work(poll->loop, &f->work, read_batch, on_batch);
}

struct feed *feed_start(uv_loop_t *loop, int fd, enum codec codec, const struct feed_text *text, bool unbounded,
			const struct feed_events *events, void *arg)
{
	struct feed *f = xcalloc(1, sizeof *f);

	*f = (struct feed){ .events = events, .arg = arg, .fd = fd, .codec = codec, .unbounded = unbounded, .handles = 2,
			    .scan = { .dialect = text->dialect, .plain = text->plain }, .memo = text->memo,
			    .origin = text->origin };
	f->made_end = &f->made;
	f->spool_end = &f->spool;
	f->hash = XXH3_createState();
	if (!f->hash)
		abort();
	XXH3_64bits_reset(f->hash);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (uv_poll_init(loop, &f->poll, fd) < 0)
		abort();
	uv_timer_init(loop, &f->pause);
	f->poll.data = f->pause.data = f->work.data = f;
	watch(f);
	return f;
}

struct parcel *feed_take(struct feed *f)
{
	struct parcel *p = f->spool;

	if (!p)
		return NULL;
	f->spool = p->next;
	if (!f->spool)
		f->spool_end = &f->spool;
	f->spooled -= p->len;
	watch(f);
	return p;
}

void feed_hurry(struct feed *f)
{
	f->hurried = true;
	uv_timer_stop(&f->pause);
	watch(f);
}

bool feed_ended(const struct feed *f, enum reason *why)
{
	*why = f->why;
	return !f->working && f->at_end;
}

uint64_t feed_bytes(const struct feed *f) { return f->bytes; }
uint64_t feed_hash(const struct feed *f) { return XXH3_64bits_digest(f->hash); }

void feed_stop(struct feed *f)
{
	if (!f || f->stopped)
		return;
	f->stopped = true;
	uv_close((uv_handle_t *)&f->poll, on_closed);
	uv_close((uv_handle_t *)&f->pause, on_closed);
	if (!f->working)
		close(f->fd);
}
