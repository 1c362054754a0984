/*
 * fetch.c - one record for each blob that is missing, with those who wait for it.
 *
 * A blob is first looked for in a worker thread (an earlier life's contents are hashed, this machine's
 * own file is copied), then asked of one caller at a time, in the order in which jobs came to wait. What goes to
 * boxes and callers is collected while an event is handled and sent at its end, so it travels in few messages.
 *
 * A job's blobs are pinned in the store until it is over.
 */
#include "fetch.h"

#include <search.h>
#include <sys/queue.h>

#include "clock.h"
#include "hostfiles.h"
#include "log.h"
#include "receipt.h"
#include "wire.h"

struct blob {
	struct digest digest;
	uint64_t size;			/* as it was said: one who lies about it shares with nobody else */
	TAILQ_HEAD(, wait) waits;
	struct fetch *bringer;		/* was asked, and has not answered yet; NULL: it is looked for */
	uint64_t asked_ms;		/* when it was */
};

/* A job waits for a blob. */
struct wait {
	TAILQ_ENTRY(wait) of_blob, of_fetch;
	struct blob *blob;
	struct fetch *fetch;
	bool slow;			/* its caller was asked, and then another: it still comes */
	bool refused;			/* its caller does not have it */
};

/* What one caller was asked for, in order. The blob may be gone, or another's to bring: it comes all the same. */
struct asked {
	STAILQ_ENTRY(asked) link;
	struct digest digest;
	uint64_t size;
};
STAILQ_HEAD(asked_list, asked);

struct list { struct digest *v; size_t count, room; };

struct fetch {
	struct fetches *all;
	TAILQ_ENTRY(fetch) link;
	const struct fetch_ops *ops;
	void *arg;
	TAILQ_HEAD(, wait) waits;
	struct list held;		/* pinned in the store */
	struct list have, none;		/* to be told to the box */
	struct wire_needed *want;	/* to be asked of the caller; without paths */
	size_t want_count, want_room;
	struct asked_list asked;	/* not begun to come */
	struct asked_list coming;	/* begun, and not in the store yet */
	struct receipt *receipt;
	uint64_t blobs, bytes;		/* that its box asked for so far */
	bool broken;			/* what its caller brings cannot be kept: it is not asked again */
	bool kept;
};

struct fetches {
	uv_loop_t *loop;
	struct store *store;
	const struct argv *dirs;
	void *blobs;			/* of tsearch(3) */
	TAILQ_HEAD(, fetch) jobs;
	struct fetch_view view;
};

static void list_add(struct list *l, const struct digest *d)
{
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->v = xrealloc(l->v, l->room * sizeof *l->v);
	}
	l->v[l->count++] = *d;
}

static int by_digest(const void *a, const void *b) { return memcmp(a, b, DIGEST_SIZE); }

static int by_digest_and_size(const void *a, const void *b)
{
	const struct blob *x = a, *y = b;
	int order = by_digest(&x->digest, &y->digest);

	return order ? order : (x->size > y->size) - (x->size < y->size);
}

static struct blob *find(const struct fetches *all, const struct digest *d, uint64_t size)
{
	const struct blob key = { .digest = *d, .size = size };
	struct blob *const *at = tfind(&key, &all->blobs, by_digest_and_size);

	return at ? *at : NULL;
}

static struct blob *blob_add(struct fetches *all, const struct digest *d, uint64_t size)
{
	struct blob *b = xcalloc(1, sizeof *b);

	*b = (struct blob){ .digest = *d, .size = size };
	TAILQ_INIT(&b->waits);
	if (!tsearch(b, &all->blobs, by_digest_and_size))
		abort();
	return b;
}

static void wait_free(struct wait *w)
{
	TAILQ_REMOVE(&w->blob->waits, w, of_blob);
	TAILQ_REMOVE(&w->fetch->waits, w, of_fetch);
	free(w);
}

/* Nobody waits for it any more. */
static void blob_free(struct fetches *all, struct blob *b)
{
	tdelete(b, &all->blobs, by_digest_and_size);
	free(b);
}

