/*
 * dir_read.h - all names of a directory.
 */
#ifndef RCC_DIR_READ_H
#define RCC_DIR_READ_H

#include "base.h"

/*
 * Each name but "." and ".." of the directory open at fd goes to add, at most
 * max. 0, or -1 with errno: E2BIG when there are more; EILSEQ when a name can
 * be found under another one too (upper and lower case alike), so that a name not
 * among them may be there all the same. fd is left alone.
 */
int dir_read(int fd, size_t max, void (*add)(void *arg, const char *name), void *arg);

#endif
