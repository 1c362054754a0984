/*
 * source_doubts.c - may the layout of this file make a compiler warn?
 *
 * gcc's -Wmisleading-indentation reads the columns of a line from the file
 * itself and is silent without it; clang's -Wempty-body compares a line
 * number of the file with one of the text. Both look at a statement that
 * hangs on if, else, for, while or switch without braces, and at the token
 * behind it. So do we: warnings of either kind need that token on the line
 * of the body, or further right than the guard's line begins, or an empty
 * body. A body in braces is never warned of, nor a guard that a macro makes.
 * Measured with gcc 12 and clang 14.
 */
#include "source_doubts.h"
#include "source_lex.h"

static unsigned kind(const struct tokens *t, size_t i)
{
	return t->v[size_min(i, t->count - 1)].kind;
}

static bool is_conditional(unsigned k)
{
	return k == TOKEN_HASH_IF || k == TOKEN_HASH_ELSE || k == TOKEN_HASH_END;
}

static bool is_guard(unsigned k)
{
	return k == TOKEN_IF || k == TOKEN_ELSE || k == TOKEN_WHILE || k == TOKEN_FOR || k == TOKEN_SWITCH;
}

static size_t past_conditionals(const struct tokens *t, size_t i)
{
	while (is_conditional(kind(t, i)))
		i++;
	return i;
}

/* Behind the bracket that closes the one at i; the end if none does. */
static size_t past_brackets(const struct tokens *t, size_t i)
{
	size_t depth = 0;

	for (; kind(t, i) != TOKEN_END; i++) {
		unsigned k = kind(t, i);

		if (k == '(' || k == '[' || k == '{')
			depth++;
		else if ((k == ')' || k == ']' || k == '}') && !--depth)
			return i + 1;
	}
	return i;
}

/* From a guard's keyword to the first token of its body. */
static size_t past_condition(const struct tokens *t, size_t i)
{
	bool bare = kind(t, i) == TOKEN_ELSE || kind(t, i) == TOKEN_DO;

	i = past_conditionals(t, i + 1);
	/* if constexpr, if !consteval */
	while (!bare && (kind(t, i) == TOKEN_WORD || kind(t, i) == '!'))
		i = past_conditionals(t, i + 1);
	if (!bare && kind(t, i) == '(')
		i = past_conditionals(t, past_brackets(t, i));
	while (kind(t, i) == '[' && kind(t, i + 1) == '[')
		i = past_conditionals(t, past_brackets(t, i));
	return i;
}

/* An expression or declaration: to its semicolon, or to a brace that nothing goes on behind. */
static size_t past_simple(const struct tokens *t, size_t i)
{
	while (kind(t, i) != TOKEN_END) {
		unsigned k = kind(t, i);

		if (k == ';')
			return i + 1;
		if (k == '}' || k == ')' || k == ']')
			return i;
		if (k != '(' && k != '[' && k != '{') {
			i++;
			continue;
		}
		i = past_brackets(t, i);
		if (k == '{' && (kind(t, i) >= TOKEN_WORD || kind(t, i) == '}'))
			return i;
	}
	return i;
}

static size_t past_label(const struct tokens *t, size_t i)
{
	for (;;) {
		if ((kind(t, i) == TOKEN_WORD || kind(t, i) == TOKEN_DEFAULT) && kind(t, i + 1) == ':') {
			i = past_conditionals(t, i + 2);
		} else if (kind(t, i) == TOKEN_CASE) {
			while (kind(t, i) != ':' && kind(t, i) != TOKEN_END)
				i++;
			i = past_conditionals(t, i + 1);
		} else {
			return i;
		}
	}
}

static size_t past_statement(const struct tokens *t, size_t i, unsigned depth);

/* The parts that belong to what has just ended: else, the while of do, catch. */
static size_t past_rest(const struct tokens *t, size_t i, unsigned first, unsigned depth)
{
	size_t next = past_conditionals(t, i);

	if (first == TOKEN_IF && kind(t, next) == TOKEN_ELSE)
		return past_statement(t, next, depth);
	if (first == TOKEN_DO && kind(t, next) == TOKEN_WHILE)
		return past_simple(t, next + 1);
	while (first == TOKEN_TRY && kind(t, next) == TOKEN_CATCH) {
		i = past_statement(t, past_brackets(t, next + 1), depth);
		next = past_conditionals(t, i);
	}
	return i;
}

/* Behind the statement that begins at i. Nesting beyond all sense ends the walk. */
static size_t past_statement(const struct tokens *t, size_t i, unsigned depth)
{
	unsigned first;

	i = past_label(t, past_conditionals(t, i));
	first = kind(t, i);
	if (depth > 200)
		return t->count - 1;
	if (is_guard(first) || first == TOKEN_DO)
		i = past_statement(t, past_condition(t, i), depth + 1);
	else if (first == TOKEN_TRY)
		i = past_statement(t, i + 1, depth + 1);
	else if (first == '{')
		return past_brackets(t, i);
	else
		return past_simple(t, i);
	return past_rest(t, i, first, depth + 1);
}

