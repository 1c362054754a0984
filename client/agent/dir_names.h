/*
 * dir_names.h - the names in directories, as proofs that others are absent.
 *
 * A directory that has not changed (device, inode, mtime, ctime) since its names
 * were read, and had not changed for 2 s then, still has just these names: one
 * stat settles every absence in it. One that changes is read anew, once for
 * all who wait for it.
 */
#ifndef RCC_DIR_NAMES_H
#define RCC_DIR_NAMES_H

#include "digest_memo.h"

struct names;		/* of one directory; never changes */
struct dir_names;	/* any thread may use it */

enum { DIR_NAMES_MAX = 50000 };	/* of a directory: a larger one is not read */

/* now_ns: CLOCK_REALTIME, or a test's. */
struct dir_names *dir_names_new(int64_t (*now_ns)(void));
void dir_names_free(struct dir_names *d);	/* when nobody reads */

/*
 * Its names, if they are still those of a directory that is as in id now;
 * else NULL. *last: how many names it had when it was last read; 0: never.
 */
struct names *dir_names_known(struct dir_names *d, const struct file_id *id, size_t *last);
/*
 * Its names as they are now, read by this thread or another one after this call.
 * dir may be O_PATH; id is its. NULL when they prove nothing: too many, not readable,
 * or cases are not told apart.
 */
struct names *dir_names_read(struct dir_names *d, int dir, const struct file_id *id);
/* Surely not among them; false: have a look. */
bool names_lack(const struct names *n, const char *name);
void names_release(struct names *n);		/* NULL too */

#endif
