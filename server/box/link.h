/*
 * link.h - the box's end of the one socket it has: frames from and to rccd.
 */
#ifndef RCC_BOX_LINK_H
#define RCC_BOX_LINK_H

#include "frame.h"
#include "wire.h"

struct link {
	int fd;
	struct buf in;
	size_t at;		/* how far of it was handed out */
	struct buf message;	/* parts put together */
};

/* Read what is there now. 1: something came, 0: nothing is there, ERR_CLOSED: rccd is gone or wants no more. */
int link_fill(struct link *l, struct err *err);
/* Wait until something came. */
int link_wait(struct link *l, struct err *err);
/* The next whole message of those read: 1, or 0 when there is none. Borrowed until the next call. ERR_WIRE. */
int link_next(struct link *l, struct frame *f, struct err *err);
/* Blocks while rccd does not take it. */
int link_send(struct link *l, const struct frame *f, struct err *err);
void link_free(struct link *l);

#endif
