/*
 * store_inner.h - what the files of the store share: the index under its lock, and room.
 *
 * The lock is never held while the disk works. Who works on a file or a
 * toolchain marks it busy, works, then takes the mark off and wakes those who wait.
 */
#ifndef RCC_STORE_INNER_H
#define RCC_STORE_INNER_H

#include <pthread.h>

#include "store.h"
#include "store_disk.h"
#include "store_index.h"

struct store {
	struct store_disk disk;
	uint64_t max_bytes;
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* something is not busy any more */
	/* below: under the lock */
	struct store_index index;
	uint64_t reserved;		/* bytes promised and not yet in the index */
	uint64_t evicted;
	uint64_t last_used;
	unsigned leaving;		/* evictions under way */
};

static inline void store_lock(struct store *s) { pthread_mutex_lock(&s->lock); }
static inline void store_unlock(struct store *s) { pthread_mutex_unlock(&s->lock); }
static inline void store_wait(struct store *s) { pthread_cond_wait(&s->changed, &s->lock); }
static inline void store_changed(struct store *s) { pthread_cond_broadcast(&s->changed); }

/* Disk. As store_make_room(), and the room is kept, until `reserved` is made less by as much. Not locked. */
int store_reserve(struct store *s, uint64_t bytes, struct err *err);
/* Locked. Takes a while and lets go of the lock meanwhile. ERR_IO: it is still there. */
int store_evict(struct store *s, struct index_toolchain *t, struct err *err);
/* Locked. A time of use: later than each before it. */
uint64_t store_now(struct store *s);

#endif
