/*
 * codec.h - one chunk of at most FRAME_MAX bytes in, one out.
 *
 * Chunks stand alone, so that they can be made and undone in any thread, and
 * a lost connection loses nothing else.
 */
#ifndef RCC_CODEC_H
#define RCC_CODEC_H

#include "buf.h"
#include "err.h"
#include "frame.h"

/*
 * Append the chunk to out, by codec when that makes it smaller, else as it
 * is. Returns the codec used. len <= FRAME_MAX.
 */
enum codec codec_pack(enum codec codec, const void *p, size_t len, struct buf *out);

/*
 * Append exactly raw bytes to out. ERR_WIRE if the chunk does not hold just
 * that many; out is then unchanged. raw <= FRAME_MAX is the caller's check
 * (frame_header_get makes it).
 */
int codec_unpack(enum codec codec, const void *p, size_t len, size_t raw, struct buf *out, struct err *err);

const char *codec_name(enum codec codec);

#endif
