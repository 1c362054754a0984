/*
 * toolchains.c - from a tree that an agent announced to a root that jobs run in.
 *
 *	CHECKING   a worker thread gathers its files from store and disk
 *	WANTED     some are missing; whoever has them may supply them
 *	FETCHING   a caller does
 *	READY      installed (or, unconfined: the host's own files are the same)
 *	LACKING    not here, and the text says why
 *
 * Gathering, fetching and installing touch worker threads and one connection;
 * jobs of other toolchains do not notice.
 */
#include "toolchains.h"

#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "hostfiles.h"
#include "log.h"
#include "session.h"
#include "store.h"

enum {
	TOOLCHAINS_MAX = 256,
	MEMO_FILES = 16384,
	TICK_MS = 250,		/* at most one push of progress in that time */
	SUPPLY_MS = 10000,	/* a supplier that brings less than this in that time is dropped */
	SUPPLY_BYTES = 64 << 10,
	SUPPLY_RATE = 128 << 10,	/* bytes a second that it must bring in the long run */
	LOOK_MS = 1000,		/* one that is announced again and again is looked for so often */
	RETRY_MS = 30000,	/* what could not be supplied is wanted again after that, and from whoever failed then */
	GATHER_ROUNDS = 3,	/* an install may find damage, and gather again */
	GATHERS_MAX = 2,	/* at once: there are other uses for worker threads */
	TREES_BYTES = 64 << 20,	/* of memory for all trees */
};
enum state { CHECKING, READY, LACKING, WANTED, FETCHING, STATES };

struct missing {
	struct digest digest;
	uint64_t size;
};

struct entry {
	struct digest id;
	struct tree tree;	/* never changes: worker threads read it */
	struct file_id *files;	/* unconfined: the host's, as they were when it was found ready */
	enum state state;
	bool busy;		/* a worker thread has it */
	uint64_t waiting;	/* for one, since so many uses; 0: not */
	size_t bytes;		/* of memory that the tree takes */
	bool expected;		/* the store keeps what has come of it */
	uint64_t used;		/* when, by the table's count of uses */
	char *programs;
	char *text;		/* what is lacking */
	struct missing *missing;	/* each once */
	size_t missing_count, asked;	/* of them */
	uint64_t total, done;	/* bytes of its files, of those that are here */
	bool moved;		/* done changed since it was last pushed */
	struct intake *supplier;
	uint64_t supplied_ms;	/* since when */
	uint64_t heard, heard_ms;	/* what it brought, since when */
	uint64_t shunned, shunned_ms;	/* a caller that failed, until when another is to bring it */
	uint64_t looked_ms;	/* when it was last gathered */
	uint64_t retry_ms;	/* LACKING until then; 0: until it is announced again */
};

struct toolchain_table {
	struct entry *entries[TOOLCHAINS_MAX];
	size_t count;
	size_t bytes;		/* of their trees */
	unsigned gathering;	/* worker threads at it */
	uint64_t uses;
	struct digest_memo *memo;
	uv_timer_t tick;
};

/* One search for an entry's files. */
struct gather {
	uv_work_t work;
	struct server *server;
	struct entry *entry;
	struct file_id *files;
	struct missing *missing;
	size_t missing_count;
	uint64_t lack_bytes;
	struct err err;
	int rc;
};

/* Worker threads */

static bool is_missing(const struct gather *g, const struct digest *d)
{
	for (size_t i = 0; i < g->missing_count; i++)
		if (digest_eq(&g->missing[i].digest, d))
			return true;
	return false;
}

static void add_missing(struct gather *g, const struct tree_entry *e)
{
	if (is_missing(g, &e->digest))
		return;
	g->missing = xrealloc(g->missing, (g->missing_count + 1) * sizeof *g->missing);
	g->missing[g->missing_count++] = (struct missing){ .digest = e->digest, .size = e->size };
	g->lack_bytes += e->size;
}

/* Into the store from this machine's disk, if it is there. */
static int copy_from_host(struct gather *g, const struct tree_entry *e, struct err *err)
{
	autoclose int fd = hostfile_open(&g->server->options->toolchain_dirs, e, err);

	return fd < 0 ? ERR_ABSENT : store_copy(g->server->store, fd, &e->digest, e->size, err);
}

