/*
 * source_lex.c - tokens with their places, and the doubts a lexer can have.
 *
 * Not a preprocessor: parts that #if leaves out are read like all others,
 * since gcc reads them too, and warns. Where C and C++ or their editions
 * differ, the reading that doubts more is taken.
 */
#include "source_lex.h"
#include "source_doubts.h"

#include <ctype.h>

struct lexer {
	const unsigned char *p, *end;
	struct tokens *out;
	unsigned doubts;
	uint32_t line, column, indent;
	bool fresh;		/* no token on this line yet */
	bool in_directive;
};

static const struct {
	const char *word;
	enum token_kind kind;
} keywords[] = {
	{ "case", TOKEN_CASE }, { "catch", TOKEN_CATCH }, { "default", TOKEN_DEFAULT }, { "do", TOKEN_DO },
	{ "else", TOKEN_ELSE }, { "for", TOKEN_FOR }, { "if", TOKEN_IF }, { "switch", TOKEN_SWITCH },
	{ "try", TOKEN_TRY }, { "while", TOKEN_WHILE },
};

/* Pragmas that gcc's -E -fdirectives-only swallows, wholly or in effect (gcc 12). */
static const char *const lost_pragmas[] = {
	"message", "poison", "pop_macro", "push_macro", "redefine_extname",
};

static int peek(const struct lexer *l, size_t ahead)
{
	return ahead < (size_t)(l->end - l->p) ? l->p[ahead] : -1;
}

static bool is_word(int c)
{
	return c == '_' || c == '$' || c >= 0x80 || (c >= 0 && isalnum(c));
}

static void advance(struct lexer *l, size_t n)
{
	for (; n && l->p < l->end; n--, l->p++) {
		if (*l->p == '\n') {
			l->line++;
			l->column = 0;
			l->fresh = true;
		} else {
			l->column = *l->p == '\t' ? (l->column / 8 + 1) * 8 : l->column + 1;
		}
	}
}

static void add_token(struct lexer *l, unsigned kind)
{
	struct tokens *t = l->out;

	if (l->fresh)
		l->indent = l->column;
	l->fresh = false;
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 1024;
		t->v = xrealloc(t->v, t->room * sizeof *t->v);
	}
	t->v[t->count++] = (struct token){
		.kind = (uint16_t)kind, .line = l->line, .column = l->column, .indent = l->indent,
	};
}

/* The length of a backslash and the line end behind it; 0: there is none here. */
static size_t splice(const struct lexer *l)
{
	if (peek(l, 0) != '\\')
		return 0;
	if (peek(l, 1) == '\n')
		return 2;
	return peek(l, 1) == '\r' && peek(l, 2) == '\n' ? 3 : 0;
}

static void skip_block_comment(struct lexer *l)
{
	advance(l, 2);
	while (l->p < l->end && !(peek(l, 0) == '*' && peek(l, 1) == '/')) {
		if (peek(l, 0) == '/' && peek(l, 1) == '*')
			l->doubts |= DOUBT_LEXICAL;
		advance(l, 1);
	}
	if (l->p == l->end)
		l->doubts |= DOUBT_LEXICAL;
	advance(l, 2);
}

static void skip_line_comment(struct lexer *l)
{
	while (l->p < l->end && *l->p != '\n') {
		size_t n = splice(l);

		if (n)
			l->doubts |= DOUBT_LEXICAL;
		advance(l, n ? n : 1);
	}
}

/* A string or character constant, from its opening quote. */
static void skip_quoted(struct lexer *l)
{
	unsigned char quote = *l->p;

	advance(l, 1);
	while (l->p < l->end && *l->p != quote) {
		if (*l->p == '\n') {
			l->doubts |= DOUBT_LEXICAL;
			return;
		}
		advance(l, splice(l) ? splice(l) : 1 + (*l->p == '\\'));
	}
	if (l->p == l->end)
		l->doubts |= DOUBT_LEXICAL;
	advance(l, 1);
}

