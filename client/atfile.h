/*
 * atfile.h - @file arguments, expanded as the compilers do it.
 */
#ifndef RCC_ATFILE_H
#define RCC_ATFILE_H

#include "argv.h"
#include "reason.h"

enum { ATFILE_FILES_MAX = 2000, ATFILE_DEPTH_MAX = 32, ATFILE_BYTES_MAX = 4 << 20 };

/* The words of a text: white space parts them, '...' and "..." join, a backslash takes the next byte as it is. */
void atfile_split(const char *text, size_t len, struct argv *out);

/*
 * The words of argv with each @file replaced by what it holds. out stays
 * empty when there is none. As with the compilers, what names no readable
 * file stays a word. Returns REASON_NONE, or why this command must not be
 * looked at any further: REASON_INPUT_ODD for a file that can be read only
 * once (it has not been opened), REASON_UNUSUAL_PLAN beyond the limits.
 */
enum reason atfile_expand(char *const *argv, struct argv *out);

#endif
