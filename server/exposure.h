/*
 * exposure.h - who can reach this volunteer, and whether that was meant.
 */
#ifndef RCC_EXPOSURE_H
#define RCC_EXPOSURE_H

#include "key.h"
#include "options.h"

/* ERR_CONFIG: an address that others can reach, and what it takes to listen there. keys: NULL for none. */
int exposure_check(const struct options *o, const struct keys *keys, struct err *err);
/* The same in words, for the log: who may have jobs run, and where they connect. Caller frees. */
char *exposure_text(const struct options *o, const struct keys *keys, const struct argv *listening);

#endif