/* R"delimiter( ... )delimiter" from its quote. */
static void skip_raw(struct lexer *l)
{
	const unsigned char *open = l->p + 1;
	size_t room = (size_t)(l->end - open);
	const unsigned char *paren = memchr(open, '(', size_min(room, 17));
	size_t len = paren ? (size_t)(paren - open) : 0;

	if (!paren) {
		l->doubts |= DOUBT_LEXICAL;
		skip_quoted(l);
		return;
	}
	advance(l, len + 2);
	while (l->p < l->end) {
		size_t left = (size_t)(l->end - l->p);

		if (*l->p == ')' && left > len + 1 && !memcmp(l->p + 1, open, len) && l->p[len + 1] == '"') {
			advance(l, len + 2);
			return;
		}
		advance(l, 1);
	}
	l->doubts |= DOUBT_LEXICAL;
}

static bool is_raw_prefix(const unsigned char *s, size_t len)
{
	static const char *const prefixes[] = { "R", "LR", "uR", "UR", "u8R" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strlen(prefixes[i]) == len && !memcmp(prefixes[i], s, len))
			return true;
	return false;
}

/* 1'000 in C++; in C a constant opens there. */
static bool is_separator(const struct lexer *l, const unsigned char *start)
{
	return peek(l, 0) == '\'' && isdigit(*start) && is_word(peek(l, 1));
}

static unsigned word_kind(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (strlen(keywords[i].word) == len && !memcmp(keywords[i].word, s, len))
			return keywords[i].kind;
	return TOKEN_WORD;
}

static void take_word(struct lexer *l)
{
	const unsigned char *start = l->p;
	struct lexer at = *l;
	size_t separators = 0;

	for (; is_word(peek(l, 0)) || is_separator(l, start); advance(l, 1))
		separators += *l->p == '\'';
	/* An odd one would be left open in C; a dollar is no letter to a pedant. */
	if (separators % 2 || memchr(start, '$', (size_t)(l->p - start)))
		l->doubts |= DOUBT_LEXICAL;
	if (!l->in_directive) {
		/* The token stands where the word begins. */
		at.doubts = l->doubts;
		add_token(&at, word_kind(start, (size_t)(l->p - start)));
		l->indent = at.indent;
		l->fresh = false;
	}
	if (peek(l, 0) == '"' && is_raw_prefix(start, (size_t)(l->p - start)))
		skip_raw(l);
}

static void take_space(struct lexer *l)
{
	size_t n = splice(l);

	if (n && !l->in_directive)
		l->doubts |= DOUBT_INDENT | DOUBT_EMPTY;
	advance(l, n ? n : 1);
}

static void take_punctuator(struct lexer *l)
{
	int c = peek(l, 0), next = peek(l, 1);
	bool digraph = (c == '<' && (next == '%' || next == ':')) || (c == '%' && (next == '>' || next == ':'));
	bool scope = c == ':' && next == ':';

	if (digraph)
		l->doubts |= DOUBT_INDENT | DOUBT_EMPTY;
	/* An identifier spelt as \u00e9: wrong ones are errors. */
	if (c == '\\')
		l->doubts |= DOUBT_LEXICAL;
	if (!l->in_directive)
		add_token(l, scope ? TOKEN_SCOPE : (unsigned)c);
	advance(l, 1 + scope);
}

/* One token, comment or space. */
static void step(struct lexer *l)
{
	int c = peek(l, 0);

	if (c == '/' && peek(l, 1) == '*')
		skip_block_comment(l);
	else if (c == '/' && peek(l, 1) == '/')
		skip_line_comment(l);
	else if (splice(l) || isspace(c))
		take_space(l);
	else if (is_word(c))
		take_word(l);
	else if (c == '"' || c == '\'') {
		if (!l->in_directive)
			add_token(l, TOKEN_WORD);
		skip_quoted(l);
	} else {
		take_punctuator(l);
	}
}

static bool range_has(const unsigned char *p, const unsigned char *end, const char *word)
{
	return p && p < end && memmem(p, (size_t)(end - p), word, strlen(word)) != NULL;
}

