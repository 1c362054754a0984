/*
 * dir_names.c - sets of hashes of names, kept by directory, and the reads under way.
 *
 * A hash that is not in the set proves that the name is not in the directory;
 * one that is proves nothing, so that equal hashes cost a look, never an
 * answer. Nothing is read under the lock.
 */
#include "dir_names.h"

#include <pthread.h>
#include <stdatomic.h>

#include "dir_read.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { BUCKETS = 1024, DIRS_KEPT = 4096, NAMES_KEPT = 1 << 18 };

struct names {
	atomic_int refs;
	struct names *next;	/* in its bucket */
	struct file_id id;
	bool settled;		/* proves as long as id is the directory's */
	bool usable;
	size_t count;
	uint64_t *hashes;	/* open addressing, 0: empty; at most half full */
	size_t slots;		/* a power of two */
};

/* A read of one directory that somebody waits for. */
struct flight {
	struct flight *next;
	uint64_t dev, inode;
	enum { WAITING, READING, LANDED } state;
	size_t refs;
	struct names *names;
};

struct dir_names {
	pthread_mutex_t lock;
	pthread_cond_t moved;	/* some flight did */
	int64_t (*now_ns)(void);
	struct names *buckets[BUCKETS];
	size_t dirs, names;	/* kept */
	struct flight *flights;
};

struct dir_names *dir_names_new(int64_t (*now_ns)(void))
{
	struct dir_names *d = xcalloc(1, sizeof *d);

	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->moved, NULL);
	d->now_ns = now_ns;
	return d;
}

void names_release(struct names *n)
{
	if (!n || atomic_fetch_sub(&n->refs, 1) != 1)
		return;
	free(n->hashes);
	free(n);
}

static void forget_all(struct dir_names *d)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct names *n = d->buckets[i], *next; n; n = next) {
			next = n->next;
			names_release(n);
		}
		d->buckets[i] = NULL;
	}
	d->dirs = d->names = 0;
}

