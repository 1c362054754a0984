/*
 * source_doubts.h - what in a source file a compiler would lose or not see
 * when it gets the text instead of the file.
 *
 * A pure function of a file's contents, so it is computed once a file and
 * remembered. It may doubt too much, which costs a local compile; it must
 * not doubt too little.
 */
#ifndef RCC_SOURCE_DOUBTS_H
#define RCC_SOURCE_DOUBTS_H

#include "base.h"

enum {
	DOUBT_PRAGMA = 1 << 0,	/* gcc's -fdirectives-only drops or acts on it: message, poison, push_macro, ... */
	DOUBT_LEXICAL = 1 << 1,	/* the lexer may warn, even in a part that #if leaves out: gcc's text lacks those */
	DOUBT_INDENT = 1 << 2,	/* gcc's -Wmisleading-indentation may warn: it reads columns from the file itself */
	DOUBT_EMPTY = 1 << 3,	/* clang's -Wempty-body may: it compares a line of the file with one of the text */
};

unsigned source_doubts(const void *p, size_t len);

#endif
