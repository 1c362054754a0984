/*
 * ledger.c - counters and a ring of the last jobs.
 */
#include "ledger.h"

static const char *const endings[ENDING_COUNT] = {
#define X(id, text) [ENDING_##id] = text,
	ENDINGS(X)
#undef X
};

const char *ending_text(enum ending e) { return endings[e]; }

void ledger_add(struct ledger *l, const struct ledger_job *job)
{
	l->jobs[l->job_count++ % LEDGER_JOBS] = *job;
	l->ended[job->ending]++;
	l->cpu_us += job->cpu_us;
	l->bytes_in += job->bytes_in;
	l->bytes_out += job->bytes_out;
}

uint64_t ledger_refused(const struct ledger *l)
{
	uint64_t sum = 0;

	for (int i = 0; i < REFUSAL_COUNT; i++)
		sum += l->refused[i];
	return sum;
}

const struct ledger_job *ledger_last(const struct ledger *l, size_t i)
{
	if (i >= LEDGER_JOBS || i >= l->job_count)
		return NULL;
	return &l->jobs[(l->job_count - 1 - i) % LEDGER_JOBS];
}
