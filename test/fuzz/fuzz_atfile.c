/*
 * fuzz_atfile.c - any text as an @file: its words hold no more than it does, and quoted they are the same words again.
 */
#include <stdint.h>

#include "atfile.h"
#include "buf.h"

static void quote(struct buf *out, const char *word)
{
	buf_puts(out, "'");
	for (; *word; word++)
		buf_printf(out, "\\%c", *word);
	buf_puts(out, "' ");
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	autoargv struct argv words = { 0 }, again = { 0 };
	autobuf struct buf quoted = { 0 };
	size_t bytes = 0;

	atfile_split((const char *)p, len, &words);
	for (size_t i = 0; i < words.count; i++) {
		bytes += strlen(words.v[i]);
		quote(&quoted, words.v[i]);
	}
	atfile_split(buf_str(&quoted), quoted.len, &again);
	if (bytes > len || again.count != words.count)
		abort();
	for (size_t i = 0; i < words.count; i++)
		if (!str_eq(words.v[i], again.v[i]))
			abort();
	return 0;
}
