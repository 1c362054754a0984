/*
 * srv.h - reads the answer to a question for SRV records (RFC 2782), as it came from the network.
 */
#ifndef RCC_SRV_H
#define RCC_SRV_H

#include "err.h"
#include "settings.h"

/* The same for lists of hosts, which are HOST_NAMEs here. */
void hosts_free(struct host *hosts, size_t count);

/*
 * All targets with their ports, of every priority and weight. "." as target, which says that there is no such
 * service, adds none. *ttl_s: how long that holds; 0 if there is no record. Returns 0; the caller frees *hosts with
 * hosts_free(). ERR_WIRE: it is no DNS answer, or a record of it cannot be meant; *hosts is left alone.
 */
int srv_get(const uint8_t *message, size_t length, struct host **hosts, size_t *count, uint32_t *ttl_s, struct err *err);

#endif
