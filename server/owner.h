/*
 * owner.h - this machine has an owner: its signals are read all the time, and
 * what policy.c makes of them is done.
 */
#ifndef RCC_OWNER_H
#define RCC_OWNER_H

#include "server.h"

struct owner;

void owner_start(struct server *s);
void owner_stop(struct server *s);
/* How many processors jobs may use at once: the machine whose owner is looked for may be a played one. */
unsigned owner_processors(const struct server *s);

#endif
