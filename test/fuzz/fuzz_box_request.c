/*
 * fuzz_box_request.c - any bytes as a box's request: what is accepted survives another round.
 */
#include <stdint.h>

#include "../../server/box/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	autobuf struct buf once = { 0 }, twice = { 0 };
	struct reader r = reader_of(p, len);
	struct box_request q, again;

	if (box_request_get(&r, &q, NULL) < 0)
		return 0;
	box_request_put(&once, &q);
	r = reader_of(once.p, once.len);
	if (box_request_get(&r, &again, NULL) < 0)
		abort();
	box_request_put(&twice, &again);
	if (once.len != twice.len || memcmp(once.p, twice.p, once.len) != 0)
		abort();
	box_request_free(&q);
	box_request_free(&again);
	return 0;
}
