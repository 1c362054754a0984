/*
 * sandbox.h - does a box hold here, and as whom do its jobs run?
 */
#ifndef RCC_SANDBOX_H
#define RCC_SANDBOX_H

#include "server.h"

/*
 * Tries a whole box, unless --insecure-no-sandbox, and starts the spawn
 * server. Sets s->confined, s->no_files, s->job_users, s->spawner, s->cgroups. ERR_CONFIG, with the step
 * that failed, when jobs cannot be confined.
 */
int sandbox_start(struct server *s, struct err *err);

/* The user of the box in that place, from 0, as the box itself names it; 0: rccd's own. */
uint32_t sandbox_uid(const struct server *s, unsigned place);

/*
 * Pure: the first range of that many ids that a file like /etc/subuid gives a
 * user, who is named by name or number. False: there is none.
 */
bool subid_find(const char *text, const char *name, unsigned id, unsigned count, unsigned *first);

#endif
