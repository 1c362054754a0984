/*
 * feed.h - from the preprocessor's pipe to packed frames.
 *
 * Reading, looking through the text, hashing and compressing happen in
 * worker threads; the loop only hands parcels on.
 */
#ifndef RCC_FEED_H
#define RCC_FEED_H

#include <uv.h>

#include "codec.h"
#include "reason.h"
#include "source_memo.h"

struct feed;

struct parcel {		/* the payload of one bulk frame */
	struct parcel *next;
	uint32_t id;
	uint32_t raw;
	uint32_t len;
	uint8_t codec;
	unsigned char data[];
};

struct feed_events {
	/* Parcels are there to be taken, or the end came: see feed_ended(). */
	void (*ready)(struct feed *f, void *arg);
};

/* What the text is, for judging whether it may go. */
struct feed_text {
	enum dialect dialect;
	bool plain;			/* macros are expanded in it */
	struct source_memo *memo;
	struct text_origin origin;	/* taken over */
};

/* Takes ownership of fd, the read end of a pipe. unbounded: keep all of it, however much. */
struct feed *feed_start(uv_loop_t *loop, int fd, enum codec codec, const struct feed_text *text, bool unbounded,
			const struct feed_events *events, void *arg);
/* The next parcel, in order, the caller's to free(); NULL: none now. */
struct parcel *feed_take(struct feed *f);
/* The preprocessor has ended: what it wrote is read without waiting for more. */
void feed_hurry(struct feed *f);
/* The pipe's end was reached and every parcel made. REASON_NONE, or why the text cannot go. */
bool feed_ended(const struct feed *f, enum reason *why);
/* Of the whole text, once it ended. */
uint64_t feed_bytes(const struct feed *f);
uint64_t feed_hash(const struct feed *f);	/* XXH3 */
/* Closes the pipe; f may be NULL. */
void feed_stop(struct feed *f);

#endif
