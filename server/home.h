/*
 * home.h - the directory that is this rccd's alone while it runs.
 */
#ifndef RCC_HOME_H
#define RCC_HOME_H

#include "err.h"

/*
 * Make it if need be, lock it, and clear out what a dead rccd left. jobs is
 * where the jobs' directories go; the caller frees it. Returns the lock: a
 * descriptor to keep. ERR_CONFIG when another rccd has it or it cannot be
 * used.
 */
int home_open(const char *path, char **jobs, struct err *err);

#endif