static int find_files(struct gather *g)
{
	const struct tree *t = &g->entry->tree;

	g->missing_count = 0;
	g->lack_bytes = 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *e = &t->entries[i];
		int rc;

		if (e->type != TREE_FILE || store_has(g->server->store, &e->digest))
			continue;
		rc = copy_from_host(g, e, &g->err);
		if (rc == ERR_ABSENT)
			add_missing(g, e);
		else if (rc < 0)
			return rc;
	}
	return 0;
}

/* Could it be here at all? What others have goes only as its bytes come: declaring them is not enough. */
static int check_size(const struct gather *g, struct err *err)
{
	uint64_t max_bytes = store_view(g->server->store).max_bytes;

	return g->entry->total <= max_bytes ? 0 : err_set(err, ERR_LIMIT, "%llu bytes: more than --store-max",
							  (unsigned long long)g->entry->total);
}

static int gather_and_install(struct gather *g)
{
	struct store *store = g->server->store;
	int rc = ERR_ABSENT;

	for (int round = 0; round < GATHER_ROUNDS && rc == ERR_ABSENT; round++) {
		rc = check_size(g, &g->err);
		if (rc == 0)
			rc = find_files(g);
		if (rc < 0 || g->missing_count)
			return rc;
		rc = store_install(store, &g->entry->id, &g->entry->tree, &g->err);
	}
	/* held by the install; from now on by its jobs */
	if (rc == 0)
		store_release(store, &g->entry->id);
	return rc;
}

static void gather(uv_work_t *work)
{
	struct gather *g = work->data;
	struct server *s = g->server;

	if (!s->confined || !s->accept_any)
		g->rc = hostfiles_match(&s->options->toolchain_dirs, &g->entry->tree, s->toolchains->memo,
					s->confined ? NULL : g->files, &g->err);
	if (s->confined && g->rc == 0)
		g->rc = gather_and_install(g);
}

/* The loop's thread */

static const char *const state_names[STATES] = {
	[CHECKING] = "checking", [READY] = "ready", [LACKING] = "lacking", [WANTED] = "wanted", [FETCHING] = "fetching",
};

static void push_state(struct server *s, struct entry *e)
{
	static const uint8_t states[STATES] = {
		[CHECKING] = TOOLCHAIN_FETCHING, [READY] = TOOLCHAIN_READY, [LACKING] = TOOLCHAIN_LACKING,
		[WANTED] = TOOLCHAIN_WANTED, [FETCHING] = TOOLCHAIN_FETCHING,
	};
	struct wire_toolchain_state m = { .id = e->id, .state = states[e->state], .done = e->done, .total = e->total,
					  .text = e->text };

	e->moved = false;
	sessions_push_toolchain(s, &m);
}

static void set_text(struct entry *e, const char *text)
{
	free(e->text);
	e->text = xstrdup(text);
	make_printable(e->text);
}

static void on_tick(uv_timer_t *timer);

static void become(struct server *s, struct entry *e, enum state state, const char *text)
{
	if (e->state != state || !str_eq(e->text, text))
		log_info("toolchain", "state=%s programs=\"%s\" bytes=%llu of=%llu why=\"%s\"", state_names[state],
			 e->programs, (unsigned long long)e->done, (unsigned long long)e->total, text);
	e->state = state;
	e->retry_ms = 0;
	set_text(e, text);
	push_state(s, e);
	if (state == FETCHING && !uv_is_active((uv_handle_t *)&s->toolchains->tick))
		uv_timer_start(&s->toolchains->tick, on_tick, TICK_MS, TICK_MS);
}

/* Another may still have what this one could not bring. */
static void retry_later(struct server *s, struct entry *e)
{
	e->retry_ms = clock_ms() + RETRY_MS;
	if (!uv_is_active((uv_handle_t *)&s->toolchains->tick))
		uv_timer_start(&s->toolchains->tick, on_tick, TICK_MS, TICK_MS);
}

static void take_missing(struct entry *e, struct gather *g)
{
	free(e->missing);
	e->missing = g->missing;
	e->missing_count = g->missing_count;
	e->asked = 0;
	e->done = e->total - g->lack_bytes;
}

