/*
 * owner.h - this machine has an owner: each second its signals are read, and
 * what policy.c makes of them is done.
 */
#ifndef RCC_OWNER_H
#define RCC_OWNER_H

#include "server.h"

struct owner;

void owner_start(struct server *s);
void owner_stop(struct server *s);

#endif
