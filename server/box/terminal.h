/*
 * terminal.h - a terminal of the caller's size, for what a job says.
 */
#ifndef RCC_BOX_TERMINAL_H
#define RCC_BOX_TERMINAL_H

#include "job.h"

/*
 * What is written to ends[1] is read from ends[0], as it is. Takes /dev/ptmx; no
 * name leads to either afterwards. Read as a pipe is, ends[1] kept open meanwhile.
 */
int terminal_open(const struct job_caller *caller, int ends[2], struct err *err);

#endif
