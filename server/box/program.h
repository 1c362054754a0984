/*
 * program.h - one program of a job, from nothing to its first instruction.
 */
#ifndef RCC_BOX_PROGRAM_H
#define RCC_BOX_PROGRAM_H

#include <sys/types.h>

#include "request.h"

struct program {
	const struct box_request *q;
	const struct job_step *step;
	char *const *env;
	int fds[3];		/* its stdin, stdout and stderr; the caller's still */

	int watch;		/* tells of its calls that are not allowed; -1: none, or they kill it */
	int report;		/* readable: program_report(); -1: it executes. Both are the caller's */
	int failure;		/* errno; 0: none so far */
};

/*
 * In text mode returns once it executes, or failed to; in file mode before that,
 * as it may need us to find its files. Its pid, maybe also when it failed, or -1.
 */
pid_t program_start(struct program *p);

enum program_report { PROGRAM_EXECUTES, PROGRAM_NO_DIRECTORY, PROGRAM_FAILED };
/* What became of it; unless it executes, *failure is an errno. Closes report. */
enum program_report program_report(int report, int *failure);

#endif
