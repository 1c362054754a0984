/*
 * apply.h - a job's changes to its caller's files, made here.
 */
#ifndef RCC_APPLY_H
#define RCC_APPLY_H

#include "reason.h"
#include "request.h"

/*
 * All that m lists, in its order, the files' contents being where request.h
 * says in the descriptor; then m->removed goes. REASON_NONE; REASON_OUTPUT_ODD
 * when something here is not as the job found it: nothing is changed then;
 * REASON_OUTPUT_FAILED when the disk refuses: part of it may have been made.
 */
enum reason apply_outcome(const struct outcome *m, int contents);

#endif
