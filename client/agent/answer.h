/*
 * answer.h - what --hosts, --jobs, --stats, --watch, --zero-stats and --stop-agent print.
 */
#ifndef RCC_ANSWER_H
#define RCC_ANSWER_H

#include "agent.h"
#include "request.h"

/* Send ANSWER and finish the connection. */
void answer_send(struct conn *c, const char *text);
/* Answer q on c, at once or when the volunteers have answered; takes c over, copies q. */
void answer_query(struct agent *a, struct conn *c, const struct query *q);

#endif
