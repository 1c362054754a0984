/*
 * plan_parse.c - the text of -###, line by line.
 *
 * A line that starts with a space is a command, quoted as gcc and clang both
 * quote: what is not plain stands between double quotes, where a backslash
 * guards `"`, `\` and `$`. Lines that only -### makes the driver print are
 * known by how they begin. Anything else the driver would say in a real run
 * too, so that run must be the real one.
 */
#include "plan_parse.h"

#include <ctype.h>
#include <stdio.h>

/* What a driver prints because of -###, by its beginning; it was asked not to translate. */
static const char *const chatter[] = {
	"Build config: ", "COLLECT_AS_OPTIONS=", "COLLECT_GCC=", "COLLECT_GCC_OPTIONS=",
	"COLLECT_LTO_WRAPPER=", "COMPILER_PATH=", "Configuration file: ", "Configured with: ",
	"InstalledDir: ", "LIBRARY_PATH=", "MAKEFLAGS=", "OFFLOAD_TARGET_DEFAULT=", "OFFLOAD_TARGET_NAMES=",
	"Reading specs from ", "Supported LTO compression algorithms: ", "Target: ", "Thread model: ",
	"Using built-in specs.", "gcc driver version ", "gcc version ",
};

void verdict_local(struct verdict *v, enum reason reason, const char *detail)
{
	if (v->reason != REASON_NONE || reason == REASON_NONE)
		return;
	v->kind = VERDICT_LOCAL;
	v->reason = reason;
	snprintf(v->detail, sizeof v->detail, "%s", detail ? detail : "");
}

static bool is_chatter(const char *line)
{
	const char *version = strstr(line, "clang version ");

	for (size_t i = 0; i < ARRAY_LEN(chatter); i++)
		if (str_starts(line, chatter[i]))
			return true;
	/* `Debian clang version 14.0.6`: a vendor's word may stand in front, a message's colon not; a command may hold it. */
	return version && *line != ' ' && !memchr(line, ':', (size_t)(version - line));
}

/* Without quotes, gcc prints only these. */
static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_/-.", c));
}

/* The word within quotes, from behind the opening one. NULL: not closed, or an escape of no known kind. */
static const char *take_quoted(const char *s, struct buf *word)
{
	for (;;) {
		size_t n = strcspn(s, "\"\\");

		buf_add(word, s, n);
		s += n;
		if (*s != '\\')
			return *s ? s + 1 : NULL;
		if (!*++s || !strchr("\"\\$", *s))
			return NULL;
		buf_add(word, s++, 1);
	}
}

/* The next word of a command line. NULL: cannot be understood. */
static const char *take_word(const char *s, struct argv *out)
{
	autobuf struct buf word = { 0 };

	if (*s == '"') {
		s = take_quoted(s + 1, &word);
	} else {
		const char *start = s;

		while (is_plain(*s))
			s++;
		buf_add(&word, start, (size_t)(s - start));
		if (s == start)
			return NULL;
	}
	if (!s || (*s && *s != ' '))
		return NULL;
	argv_push(out, buf_str(&word));
	return s;
}

/* False: the line is of no form a driver prints. A final bar (gcc -pipe) is understood by what follows it. */
static bool take_command(struct plan_text *t, const char *line)
{
	struct command c = { 0 };

	while (*line == ' ' && line[1]) {
		line++;
		if (str_eq(line, "|"))
			break;
		line = take_word(line, &c.argv);
		if (!line)
			break;
	}
	if (!line || !c.argv.count || !*c.argv.v[0]) {
		argv_free(&c.argv);
		return false;
	}
	c.program = xstrdup(c.argv.v[0]);
	t->commands = xrealloc(t->commands, (t->count + 1) * sizeof *t->commands);
	t->commands[t->count++] = c;
	return true;
}

static void take_message(struct plan_text *t, const char *line)
{
	bool failed = strstr(line, ": error: ") || strstr(line, ": fatal error: ");

	/* A failure tells more than the warning before it. */
	if (failed && t->verdict.reason == REASON_DRIVER_SPEAKS)
		t->verdict.reason = REASON_NONE;
	verdict_local(&t->verdict, failed ? REASON_DRIVER_FAILED : REASON_DRIVER_SPEAKS, line);
}

static void take_line(struct plan_text *t, const char *line)
{
	if (!*line || str_eq(line, " (in-process)") || is_chatter(line))
		return;
	if (*line != ' ')
		take_message(t, line);
	else if (!take_command(t, line))
		verdict_local(&t->verdict, REASON_UNUSUAL_PLAN, line);
}

void plan_text_parse(struct plan_text *t, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		autofree char *line = xstrndup(text, len);

		take_line(t, line);
		text += len + (text[len] == '\n');
	}
}

void plan_text_free(struct plan_text *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->commands[i].program);
		argv_free(&t->commands[i].argv);
	}
	free(t->commands);
	*t = (struct plan_text){ 0 };
}
