/*
 * fuzz_source.c - any bytes as a source and as a text: judged without harm, the text the same however it is cut.
 */
#include <stdint.h>

#include "plan.h"
#include "source_doubts.h"

static enum reason scan(const uint8_t *p, size_t len, size_t step, size_t *files)
{
	struct text_scan s = { 0 };
	enum reason r = REASON_NONE;

	for (size_t at = 0; at < len && r == REASON_NONE; at += step)
		r = text_scan(&s, p + at, size_min(step, len - at));
	*files = s.files.count;
	text_scan_free(&s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	size_t whole, cut;

	source_doubts(p, len);
	/* Cut, a word may look complete that is not: it may be stopped for less, never for more. */
	if (scan(p, len, len + 1, &whole) == REASON_NONE) {
		if (scan(p, len, 7, &cut) == REASON_NONE && cut != whole)
			abort();
	} else if (scan(p, len, 7, &cut) == REASON_NONE) {
		abort();
	}
	return 0;
}
