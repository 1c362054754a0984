/*
 * logind.h - asks the login manager, now and then, whether its sessions are idle.
 */
#ifndef RCC_LOGIND_H
#define RCC_LOGIND_H

#include <uv.h>

#include "policy.h"

struct logind;

/* NULL where there is no login manager. root as in signals.h. */
struct logind *logind_new(uv_loop_t *loop, const char *root);
/* To be called about each second. soon: an answer some seconds old is too old. */
void logind_tick(struct logind *l, bool soon);
enum known logind_idle(const struct logind *l);		/* l may be NULL */
/* Frees it, once nothing of it is left in the loop. */
void logind_stop(struct logind *l);

#endif
