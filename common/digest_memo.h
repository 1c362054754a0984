/*
 * digest_memo.h - digests of files, remembered by what stat says of them.
 *
 * Any change of contents moves ctime, so equal (device, inode, size, mtime,
 * ctime) means equal contents, but for changes within one tick of the
 * file system's clock: a file that changed less than 2 s ago is hashed each
 * time.
 */
#ifndef RCC_DIGEST_MEMO_H
#define RCC_DIGEST_MEMO_H

#include <sys/stat.h>

#include "digest.h"
#include "err.h"

/* No padding: compared and hashed as bytes. */
struct file_id {
	uint64_t dev;
	uint64_t inode;
	uint64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
};

struct file_id file_id_of(const struct stat *st);
/* Of an open file. ERR_UNSUPPORTED when it is not regular. */
int file_id_of_regular(int fd, struct file_id *id, struct err *err);
static inline bool file_id_eq(const struct file_id *a, const struct file_id *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}
/* Unchanged for 2 s: from now on a change would show in the id. */
bool file_id_settled(const struct file_id *id);
/* As of a time (CLOCK_REALTIME), and for so many seconds. */
static inline bool file_id_settled_at(const struct file_id *id, int64_t now_ns, int seconds)
{
	return id->ctime_ns && now_ns - id->ctime_ns >= seconds * (int64_t)1000000000;
}

struct digest_memo;	/* any thread may use it */

/* Remembers at most max_files, then starts anew. */
struct digest_memo *digest_memo_new(size_t max_files);
void digest_memo_free(struct digest_memo *m);

/*
 * The digest of an open regular file, and which file it was. ERR_IO when it
 * cannot be read, or changes while being read; ERR_UNSUPPORTED when it is
 * not regular.
 */
int digest_memo_fd(struct digest_memo *m, int fd, struct file_id *id, struct digest *out, struct err *err);

#endif
