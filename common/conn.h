/*
 * conn.h - a connection in the event loop: whole messages in, frames out.
 *
 * Reads frames by the rules of its protocol, puts parts together, hands each
 * message to on_message; queues what is sent and writes it when the socket
 * takes it. Works on any stream socket; on a local one descriptors travel
 * with a message. A seal may sit between here and the socket: see conn_seal().
 */
#ifndef RCC_CONN_H
#define RCC_CONN_H

#include <uv.h>

#include "buf.h"
#include "err.h"
#include "frame.h"
#include "seal.h"

struct conn;

struct conn_ops {
	/* One message. A negative return (with err set) ends the connection: on_end follows. */
	int (*on_message)(struct conn *c, struct frame *f, void *arg, struct err *err);
	/* The queue fell below the low-water mark after having been above. May be NULL. */
	void (*on_drained)(struct conn *c, void *arg);
	/* The peer is gone (ERR_CLOSED), broke the rules (ERR_WIRE), or the socket failed (ERR_IO).
	 * Not called after conn_close(). The conn is closed already: forget the pointer. */
	void (*on_end)(struct conn *c, void *arg, const struct err *err);
	/* The peer broke a bound that is not the protocol's (ERR_LIMIT) and may be told so before the end, which is ours to
	 * make. NULL: on_end comes instead. */
	void (*on_limit)(struct conn *c, void *arg, const struct err *err);
	/* What the peer said is worth nothing once it hung up: its end is told even during a pause. */
	bool hangup_cancels;
};

enum { CONN_HIGH_WATER = 1 << 20, CONN_LOW_WATER = 1 << 18 };

/* What several connections may hold together. The maxima are the caller's to set, the rest is ours. */
struct conn_share {
	uint64_t queued_max;	/* when more than this is queued, each of them counts as full early */
	uint64_t parts_max;	/* ERR_LIMIT ends the one that goes beyond */
	uint64_t queued;	/* bytes not yet taken by the peers */
	uint64_t parts;		/* bytes of messages that are not whole */
	unsigned connections;	/* that live, those included that only write their last words */
};

/* Takes ownership of fd, a connected stream socket; makes it non-blocking. */
struct conn *conn_new(uv_loop_t *loop, int fd, const struct protocol *protocol,
		      const struct conn_ops *ops, void *arg);
void conn_set_arg(struct conn *c, const struct conn_ops *ops, void *arg);
/* Nothing passes but sealed by one of the keys. Before anything is sent, and before the loop runs. */
void conn_seal(struct conn *c, enum seal_role role, struct keys *keys);
/* The key that both ends hold; NULL: not sealed, or not known yet. */
const struct key *conn_key(const struct conn *c);
/* End the connection (ERR_WIRE) once so many bytes came from the socket; 0: never. For whoever has not said who they are. */
void conn_set_quota(struct conn *c, uint64_t bytes);

/* Send one message of any length its rule allows, cut into frames as needed. */
void conn_send(struct conn *c, uint8_t type, uint32_t id, const struct buf *payload);
/* The same with descriptors, which it duplicates; local sockets only. */
void conn_send_fds(struct conn *c, uint8_t type, uint32_t id, const struct buf *payload,
		   const int *fds, size_t count);
/* Send one bulk frame that is packed already. */
void conn_send_bulk(struct conn *c, uint8_t type, uint32_t id, uint8_t codec, uint32_t raw,
		    const void *payload, size_t len);

/* What is sent between the two goes at once: in one packet, where it fits. Little only: nobody is told when there is room again. */
void conn_hold(struct conn *c);
void conn_let_go(struct conn *c);

/* Bytes queued and not yet taken by the socket. */
size_t conn_queued(const struct conn *c);
/* Nothing more should be queued before on_drained(). */
bool conn_full(const struct conn *c);
/* End the connection (ERR_LIMIT) once more than so many bytes are queued; 0: never. For peers that do not read. */
void conn_set_backlog(struct conn *c, size_t bytes);
/* From now on it counts in share, which outlives it. Once only, before anything is queued or in parts. */
void conn_join(struct conn *c, struct conn_share *share);
/* Stop and go on reading: back-pressure towards the peer. */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);

/* The socket, borrowed: for its options. */
int conn_fd(const struct conn *c);

/* Totals over the connection's life. */
uint64_t conn_bytes_in(const struct conn *c);
uint64_t conn_bytes_out(const struct conn *c);

/* Close now, dropping what is queued. Safe within any of the ops; c may be NULL. */
void conn_close(struct conn *c);
/* Close once all that is queued has been written, or the peer has not taken it for a while; reads nothing more. */
void conn_finish(struct conn *c);

#endif
