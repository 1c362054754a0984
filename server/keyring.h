/*
 * keyring.h - which key files count, and reading them anew.
 */
#ifndef RCC_KEYRING_H
#define RCC_KEYRING_H

#include "key.h"
#include "options.h"

struct server;

/* The keys that the options mean; *out is NULL where connections are plain. ERR_CONFIG names the file. */
int keyring_open(const struct options *o, struct keys **out, struct err *err);
/* From now on SIGHUP reads them again. What cannot be read changes nothing. */
void keyring_watch(struct server *s);

#endif
