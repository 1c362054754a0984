/*
 * digest_cache.h - what is known of the contents of files, by their identity.
 *
 * Only of identities that have settled (digest_memo.h): the caller sees to
 * that. Bounded: what was not asked for in a long time is forgotten.
 */
#ifndef RCC_DIGEST_CACHE_H
#define RCC_DIGEST_CACHE_H

#include "digest_memo.h"

enum { ACCESS_UNKNOWN = 0xff };

struct digest_known {
	struct digest digest;
	uint8_t access;		/* as in struct fact, under these mount flags; not kept on disk */
	uint8_t mount_flags;
	bool stays;		/* worth keeping on disk */
	bool has_clock;
};

struct digest_cache;	/* any thread may use it */

/* path: the log, read when it is first needed; NULL: none. max_files >= 2. */
struct digest_cache *digest_cache_new(const char *path, size_t max_files);
void digest_cache_free(struct digest_cache *c);		/* flushes */

bool digest_cache_get(struct digest_cache *c, const struct file_id *id, struct digest_known *out);
void digest_cache_set(struct digest_cache *c, const struct file_id *id, const struct digest_known *k);
/* Write what is new to the log, if it is worth the while or must be. */
void digest_cache_flush(struct digest_cache *c, bool now);

/*
 * Contents with this digest name the time: __DATE__, __TIME__ or __TIMESTAMP__.
 * Noted for whatever this cache was told or has read from its log, never forgotten; true
 * for all once too many did.
 */
void digest_cache_note_clock(struct digest_cache *c, const struct digest *d);
bool digest_cache_has_clock(struct digest_cache *c, const struct digest *d);

#endif
