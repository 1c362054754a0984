/*
 * roots.h - a directory for each toolchain, that a box can have as its root.
 */
#ifndef RCC_ROOTS_H
#define RCC_ROOTS_H

#include "tree.h"

/* Copies of this machine's own files at their places below dir, which is new; and the places a box mounts on. */
int root_make(const char *dir, const struct tree *t, struct err *err);

#endif