static void join(struct fetch *f, struct blob *b)
{
	struct wait *w;

	TAILQ_FOREACH(w, &b->waits, of_blob)
		if (w->fetch == f)
			return;
	w = xcalloc(1, sizeof *w);
	*w = (struct wait){ .blob = b, .fetch = f };
	TAILQ_INSERT_TAIL(&b->waits, w, of_blob);
	TAILQ_INSERT_TAIL(&f->waits, w, of_fetch);
}

/* What is said at the end of an event */

static void send_list(struct fetch *f, uint8_t type, struct list *l)
{
	for (size_t at = 0, n; at < l->count; at += n) {
		autobuf struct buf b = { 0 };

		n = type == WIRE_HAVE ? size_min(l->count - at, WANT_MAX) : 1;
		if (type == WIRE_HAVE)
			wire_want_put(&b, &(struct wire_want){ .digests = l->v + at, .count = n });
		else
			wire_digest_put(&b, &l->v[at]);
		f->ops->to_box(f->arg, type, &b);
	}
	l->count = 0;
}

/* The largest travel first, while the job may already run without them. */
static int by_size(const void *a, const void *b)
{
	const struct wire_needed *x = a, *y = b;

	return x->size < y->size ? 1 : x->size > y->size ? -1 : by_digest(&x->digest, &y->digest);
}

static void send_want(struct fetch *f)
{
	autofree struct digest *v = xcalloc(WANT_MAX, sizeof *v);

	qsort(f->want, f->want_count, sizeof *f->want, by_size);
	for (size_t at = 0, n; at < f->want_count; at += n) {
		autobuf struct buf b = { 0 };

		n = size_min(f->want_count - at, WANT_MAX);
		for (size_t i = 0; i < n; i++) {
			struct asked *a = xcalloc(1, sizeof *a);

			*a = (struct asked){ .digest = f->want[at + i].digest, .size = f->want[at + i].size };
			STAILQ_INSERT_TAIL(&f->asked, a, link);
			v[i] = a->digest;
		}
		wire_want_put(&b, &(struct wire_want){ .digests = v, .count = n });
		f->ops->to_caller(f->arg, WIRE_WANT, &b);
	}
	f->want_count = 0;
}

static void say_all(struct fetches *all)
{
	struct fetch *f;

	TAILQ_FOREACH(f, &all->jobs, link) {
		send_list(f, WIRE_HAVE, &f->have);
		send_list(f, WIRE_BLOB_NONE, &f->none);
		if (f->want_count)
			send_want(f);
	}
}

/* What becomes of a blob */

static bool hold(struct fetch *f, const struct digest *d, uint64_t size)
{
	if (!store_pin(f->all->store, d, size))
		return false;
	list_add(&f->held, d);
	return true;
}

/* It is in the store, or not to be had: all who wait hear of it. */
static void settle(struct fetches *all, struct blob *b)
{
	struct wait *w;

	while ((w = TAILQ_FIRST(&b->waits))) {
		struct fetch *f = w->fetch;

		list_add(hold(f, &b->digest, b->size) ? &f->have : &f->none, &b->digest);
		wait_free(w);
	}
	blob_free(all, b);
}

/* One that was not asked yet, else one that still may bring it. */
static const struct wait *next_bringer(const struct blob *b)
{
	const struct wait *w, *slow = NULL;

	TAILQ_FOREACH(w, &b->waits, of_blob) {
		if (w->refused || w->fetch->broken)
			continue;
		if (!w->slow)
			return w;
		slow = w;
	}
	return slow;
}

static void ask_next(struct fetches *all, struct blob *b)
{
	const struct wait *next = next_bringer(b);
	struct fetch *f = next ? next->fetch : NULL;

	b->bringer = f;
	b->asked_ms = clock_ms();
	if (!f)
		settle(all, b);
	if (!f || next->slow)
		return;
	if (f->want_count == f->want_room) {
		f->want_room = f->want_room ? 2 * f->want_room : 64;
		f->want = xrealloc(f->want, f->want_room * sizeof *f->want);
	}
	f->want[f->want_count++] = (struct wire_needed){ .digest = b->digest, .size = b->size };
}

