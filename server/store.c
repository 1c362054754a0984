/*
 * store.c - opening, room, and holding: what may stay and what must go.
 *
 * store_blob.c brings contents in, store_install.c makes toolchains of them.
 * In memory: store_index.c; on the disk: store_disk.c, store_root.c, store_scan.c.
 */
#include "store_inner.h"

#include <time.h>

#include "log.h"
#include "store_scan.h"

/* How far the disk's idea of the last use may be behind. */
#define STAMP_EVERY_NS (60 * UINT64_C(1000000000))

uint64_t store_now(struct store *s)
{
	struct timespec t;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &t);
	ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	/* a clock that was set back does not change the order */
	s->last_used = ns > s->last_used ? ns : s->last_used + 1;
	return s->last_used;
}

int store_open(const char *directory, uint64_t max_bytes, struct store **out, struct err *err)
{
	struct store *s = xcalloc(1, sizeof *s);
	int rc;

	s->max_bytes = max_bytes;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	index_init(&s->index);
	rc = disk_open(directory, &s->disk, err);
	if (rc < 0) {
		free(s);
		return rc;
	}
	rc = store_scan(&s->disk, &s->index, err);
	for (size_t i = 0; i < s->index.toolchain_count; i++)
		if (s->index.toolchains[i]->used > s->last_used)
			s->last_used = s->index.toolchains[i]->used;
	/* there may be less room than in the life before */
	if (rc == 0)
		rc = store_make_room(s, 0, err);
	if (rc < 0) {
		store_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->index.toolchain_count; i++)
		if (s->index.toolchains[i]->used > s->index.toolchains[i]->stamped)
			disk_stamp_tree(&s->disk, &s->index.toolchains[i]->id, s->index.toolchains[i]->used);
	index_free(&s->index);
	disk_close(&s->disk);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool store_has(struct store *s, const struct digest *d)
{
	const struct index_blob *b;
	bool has;

	store_lock(s);
	b = index_find(&s->index, d);
	has = b && b->present && !b->leaving;
	store_unlock(s);
	return has;
}

bool store_pin(struct store *s, const struct digest *d, uint64_t size)
{
	const struct index_blob *b;
	bool sound;

	store_lock(s);
	b = index_find(&s->index, d);
	sound = b && b->present && b->verified && !b->busy && b->size == size;
	if (sound)
		index_pin(&s->index, d);
	store_unlock(s);
	return sound;
}

void store_unpin(struct store *s, const struct digest *d)
{
	store_lock(s);
	index_unpin(&s->index, index_find(&s->index, d));
	store_unlock(s);
}

void store_expect(struct store *s, const struct tree *tree)
{
	store_lock(s);
	for (size_t i = 0; i < tree->count; i++)
		if (tree->entries[i].type == TREE_FILE)
			index_pin(&s->index, &tree->entries[i].digest);
	store_unlock(s);
}

void store_expect_end(struct store *s, const struct tree *tree)
{
	store_lock(s);
	for (size_t i = 0; i < tree->count; i++)
		if (tree->entries[i].type == TREE_FILE)
			index_unpin(&s->index, index_find(&s->index, &tree->entries[i].digest));
	store_unlock(s);
}

static int evict_blob(struct store *s, struct index_blob *b, struct err *err)
{
	int rc;

	s->leaving++;
	store_unlock(s);
	rc = disk_remove_blob(&s->disk, &b->digest, err);
	store_lock(s);
	s->leaving--;
	if (rc < 0)
		index_not_busy(&s->index, b);
	else
		index_gone(&s->index, b);
	store_changed(s);
	return rc;
}

int store_evict(struct store *s, struct index_toolchain *t, struct err *err)
{
	char name[2 * DIGEST_SIZE + 1];
	int rc;

	digest_hex(&t->id, name);
	t->busy = true;
	t->installed = false;
	s->leaving++;
	store_unlock(s);
	rc = disk_remove_toolchain(&s->disk, &t->id, err);
	store_lock(s);
	s->leaving--;
	t->busy = false;
	if (rc == 0) {
		log_info("store", "evicted=%.12s", name);
		s->evicted++;
		index_remove(&s->index, t);
	}
	store_changed(s);
	return rc;
}

/* One step towards room. *freed: bytes of the disk. ERR_ABSENT: nothing can go. */
static int evict_one(struct store *s, uint64_t *freed, struct err *err)
{
	struct index_blob *b = index_take_idle(&s->index);
	struct index_toolchain *t = b ? NULL : index_oldest(&s->index);

	*freed = 0;
	if (b) {
		*freed = index_charge(b->size);
		return evict_blob(s, b, err);
	}
	if (t) {
		*freed = t->own_bytes;
		return store_evict(s, t, err);
	}
	if (!s->leaving)
		return ERR_ABSENT;
	store_wait(s);
	return 0;
}

static uint64_t beyond_bound(const struct store *s, uint64_t bytes)
{
	uint64_t used = index_bytes(&s->index) + s->reserved;

	if (bytes > s->max_bytes)
		return UINT64_MAX;
	return used > s->max_bytes - bytes ? used - (s->max_bytes - bytes) : 0;
}

static int no_room(const struct store *s, uint64_t bytes, bool by_bound, struct err *err)
{
	const unsigned mib = 1 << 20;

	if (by_bound)
		return err_set(err, ERR_LIMIT, "%s: %llu MiB more are above its bound of %llu MiB, beside what is in use",
			       s->disk.path, (unsigned long long)(bytes / mib + 1), (unsigned long long)(s->max_bytes / mib));
	return err_set(err, ERR_LIMIT, "%s: no room on the file system for %llu MiB more", s->disk.path,
		       (unsigned long long)(bytes / mib + 1));
}

/* Locked. disk_lacks: what the file system has too little. */
static int make_room(struct store *s, uint64_t bytes, uint64_t disk_lacks, struct err *err)
{
	uint64_t above, freed;
	int rc = 0;

	while (rc == 0 && ((above = beyond_bound(s, bytes)) || disk_lacks)) {
		uint64_t evictable = index_evictable(&s->index);

		if (above > evictable || disk_lacks > evictable)
			return no_room(s, bytes, above > evictable, err);
		rc = evict_one(s, &freed, err);
		disk_lacks -= freed < disk_lacks ? freed : disk_lacks;
	}
	return rc == ERR_ABSENT ? no_room(s, bytes, above > 0, err) : rc;
}

int store_reserve(struct store *s, uint64_t bytes, struct err *err)
{
	uint64_t free_bytes;
	int rc = disk_free_bytes(&s->disk, &free_bytes, err);

	if (rc < 0)
		return rc;
	store_lock(s);
	rc = make_room(s, bytes, bytes > free_bytes ? bytes - free_bytes : 0, err);
	if (rc == 0)
		s->reserved += bytes;
	store_unlock(s);
	return rc;
}

int store_make_room(struct store *s, uint64_t bytes, struct err *err)
{
	int rc = store_reserve(s, bytes, err);

	if (rc < 0)
		return rc;
	store_lock(s);
	s->reserved -= bytes;
	store_unlock(s);
	return 0;
}

bool store_hold(struct store *s, const struct digest *id)
{
	struct index_toolchain *t;
	uint64_t stamp = 0;
	bool held;

	store_lock(s);
	t = index_toolchain(&s->index, id);
	held = t && t->installed;
	if (held) {
		index_hold(&s->index, t);
		t->used = store_now(s);
		if (t->used - t->stamped > STAMP_EVERY_NS)
			stamp = t->stamped = t->used;
	}
	store_unlock(s);
	if (stamp)
		disk_stamp_tree(&s->disk, id, stamp);
	return held;
}

void store_release(struct store *s, const struct digest *id)
{
	struct index_toolchain *t;

	store_lock(s);
	t = index_toolchain(&s->index, id);
	t->used = store_now(s);
	index_release(&s->index, t);
	store_unlock(s);
}

char *store_root(const struct store *s, const struct digest *id)
{
	char hex[2 * DIGEST_SIZE + 1];

	digest_hex(id, hex);
	return xasprintf("%s/roots/%s", s->disk.path, hex);
}

char *store_blobs(const struct store *s) { return xasprintf("%s/blobs", s->disk.path); }

struct store_view store_view(struct store *s)
{
	struct store_view v;

	store_lock(s);
	v = (struct store_view){ .bytes = index_bytes(&s->index), .max_bytes = s->max_bytes, .blobs = s->index.blob_count,
				 .toolchains = s->index.toolchain_count, .evicted = s->evicted };
	store_unlock(s);
	return v;
}
