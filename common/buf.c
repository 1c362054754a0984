/*
 * buf.c - fields in and out of bytes.
 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>

void buf_grow(struct buf *b, size_t more)
{
	size_t room = b->room ? b->room : 256;

	while (room < b->len + more)
		room *= 2;
	b->p = xrealloc(b->p, room);
	b->room = room;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
	if (!len)
		return;
	buf_reserve(b, len);
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	buf_add(b, s, (size_t)n);
	free(s);
}

/* The digits of v from the last one on. */
static void add_digits(struct buf *b, uint64_t v, unsigned base)
{
	char digits[20], *p = digits + sizeof digits;

	do
		*--p = "0123456789abcdef"[v % base];
	while (v /= base);
	buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

void buf_decimal(struct buf *b, uint64_t v) { add_digits(b, v, 10); }
void buf_hex(struct buf *b, uint64_t v) { add_digits(b, v, 16); }

void buf_drop(struct buf *b, size_t len)
{
	if (!len)
		return;
	memmove(b->p, b->p + len, b->len - len);
	b->len -= len;
}

char *buf_str(struct buf *b)
{
	buf_reserve(b, 1);
	b->p[b->len] = 0;
	return (char *)b->p;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

static inline void put_le(struct buf *b, uint64_t v, size_t bytes)
{
	buf_reserve(b, bytes);
	for (size_t i = 0; i < bytes; i++)
		b->p[b->len + i] = (unsigned char)(v >> (8 * i));
	b->len += bytes;
}

void put_u8(struct buf *b, uint8_t v) { put_le(b, v, 1); }
void put_u16(struct buf *b, uint16_t v) { put_le(b, v, 2); }
void put_u32(struct buf *b, uint32_t v) { put_le(b, v, 4); }
void put_u64(struct buf *b, uint64_t v) { put_le(b, v, 8); }
void put_raw(struct buf *b, const void *p, size_t len) { buf_add(b, p, len); }

void put_blob(struct buf *b, const void *p, size_t len)
{
	put_u32(b, (uint32_t)len);
	buf_add(b, p, len);
}

void put_str(struct buf *b, const char *s)
{
	put_blob(b, s, s ? strlen(s) : 0);
}

void put_argv(struct buf *b, const struct argv *a)
{
	put_u32(b, (uint32_t)a->count);
	for (size_t i = 0; i < a->count; i++)
		put_str(b, a->v[i]);
}

static uint64_t get_le(struct reader *r, size_t bytes)
{
	uint64_t v = 0;

	if (r->bad || r->left < bytes) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)r->p[i] << (8 * i);
	r->p += bytes;
	r->left -= bytes;
	return v;
}

uint8_t get_u8(struct reader *r) { return (uint8_t)get_le(r, 1); }
uint16_t get_u16(struct reader *r) { return (uint16_t)get_le(r, 2); }
uint32_t get_u32(struct reader *r) { return (uint32_t)get_le(r, 4); }
uint64_t get_u64(struct reader *r) { return get_le(r, 8); }

void get_raw(struct reader *r, void *p, size_t len)
{
	if (r->bad || r->left < len) {
		r->bad = true;
		memset(p, 0, len);
		return;
	}
	memcpy(p, r->p, len);
	r->p += len;
	r->left -= len;
}

const void *get_blob(struct reader *r, size_t *len)
{
	const void *p;

	*len = get_u32(r);
	if (r->bad || r->left < *len) {
		r->bad = true;
		*len = 0;
		return NULL;
	}
	p = r->p;
	r->p += *len;
	r->left -= *len;
	return p;
}

char *get_str(struct reader *r)
{
	size_t len;
	const char *p = get_blob(r, &len);

	if (p && memchr(p, 0, len))
		r->bad = true;
	return p && !r->bad ? xstrndup(p, len) : xstrdup("");
}

void get_argv(struct reader *r, struct argv *a, size_t max_count)
{
	size_t count = get_u32(r);

	/* each string takes four bytes at the least */
	if (count > max_count || count > r->left / 4) {
		r->bad = true;
		return;
	}
	while (count-- && !r->bad)
		argv_take(a, get_str(r));
}

bool reader_done(const struct reader *r)
{
	return !r->bad && r->left == 0;
}
