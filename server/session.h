/*
 * session.h - one connection of an agent: control or job.
 */
#ifndef RCC_SESSION_H
#define RCC_SESSION_H

#include "address.h"
#include "conn.h"
#include "server.h"

struct session;

/* A connection was accepted; takes fd. */
void session_open(struct server *s, int fd, const struct address *peer);
/* BYE, and the end of it. */
void session_bye(struct session *x, enum refusal refusal, const char *text);

void session_grant(struct session *x, uint32_t id, uint64_t token);
/* text NULL: the refusal's own. Counted. */
void session_refuse(struct session *x, uint32_t id, enum refusal refusal, const char *text);
const char *session_name(const struct session *x);
struct conn *session_conn(struct session *x);
uint64_t session_caller(const struct session *x);	/* a number that names its caller for good */
uint64_t session_token(const struct session *x);	/* that was redeemed for its job */

/* It broke the protocol: that is logged, and BYE. */
void session_violation(struct session *x, const struct err *err);

/* The session's job is over: its RESULT or REFUSE has been sent. */
void session_job_over(struct session *x);

/* There is room for a connection that has not said who it is, or one that has been silent for long gives way. */
bool sessions_have_room(const struct server *s);
/* The keys are others now: whoever showed one that is gone gets no more work done. Jobs that run go on. */
void sessions_check_keys(struct server *s);

unsigned sessions_agents(const struct server *s);	/* control connections */

/* To all control sessions. */
void sessions_push_state(struct server *s);
void sessions_push_toolchain(struct server *s, const struct wire_toolchain_state *m);
void sessions_close(struct server *s, enum refusal refusal);
/* All connections end without a word, and their jobs with them. */
void sessions_drop(struct server *s);

#endif
