/*
 * packet.h - a struct, and some descriptors with it, as one packet of a SOCK_SEQPACKET.
 */
#ifndef RCC_BOX_PACKET_H
#define RCC_BOX_PACKET_H

#include "base.h"

enum { PACKET_FDS = 2 };

/* Descriptors below 0 are left out; the others stay the caller's. 0, or -1 with errno. */
int packet_send(int fd, const void *p, size_t len, const int fds[PACKET_FDS]);
/*
 * Exactly len bytes; fds are the caller's then, close-on-exec, or -1. 1, or 0
 * at the end, or -1 with errno; EBADMSG: it was of another size.
 */
int packet_receive(int fd, void *p, size_t len, int fds[PACKET_FDS], int flags);

#endif
