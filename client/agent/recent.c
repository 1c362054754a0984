/*
 * recent.c - one word for each fact: a part of its hash, and when it was seen.
 *
 * A word is written and read at once, so no lock is needed. Only where PROBES facts whose
 * hashes end alike are all recent does one take the place of another.
 */
#include "recent.h"

#include <stdatomic.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS = 1 << 14, TIME_BITS = 32, PROBES = 4 };

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

static bool is_recent(uint64_t word, int64_t now_ns)
{
	return word && ms_of(now_ns) - (uint32_t)word < RECENT_MS;
}

void recent_note(struct recent *r, const struct fact *f, int64_t dir_ns, int64_t now_ns)
{
	uint64_t h, new;
	size_t at = 0;

	if (!quiet(f, dir_ns, now_ns))
		return;
	h = hash_of(f);
	new = h >> TIME_BITS << TIME_BITS | ms_of(now_ns);
	for (size_t i = 0; i < PROBES; i++) {
		uint64_t word = atomic_load_explicit(&r->slots[(h + i) % SLOTS], memory_order_relaxed);

		at = i;
		if (word >> TIME_BITS == h >> TIME_BITS || !is_recent(word, now_ns))
			break;
	}
	atomic_store_explicit(&r->slots[(h + at) % SLOTS], new, memory_order_relaxed);
}

bool recent_has(struct recent *r, const struct fact *f, int64_t now_ns)
{
	uint64_t h;

	if (f->listed)
		return false;
	h = hash_of(f);
	for (size_t i = 0; i < PROBES; i++) {
		uint64_t word = atomic_load_explicit(&r->slots[(h + i) % SLOTS], memory_order_relaxed);

		if (word >> TIME_BITS == h >> TIME_BITS && is_recent(word, now_ns))
			return true;
	}
	return false;
}

void recent_forget(struct recent *r)
{
	for (size_t i = 0; i < SLOTS; i++)
		atomic_store_explicit(&r->slots[i], 0, memory_order_relaxed);
}
