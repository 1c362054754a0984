/*
 * agent.h - reach this user's agent, starting it if there is none, and
 * exchange messages with it.
 */
#ifndef RCC_AGENT_H
#define RCC_AGENT_H

#include "buf.h"
#include "err.h"

/*
 * A connected socket, closed by the caller; high. start: start an agent if
 * none listens. Takes at most some seconds. Returns -1 with err, at once if
 * interrupt.h has noted a signal.
 */
int agent_connect(bool start, struct err *err);

enum { AGENT_FDS_MAX = 4 };	/* with one message */

/* One whole message, payload may be NULL. 0, ERR_CLOSED or ERR_IO. */
int agent_send(int fd, uint8_t type, const struct buf *payload, const int *fds, size_t fd_count, struct err *err);
/*
 * The next message, waited for. 0, ERR_CLOSED, ERR_IO or ERR_WIRE. payload is
 * replaced; *came is the descriptor that came along, the caller's from then
 * on, else -1, also on error.
 */
int agent_receive(int fd, uint8_t *type, struct buf *payload, int *came, struct err *err);

#endif
