/*
 * file.h - whole reads and writes, and the few directory chores.
 */
#ifndef RCC_FILE_H
#define RCC_FILE_H

#include <sys/types.h>

#include "buf.h"
#include "err.h"

/* All of it, across short writes and EINTR. 0, or -1 with errno. */
int write_all(int fd, const void *p, size_t len);
/* Append what fd yields until its end; more than max bytes is ERR_LIMIT. */
int read_all(int fd, size_t max, struct buf *out, struct err *err);
int read_file(const char *path, size_t max, struct buf *out, struct err *err);
/* mkdir -p; existing directories are left as they are. */
int make_dirs(const char *path, mode_t mode, struct err *err);
/* rm -r: what is below, then path itself. Never follows links. 0, or -1 with errno of the first failure. */
int remove_tree(int dir, const char *path);
/* The directory this program's own file is in, ending without a slash. Caller frees. */
char *own_dir(void);
/* One of rcc's other programs: beside this one, else ../libexec/rcc, else LIBEXECDIR. NULL if nowhere. Caller frees. */
char *find_own_program(const char *name);

#endif