static void expect(struct server *s, struct entry *e, bool yes)
{
	if (!s->confined || e->expected == yes)
		return;
	e->expected = yes;
	if (yes)
		store_expect(s->store, &e->tree);
	else
		store_expect_end(s->store, &e->tree);
}

static void look(struct server *s, struct entry *e);

/* The first of those who wait for a worker thread. */
static void look_next(struct server *s)
{
	struct toolchain_table *t = s->toolchains;
	struct entry *first = NULL;

	t->gathering--;
	for (size_t i = 0; i < t->count; i++) {
		struct entry *e = t->entries[i];

		if (e->waiting && (!first || e->waiting < first->waiting))
			first = e;
	}
	if (first)
		look(s, first);
}

static void on_gathered(uv_work_t *work, int status UNUSED)
{
	struct gather *g = work->data;
	struct entry *e = g->entry;

	e->busy = false;
	expect(g->server, e, false);
	free(e->files);
	e->files = g->files;
	take_missing(e, g);
	if (g->rc < 0)
		become(g->server, e, LACKING, g->err.text);
	if (g->rc == ERR_LIMIT || g->rc == ERR_IO)
		retry_later(g->server, e);	/* room comes and goes */
	if (g->rc == 0)
		become(g->server, e, e->missing_count ? WANTED : READY, "");
	if (e->state == WANTED && clock_ms() < e->shunned_ms)
		retry_later(g->server, e);
	look_next(g->server);
	free(g);
}

static void look(struct server *s, struct entry *e)
{
	struct gather *g;

	if (e->busy || e->supplier)
		return;
	if (s->toolchains->gathering == GATHERS_MAX) {
		e->waiting = e->waiting ? e->waiting : ++s->toolchains->uses;
		return;
	}
	e->waiting = 0;
	e->looked_ms = clock_ms();
	s->toolchains->gathering++;
	g = xcalloc(1, sizeof *g);
	*g = (struct gather){ .server = s, .entry = e, .files = xcalloc(e->tree.count, sizeof *g->files) };
	e->busy = true;
	expect(s, e, true);
	g->work.data = g;
	uv_queue_work(s->loop, &g->work, gather, on_gathered);
}

static struct entry *entry_of(const struct server *s, const struct digest *id)
{
	struct toolchain_table *t = s->toolchains;

	for (size_t i = 0; i < t->count; i++)
		if (digest_eq(&t->entries[i]->id, id)) {
			t->entries[i]->used = ++t->uses;
			return t->entries[i];
		}
	return NULL;
}

static void free_entry(struct entry *e)
{
	tree_free(&e->tree);
	free(e->files);
	free(e->missing);
	free(e->programs);
	free(e->text);
	free(e);
}

/* The one not used for longest. False: all are being worked at. */
static bool forget_oldest(struct toolchain_table *t)
{
	size_t oldest = t->count;

	for (size_t i = 0; i < t->count; i++)
		if (!t->entries[i]->busy && !t->entries[i]->waiting && !t->entries[i]->supplier &&
		    (oldest == t->count || t->entries[i]->used < t->entries[oldest]->used))
			oldest = i;
	if (oldest == t->count)
		return false;
	t->bytes -= t->entries[oldest]->bytes;
	free_entry(t->entries[oldest]);
	t->entries[oldest] = t->entries[--t->count];
	return true;
}

/* For one more, of so many bytes. */
static bool make_place(struct toolchain_table *t, size_t bytes)
{
	while (t->count == TOOLCHAINS_MAX || t->bytes + bytes > TREES_BYTES)
		if (!forget_oldest(t))
			return false;
	return true;
}

/* What a tree takes of our memory. */
static size_t bytes_of(const struct tree *t)
{
	size_t sum = t->count * sizeof *t->entries;

	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *e = &t->entries[i];

		sum += strlen(e->path) + 32 + (e->target ? strlen(e->target) + 32 : 0) + (e->data ? e->size + 32 : 0);
	}
	return sum;
}

/* For people: the base names of the programs in it. */
static char *program_names(const struct tree *t)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < t->count && b.len < 64; i++)
		if (t->entries[i].type == TREE_FILE && program_known(t->entries[i].path))
			buf_printf(&b, "%s%.40s", b.len ? " " : "", path_base(t->entries[i].path));
	make_printable(buf_str(&b));
	return buf_str(&b);
}

