/*
 * session.h - one wrapper and its command, from ASK to its last answer.
 */
#ifndef RCC_SESSION_H
#define RCC_SESSION_H

#include "agent.h"
#include "watch.h"

/* A wrapper has connected; fd is taken over. */
void session_new(struct agent *a, int fd);
/* Place whoever waits, as far as there is room. */
void sessions_dispatch(struct agent *a);
/* Look at the jobs that are away: what is late may get a second copy. True: there are any. */
bool sessions_look_for_late(struct agent *a);
/* No wrapper is connected. */
bool sessions_idle(const struct agent *a);
size_t sessions_count(const struct agent *a);
/* The commands under way, in order of arrival. The caller frees *out, but not what it points at: that lives until
 * the loop goes on. Returns how many. */
size_t sessions_jobs(const struct agent *a, struct watch_job **out);

#endif