static bool hangs(const struct tokens *t, size_t guard, size_t body, size_t next)
{
	const struct token *g = &t->v[guard], *b = &t->v[body], *n = &t->v[next];

	if (n->kind == '}' || n->kind == TOKEN_ELSE || n->kind == TOKEN_END)
		return false;
	if (b->kind == ';' && n->kind == '{')
		return true;
	return n->kind != ';' && (n->line == n[-1].line || n->column == b->column || n->column > g->indent);
}

/* What comes behind an #else at i, if the guard stands in the part before it: past its #endif. */
static size_t past_group(const struct tokens *t, size_t i)
{
	size_t depth = 1;

	for (i++; kind(t, i) != TOKEN_END && depth; i++)
		depth += (kind(t, i) == TOKEN_HASH_IF) - (size_t)(kind(t, i) == TOKEN_HASH_END);
	return i;
}

/*
 * Any token that may stand behind the body, whichever groups of directives
 * are in force: the first of each part, until one that is there always.
 * seen: bit n, of nesting n, says that its part has had a token.
 */
static bool any_hangs(const struct tokens *t, size_t guard, size_t body, size_t i)
{
	uint64_t seen = 0;
	unsigned level = 0;

	for (;; i++) {
		unsigned k = kind(t, i);
		uint64_t bit = 1ULL << level;

		if (k == TOKEN_END || level == 63)
			return level > 0;
		if (k == TOKEN_HASH_IF) {
			seen = seen & bit ? seen | bit << 1 : seen & ~(bit << 1);
			level++;
		} else if (k == TOKEN_HASH_END) {
			level -= level > 0;
		} else if (k == TOKEN_HASH_ELSE && !level) {
			i = past_group(t, i) - 1;
		} else if (k == TOKEN_HASH_ELSE) {
			seen = seen & bit >> 1 ? seen | bit : seen & ~bit;
		} else if (!(seen & bit)) {
			seen |= bit;
			if (hangs(t, guard, body, i))
				return true;
			if (!level)
				return false;
		}
	}
}

/* Directives split the statement: its body depends on them. Any of its parts may be the empty one. */
static unsigned judge_split(const struct tokens *t, size_t guard, size_t end)
{
	unsigned doubts = 0;
	size_t open = 0;

	for (size_t i = guard; i < end || (open && kind(t, i) != TOKEN_END); i++) {
		if (!is_conditional(kind(t, i)))
			continue;
		open += kind(t, i) == TOKEN_HASH_IF;
		open -= open && kind(t, i) == TOKEN_HASH_END;
		doubts |= DOUBT_INDENT;
		if (kind(t, i + 1) == ';')
			doubts |= DOUBT_EMPTY;
	}
	return doubts;
}

/* What the guard at this place may be warned of. */
static unsigned judge_guard(const struct tokens *t, size_t guard)
{
	unsigned k = kind(t, guard);
	size_t body = past_condition(t, guard), end;
	unsigned empty, split;

	if (kind(t, body) == '{')
		return 0;
	end = past_statement(t, body, 0);
	if (kind(t, end) == TOKEN_END)
		return DOUBT_INDENT | DOUBT_EMPTY;
	empty = kind(t, body) == ';' ? DOUBT_EMPTY : 0;
	split = judge_split(t, guard, end);
	if (split)
		return split | empty;
	if (empty && k != TOKEN_WHILE && k != TOKEN_FOR)
		return DOUBT_INDENT | DOUBT_EMPTY;
	return any_hangs(t, guard, body, end) ? DOUBT_INDENT | empty : 0;
}

/* The while of a do has no body of its own. */
static size_t do_while(const struct tokens *t, size_t i)
{
	size_t end = past_conditionals(t, past_statement(t, past_condition(t, i), 0));

	return kind(t, end) == TOKEN_WHILE ? end : 0;
}

static unsigned judge_layout(const struct tokens *t)
{
	autofree bool *ends_do = xcalloc(t->count, sizeof *ends_do);
	unsigned doubts = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (kind(t, i) == TOKEN_DO)
			ends_do[do_while(t, i)] = true;
		if (is_guard(kind(t, i)) && !ends_do[i])
			doubts |= judge_guard(t, i);
	}
	return doubts;
}

unsigned source_doubts(const void *p, size_t len)
{
	struct tokens t = { 0 };
	unsigned doubts = tokens_read(&t, p, len);

	doubts |= judge_layout(&t);
	tokens_free(&t);
	return doubts;
}
