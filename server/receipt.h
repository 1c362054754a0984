/*
 * receipt.h - blobs that come on one connection, one after the other, and go into the store.
 *
 * Whoever asked for them says which is next and how large; frames are queued here, and a worker thread
 * unpacks, hashes and writes them, one batch at a time. The connection is not to be read while much is queued.
 */
#ifndef RCC_RECEIPT_H
#define RCC_RECEIPT_H

#include <uv.h>

#include "frame.h"
#include "store.h"
#include "wire.h"

struct receipt;

struct receipt_ops {
	void (*pause)(void *arg);	/* much is queued */
	void (*resume)(void *arg);
	/*
	 * So many bytes more were written, and so many blobs more are whole and verified. rc < 0: the next one is not
	 * what its name says (ERR_WIRE), or cannot be kept; nothing more is taken then. May call receipt_end().
	 */
	void (*on_written)(void *arg, uint64_t bytes, size_t blobs, int rc, struct err *err);
};

struct receipt *receipt_new(uv_loop_t *loop, struct store *s, const struct receipt_ops *ops, void *arg);
/* One begins; none may be coming. */
void receipt_blob(struct receipt *r, const struct wire_blob *m);
/* ERR_WIRE: not of a blob, or beyond its end. */
int receipt_data(struct receipt *r, const struct frame *f, struct err *err);
bool receipt_coming(const struct receipt *r);	/* some of its bytes are still to come */
bool receipt_idle(const struct receipt *r);	/* nothing is coming, and what came is written */
/* None of the calls comes any more. r may be NULL. */
void receipt_end(struct receipt *r);

#endif