static void judge_pragma(struct lexer *l, const unsigned char *start)
{
	for (size_t i = 0; i < ARRAY_LEN(lost_pragmas); i++)
		if (range_has(start, l->p, lost_pragmas[i]))
			l->doubts |= DOUBT_PRAGMA;
	/* Turned on here, it counts whatever the command line says. */
	if (range_has(start, l->p, "diagnostic") && !range_has(start, l->p, "ignored") &&
	    (range_has(start, l->p, "-Wall") || range_has(start, l->p, "misleading")))
		l->doubts |= DOUBT_PRAGMA;
}

static bool name_is(const unsigned char *s, size_t len, const char *name)
{
	return len == strlen(name) && !memcmp(s, name, len);
}

static void add_conditional(struct lexer *l, const unsigned char *s, size_t len)
{
	if (name_is(s, len, "if") || name_is(s, len, "ifdef") || name_is(s, len, "ifndef"))
		add_token(l, TOKEN_HASH_IF);
	else if (name_is(s, len, "else") || (len >= 4 && !memcmp(s, "elif", 4)))
		add_token(l, TOKEN_HASH_ELSE);
	else if (name_is(s, len, "endif"))
		add_token(l, TOKEN_HASH_END);
}

/* From its # to the end of its last line. */
static void take_directive(struct lexer *l)
{
	const unsigned char *name, *start;
	size_t len;

	l->in_directive = true;
	advance(l, 1);
	while (peek(l, 0) == ' ' || peek(l, 0) == '\t')
		advance(l, 1);
	name = l->p;
	while (is_word(peek(l, 0)))
		advance(l, 1);
	len = (size_t)(l->p - name);
	/* A name that does not follow at once hides behind a comment or a splice. */
	if (!len && peek(l, 0) != '\n' && peek(l, 0) != '\r' && peek(l, 0) != -1)
		l->doubts |= DOUBT_PRAGMA | DOUBT_INDENT | DOUBT_EMPTY;
	add_conditional(l, name, len);
	start = l->p;
	while (l->p < l->end && *l->p != '\n')
		step(l);
	if (name_is(name, len, "pragma"))
		judge_pragma(l, start);
	l->in_directive = false;
}

/* What is wrong wherever it stands: comments, strings, parts left out. */
static unsigned judge_bytes(const unsigned char *p, size_t len)
{
	const unsigned char *end = p + len;

	if (memchr(p, 0, len) || range_has(p, end, "\xe2\x80\xaa") || range_has(p, end, "\xe2\x80\xab") ||
	    range_has(p, end, "\xe2\x80\xac") || range_has(p, end, "\xe2\x80\xad") ||
	    range_has(p, end, "\xe2\x80\xae") || range_has(p, end, "\xe2\x81"))
		return DOUBT_LEXICAL;
	for (const unsigned char *q = p; (q = memmem(q, (size_t)(end - q), "??", 2)); q++)
		if (end - q > 2 && strchr("=/'()!<>-", q[2]))
			return DOUBT_LEXICAL;
	for (const unsigned char *q = p; (q = memchr(q, '\\', (size_t)(end - q))); q++) {
		const unsigned char *r = q + 1;

		while (r < end && (*r == ' ' || *r == '\t' || *r == '\f' || *r == '\v'))
			r++;
		if (r > q + 1 && r < end && (*r == '\n' || *r == '\r'))
			return DOUBT_LEXICAL;
	}
	return 0;
}

unsigned tokens_read(struct tokens *t, const void *p, size_t len)
{
	struct lexer l = { .p = p, .end = (const unsigned char *)p + len, .out = t, .line = 1, .fresh = true };

	if (len)
		l.doubts = judge_bytes(p, len);
	while (l.p < l.end) {
		if (l.fresh && *l.p == '#')
			take_directive(&l);
		else
			step(&l);
	}
	add_token(&l, TOKEN_END);
	return l.doubts;
}

void tokens_free(struct tokens *t)
{
	free(t->v);
	*t = (struct tokens){ 0 };
}
