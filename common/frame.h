/*
 * frame.h - the 16-byte header before every payload, on every connection:
 * agent to volunteer, wrapper to agent, rccd to its box.
 *
 *	u32 length	of the payload that follows, at most FRAME_MAX
 *	u32 raw		the payload's length once its codec is undone
 *	u32 id		what it belongs to; its meaning is the frame type's
 *	u8  type
 *	u8  codec	enum codec
 *	u8  flags	FRAME_MORE: the message goes on in the next frame
 *	u8  fds	descriptors that come along (local sockets only)
 *
 * A message longer than FRAME_MAX travels as several frames of one type with
 * FRAME_MORE on all but the last. Bulk data is cut into frames that each
 * stand alone.
 */
#ifndef RCC_FRAME_H
#define RCC_FRAME_H

#include "buf.h"
#include "err.h"

enum {
	FRAME_HEADER = 16,
	FRAME_MAX = 64 * 1024,
	FRAME_MORE = 1,
	FRAME_FLAGS = FRAME_MORE,	/* all that are known */
};

enum codec { CODEC_NONE, CODEC_LZ4, CODEC_ZLIB, CODEC_COUNT };

struct frame {
	uint32_t length;
	uint32_t raw;
	uint32_t id;
	uint8_t type;
	uint8_t codec;
	uint8_t flags;
	const unsigned char *payload;	/* borrowed from the connection */
	int *fds;			/* descriptors that came along (local sockets only) */
	size_t fd_count;		/* the receiver steals what it keeps; the rest is closed */
};

/* What a kind of connection allows: one row a frame type, looked up by type. */
struct frame_rule {
	const char *name;	/* NULL: no such type */
	uint32_t max;		/* of the whole message, all its frames together */
	bool bulk;		/* each frame is delivered alone, and may use a codec */
	uint8_t max_fds;	/* descriptors it may bring */
};

struct protocol {
	const char *name;
	const struct frame_rule *rules;
	size_t rule_count;
};

void frame_header_put(unsigned char out[FRAME_HEADER], const struct frame *f);
/*
 * Decode and check one header. Returns 0, or ERR_WIRE with the reason: an
 * unknown type, codec or flag, a length over its bound, raw != length
 * without a codec, more raw than the codec can hold in length, a codec on what is not bulk.
 */
int frame_header_get(const unsigned char in[FRAME_HEADER], const struct protocol *protocol,
		     struct frame *f, struct err *err);

#endif
