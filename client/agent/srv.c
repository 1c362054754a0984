/*
 * srv.c - SRV records, by the C library's reader of DNS messages: it knows the bounds and the compressed names.
 */
#include "srv.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

enum { TARGET_AT = 6 };	/* behind priority, weight and port */

void hosts_free(struct host *hosts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(hosts[i].name);
	free(hosts);
}

/* One record's target; name "" where there is none. */
static int read_target(const ns_msg *msg, const ns_rr *rr, char name[NS_MAXDNAME], uint16_t *port, struct err *err)
{
	const uint8_t *data = ns_rr_rdata(*rr);
	int length;

	if (ns_rr_rdlen(*rr) <= TARGET_AT)
		return err_set(err, ERR_WIRE, "an SRV record of %d bytes", ns_rr_rdlen(*rr));
	length = dn_expand(ns_msg_base(*msg), ns_msg_end(*msg), data + TARGET_AT, name, NS_MAXDNAME);
	if (length != ns_rr_rdlen(*rr) - TARGET_AT)
		return err_set(err, ERR_WIRE, "an SRV record with a broken target");
	*port = (uint16_t)ns_get16(data + TARGET_AT - 2);
	if (*name && (!res_hnok(name) || !*port))
		return err_set(err, ERR_WIRE, "an SRV record with target '%s', port %u", name, *port);
	return 0;
}

int srv_get(const uint8_t *message, size_t length, struct host **hosts, size_t *count, uint32_t *ttl_s, struct err *err)
{
	struct host *list = NULL;
	uint32_t ttl = 0;
	size_t n = 0;
	ns_msg msg;
	int rc = 0;

	if (length > NS_MAXMSG || ns_initparse(message, (int)length, &msg) < 0)
		return err_set(err, ERR_WIRE, "not a DNS answer");
	for (int i = 0; rc == 0 && i < ns_msg_count(msg, ns_s_an); i++) {
		char name[NS_MAXDNAME];
		uint16_t port = 0;
		ns_rr rr;

		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			rc = err_set(err, ERR_WIRE, "a broken DNS record");
		else if (ns_rr_type(rr) == ns_t_srv && (rc = read_target(&msg, &rr, name, &port, err)) == 0 && *name) {
			ttl = !n || ns_rr_ttl(rr) < ttl ? ns_rr_ttl(rr) : ttl;
			list = xrealloc(list, (n + 1) * sizeof *list);
			list[n++] = (struct host){ .kind = HOST_NAME, .name = xstrdup(name), .port = port };
		}
	}
	if (rc < 0) {
		hosts_free(list, n);
		return rc;
	}
	*hosts = list;
	*count = n;
	*ttl_s = ttl;
	return 0;
}