/* Bytes of its files, each once however often it occurs. */
static uint64_t total_of(const struct tree *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].type == TREE_FILE && __builtin_add_overflow(sum, t->entries[i].size, &sum))
			return UINT64_MAX;
	return sum;
}

static struct entry *entry_new(struct server *s, size_t bytes, const struct digest *id, struct tree *tree)
{
	struct toolchain_table *t = s->toolchains;
	struct entry *e = xcalloc(1, sizeof *e);

	*e = (struct entry){ .id = *id, .tree = *tree, .state = CHECKING, .used = ++t->uses, .bytes = bytes,
			     .programs = program_names(tree), .text = xstrdup(""), .total = total_of(tree) };
	*tree = (struct tree){ 0 };
	t->bytes += bytes;
	return t->entries[t->count++] = e;
}

void toolchain_offer(struct server *s, const struct digest *id, struct tree *tree)
{
	struct entry *e = entry_of(s, id);
	size_t bytes = bytes_of(tree);

	if (!e && make_place(s->toolchains, bytes))
		e = entry_new(s, bytes, id, tree);
	tree_free(tree);
	if (!e) {
		sessions_push_toolchain(s, &(struct wire_toolchain_state){
			.id = *id, .state = TOOLCHAIN_LACKING, .text = (char *)"too many toolchains at once" });
		return;
	}
	/* a look at the disk, which costs little when it is known, finds what has changed on it */
	if (e->state == WANTED || e->state == FETCHING || (e->state != CHECKING && clock_ms() - e->looked_ms < LOOK_MS))
		push_state(s, e);
	else
		look(s, e);
}

bool toolchain_known(const struct server *s, const struct digest *id) { return entry_of(s, id) != NULL; }

bool toolchain_ready(const struct server *s, const struct digest *id)
{
	const struct entry *e = entry_of(s, id);

	return e && e->state == READY;
}

/* It was ready, and is not what it was: evicted, or changed on the host. */
static void look_again(struct server *s, struct entry *e, const char *path)
{
	autofree char *why = path ? xasprintf("%s: has changed", path) : xstrdup("");

	become(s, e, path ? LACKING : CHECKING, why);
	look(s, e);
}

bool toolchain_take(struct server *s, const struct digest *id, char **root)
{
	struct entry *e = entry_of(s, id);
	const struct tree_entry *changed;

	if (!e || e->state != READY)
		return false;
	if (s->confined) {
		if (!store_hold(s->store, id)) {
			look_again(s, e, NULL);
			return false;
		}
		*root = store_root(s->store, id);
		return true;
	}
	changed = hostfiles_changed(&e->tree, e->files);
	if (changed)
		look_again(s, e, changed->path);
	else
		*root = xstrdup("");
	return !changed;
}

void toolchain_give_back(struct server *s, const struct digest *id)
{
	if (s->confined)
		store_release(s->store, id);
}

bool toolchain_allows(const struct server *s, const struct digest *id, const struct job_step *step)
{
	const struct entry *e = entry_of(s, id);

	return e && program_step_known(step) && program_resolve(&e->tree, step->program);
}

/* Suppliers */

/* Its caller may be first to offer it again, and fail again; others get a chance before that. */
static void shun(struct entry *e)
{
	if (!e->supplier)
		return;
	e->shunned = intake_caller(e->supplier);
	e->shunned_ms = clock_ms() + RETRY_MS;
}

bool toolchain_supplier(struct server *s, const struct digest *id, struct intake *i)
{
	struct entry *e = entry_of(s, id);

	/* not while a worker thread may be finding that other files are missing */
	if (!e || e->state != WANTED || e->busy || e->waiting || e->supplier || (intake_caller(i) == e->shunned && clock_ms() < e->shunned_ms))
		return false;
	e->supplier = i;
	e->supplied_ms = clock_ms();
	e->heard = 0;
	expect(s, e, true);
	e->asked = 0;
	e->heard_ms = clock_ms();
	become(s, e, FETCHING, "");
	return true;
}