/* Looking */

struct look {
	uv_work_t work;
	struct fetches *all;
	struct wire_need need;		/* those to look for */
	bool *own;			/* which were on our own disk */
};

static bool look_at_disk(const struct look *k, const struct wire_needed *n)
{
	const struct tree_entry e = { .path = n->path, .type = TREE_FILE, .size = n->size, .digest = n->digest };
	autoclose int fd = *n->path ? hostfile_open(k->all->dirs, &e, NULL) : -1;

	return fd >= 0 && store_copy(k->all->store, fd, &n->digest, n->size, NULL) == 0;
}

static void look(uv_work_t *w)
{
	struct look *k = w->data;

	for (size_t i = 0; i < k->need.count; i++) {
		struct wire_needed *n = &k->need.v[i];

		if (store_verify(k->all->store, &n->digest, n->size, NULL) == ERR_ABSENT)
			k->own[i] = look_at_disk(k, n);
	}
}

/* A job that ended meanwhile waits no more. */
static void looked_for(struct look *k, size_t i)
{
	struct fetches *all = k->all;
	struct wire_needed *n = &k->need.v[i];
	struct blob *b = find(all, &n->digest, n->size);

	if (k->own[i]) {
		all->view.own++;
		all->view.own_bytes += n->size;
	}
	if (store_pin(all->store, &b->digest, b->size)) {
		settle(all, b);
		store_unpin(all->store, &n->digest);
	} else {
		ask_next(all, b);
	}
}

static void look_free(struct look *k)
{
	wire_need_free(&k->need);
	free(k->own);
	free(k);
}

static void on_looked(uv_work_t *w, int status UNUSED)
{
	struct look *k = w->data;

	for (size_t i = 0; i < k->need.count; i++)
		looked_for(k, i);
	say_all(k->all);
	look_free(k);
}

static void start_look(struct fetches *all, struct look *k)
{
	k->all = all;
	k->work.data = k;
	k->own = xcalloc(k->need.count, sizeof *k->own);
	uv_queue_work(all->loop, &k->work, look, on_looked);
}

static bool over_bounds(const struct fetch *f, const struct wire_needed *n)
{
	return f->blobs > FETCH_BLOBS_MAX || n->size > FETCH_BLOB_MAX || f->bytes > FETCH_BYTES_MAX - n->size;
}

/* True: it is to be looked for. */
static bool need_one(struct fetch *f, const struct wire_needed *n)
{
	struct blob *b = find(f->all, &n->digest, n->size);

	f->blobs++;
	if (over_bounds(f, n)) {
		list_add(&f->none, &n->digest);
		return false;
	}
	f->bytes += n->size;
	if (b) {
		join(f, b);
		return false;
	}
	if (hold(f, &n->digest, n->size)) {
		list_add(&f->have, &n->digest);
		return false;
	}
	join(f, blob_add(f->all, &n->digest, n->size));
	return true;
}

int fetch_need(struct fetch *f, const struct frame *frame, struct err *err)
{
	struct reader r = reader_of(frame->payload, frame->length);
	struct look *k = xcalloc(1, sizeof *k);
	struct wire_need m;
	int rc = wire_need_get(&r, &m, err);

	if (rc < 0) {
		look_free(k);
		return rc;
	}
	k->need.v = xcalloc(m.count, sizeof *k->need.v);
	for (size_t i = 0; i < m.count; i++) {
		if (!need_one(f, &m.v[i]))
			continue;
		k->need.v[k->need.count++] = m.v[i];
		m.v[i].path = NULL;
	}
	wire_need_free(&m);
	say_all(f->all);
	if (k->need.count)
		start_look(f->all, k);
	else
		look_free(k);
	return 0;
}

/* What a caller brings */

/* What was asked of this one is another's now. */
static void hand_over(struct fetch *f)
{
	struct wait *w, *next;

	for (w = TAILQ_FIRST(&f->waits); w; w = next) {
		next = TAILQ_NEXT(w, of_fetch);
		if (w->blob->bringer == f)
			ask_next(f->all, w->blob);
	}
}

