/*
 * contents.h - what a volunteer wants to have, by digest, sent over a connection in that order.
 *
 * Files are read, hashed and packed in worker threads, a batch at a time, with about a megabyte at
 * most in the connection's queue.
 */
#ifndef RCC_CONTENTS_H
#define RCC_CONTENTS_H

#include <uv.h>

#include "conn.h"
#include "wire.h"

struct contents;

/* One thing to send: a file, or bytes that live until all is sent. */
struct content {
	struct digest digest;
	uint64_t size;
	const char *path;		/* borrowed; a file's own */
	const unsigned char *bytes;	/* instead of a path */
	uint16_t mode;			/* that the file must still have, its permission bits; ANY_MODE: any */
};

enum { ANY_MODE = 0xffff };

struct contents_events {
	/* What has this digest. False: nothing that we know, which breaks the protocol. */
	bool (*find)(const struct digest *d, struct content *out, void *arg);
	/* How to pack now; asked anew for each batch, as the link gets known. */
	enum codec (*codec)(void *arg);
	/* A file is not what it was, and the volunteer was told so. May be NULL. */
	void (*gone)(const char *path, void *arg);
	/* A file changed when part of it was sent: the connection must end. Last call. */
	void (*failed)(const struct err *err, void *arg);
	uint64_t max_count, max_bytes;	/* wanted in all, however often; 0: no bound */
};

/* Over c, which stays the caller's, until contents_stop(). */
struct contents *contents_new(uv_loop_t *loop, struct conn *c, const struct contents_events *events, void *arg);
/* A WANT: its digests, after those that are still to be sent. ERR_WIRE: malformed, of what we do not know, or over a bound. */
int contents_want(struct contents *c, struct reader *r, struct err *err);
/* Nothing is left to be sent. */
bool contents_idle(const struct contents *c);
/* A worker thread is at it now. */
bool contents_busy(const struct contents *c);
/* The connection has room again. */
void contents_go_on(struct contents *c);
/* How much was sent so far: pieces of content, and their bytes. */
void contents_sent(const struct contents *c, uint64_t *count, uint64_t *bytes);
/* c may be NULL. What content->path and bytes point at may go before the worker is back: it has copies of paths, and bytes are not read by it. */
void contents_stop(struct contents *c);

#endif
