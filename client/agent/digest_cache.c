/*
 * digest_cache.c - two tables, a younger and an older one.
 *
 * What is asked for moves to the younger; when that is full the older one is
 * forgotten and the younger becomes it. So what is in use stays, without a list to
 * keep for it.
 */
#include "digest_cache.h"

#include <pthread.h>

#include "digest_log.h"

enum { SLOTS_FIRST = 256, CLOCKS = 8192, PENDING_MAX = 4096, PENDING_MANY = 64 };

struct slot {
	struct file_id id;	/* ctime 0: empty */
	struct digest_known known;
};

struct table {
	struct slot *slots;	/* open addressing, at most half full */
	size_t count, used;	/* count is a power of two */
};

struct digest_cache {
	pthread_mutex_t lock;
	pthread_mutex_t log_lock;	/* one thread writes the log; taken before lock */
	char *path;
	bool loaded;
	struct table young, old;
	size_t max_young;
	uint64_t clocks[CLOCKS];	/* the first bytes of digests; 0: empty */
	size_t clocks_used;
	struct digest_record *pending;
	size_t pending_count;
};

struct digest_cache *digest_cache_new(const char *path, size_t max_files)
{
	struct digest_cache *c = xcalloc(1, sizeof *c);

	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->log_lock, NULL);
	c->path = path ? xstrdup(path) : NULL;
	c->max_young = max_files / 2;
	return c;
}

void digest_cache_free(struct digest_cache *c)
{
	if (!c)
		return;
	digest_cache_flush(c, true);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->log_lock);
	free(c->young.slots);
	free(c->old.slots);
	free(c->pending);
	free(c->path);
	free(c);
}

/* Where id is, or would go; NULL in a table without slots. */
static struct slot *slot_of(const struct table *t, const struct file_id *id)
{
	uint64_t h = (id->inode ^ id->dev << 40 ^ (uint64_t)id->ctime_ns) * 0x9e3779b97f4a7c15u;
	size_t at;

	if (!t->count)
		return NULL;
	at = (size_t)(h >> 32) & (t->count - 1);
	while (t->slots[at].id.ctime_ns && !file_id_eq(&t->slots[at].id, id))
		at = (at + 1) & (t->count - 1);
	return &t->slots[at];
}

static struct slot *find(const struct table *t, const struct file_id *id)
{
	struct slot *s = slot_of(t, id);

	return s && s->id.ctime_ns ? s : NULL;
}

static void grow(struct table *t)
{
	struct table bigger = { .count = t->count ? 2 * t->count : SLOTS_FIRST, .used = t->used };

	bigger.slots = xcalloc(bigger.count, sizeof *bigger.slots);
	for (size_t i = 0; i < t->count; i++)
		if (t->slots[i].id.ctime_ns)
			*slot_of(&bigger, &t->slots[i].id) = t->slots[i];
	free(t->slots);
	*t = bigger;
}

static void put(struct digest_cache *c, const struct slot *new)
{
	struct slot *s = find(&c->young, &new->id);

	if (s) {
		*s = *new;
		return;
	}
	if (c->young.used >= c->max_young) {
		free(c->old.slots);
		c->old = c->young;
		c->young = (struct table){ 0 };
	}
	if (2 * (c->young.used + 1) > c->young.count)
		grow(&c->young);
	*slot_of(&c->young, &new->id) = *new;
	c->young.used++;
}

static uint64_t first_bytes(const struct digest *d)
{
	uint64_t v;

	memcpy(&v, d->b, sizeof v);
	return v ? v : 1;
}

static bool clock_noted(const struct digest_cache *c, uint64_t v, size_t *at)
{
	for (*at = v % CLOCKS; c->clocks[*at]; *at = (*at + 1) % CLOCKS)
		if (c->clocks[*at] == v)
			return true;
	return false;
}

static void note_clock(struct digest_cache *c, const struct digest *d)
{
	uint64_t v = first_bytes(d);
	size_t at;

	if (c->clocks_used == CLOCKS / 2 || clock_noted(c, v, &at))
		return;
	c->clocks[at] = v;
	c->clocks_used++;
}

