/*
 * fuzz_frame.c - any 16 bytes as a header: what is accepted is encoded the same again, and keeps its bounds.
 */
#include <stdint.h>

#include "frame.h"

static const struct frame_rule rules[] = {
	[1] = { .name = "small", .max = 100 },
	[2] = { .name = "bulk", .max = FRAME_MAX, .bulk = true },
	[4] = { .name = "parts", .max = 1 << 20 },
};
static const struct protocol protocol = { "fuzz", rules, ARRAY_LEN(rules) };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	unsigned char again[FRAME_HEADER];
	struct frame f;

	if (len != FRAME_HEADER || frame_header_get(p, &protocol, &f, NULL) < 0)
		return 0;
	frame_header_put(again, &f);
	if (memcmp(again, p, FRAME_HEADER) != 0 || f.length > FRAME_MAX || f.raw > FRAME_MAX)
		abort();
	return 0;
}
