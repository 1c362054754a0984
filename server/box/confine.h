/*
 * confine.h - what the box gives up before a job starts.
 */
#ifndef RCC_BOX_CONFINE_H
#define RCC_BOX_CONFINE_H

#include "request.h"

/*
 * Once, before anything of the job runs. Ends in the job's directory. enter makes its root, and
 * goes there, while we still may: root_enter(), or what stands for it. Errors are its, or ERR_IO.
 */
typedef int enter_root(const struct box_request *q, void *arg, struct err *err);
int confine(const struct box_request *q, enter_root *enter, void *arg, struct err *err);

/*
 * For a step, just before it executes: the kernel's bounds for one that is
 * faster than we look (steps.c). They are above bytes; 0: none. Allocates nothing. 0, or -1 with errno.
 */
int limit_memory(uint64_t bytes);

/* Kill and reap whatever is left below this process, however it tried to get away. */
void end_descendants(void);

#endif
