/*
 * address.h - "127.0.0.1:17632" and "[::1]:17632", to a socket address and back.
 */
#ifndef RCC_ADDRESS_H
#define RCC_ADDRESS_H

#include <sys/socket.h>

#include "err.h"

enum { ADDRESS_TEXT = 80 };

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* A numeric address and a port, 0 to let the kernel choose one. ERR_CONFIG. */
int address_parse(const char *text, struct address *out, struct err *err);
/* Every packet to or from it stays on this machine. */
bool address_is_loopback(const struct address *a);
/* Packets from the whole Internet cannot reach it: private (RFC 1918, fc00::/7) or link-local, or loopback.
 * "All of this machine's addresses" is not among them. */
bool address_is_private(const struct address *a);
void address_text(const struct address *a, char text[ADDRESS_TEXT]);
/* text is an address without a port; v6 with or without brackets. */
bool address_is_literal(const char *text);

#endif
