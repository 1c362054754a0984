/*
 * environment.h - the variables that bear on a compile. They go to the agent
 * with each request; nothing else of the caller's environment does.
 */
#ifndef RCC_ENVIRONMENT_H
#define RCC_ENVIRONMENT_H

#include "argv.h"

/* Append NAME=value for each variable of the table that is set in envp. */
void environment_collect(struct argv *out, char *const *envp);
/* The value of name in a list of NAME=value; NULL if it is not there. Borrowed. */
const char *environment_get(const struct argv *env, const char *name);

#endif
