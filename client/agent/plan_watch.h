/*
 * plan_watch.h - what a driver looked at before it answered -###.
 */
#ifndef RCC_PLAN_WATCH_H
#define RCC_PLAN_WATCH_H

#include "plan.h"

/*
 * The files and directories whose times show that the driver would still
 * give this answer, for plan_cache.h. text is the answer and p the plan made
 * of it; env is the caller's. False: they cannot all be known, so the answer
 * is not to be remembered. The caller frees directories either way.
 */
bool plan_watch(const struct plan *p, const char *text, const struct argv *env, struct argv *directories);

#endif
