/*
 * programs.h - which programs a volunteer runs at all, and where the links of
 * a toolchain's tree lead. Pure.
 */
#ifndef RCC_PROGRAMS_H
#define RCC_PROGRAMS_H

#include "job.h"
#include "tree.h"

/* cc1, cc1plus, as, clang, objcopy and the like: by base name. NULL: none of them. Borrowed. */
const char *program_name(const char *path);
bool program_known(const char *path);
/* clang only as a compiler proper or an assembler, never as a driver. */
bool program_step_known(const struct job_step *step);
/* Where path leads by the links of the tree; NULL when that is no file of it. */
const struct tree_entry *program_resolve(const struct tree *t, const char *path);

#endif
