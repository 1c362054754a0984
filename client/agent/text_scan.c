/*
 * text_scan.c - what makes a preprocessed text unfit to travel, and which
 * files it came from, at the speed of memory.
 *
 * A word is unsound when its meaning is here: the date, the name of the main
 * file, a file that the assembler would read. Comments count too; common
 * headers hold none of these words (looked through: glibc, libstdc++). The
 * bytes that begin a word or a line marker are rare enough that the fast
 * pass is nearly all of the work: three bytes are compared at sixteen places
 * at once.
 */
#include "plan.h"

#include <ctype.h>

typedef uint8_t lanes __attribute__((vector_size(16)));

/* A longer line is not looked through again and again. */
enum { LINE_MAX_BYTES = 1 << 20 };

enum when { ALWAYS, UNEXPANDED, EXPANDED, CLANG_UNEXPANDED };

static const struct {
	const char *word;
	enum when when;
} words[] = {
	{ "__BASE_FILE__", UNEXPANDED },
	{ "__COUNTER__", CLANG_UNEXPANDED },
	{ "__DATE__", UNEXPANDED },
	{ "__INCLUDE_LEVEL__", UNEXPANDED },
	{ "__TIMESTAMP__", UNEXPANDED },
	{ "__TIME__", UNEXPANDED },
	/* They yield lines and columns, which expanded text has not kept. */
	{ "__builtin_COLUMN", EXPANDED },
	{ "__builtin_LINE", EXPANDED },
	{ "__builtin_source_location", EXPANDED },
	{ ".include", ALWAYS },
	{ "incbin", ALWAYS },
	{ "pch_preprocess", ALWAYS },
	{ "embed", ALWAYS },
};

/* The places where a word can begin, by its first three bytes; "inc" stands for two words. */
static bool may_begin(const unsigned char *p)
{
	if (p[0] == '_')
		return p[1] == '_' && memchr("BCDITb", p[2], 6);
	return !memcmp(p, ".in", 3) || !memcmp(p, "inc", 3) || !memcmp(p, "pch", 3) || !memcmp(p, "emb", 3) ||
	       !memcmp(p, "\n# ", 3);
}

/* Any of the sixteen places from p on may begin something. Reads 18 bytes. */
static bool any_begins(const unsigned char *p)
{
	lanes a, b, c, hit;
	uint64_t half[2];

	memcpy(&a, p, sizeof a);
	memcpy(&b, p + 1, sizeof b);
	memcpy(&c, p + 2, sizeof c);
	hit = (lanes)((a == '_') & (b == '_') &
		      ((c == 'B') | (c == 'C') | (c == 'D') | (c == 'I') | (c == 'T') | (c == 'b')));
	hit |= (lanes)((a == 'i') & (b == 'n') & (c == 'c'));
	hit |= (lanes)((a == '.') & (b == 'i') & (c == 'n'));
	hit |= (lanes)((a == 'p') & (b == 'c') & (c == 'h'));
	hit |= (lanes)((a == 'e') & (b == 'm') & (c == 'b'));
	hit |= (lanes)((a == '\n') & (b == '#') & (c == ' '));
	memcpy(half, &hit, sizeof half);
	return half[0] | half[1];
}

static bool is_word(unsigned char c)
{
	return c == '_' || c == '$' || c >= 0x80 || isalnum(c);
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* #embed: only behind a # that may stand apart. */
static bool behind_hash(const unsigned char *start, const unsigned char *at)
{
	while (at > start && is_blank(at[-1]))
		at--;
	return at > start && at[-1] == '#';
}

/* The line end at nl is behind a backslash: the line goes on. */
static bool is_spliced(const unsigned char *start, const unsigned char *nl)
{
	if (nl > start && nl[-1] == '\r')
		nl--;
	return nl > start && nl[-1] == '\\';
}

/* The line end before the logical line that at stands on; NULL: there is none here. */
static const unsigned char *line_before(const unsigned char *start, const unsigned char *at)
{
	const unsigned char *nl = memrchr(start, '\n', (size_t)(at - start));

	while (nl && is_spliced(start, nl))
		nl = memrchr(start, '\n', (size_t)(nl - start));
	return nl;
}

/*
 * clang counts __COUNTER__ up where it evaluates a condition, and the text
 * then starts from 0 again. In code it is sound, and in a macro when it is
 * passed on behind a comma, as those do that make names of it; a macro that
 * just stands for it may be in a condition.
 */
static bool counter_unsound(const unsigned char *start, const unsigned char *at)
{
	const unsigned char *line = line_before(start, at), *q = at;

	if (!line)
		return true;
	for (line++; line < at && is_blank(*line); line++)
		;
	if (*line != '#')
		return false;
	for (line++; line < at && is_blank(*line); line++)
		;
	while (q > line && is_blank(q[-1]))
		q--;
	return at - line < 6 || memcmp(line, "define", 6) || q[-1] != ',';
}

static bool matters(const struct text_scan *s, enum when when)
{
	switch (when) {
	case UNEXPANDED:
		return !s->plain;
	case EXPANDED:
		return s->plain;
	case CLANG_UNEXPANDED:
		return !s->plain && s->dialect == DIALECT_CLANG;
	default:
		return true;
	}
}

/* A whole word that makes the text unsound begins at p. */
static bool unsound_at(const struct text_scan *s, const unsigned char *start, const unsigned char *p,
		       const unsigned char *end)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len;

		if (p[2] != words[i].word[2] || p[0] != words[i].word[0])
			continue;
		len = strlen(words[i].word);
		if ((size_t)(end - p) < len || memcmp(p, words[i].word, len) || !matters(s, words[i].when))
			continue;
		if (p + len < end && is_word(p[len]))
			continue;
		if (p > start && is_word(p[-1]) && *p != '.')
			continue;
		if (words[i].when == CLANG_UNEXPANDED && !counter_unsound(start, p))
			continue;
		if (*p == 'e' && !behind_hash(start, p))
			continue;
		return true;
	}
	return false;
}

