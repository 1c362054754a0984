/*
 * cgroup.h - limits for a job as a whole, where the system lets rccd set them.
 *
 * Only cgroup v2, and only a cgroup that is rccd's alone, as systemd's
 * Delegate= makes it: rccd moves below it, and beside it each place for a box
 * has a cgroup of its own, used again and again.
 */
#ifndef RCC_CGROUP_H
#define RCC_CGROUP_H

#include "err.h"

struct cgroups;

/*
 * Prepare this process's cgroup for so many boxes at once. Before other
 * processes are started, as it moves this one. NULL: why says what is missing, and
 * all is as it was.
 */
struct cgroups *cgroups_open(unsigned boxes, struct err *why);
/* The same with that directory; for tests, which can have one of plain files. */
struct cgroups *cgroups_open_at(const char *dir, unsigned boxes, struct err *why);
void cgroups_close(struct cgroups *g);		/* g may be NULL */

/* For people: which of memory, pids, cpu are bounded, and where. Borrowed. */
const char *cgroups_text(const struct cgroups *g);

/* A box is to start in that place: its cgroup's directory, borrowed; -1: it has none, as g is NULL or it fails. */
int cgroup_prepare(struct cgroups *g, unsigned place, uint64_t memory_bytes, bool idle);
/* The box there is to end, which takes the processor too: it is no longer idle. */
void cgroup_hurry(struct cgroups *g, unsigned place);
/* Has the kernel ended something there for lack of memory since? */
bool cgroup_ran_out(struct cgroups *g, unsigned place);
/* The box has ended: so does all that is still there. */
void cgroup_clear(struct cgroups *g, unsigned place);

/*
 * Pure: the directory of a process's cgroup, by its /proc/PID/cgroup and
 * /proc/PID/mountinfo. NULL: it has none of v2 that can be seen. Caller frees.
 */
char *cgroup_directory(const char *cgroup, const char *mountinfo);

#endif
