/*
 * ledger.h - what this volunteer has done so far: counters, and the last jobs.
 */
#ifndef RCC_LEDGER_H
#define RCC_LEDGER_H

#include "wire.h"

enum { LEDGER_JOBS = 50, CALLER_TEXT = 64, PROGRAMS_TEXT = 64 };

/* How a job ended, for people. */
#define ENDINGS(X) \
	X(DONE, "done")			/* its steps ran, whatever they returned */ \
	X(FAILED, "failed")		/* the box or its input failed */ \
	X(LIMIT, "limit")		/* a limit ended it */ \
	X(CANCELLED, "cancelled")	/* its caller went away */ \
	X(PREEMPTED, "preempted")	/* the machine's owner wanted it back */

enum ending {
#define X(id, text) ENDING_##id,
	ENDINGS(X)
#undef X
	ENDING_COUNT
};
const char *ending_text(enum ending e);

/* No source paths: pages show this to anyone. */
struct ledger_job {
	uint64_t number;
	char caller[CALLER_TEXT];	/* as it named itself, printable */
	char programs[PROGRAMS_TEXT];	/* base names: "cc1 as" */
	int64_t started;		/* seconds since 1970 */
	enum ending ending;
	uint8_t exit_status, signal;
	uint64_t cpu_us, wall_us, bytes_in, bytes_out;
	char text[128];			/* why it failed or met a limit */
};

struct ledger {
	int64_t started;		/* of rccd */
	uint64_t ended[ENDING_COUNT];
	uint64_t refused[REFUSAL_COUNT];
	uint64_t grants;
	uint64_t cpu_us;
	uint64_t bytes_in, bytes_out;	/* of ended jobs, as on the wire */
	uint64_t questions;		/* that jobs in file mode asked of their callers */
	struct ledger_job jobs[LEDGER_JOBS];
	uint64_t job_count;		/* ever; the last is at (job_count - 1) % LEDGER_JOBS */
};

void ledger_add(struct ledger *l, const struct ledger_job *job);
uint64_t ledger_refused(const struct ledger *l);	/* of every kind */
/* The i-th last job, 0 the newest; NULL when there is none. */
const struct ledger_job *ledger_last(const struct ledger *l, size_t i);

#endif
