/*
 * store_index.h - what the store holds and who needs it, in memory.
 *
 * No lock and no disk: store.c has both. A blob that neither a toolchain nor a
 * pin needs is idle, and idle ones go first, longest idle first.
 */
#ifndef RCC_STORE_INDEX_H
#define RCC_STORE_INDEX_H

#include <sys/queue.h>

#include "tree.h"

enum { INDEX_TOOLCHAINS_MAX = 1024 };

/* Known by its digest while it is there, or anyone wants it. */
struct index_blob {
	struct digest digest;	/* first: what the blobs are sorted by */
	uint64_t size;		/* once it is there */
	unsigned refs;		/* paths in trees that the store has */
	unsigned pins;		/* toolchains held or on their way in, and bringers */
	bool present;
	bool verified;		/* its contents, in this life */
	bool busy;		/* a thread works on its file; who wants it waits */
	bool leaving;		/* busy, to be removed */
	bool idle;		/* in the list */
	TAILQ_ENTRY(index_blob) next;
};

/* One whose tree the store has, or that is being made or removed. */
struct index_toolchain {
	struct digest id;
	struct index_blob **blobs;	/* one for each path of a file */
	size_t count;
	uint64_t own_bytes;	/* what its root and tree take, besides blobs */
	uint64_t used, stamped;	/* ns since 1970; stamped: as the disk says */
	unsigned holds;
	bool installed;		/* its root is there, made in this life */
	bool busy;		/* a thread makes or removes it */
};

struct store_index {
	void *blobs;		/* of tsearch(3) */
	TAILQ_HEAD(, index_blob) idle;
	struct index_toolchain *toolchains[INDEX_TOOLCHAINS_MAX];
	size_t toolchain_count, blob_count;
	uint64_t blob_bytes, own_bytes;	/* as index_charge() counts */
	uint64_t pinned_bytes;	/* of the blobs that are there and pinned */
};

/*
 * What a file of so many bytes takes: whole blocks, and at least one for its inode. So a bound of bytes
 * bounds the number of files, too.
 */
uint64_t index_charge(uint64_t size);

void index_init(struct store_index *x);
void index_free(struct store_index *x);

struct index_blob *index_find(const struct store_index *x, const struct digest *d);	/* NULL: unknown */
/* Pins are taken and given back, also for a blob that is not there yet. A blob that nobody wants is freed. */
struct index_blob *index_pin(struct store_index *x, const struct digest *d);
void index_unpin(struct store_index *x, struct index_blob *b);
void index_arrived(struct store_index *x, struct index_blob *b, uint64_t size);
/* Its file is gone. Frees b when nobody wants it. */
void index_gone(struct store_index *x, struct index_blob *b);
/* The next to go, taken off the list; NULL: none. It is then busy: index_gone() or index_not_busy() must follow. */
struct index_blob *index_take_idle(struct store_index *x);
void index_not_busy(struct store_index *x, struct index_blob *b);

struct index_toolchain *index_toolchain(const struct store_index *x, const struct digest *id);
/* Not there yet, and not one too many. Its blobs are referred to. */
struct index_toolchain *index_add(struct store_index *x, const struct digest *id, const struct tree *t);
void index_own(struct store_index *x, struct index_toolchain *t, uint64_t own_bytes);
void index_remove(struct store_index *x, struct index_toolchain *t);	/* frees t */
void index_hold(struct store_index *x, struct index_toolchain *t);
void index_release(struct store_index *x, struct index_toolchain *t);
/* The one to go next: neither held nor busy, longest unused. NULL: none. */
struct index_toolchain *index_oldest(const struct store_index *x);

uint64_t index_bytes(const struct store_index *x);
/* What removing all that may be removed would give. */
uint64_t index_evictable(const struct store_index *x);

#endif
