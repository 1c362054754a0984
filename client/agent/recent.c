/*
 * recent.c - one word for each fact: a part of its hash, and when it was seen.
 *
 * A word is written and read at once, so no lock is needed; a fact takes the place of
 * another one whose hash ends alike.
 */
#include "recent.h"

#include <stdatomic.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS = 1 << 14, TIME_BITS = 32 };

/* The upper half is the hash's, the lower one the time in ms; 0: empty. */
struct recent {
	_Atomic uint64_t slots[SLOTS];
};

/* What of a fact its equality is about, but for its names. */
struct traits {
	uint64_t inode, size, target;
	int64_t mtime_ns;
	struct digest digest;
	uint16_t mode;
	uint8_t kind, access, own, unread;
};

struct recent *recent_new(void)
{
	return xcalloc(1, sizeof(struct recent));
}

void recent_free(struct recent *r)
{
	free(r);
}

static uint64_t hash_of(const struct fact *f)
{
	struct traits t;

	memset(&t, 0, sizeof t);	/* what lies between the fields is hashed, too */
	t.kind = f->kind;
	t.mode = f->mode;
	t.access = f->access;
	t.own = f->own;
	t.unread = f->unread;
	t.mtime_ns = f->kind == FACT_DIR ? 0 : f->mtime_ns;
	t.inode = f->inode;
	t.size = f->size;
	t.digest = f->digest;
	t.target = f->target ? XXH3_64bits(f->target, strlen(f->target)) : 0;
	return XXH3_64bits_withSeed(f->path, strlen(f->path), XXH3_64bits(&t, sizeof t));
}

/* Directories count as such, not by what they hold. */
static bool quiet(const struct fact *f, int64_t dir_ns, int64_t now_ns)
{
	int64_t changed_ns = f->kind == FACT_DIR ? 0 : f->kind == FACT_ABSENT ? dir_ns : f->mtime_ns;

	return (f->kind == FACT_FILE || f->kind == FACT_LINK || f->kind == FACT_DIR || f->kind == FACT_ABSENT) && !f->listed &&
	       now_ns - changed_ns > (int64_t)RECENT_QUIET_S * 1000000000;
}

static uint32_t ms_of(int64_t ns) { return (uint32_t)(ns / 1000000); }

void recent_note(struct recent *r, const struct fact *f, int64_t dir_ns, int64_t now_ns)
{
	uint64_t h;

	if (!quiet(f, dir_ns, now_ns))
		return;
	h = hash_of(f);
	atomic_store_explicit(&r->slots[h % SLOTS], h >> TIME_BITS << TIME_BITS | ms_of(now_ns), memory_order_relaxed);
}

bool recent_has(struct recent *r, const struct fact *f, int64_t now_ns)
{
	uint64_t h, found;

	if (f->listed)
		return false;
	h = hash_of(f);
	found = atomic_load_explicit(&r->slots[h % SLOTS], memory_order_relaxed);
	return found && found >> TIME_BITS == h >> TIME_BITS && ms_of(now_ns) - (uint32_t)found < RECENT_MS;
}

void recent_forget(struct recent *r)
{
	for (size_t i = 0; i < SLOTS; i++)
		atomic_store_explicit(&r->slots[i], 0, memory_order_relaxed);
}
