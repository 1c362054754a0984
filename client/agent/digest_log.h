/*
 * digest_log.h - the digests of files on disk, for all agents of a user.
 * See record_log.h.
 */
#ifndef RCC_DIGEST_LOG_H
#define RCC_DIGEST_LOG_H

#include "digest_memo.h"

/* As it is on disk, in this machine's byte order. */
struct digest_record {
	struct file_id id;
	struct digest digest;
	uint64_t notes;		/* enum digest_note */
	uint64_t check;		/* of the above; the log's own */
};

enum digest_note { DIGEST_HAS_CLOCK = 1 };

enum { DIGEST_LOG_MAX = 12 << 20 };	/* bytes; beyond, digest_log_append() asks for a new one */

/* Each sound record in turn. A file that is absent, not ours, or of another kind has none. */
void digest_log_load(const char *path, void (*each)(void *arg, const struct digest_record *r), void *arg);
/* False when the file is too large now: digest_log_replace(). Fills in the checksums. */
bool digest_log_append(const char *path, struct digest_record *records, size_t count);
void digest_log_replace(const char *path, struct digest_record *records, size_t count);

#endif
