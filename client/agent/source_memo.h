/*
 * source_memo.h - the doubts of source files, remembered by identity.
 *
 * A text is sound only if none of the files it came from has a doubt that
 * matters to its unit. There are hundreds of headers in a text, and the same
 * ones in the next: a stat each is all that it costs from then on.
 */
#ifndef RCC_SOURCE_MEMO_H
#define RCC_SOURCE_MEMO_H

#include "plan.h"

struct source_memo;

struct source_memo *source_memo_new(void);
void source_memo_free(struct source_memo *m);

/* Where a text came from: what of its unit the judgement needs. */
struct text_origin {
	char *cwd;
	char *input;		/* "-": stdin */
	unsigned doubts, system_doubts;
	int stdin_fd;		/* what "-" stands for, else -1 */
};
void text_origin_free(struct text_origin *o);	/* closes stdin_fd */

/*
 * For the worker that has looked through the whole text: REASON_NONE, or
 * REASON_TEXT_UNSOUND and in culprit (caller frees) the file. Files are read with our own
 * rights; one that cannot be read is in doubt. Any thread may call it.
 */
enum reason source_memo_judge(struct source_memo *m, const struct text_scan *s, const struct text_origin *o,
			      char **culprit);

#endif
