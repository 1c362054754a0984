/*
 * http.h - the status over HTTP: read-only, no threads, no scripts.
 */
#ifndef RCC_HTTP_H
#define RCC_HTTP_H

#include "err.h"
#include "server.h"

/* Serve the options' address, unless it is "off". ERR_CONFIG. */
int http_start(struct server *s, struct err *err);
void http_stop(struct server *s);

/*
 * Pure, for the test. A page that a stranger's name server points at us
 * would carry the stranger's Host: only addresses, localhost and our own
 * name are ours.
 */
bool http_host_ok(const char *host, const char *own_name);

#endif
