/*
 * address.c - numeric addresses only: a name would ask the network before
 * there is a log to say that it does not answer.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

/* Cut "[host]:port" or "host:port" in text apart, in place. */
static bool split(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	if (!colon || !colon[1])
		return false;
	*colon = 0;
	*host = text;
	*port = colon + 1;
	if (*text != '[')
		return !strchr(text, ':');
	(*host)++;
	return colon > text + 1 && colon[-1] == ']' && (colon[-1] = 0, true);
}

int address_parse(const char *text, struct address *out, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	autofree char *copy = xstrdup(text);
	struct addrinfo *found;
	char *host, *port;

	/* getaddrinfo alone would take "1.2" for an address */
	if (!split(copy, &host, &port) || (!address_is_literal(host) && !strchr(host, '%')) ||
	    strspn(port, "0123456789") != strlen(port) || strtoul(port, NULL, 10) > 65535 ||
	    getaddrinfo(host, port, &hints, &found) != 0)
		return err_set(err, ERR_CONFIG, "'%s' is not an address and a port like 127.0.0.1:17632 or [::1]:17632",
			       text);
	memcpy(&out->sa, found->ai_addr, found->ai_addrlen);
	out->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

bool address_is_loopback(const struct address *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->sa;

	if (a->sa.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	if (a->sa.ss_family != AF_INET6)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

static bool is_private_v4(uint32_t a)
{
	static const struct { uint32_t net, mask; } nets[] = {
		{ 0x0a000000, 0xff000000 },	/* 10/8 */
		{ 0xac100000, 0xfff00000 },	/* 172.16/12 */
		{ 0xc0a80000, 0xffff0000 },	/* 192.168/16 */
		{ 0xa9fe0000, 0xffff0000 },	/* 169.254/16 */
	};

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		if ((a & nets[i].mask) == nets[i].net)
			return true;
	return false;
}

bool address_is_private(const struct address *a)
{
	const struct in6_addr *v6 = &((const struct sockaddr_in6 *)&a->sa)->sin6_addr;
	uint32_t last;

	if (address_is_loopback(a))
		return true;
	if (a->sa.ss_family == AF_INET)
		return is_private_v4(ntohl(((const struct sockaddr_in *)&a->sa)->sin_addr.s_addr));
	if (a->sa.ss_family != AF_INET6)
		return false;
	memcpy(&last, v6->s6_addr + 12, sizeof last);
	if (IN6_IS_ADDR_V4MAPPED(v6))
		return is_private_v4(ntohl(last));
	return IN6_IS_ADDR_LINKLOCAL(v6) || (v6->s6_addr[0] & 0xfe) == 0xfc;
}

void address_text(const struct address *a, char text[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN + 20], port[8];

	if (getnameinfo((const struct sockaddr *)&a->sa, a->len, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(text, ADDRESS_TEXT, "?");
	else
		snprintf(text, ADDRESS_TEXT, a->sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool address_is_literal(const char *text)
{
	size_t len = strlen(text);
	bool bracketed = len > 2 && *text == '[' && text[len - 1] == ']';
	autofree char *host = bracketed ? xstrndup(text + 1, len - 2) : xstrdup(text);
	struct in6_addr any;

	return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}