bool toolchain_wanted(struct server *s, const struct digest *id, struct wire_want *out)
{
	struct entry *e = entry_of(s, id);

	out->digests = xcalloc(WANT_MAX, sizeof *out->digests);
	/* another toolchain may have brought some of them meanwhile */
	for (; out->count < WANT_MAX && e->asked < e->missing_count; e->asked++)
		if (!store_has(s->store, &e->missing[e->asked].digest))
			out->digests[out->count++] = e->missing[e->asked].digest;
	if (!out->count)
		wire_want_free(out);
	return out->count > 0;
}

uint64_t toolchain_blob_size(const struct server *s, const struct digest *id, const struct digest *blob)
{
	const struct entry *e = entry_of(s, id);

	for (size_t i = 0; e && i < e->missing_count; i++)
		if (digest_eq(&e->missing[i].digest, blob))
			return e->missing[i].size;
	return UINT64_MAX;
}

void toolchain_progress(struct server *s, const struct digest *id, uint64_t bytes)
{
	struct entry *e = entry_of(s, id);

	if (!e || !bytes)
		return;
	e->done += bytes;
	e->moved = true;
	e->heard += bytes;
	if (e->heard < SUPPLY_BYTES)
		return;
	e->heard = 0;
	e->heard_ms = clock_ms();
}

void toolchain_supplied(struct server *s, const struct digest *id, const struct intake *i, enum supply_end how, const char *why)
{
	struct entry *e = entry_of(s, id);

	if (!e || e->supplier != i)
		return;
	if (how == SUPPLY_NONE || (how == SUPPLY_LOST && *why))
		shun(e);
	e->supplier = NULL;
	if (how == SUPPLY_NONE || how == SUPPLY_FULL) {
		expect(s, e, false);
		become(s, e, LACKING, how == SUPPLY_FULL ? why : "a file of it has changed at its caller");
		retry_later(s, e);
		return;
	}
	/* what has come is in the store, and need not come again */
	if (how == SUPPLY_LOST && *why)
		log_warn("supply", "programs=\"%s\" why=\"%s\"", e->programs, why);
	look(s, e);
}

/* The longest that one may take to bring it all, on a slow link; what has come stays. */
static uint64_t supply_ms(const struct entry *e)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < e->missing_count; i++)
		bytes += e->missing[i].size;
	return 3 * SUPPLY_MS + bytes / SUPPLY_RATE * 1000;
}

/* False when nothing needs the timer. */
static bool tick(struct server *s, struct entry *e, uint64_t now_ms)
{
	if (e->supplier && (now_ms - e->heard_ms > SUPPLY_MS || now_ms - e->supplied_ms > supply_ms(e))) {
		shun(e);
		intake_give_up(e->supplier);
	}
	if (e->retry_ms && now_ms >= e->retry_ms) {
		e->retry_ms = 0;
		look(s, e);
	}
	if (e->moved)
		push_state(s, e);
	return e->supplier || e->retry_ms;
}

static void on_tick(uv_timer_t *timer)
{
	struct server *s = timer->data;
	uint64_t now_ms = clock_ms();
	bool needed = false;

	for (size_t i = 0; i < s->toolchains->count; i++)
		needed |= tick(s, s->toolchains->entries[i], now_ms);
	if (!needed)
		uv_timer_stop(timer);
}

size_t toolchains_view(const struct server *s, struct toolchain_view *views, size_t max)
{
	size_t n = size_min(max, s->toolchains->count);

	for (size_t i = 0; i < n; i++) {
		const struct entry *e = s->toolchains->entries[i];

		views[i] = (struct toolchain_view){ .id = e->id, .state = state_names[e->state], .programs = e->programs,
						    .text = e->text, .done = e->done, .total = e->total };
	}
	return n;
}

void toolchains_start(struct server *s)
{
	s->toolchains = xcalloc(1, sizeof *s->toolchains);
	s->toolchains->memo = digest_memo_new(MEMO_FILES);
	uv_timer_init(s->loop, &s->toolchains->tick);
	s->toolchains->tick.data = s;
}

void toolchains_stop(struct server *s) { uv_close((uv_handle_t *)&s->toolchains->tick, NULL); }

void toolchains_free(struct toolchain_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free_entry(t->entries[i]);
	digest_memo_free(t->memo);
	free(t);
}