/* The name in a line marker, from behind its quote; returns behind the closing one, NULL if there is none. */
static const char *take_name(const char *p, struct buf *name)
{
	for (; *p && *p != '"'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\\' && p[1] >= '0' && p[1] <= '3' && isdigit((unsigned char)p[2]) &&
		    isdigit((unsigned char)p[3])) {
			c = (unsigned char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + p[3] - '0');
			p += 3;
		} else if (c == '\\' && p[1]) {
			c = (unsigned char)*++p;
		}
		buf_add(name, &c, 1);
	}
	return *p ? p + 1 : NULL;
}

/* Sorted, each once. */
static void add_name(struct argv *names, const char *name)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(names->v[mid], name);

		if (!order)
			return;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	argv_insert(names, low, name);
}

/* `# 1 "file" 1 3`: flag 1 says that the file begins here, 3 that it is the system's. */
static void take_marker(struct text_scan *s, const char *line)
{
	const char *p = line + strspn(line, "0123456789"), *flags = strrchr(p, '"');
	autobuf struct buf name = { 0 };

	if (p == line || p[0] != ' ' || p[1] != '"')
		return;
	/* most markers go back to a file or on in one */
	if (!str_starts(flags + 1, " 1") || isdigit((unsigned char)flags[3]))
		return;
	if (take_name(p + 2, &name))
		add_name(strstr(flags, " 3") ? &s->system_files : &s->files, buf_str(&name));
}

/* A line marker whose name begins at p, if its line is whole. */
static void read_marker(struct text_scan *s, const unsigned char *p, const unsigned char *end)
{
	const unsigned char *nl = memchr(p, '\n', (size_t)(end - p));
	autofree char *line = nl ? xstrndup((const char *)p, (size_t)(nl - p)) : NULL;

	if (line)
		take_marker(s, line);
}

/* True if something between start and end is unsound; line markers are noted on the way. */
static bool scan(struct text_scan *s, const unsigned char *start, const unsigned char *end)
{
	for (const unsigned char *p = start; end - p >= 3;) {
		const unsigned char *stop = p + size_min(16, (size_t)(end - p) - 2);

		if (end - p >= 18 && !any_begins(p)) {
			p = stop;
			continue;
		}
		for (; p < stop; p++) {
			if (!may_begin(p))
				continue;
			if (*p == '\n')
				read_marker(s, p + 3, end);
			else if (unsound_at(s, start, p, end))
				return true;
		}
	}
	return false;
}

/*
 * Whole lines are done with; the last one waits for its rest, with the line
 * end before it. It is looked through already, as it may be the very last.
 */
enum reason text_scan(struct text_scan *s, const void *p, size_t len)
{
	const unsigned char *nl;

	if (!s->started)
		buf_puts(&s->rest, "\n");
	s->started = true;
	buf_add(&s->rest, p, len);
	if (scan(s, s->rest.p, s->rest.p + s->rest.len))
		return REASON_TEXT_UNSOUND;
	nl = line_before(s->rest.p, s->rest.p + s->rest.len);
	if (nl)
		buf_drop(&s->rest, (size_t)(nl - s->rest.p));
	return s->rest.len > LINE_MAX_BYTES ? REASON_TEXT_UNSOUND : REASON_NONE;
}

void text_scan_free(struct text_scan *s)
{
	argv_free(&s->files);
	argv_free(&s->system_files);
	buf_free(&s->rest);
}
