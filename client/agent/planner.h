/*
 * planner.h - from a request to a plan: the driver's own words, remembered,
 * and the job that comes of a unit.
 */
#ifndef RCC_PLANNER_H
#define RCC_PLANNER_H

#include <sys/stat.h>

#include "memory.h"
#include "plan.h"
#include "request.h"
#include "toolchain.h"

struct planner;

struct planner *planner_new(void);
void planner_free(struct planner *pl);

/*
 * The text that `driver -###` would print for this request, from the cache.
 * NULL: the driver must be asked. Caller frees.
 */
char *planner_recall(struct planner *pl, const struct ask *ask, const struct stat *driver);

/*
 * A plan from that text; programs of jobs are then absolute paths. learn:
 * the driver has just printed it. A plan that cannot be used is a local
 * verdict in it.
 */
int planner_make(struct planner *pl, const struct ask *ask, enum driver_kind kind, const struct stat *driver,
		 const char *text, bool learn, bool force_text, const char *temp_dir, struct plan **out,
		 struct err *err);

/*
 * A copy of job with the caller's variables that travel, and the toolchain's
 * name. Without translations in the toolchain those of the locale do not: the
 * volunteer may have some, which would get into the object.
 */
void planner_job(const struct job *job, const struct argv *env, const struct toolchain *tc, struct job *out);

/* The same of a unit in file mode, with more of the caller's variables; what is the caller's is not filled in. */
void planner_file_job(const struct file_unit *u, const struct argv *env, const struct toolchain *tc, struct job *out);

/*
 * Would LD_LIBRARY_PATH make the loader take a library that is not the
 * toolchain's? Looks at the disk. library_path may be NULL.
 */
bool planner_shadowed(const struct toolchain *tc, const char *library_path, struct err *err);

#endif
