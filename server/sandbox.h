/*
 * sandbox.h - does a box hold here, and as whom do its jobs run?
 */
#ifndef RCC_SANDBOX_H
#define RCC_SANDBOX_H

#include "server.h"

/*
 * Tries a whole box, unless --insecure-no-sandbox. Sets s->confined.
 * ERR_CONFIG, with the step that failed, when jobs cannot be confined.
 */
int sandbox_start(struct server *s, struct err *err);

/* The user of the box in that place, from 0; 0: rccd's own. */
uint32_t sandbox_uid(const struct server *s, unsigned place);

#endif