static struct asked *take_asked(struct fetch *f, const struct digest *d, const char *what, struct err *err)
{
	struct asked *a = STAILQ_FIRST(&f->asked);

	if (receipt_coming(f->receipt) || !a || !digest_eq(&a->digest, d)) {
		err_set(err, ERR_WIRE, "%s that was not the next to be wanted", what);
		return NULL;
	}
	STAILQ_REMOVE_HEAD(&f->asked, link);
	return a;
}

int fetch_blob(struct fetch *f, const struct frame *frame, struct err *err)
{
	struct reader r = reader_of(frame->payload, frame->length);
	struct asked *a;
	struct wire_blob m;
	int rc = wire_blob_get(&r, &m, err);

	if (rc < 0)
		return rc;
	a = take_asked(f, &m.digest, "BLOB", err);
	if (!a)
		return ERR_WIRE;
	STAILQ_INSERT_TAIL(&f->coming, a, link);
	if (m.size != a->size)
		return err_set(err, ERR_WIRE, "BLOB of %llu bytes, where its fact says %llu", (unsigned long long)m.size,
			       (unsigned long long)a->size);
	receipt_blob(f->receipt, &m);
	return 0;
}

int fetch_data(struct fetch *f, const struct frame *frame, struct err *err) { return receipt_data(f->receipt, frame, err); }

int fetch_none(struct fetch *f, const struct frame *frame, struct err *err)
{
	struct reader r = reader_of(frame->payload, frame->length);
	struct asked *a;
	struct digest d;
	struct wait *w;
	struct blob *b;
	int rc = wire_digest_get(&r, &d, err);

	if (rc < 0)
		return rc;
	a = take_asked(f, &d, "BLOB_NONE", err);
	if (!a)
		return ERR_WIRE;
	b = find(f->all, &d, a->size);
	free(a);
	if (!b)
		return 0;
	TAILQ_FOREACH(w, &b->waits, of_blob)
		w->refused |= w->fetch == f;
	if (b->bringer != f)
		return 0;
	ask_next(f->all, b);
	say_all(f->all);
	return 0;
}

static void arrived(struct fetch *f)
{
	struct asked *a = STAILQ_FIRST(&f->coming);
	struct blob *b = find(f->all, &a->digest, a->size);

	f->all->view.brought++;
	f->all->view.brought_bytes += a->size;
	STAILQ_REMOVE_HEAD(&f->coming, link);
	free(a);
	/* whoever was asked last; what is looked for is settled then */
	if (b && b->bringer)
		settle(f->all, b);
}

/* No room here, say: this job gets nothing more of its caller, but others may be luckier with theirs. */
static void give_up(struct fetch *f, const struct err *err)
{
	log_warn("fetch", "why=\"%s\"", err->text);
	f->broken = true;
	hand_over(f);
}

/* It waits for what another's caller takes its time to bring: its own is asked as well. */
static void ask_besides(struct wait *w, uint64_t now_ms)
{
	struct blob *b = w->blob;
	struct wait *slow;

	if (!b->bringer || b->bringer == w->fetch || w->slow || w->refused || w->fetch->broken || now_ms < b->asked_ms + FETCH_SLOW_MS)
		return;
	TAILQ_FOREACH(slow, &b->waits, of_blob)
		slow->slow |= slow->fetch == b->bringer;
	ask_next(w->fetch->all, b);
}

void fetches_tick(struct fetches *all, uint64_t now_ms)
{
	struct fetch *f;
	struct wait *w;

	TAILQ_FOREACH(f, &all->jobs, link)
		TAILQ_FOREACH(w, &f->waits, of_fetch)
			ask_besides(w, now_ms);
	say_all(all);
}

static void on_written(void *arg, uint64_t bytes UNUSED, size_t blobs, int rc, struct err *err)
{
	struct fetch *f = arg;

	while (blobs--)
		arrived(f);
	if (rc < 0 && rc != ERR_WIRE)
		give_up(f, err);
	say_all(f->all);
	if (rc == ERR_WIRE)
		f->ops->violation(f->arg, err);
}

