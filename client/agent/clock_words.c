/*
 * clock_words.c - three needles, and the one way to hide them in a source.
 */
#include "clock_words.h"

static bool in_word(char c)
{
	return c == '_' || (c >= 'A' && c <= 'Z');
}

static bool spliced(const char *p, size_t len)
{
	const char *at = p, *end = p + len;

	while ((at = memchr(at, '\\', (size_t)(end - at)))) {
		const char *next = at + 1;

		next += next < end && *next == '\r';
		if (at > p && in_word(at[-1]) && next + 1 < end && *next == '\n' && in_word(next[1]))
			return true;
		at++;
	}
	return false;
}

bool clock_words_in(const void *p, size_t len)
{
	const char *at = p, *end = at + len;

	if (memmem(p, len, "__DATE__", 8) || spliced(p, len))
		return true;
	while ((at = memmem(at, (size_t)(end - at), "__TIME", 6))) {
		at += 6;
		if ((end - at >= 2 && !memcmp(at, "__", 2)) || (end - at >= 7 && !memcmp(at, "STAMP__", 7)))
			return true;
	}
	return false;
}
