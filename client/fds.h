/*
 * fds.h - rcc's own descriptors: closed by exec, and numbered from 200 up, so
 * that the numbers which make's jobserver or a shell script use stay theirs,
 * and 0 to 2 stay free when the caller closed them.
 */
#ifndef RCC_FDS_H
#define RCC_FDS_H

#include "base.h"

/* Moves fd up; -1 stays -1 with its errno. Where the limit forbids, any number will do. */
int fd_high(int fd);
/* A file without a name. -1 with errno. */
int fd_scratch(const char *what);
/* /dev/null for reading and writing. */
int fd_null(void);

#endif
