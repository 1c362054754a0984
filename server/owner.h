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

#endif