static void pause_caller(void *arg)
{
	struct fetch *f = arg;

	f->ops->pause(f->arg);
}

static void resume_caller(void *arg)
{
	struct fetch *f = arg;

	f->ops->resume(f->arg);
}

static const struct receipt_ops receipt_ops = { pause_caller, resume_caller, on_written };

bool fetch_waits(const struct fetch *f)
{
	return receipt_coming(f->receipt) || (!STAILQ_EMPTY(&f->asked) && receipt_idle(f->receipt));
}

/* What a job leaves */

struct keep {
	uv_work_t work;
	struct store *store;
	struct buf contents;
};

static int keep_contents(const struct keep *k, struct err *err)
{
	struct store_blob *b;
	struct digest d;
	int rc;

	digest_of(k->contents.p, k->contents.len, &d);
	rc = store_blob_begin(k->store, &d, k->contents.len, &b, err);
	if (rc < 0)
		return rc;
	rc = store_blob_write(b, k->contents.p, k->contents.len, err);
	if (rc == 0)
		return store_blob_end(b, err);
	store_blob_drop(b);
	return rc;
}

/* The next run then starts with what its caller says. */
static void keep(uv_work_t *w)
{
	struct err err = { 0 };

	if (keep_contents(w->data, &err) < 0)
		log_debug("keep", "why=\"%s\"", err.text);
}

static void on_kept(uv_work_t *w, int status UNUSED)
{
	struct keep *k = w->data;

	buf_free(&k->contents);
	free(k);
}

int fetch_keep(struct fetch *f, const struct frame *frame, struct err *err)
{
	struct keep *k;

	if (f->kept)
		return err_set(err, ERR_WIRE, "a second KEEP");
	f->kept = true;
	k = xcalloc(1, sizeof *k);
	k->store = f->all->store;
	k->work.data = k;
	buf_add(&k->contents, frame->payload, frame->length);
	uv_queue_work(f->all->loop, &k->work, keep, on_kept);
	return 0;
}

/* Beginning and end */

struct fetch *fetch_new(struct fetches *all, const struct fetch_ops *ops, void *arg)
{
	struct fetch *f = xcalloc(1, sizeof *f);

	*f = (struct fetch){ .all = all, .ops = ops, .arg = arg };
	TAILQ_INIT(&f->waits);
	STAILQ_INIT(&f->asked);
	STAILQ_INIT(&f->coming);
	f->receipt = receipt_new(all->loop, all->store, &receipt_ops, f);
	TAILQ_INSERT_TAIL(&all->jobs, f, link);
	return f;
}

static void drop_asked(struct asked_list *l)
{
	struct asked *a;

	while ((a = STAILQ_FIRST(l))) {
		STAILQ_REMOVE_HEAD(l, link);
		free(a);
	}
}

/* A blob that is being looked for stays until it has been. */
static void leave(struct fetch *f, struct wait *w)
{
	struct blob *b = w->blob;
	bool brings = b->bringer == f;

	wait_free(w);
	if (brings)
		ask_next(f->all, b);
}

void fetch_end(struct fetch *f)
{
	struct wait *w;

	if (!f)
		return;
	TAILQ_REMOVE(&f->all->jobs, f, link);
	while ((w = TAILQ_FIRST(&f->waits)))
		leave(f, w);
	say_all(f->all);
	receipt_end(f->receipt);
	for (size_t i = 0; i < f->held.count; i++)
		store_unpin(f->all->store, &f->held.v[i]);
	drop_asked(&f->asked);
	drop_asked(&f->coming);
	free(f->held.v);
	free(f->have.v);
	free(f->none.v);
	free(f->want);
	free(f);
}

struct fetches *fetches_new(uv_loop_t *loop, struct store *s, const struct argv *dirs)
{
	struct fetches *all = xcalloc(1, sizeof *all);

	*all = (struct fetches){ .loop = loop, .store = s, .dirs = dirs };
	TAILQ_INIT(&all->jobs);
	return all;
}

void fetches_free(struct fetches *all) { free(all); }
struct fetch_view fetches_view(const struct fetches *all) { return all->view; }
