/*
 * show.h - what rcc prints about itself.
 */
#ifndef RCC_SHOW_H
#define RCC_SHOW_H

#include "invoke.h"
#include "reason.h"

/* Each returns the exit status. */
int show_help(void);
int show_version(void);
int show_wrong(const struct invoke *in);
int show_query(const struct invoke *in);
/* A verdict that needed no agent. */
int show_verdict(enum reason reason, bool json);

/* The exit status, once all that was printed has arrived: EXIT_RCC_INTERNAL if it could not. */
int show_end(int status);

#endif
