/*
 * source_lex.h - a C or C++ file as tokens, as far as its layout matters.
 */
#ifndef RCC_SOURCE_LEX_H
#define RCC_SOURCE_LEX_H

#include "base.h"

/* A punctuator is its first byte; these stand above all bytes. */
enum token_kind {
	TOKEN_WORD = 256,	/* an identifier, a number or a literal */
	TOKEN_IF, TOKEN_ELSE, TOKEN_WHILE, TOKEN_FOR, TOKEN_SWITCH, TOKEN_DO, TOKEN_CASE, TOKEN_DEFAULT,
	TOKEN_CATCH, TOKEN_TRY,
	TOKEN_SCOPE,		/* :: */
	TOKEN_HASH_IF,		/* a directive that opens a group */
	TOKEN_HASH_ELSE,	/* one that opens the next part of it */
	TOKEN_HASH_END,
	TOKEN_END,		/* the last one: behind everything */
};

struct token {
	uint16_t kind;
	uint32_t line;
	uint32_t column;	/* as shown, tabs every 8 */
	uint32_t indent;	/* the column of the first token of the line */
};

struct tokens {
	struct token *v;
	size_t count;		/* the TOKEN_END included */
	size_t room;
};

/*
 * Yields the doubts (source_doubts.h) met on the way: pragmas and lexical
 * ones, and those of layout where tokens cannot be told apart this simply.
 */
unsigned tokens_read(struct tokens *t, const void *p, size_t len);
void tokens_free(struct tokens *t);

#endif
