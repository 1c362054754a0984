/*
 * plan_text.h - text mode: the commands of a unit, rewritten.
 */
#ifndef RCC_PLAN_TEXT_H
#define RCC_PLAN_TEXT_H

#include "plan_args.h"

/*
 * Fills in preprocess, job and result_name of a unit that may go, and the
 * plain pair where it may be used. as is NULL when the compiler's output is
 * the result.
 */
void plan_text_mode(struct unit *u, bool clang, const struct command *cc, const struct arg_uses *cc_uses,
		    const struct command *as, const struct arg_uses *as_uses);

#endif