/* What we know already is newer: it has the access. */
static void take_record(void *arg, const struct digest_record *r)
{
	struct digest_cache *c = arg;
	struct slot s = { r->id, { r->digest, ACCESS_UNKNOWN, 0, true, r->notes & DIGEST_HAS_CLOCK } };

	pthread_mutex_lock(&c->lock);
	if (s.known.has_clock)
		note_clock(c, &r->digest);
	if (r->id.ctime_ns && !find(&c->young, &r->id) && !find(&c->old, &r->id))
		put(c, &s);
	pthread_mutex_unlock(&c->lock);
}

static void load(struct digest_cache *c)
{
	pthread_mutex_lock(&c->log_lock);
	if (!c->loaded)
		digest_log_load(c->path, take_record, c);
	__atomic_store_n(&c->loaded, true, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&c->log_lock);
}

bool digest_cache_get(struct digest_cache *c, const struct file_id *id, struct digest_known *out)
{
	struct slot *s, copy;

	if (c->path && !__atomic_load_n(&c->loaded, __ATOMIC_ACQUIRE))
		load(c);
	pthread_mutex_lock(&c->lock);
	s = find(&c->young, id);
	if (!s && (s = find(&c->old, id))) {
		copy = *s;
		put(c, &copy);
		s = &copy;
	}
	if (s)
		*out = s->known;
	pthread_mutex_unlock(&c->lock);
	return s;
}

static void remember_for_log(struct digest_cache *c, const struct slot *s)
{
	if (!c->path || !s->known.stays || c->pending_count == PENDING_MAX)
		return;
	if (!c->pending)
		c->pending = xcalloc(PENDING_MAX, sizeof *c->pending);
	c->pending[c->pending_count++] = (struct digest_record){
		s->id, s->known.digest, s->known.has_clock ? DIGEST_HAS_CLOCK : 0, 0
	};
}

void digest_cache_set(struct digest_cache *c, const struct file_id *id, const struct digest_known *k)
{
	struct slot s = { *id, *k }, *old;
	bool new;

	pthread_mutex_lock(&c->lock);
	old = find(&c->young, id);
	old = old ? old : find(&c->old, id);
	new = !old || !digest_eq(&old->known.digest, &k->digest);
	if (k->has_clock)
		note_clock(c, &k->digest);
	put(c, &s);
	if (new)
		remember_for_log(c, &s);
	pthread_mutex_unlock(&c->lock);
}

static size_t collect(const struct table *t, struct digest_record *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		if (t->slots[i].id.ctime_ns && t->slots[i].known.stays)
			out[n++] = (struct digest_record){ t->slots[i].id, t->slots[i].known.digest,
							   t->slots[i].known.has_clock ? DIGEST_HAS_CLOCK : 0, 0 };
	return n;
}

/* What others have appended is taken along. */
static void replace(struct digest_cache *c)
{
	autofree struct digest_record *all = NULL;
	size_t count;

	digest_log_load(c->path, take_record, c);
	pthread_mutex_lock(&c->lock);
	all = xcalloc(c->old.used + c->young.used + 1, sizeof *all);
	count = collect(&c->old, all);
	count += collect(&c->young, all + count);
	pthread_mutex_unlock(&c->lock);
	digest_log_replace(c->path, all, count);
}

void digest_cache_flush(struct digest_cache *c, bool now)
{
	autofree struct digest_record *records = NULL;
	size_t count;

	if (!c->path)
		return;
	pthread_mutex_lock(&c->lock);
	count = c->pending_count;
	pthread_mutex_unlock(&c->lock);
	if (count < (now ? 1 : PENDING_MANY))
		return;
	pthread_mutex_lock(&c->log_lock);
	pthread_mutex_lock(&c->lock);
	count = c->pending_count;
	records = ptr_steal(&c->pending);
	c->pending_count = 0;
	pthread_mutex_unlock(&c->lock);
	if (count && !digest_log_append(c->path, records, count))
		replace(c);
	pthread_mutex_unlock(&c->log_lock);
}

void digest_cache_note_clock(struct digest_cache *c, const struct digest *d)
{
	pthread_mutex_lock(&c->lock);
	note_clock(c, d);
	pthread_mutex_unlock(&c->lock);
}

bool digest_cache_has_clock(struct digest_cache *c, const struct digest *d)
{
	size_t at;
	bool yes;

	pthread_mutex_lock(&c->lock);
	yes = c->clocks_used == CLOCKS / 2 || clock_noted(c, first_bytes(d), &at);
	pthread_mutex_unlock(&c->lock);
	return yes;
}
