/*
 * listen.h - sockets that wait for agents, and the bounds on who may come in.
 */
#ifndef RCC_LISTEN_H
#define RCC_LISTEN_H

#include "address.h"
#include "err.h"

struct server;
struct listener;

/*
 * A socket bound to the address text, listening, non-blocking, close-on-exec; where
 * it ended up (port 0) is told in where. The fd, or ERR_CONFIG, which names
 * the option.
 */
int listen_open(const char *option, const char *text, struct address *where, struct err *err);

/* Open all of the options' addresses. ERR_CONFIG names the one that failed. */
int listen_start(struct server *s, struct err *err);
/* There is room again for connections that have not said who they are. */
void listen_resume(struct server *s);
void listen_stop(struct server *s);

#endif
