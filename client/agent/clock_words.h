/*
 * clock_words.h - does a text name the time?
 */
#ifndef RCC_CLOCK_WORDS_H
#define RCC_CLOCK_WORDS_H

#include "base.h"

/* A text in pieces is asked for in pieces that share so many bytes. */
enum { CLOCK_WORDS_OVERLAP = 12 };

/*
 * __DATE__, __TIME__ or __TIMESTAMP__, in a comment or a longer word too; or a word of
 * capitals that a backslash carries over to the next line, which could be one.
 * Words that ## makes are not seen.
 */
bool clock_words_in(const void *p, size_t len);

#endif
