/*
 * atfile.c - @file arguments, by the rules of GNU libiberty.
 *
 * What is expanded here only informs verdicts; the compiler is always given
 * the words as they were typed and reads the files itself. Hence a FIFO must
 * not even be opened: its text could not be read a second time.
 */
#include "atfile.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"

struct expansion {
	struct argv *out;
	size_t files, bytes;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The word at *at, which is no space; quotes and backslashes undone. */
static char *take_word(const char *text, size_t len, size_t *at)
{
	char *word = xmalloc(len - *at + 1), *w = word;
	char quote = 0;

	for (; *at < len && (quote || !is_space(text[*at])); ++*at) {
		char c = text[*at];

		if (c == '\\') {
			if (*at + 1 < len)
				*w++ = text[++*at];
		} else if (c == quote) {
			quote = 0;
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = c;
		} else {
			*w++ = c;
		}
	}
	*w = 0;
	return xrealloc(word, (size_t)(w - word) + 1);
}

void atfile_split(const char *text, size_t len, struct argv *out)
{
	size_t at = 0;

	len = strnlen(text, len);	/* the compilers stop there */
	for (;;) {
		while (at < len && is_space(text[at]))
			at++;
		if (at == len)
			return;
		argv_take(out, take_word(text, len, &at));
	}
}

/* The file behind an @: 1 when its text is in *text, 0 when it stays a word, -1 with *why. */
static int read_atfile(struct expansion *x, const char *name, struct buf *text, enum reason *why)
{
	struct stat st;

	if (stat(name, &st) < 0 || S_ISDIR(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode)) {
		*why = REASON_INPUT_ODD;
		return -1;
	}
	if (access(name, R_OK) < 0)
		return 0;
	if (++x->files > ATFILE_FILES_MAX || read_file(name, ATFILE_BYTES_MAX - x->bytes, text, NULL) < 0) {
		*why = REASON_UNUSUAL_PLAN;
		return -1;
	}
	x->bytes += text->len;
	return 1;
}

static enum reason expand_words(struct expansion *x, char *const *words, size_t depth)
{
	enum reason why = REASON_NONE;

	for (; *words && why == REASON_NONE; words++) {
		autobuf struct buf text = { 0 };
		autoargv struct argv inner = { 0 };
		int rc = 0;

		if (**words == '@' && (*words)[1])
			rc = read_atfile(x, *words + 1, &text, &why);
		if (rc == 0)
			argv_push(x->out, *words);
		if (rc <= 0)
			continue;
		if (depth == ATFILE_DEPTH_MAX)
			return REASON_UNUSUAL_PLAN;
		atfile_split(buf_str(&text), text.len, &inner);
		if (inner.count)
			why = expand_words(x, inner.v, depth + 1);
	}
	return why;
}

enum reason atfile_expand(char *const *argv, struct argv *out)
{
	struct expansion x = { .out = out };
	size_t i = 1;

	while (argv[0] && argv[i] && argv[i][0] != '@')
		i++;
	if (!argv[0] || !argv[i])
		return REASON_NONE;
	argv_push(out, argv[0]);
	return expand_words(&x, argv + 1, 0);
}
