/*
 * base.c - memory that is there or the process is not, and a few strings.
 */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>

static void *check(void *p)
{
	if (!p) {
		fputs("rcc: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc(size_t size) { return check(malloc(size ? size : 1)); }
void *xcalloc(size_t count, size_t size) { return check(calloc(count ? count : 1, size ? size : 1)); }
void *xrealloc(void *p, size_t size) { return check(realloc(p, size ? size : 1)); }
char *xstrdup(const char *s) { return check(strdup(s)); }
char *xstrndup(const char *s, size_t len) { return check(strndup(s, len)); }

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return check(n < 0 ? NULL : s);
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * Which first bytes begin a character of how many bytes, and what the second
 * must be: no longer form than needed, no surrogate, nothing above U+10FFFF,
 * and none of U+0080 to U+009F, which terminals obey.
 */
static const struct {
	unsigned char first, last, second_min, second_max, len;
} characters[] = {
	{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Bytes of the printable character that s begins with; 0: it begins with none. */
static size_t character(const unsigned char *s)
{
	size_t n = 2;

	if (*s < 0x80)
		return *s >= ' ' && *s != 0x7f;
	for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
		if (*s < characters[i].first || *s > characters[i].last)
			continue;
		if (s[1] < characters[i].second_min || s[1] > characters[i].second_max)
			return 0;
		while (n < characters[i].len && (s[n] & 0xc0) == 0x80)
			n++;
		return n == characters[i].len ? n : 0;
	}
	return 0;
}

void make_printable(char *s)
{
	while (*s) {
		size_t n = character((unsigned char *)s);

		if (!n)
			*s = '?';
		else if (*s == '"')
			*s = '\'';
		s += n ? n : 1;
	}
}
