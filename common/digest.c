/*
 * digest.c - SHA-256, by GnuTLS.
 */
#include "digest.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

struct hasher {
	gnutls_hash_hd_t h;
};

struct hasher *hasher_new(void)
{
	struct hasher *h = xmalloc(sizeof *h);

	/* fails only when memory does, or when the library was built without SHA-256 */
	if (gnutls_hash_init(&h->h, GNUTLS_DIG_SHA256) < 0)
		abort();
	return h;
}

void hasher_add(struct hasher *h, const void *p, size_t len)
{
	if (gnutls_hash(h->h, p, len) < 0)
		abort();
}

void hasher_end(struct hasher *h, struct digest *out)
{
	gnutls_hash_deinit(h->h, out->b);
	free(h);
}

void digest_of(const void *p, size_t len, struct digest *out)
{
	struct hasher *h = hasher_new();

	hasher_add(h, p, len);
	hasher_end(h, out);
}

int digest_fd(int fd, struct digest *out, struct err *err)
{
	enum { CHUNK = 1 << 18 };
	autofree unsigned char *chunk = xmalloc(CHUNK);
	struct hasher *h = hasher_new();
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, chunk, CHUNK, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		hasher_add(h, chunk, (size_t)n);
		at += n;
	}
	hasher_end(h, out);
	return n < 0 ? err_sys(err, "read") : 0;
}

void digest_hex(const struct digest *d, char hex[2 * DIGEST_SIZE + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		hex[2 * i] = digits[d->b[i] >> 4];
		hex[2 * i + 1] = digits[d->b[i] & 15];
	}
	hex[2 * DIGEST_SIZE] = 0;
}
