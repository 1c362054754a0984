/*
 * fuzz_srv.c - any bytes as the answer of a name server: no target without a name and a port.
 */
#include <stdint.h>

#include "srv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct host *hosts = NULL;
	size_t count = 0;
	uint32_t ttl_s;

	if (srv_get(p, len, &hosts, &count, &ttl_s, NULL) < 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (!*hosts[i].name || !hosts[i].port)
			abort();
	hosts_free(hosts, count);
	return 0;
}
