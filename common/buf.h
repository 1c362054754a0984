/*
 * buf.h - bytes: a growing buffer, a writer of fields into one, and a
 * reader of fields out of a span.
 *
 * All integers are little endian. A string or blob is a u32 length and that
 * many bytes. The reader never reads past its end: it yields zeros and marks
 * itself, so that one reader_done() at the end of a decoder suffices.
 */
#ifndef RCC_BUF_H
#define RCC_BUF_H

#include "argv.h"
#include "base.h"

struct buf {
	unsigned char *p;
	size_t len;
	size_t room;
};

void buf_grow(struct buf *b, size_t more);
static inline void buf_reserve(struct buf *b, size_t more)	/* room for len + more */
{
	if (more > b->room - b->len)
		buf_grow(b, more);
}
void buf_add(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_decimal(struct buf *b, uint64_t v);	/* as printf's %u */
void buf_hex(struct buf *b, uint64_t v);	/* as %x */
void buf_drop(struct buf *b, size_t len);	/* from the front */
char *buf_str(struct buf *b);			/* borrowed, NUL behind the last byte */
void buf_free(struct buf *b);
static inline void cleanup_buf(struct buf *b) { buf_free(b); }
#define autobuf __attribute__((cleanup(cleanup_buf)))

void put_u8(struct buf *b, uint8_t v);
void put_u16(struct buf *b, uint16_t v);
void put_u32(struct buf *b, uint32_t v);
void put_u64(struct buf *b, uint64_t v);
void put_raw(struct buf *b, const void *p, size_t len);		/* no length */
void put_blob(struct buf *b, const void *p, size_t len);
void put_str(struct buf *b, const char *s);			/* NULL as "" */
void put_argv(struct buf *b, const struct argv *a);

struct reader {
	const unsigned char *p;
	size_t left;
	bool bad;	/* a read went past the end, or a value broke its bound */
};

static inline struct reader reader_of(const void *p, size_t len)
{
	return (struct reader){ .p = p, .left = len };
}
uint8_t get_u8(struct reader *r);
uint16_t get_u16(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
void get_raw(struct reader *r, void *p, size_t len);
const void *get_blob(struct reader *r, size_t *len);	/* borrowed; NULL when bad */
char *get_str(struct reader *r);			/* caller frees; never NULL; bad if it holds a NUL */
void get_argv(struct reader *r, struct argv *a, size_t max_count);
/* True when everything was read and nothing was missing. */
bool reader_done(const struct reader *r);

#endif
