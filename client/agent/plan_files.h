/*
 * plan_files.h - a command in file mode: its subcommands as they are, source
 * by source.
 */
#ifndef RCC_PLAN_FILES_H
#define RCC_PLAN_FILES_H

#include "plan.h"

/*
 * From p->commands to p->file_units and p->files; a reason that is in the
 * latter already stays. Pure.
 */
void plan_files_make(struct plan *p, const struct argv *user_argv, const struct plan_options *o);
void plan_files_free(struct plan *p);

/*
 * The arguments of all steps, a line each, but for those that hold the name of
 * the source or of the output: alike for the files of one directory that are
 * compiled alike.
 */
void plan_files_key(const struct file_unit *u, struct buf *out);

/* Fills in where the unit may write, from its job, input and output. */
void plan_files_places(struct file_unit *u);

/* Up to the first dot of the last part of path: what compilers name side files by. */
char *plan_stem(const char *path);

#endif
