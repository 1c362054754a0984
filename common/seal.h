/*
 * seal.h - TLS 1.3 over a socket, both ends knowing one key of the farm.
 *
 * Nothing here blocks: each call does what the socket allows now. The TLS
 * handshake runs on a secret derived from the key, with a fresh key exchange
 * (psk_dhe_ke), so that a key that leaks later opens nothing recorded before.
 * Then each end proves its role with a secret that only that role's proof is
 * made of: bytes that a caller sent are no use in a volunteer's place.
 * doc/PROTOCOL.md has the details.
 */
#ifndef RCC_SEAL_H
#define RCC_SEAL_H

#include <sys/types.h>

#include "key.h"

struct seal;

enum seal_role { SEAL_CALLER, SEAL_VOLUNTEER };
enum { SEAL_RECORD = 16 * 1024 };	/* room that seal_read() must be given */

/* Borrows fd, a non-blocking socket that may still be connecting; refers to keys. */
struct seal *seal_new(int fd, enum seal_role role, struct keys *keys);
void seal_free(struct seal *s);		/* s may be NULL */

/* One step of the handshake. 1: over, seal_write() and seal_read() may be used; 0: wait for the socket; ERR_REFUSED says
 * what the other end lacks, ERR_CLOSED, ERR_WIRE, ERR_IO. */
int seal_handshake(struct seal *s, struct err *err);
bool seal_is_ready(const struct seal *s);
/* What the handshake waits for: room to write, rather than bytes to read. */
bool seal_wants_write(const struct seal *s);

/* Bytes taken, 0: the socket is full (come again with the same bytes), -1 with errno. */
ssize_t seal_write(struct seal *s, const void *p, size_t len);
/* Bytes of at most one record, 0: none now, < 0: the end, as for seal_handshake(). */
ssize_t seal_read(struct seal *s, void *p, struct err *err);

/* All that came from the socket, before anything was undone. */
uint64_t seal_bytes_in(const struct seal *s);
/* The key that both ends hold; NULL before the handshake is over. */
const struct key *seal_key(const struct seal *s);

#endif