void dir_names_free(struct dir_names *d)
{
	if (!d)
		return;
	forget_all(d);
	pthread_cond_destroy(&d->moved);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static struct names **bucket_of(struct dir_names *d, const struct file_id *id)
{
	return &d->buckets[((id->inode ^ id->dev << 40) * 0x9e3779b97f4a7c15u) >> 32 & (BUCKETS - 1)];
}

/* Where the names of this directory are, or the end of the bucket. */
static struct names **find(struct dir_names *d, const struct file_id *id)
{
	struct names **at = bucket_of(d, id);

	while (*at && ((*at)->id.inode != id->inode || (*at)->id.dev != id->dev))
		at = &(*at)->next;
	return at;
}

static void keep(struct dir_names *d, struct names *n)
{
	struct names **at, *old;

	if (d->dirs >= DIRS_KEPT || d->names + n->slots > NAMES_KEPT)
		forget_all(d);
	at = find(d, &n->id);
	old = *at;
	if (old) {
		*at = old->next;
		d->dirs--;
		d->names -= old->slots;
		names_release(old);
	}
	atomic_fetch_add(&n->refs, 1);
	at = bucket_of(d, &n->id);
	n->next = *at;
	*at = n;
	d->dirs++;
	d->names += n->slots;
}

struct names *dir_names_known(struct dir_names *d, const struct file_id *id, size_t *last)
{
	struct names *n;

	pthread_mutex_lock(&d->lock);
	n = *find(d, id);
	*last = n ? n->count : 0;
	if (n && !(n->usable && n->settled && file_id_eq(&n->id, id)))
		n = NULL;
	if (n)
		atomic_fetch_add(&n->refs, 1);
	pthread_mutex_unlock(&d->lock);
	return n;
}

static uint64_t hash_of(const char *name)
{
	uint64_t h = XXH3_64bits(name, strlen(name));

	return h ? h : 1;
}

static void put_hash(uint64_t *hashes, size_t slots, uint64_t h)
{
	size_t at = h & (slots - 1);

	while (hashes[at] && hashes[at] != h)
		at = (at + 1) & (slots - 1);
	hashes[at] = h;
}

static void add_name(void *arg, const char *name)
{
	struct names *n = arg;

	if (2 * (n->count + 1) > n->slots) {
		size_t slots = n->slots ? 2 * n->slots : 64;
		uint64_t *hashes = xcalloc(slots, sizeof *hashes);

		for (size_t i = 0; i < n->slots; i++)
			if (n->hashes[i])
				put_hash(hashes, slots, n->hashes[i]);
		free(n->hashes);
		n->hashes = hashes;
		n->slots = slots;
	}
	put_hash(n->hashes, n->slots, hash_of(name));
	n->count++;
}

bool names_lack(const struct names *n, const char *name)
{
	uint64_t h = hash_of(name);

	if (!n->slots)
		return true;
	for (size_t at = h & (n->slots - 1); n->hashes[at]; at = (at + 1) & (n->slots - 1))
		if (n->hashes[at] == h)
			return false;
	return true;
}

/* Settled: the same before and after, and not changed just before. */
static struct names *read_now(struct dir_names *d, int dir)
{
	struct names *n = xcalloc(1, sizeof *n);
	int64_t begun = d->now_ns();
	struct stat before, after;
	struct file_id again;

	atomic_init(&n->refs, 1);
	if (fstat(dir, &before) < 0)
		return n;
	n->id = file_id_of(&before);
	n->usable = dir_read(dir, DIR_NAMES_MAX, add_name, n) == 0 && fstat(dir, &after) == 0;
	if (n->usable) {
		again = file_id_of(&after);
		n->settled = file_id_eq(&n->id, &again) && file_id_settled_at(&n->id, begun, 2);
		return n;
	}
	free(n->hashes);	/* but how many there were is worth knowing */
	n->hashes = NULL;
	n->slots = 0;
	return n;
}

static struct flight *flight_of(struct dir_names *d, const struct file_id *id, int state)
{
	for (struct flight *f = d->flights; f; f = f->next)
		if (f->inode == id->inode && f->dev == id->dev && (int)f->state == state)
			return f;
	return NULL;
}

static struct flight *flight_new(struct dir_names *d, const struct file_id *id)
{
	struct flight *f = xcalloc(1, sizeof *f);

	*f = (struct flight){ .next = d->flights, .dev = id->dev, .inode = id->inode };
	d->flights = f;
	return f;
}

static void flight_drop(struct dir_names *d, struct flight *f)
{
	if (--f->refs)
		return;
	for (struct flight **at = &d->flights; *at; at = &(*at)->next)
		if (*at == f) {
			*at = f->next;
			break;
		}
	names_release(f->names);
	free(f);
}

/* Whoever made the flight reads, after the one before it; the lock is held on entry and exit. */
static void fly(struct dir_names *d, struct flight *f, int dir, const struct file_id *id)
{
	struct names *n;

	while (flight_of(d, id, READING))
		pthread_cond_wait(&d->moved, &d->lock);
	f->state = READING;
	pthread_mutex_unlock(&d->lock);
	n = read_now(d, dir);
	pthread_mutex_lock(&d->lock);
	f->names = n;
	f->state = LANDED;
	if (n->id.inode)
		keep(d, n);
	pthread_cond_broadcast(&d->moved);
}

struct names *dir_names_read(struct dir_names *d, int dir, const struct file_id *id)
{
	struct names *n = NULL;
	struct flight *f;

	pthread_mutex_lock(&d->lock);
	f = flight_of(d, id, WAITING);
	if (f) {
		f->refs++;
		while (f->state != LANDED)
			pthread_cond_wait(&d->moved, &d->lock);
	} else {
		f = flight_new(d, id);
		f->refs = 1;
		fly(d, f, dir, id);
	}
	if (f->names->usable) {
		n = f->names;
		atomic_fetch_add(&n->refs, 1);
	}
	flight_drop(d, f);
	pthread_mutex_unlock(&d->lock);
	return n;
}
