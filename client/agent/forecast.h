/*
 * forecast.h - what a job is likely to ask of its caller's files, so that it is told before.
 *
 * Only true facts are told, so a wrong guess costs bytes and no more. Worker threads: it reads disks.
 */
#ifndef RCC_FORECAST_H
#define RCC_FORECAST_H

#include "files.h"
#include "job.h"

/*
 * For a unit of which nothing is known: where it starts, its source, and the directories it will search,
 * with their names, since most of what it looks for in them is not there. input: as written.
 */
void forecast_start(struct files *f, const struct job *job, const char *cwd, const char *input, struct facts *out);

/*
 * An answer: what is at path. with_parent: and, if nothing is there, the names beside it, so that
 * nothing of the kind must be asked there again.
 */
void forecast_answer(struct files *f, const char *path, bool listing, bool with_parent, struct facts *out);

/* Pure. The directory to be searched that the i-th word, an option, names in itself or in the next; NULL: none. */
const char *forecast_searched(const struct argv *argv, size_t i);
/* Pure. The absolute path that words mean in cwd, "." and ".." taken out as if there were no links; NULL: too long. Caller frees. */
char *path_settle(const char *cwd, const char *path);

#endif
