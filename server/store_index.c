/*
 * store_index.c - reference counts, pins and the order of leaving.
 */
#include "store_index.h"

#include <search.h>

uint64_t index_charge(uint64_t size)
{
	const uint64_t block = 4096;

	if (size > INT64_MAX)
		return size;
	return size ? (size + block - 1) / block * block : block;
}

static int by_digest(const void *a, const void *b) { return memcmp(a, b, DIGEST_SIZE); }

void index_init(struct store_index *x)
{
	*x = (struct store_index){ 0 };
	TAILQ_INIT(&x->idle);
}

static void free_toolchain(struct index_toolchain *t)
{
	free(t->blobs);
	free(t);
}

void index_free(struct store_index *x)
{
	for (size_t i = 0; i < x->toolchain_count; i++)
		free_toolchain(x->toolchains[i]);
	tdestroy(x->blobs, free);
}

struct index_blob *index_find(const struct store_index *x, const struct digest *d)
{
	struct index_blob **found = tfind(d, &x->blobs, by_digest);

	return found ? *found : NULL;
}

static struct index_blob *find_or_add(struct store_index *x, const struct digest *d)
{
	struct index_blob *b = index_find(x, d);

	if (b)
		return b;
	b = xcalloc(1, sizeof *b);
	b->digest = *d;
	if (!tsearch(b, &x->blobs, by_digest))
		abort();	/* out of memory */
	return b;
}

/* In the list when idle; freed when nobody would miss it. */
static void settle(struct store_index *x, struct index_blob *b)
{
	bool idle = b->present && !b->refs && !b->pins && !b->busy;

	if (idle && !b->idle)
		TAILQ_INSERT_TAIL(&x->idle, b, next);
	if (!idle && b->idle)
		TAILQ_REMOVE(&x->idle, b, next);
	b->idle = idle;
	if (b->present || b->refs || b->pins || b->busy)
		return;
	tdelete(b, &x->blobs, by_digest);
	free(b);
}

static void pin(struct store_index *x, struct index_blob *b)
{
	if (b->pins++ == 0 && b->present)
		x->pinned_bytes += index_charge(b->size);
	settle(x, b);
}

struct index_blob *index_pin(struct store_index *x, const struct digest *d)
{
	struct index_blob *b = find_or_add(x, d);

	pin(x, b);
	return b;
}

void index_unpin(struct store_index *x, struct index_blob *b)
{
	if (--b->pins == 0 && b->present)
		x->pinned_bytes -= index_charge(b->size);
	settle(x, b);
}

void index_arrived(struct store_index *x, struct index_blob *b, uint64_t size)
{
	b->present = true;
	b->size = size;
	x->blob_count++;
	x->blob_bytes += index_charge(size);
	if (b->pins)
		x->pinned_bytes += index_charge(size);
	settle(x, b);
}

void index_gone(struct store_index *x, struct index_blob *b)
{
	b->present = b->verified = b->busy = b->leaving = false;
	x->blob_count--;
	x->blob_bytes -= index_charge(b->size);
	if (b->pins)
		x->pinned_bytes -= index_charge(b->size);
	settle(x, b);
}

struct index_blob *index_take_idle(struct store_index *x)
{
	struct index_blob *b = TAILQ_FIRST(&x->idle);

	if (b) {
		b->busy = b->leaving = true;
		settle(x, b);
	}
	return b;
}

void index_not_busy(struct store_index *x, struct index_blob *b)
{
	b->busy = b->leaving = false;
	settle(x, b);
}

struct index_toolchain *index_toolchain(const struct store_index *x, const struct digest *id)
{
	for (size_t i = 0; i < x->toolchain_count; i++)
		if (digest_eq(&x->toolchains[i]->id, id))
			return x->toolchains[i];
	return NULL;
}

struct index_toolchain *index_add(struct store_index *x, const struct digest *id, const struct tree *tree)
{
	struct index_toolchain *t = xcalloc(1, sizeof *t);

	t->id = *id;
	t->blobs = xcalloc(tree->count, sizeof *t->blobs);
	for (size_t i = 0; i < tree->count; i++) {
		struct index_blob *b;

		if (tree->entries[i].type != TREE_FILE)
			continue;
		b = t->blobs[t->count++] = find_or_add(x, &tree->entries[i].digest);
		b->refs++;
		settle(x, b);
	}
	x->toolchains[x->toolchain_count++] = t;
	return t;
}

void index_own(struct store_index *x, struct index_toolchain *t, uint64_t own_bytes)
{
	x->own_bytes += own_bytes - t->own_bytes;
	t->own_bytes = own_bytes;
}

void index_remove(struct store_index *x, struct index_toolchain *t)
{
	for (size_t i = 0; i < t->count; i++) {
		t->blobs[i]->refs--;
		settle(x, t->blobs[i]);
	}
	x->own_bytes -= t->own_bytes;
	for (size_t i = 0; i < x->toolchain_count; i++)
		if (x->toolchains[i] == t)
			x->toolchains[i] = x->toolchains[--x->toolchain_count];
	free_toolchain(t);
}

void index_hold(struct store_index *x, struct index_toolchain *t)
{
	if (t->holds++)
		return;
	for (size_t i = 0; i < t->count; i++)
		pin(x, t->blobs[i]);
}

void index_release(struct store_index *x, struct index_toolchain *t)
{
	if (--t->holds)
		return;
	for (size_t i = 0; i < t->count; i++)
		index_unpin(x, t->blobs[i]);
}

struct index_toolchain *index_oldest(const struct store_index *x)
{
	struct index_toolchain *oldest = NULL;

	for (size_t i = 0; i < x->toolchain_count; i++) {
		struct index_toolchain *t = x->toolchains[i];

		if (!t->holds && !t->busy && (!oldest || t->used < oldest->used))
			oldest = t;
	}
	return oldest;
}

uint64_t index_bytes(const struct store_index *x) { return x->blob_bytes + x->own_bytes; }

uint64_t index_evictable(const struct store_index *x)
{
	uint64_t kept = x->pinned_bytes;

	for (size_t i = 0; i < x->toolchain_count; i++)
		if (x->toolchains[i]->holds)
			kept += x->toolchains[i]->own_bytes;
	return index_bytes(x) - kept;
}
