/*
 * fuzz_request.c - any bytes as any message between wrapper and agent: what is accepted is encoded the same again.
 */
#include <stdint.h>

#include "request_rounds.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(request_rounds); i++) {
		autobuf struct buf again = { 0 };

		if (request_rounds[i](p, len, &again) == 0 && (again.len != len || memcmp(again.p, p, len) != 0))
			abort();
	}
	return 0;
}
