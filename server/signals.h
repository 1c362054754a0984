/*
 * signals.h - what the machine says about its owner, read from the kernel's files.
 *
 * root stands before each path: "" but for tests, which write such files.
 * What cannot be read is unknown.
 */
#ifndef RCC_SIGNALS_H
#define RCC_SIGNALS_H

#include "policy.h"

/* All but what follows below, and our own jobs. Only files that the kernel makes up when they are read: it does not block. */
void signals_read(const char *root, struct owner_signals *out);
/* Reading a battery may take the firmware a while: for a worker thread. */
enum known signals_on_battery(const char *root);

#endif
