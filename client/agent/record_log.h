/*
 * record_log.h - records of one size in a file, shared by all agents of a user.
 *
 * One file of records that are only ever appended, each with a checksum: what
 * a kill or a full disk leaves of one is passed over. It is replaced by rename
 * when it has grown. Nobody waits for its lock: what is not written now is
 * found out again by the next agent.
 */
#ifndef RCC_RECORD_LOG_H
#define RCC_RECORD_LOG_H

#include "base.h"

/* A record's last eight bytes are its checksum, the log's own. In this machine's byte order. */
struct record_kind {
	char what[16];		/* names the layout; another layout has another name */
	size_t size;		/* of a record; a multiple of 8 */
	size_t max_bytes;	/* beyond, record_log_append() asks for a new file */
};

/* Each sound record in turn. A file that is absent, not ours, or of another kind has none. */
void record_log_load(const struct record_kind *k, const char *path, void (*each)(void *arg, const void *record), void *arg);
/* False when the file is too large now: record_log_replace(). Fills in the checksums. */
bool record_log_append(const struct record_kind *k, const char *path, void *records, size_t count);
void record_log_replace(const struct record_kind *k, const char *path, void *records, size_t count);

#endif
