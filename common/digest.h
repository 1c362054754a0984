/*
 * digest.h - SHA-256 of bytes and files: the name under which the farm knows
 * anything. Computed by GnuTLS.
 */
#ifndef RCC_DIGEST_H
#define RCC_DIGEST_H

#include "buf.h"
#include "err.h"

#define DIGEST_SIZE 32

struct digest {
	unsigned char b[DIGEST_SIZE];
};

struct hasher;
struct hasher *hasher_new(void);
void hasher_add(struct hasher *h, const void *p, size_t len);
void hasher_end(struct hasher *h, struct digest *out);	/* frees h */

void digest_of(const void *p, size_t len, struct digest *out);
/* The contents of an open file from its start; leaves the offset alone. */
int digest_fd(int fd, struct digest *out, struct err *err);

static inline bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, DIGEST_SIZE) == 0;
}
/* All zero: the name of nothing. */
static inline bool digest_none(const struct digest *d)
{
	return digest_eq(d, &(const struct digest){ 0 });
}
/* 64 hexadecimal digits and a NUL. */
void digest_hex(const struct digest *d, char hex[2 * DIGEST_SIZE + 1]);
/* Here, so that what only passes digests on (the box) does not link GnuTLS. */
static inline void put_digest(struct buf *b, const struct digest *d) { put_raw(b, d->b, DIGEST_SIZE); }
static inline void get_digest(struct reader *r, struct digest *d) { get_raw(r, d->b, DIGEST_SIZE); }

#endif
