/*
 * run.h - one job from its JOB frame to the end of its box.
 */
#ifndef RCC_RUN_H
#define RCC_RUN_H

#include "ledger.h"
#include "server.h"
#include "session.h"

struct job_run;

/*
 * Start a job for a session; a slot is running for it, and is given back
 * when the box has ended, even after job_cancel(). Takes over what job holds.
 * On failure the slot is the caller's to give back: ERR_REFUSED (program, or a
 * mode that is not offered), ERR_ABSENT (toolchain), ERR_IO.
 */
int job_start(struct session *x, struct server *s, struct job *job, int8_t niceness, enum codec codec,
	      struct job_run **out, struct err *err);

/* An INPUT or INPUT_END frame for the box. */
void job_input(struct job_run *r, const struct frame *f);
/* Of a job in file mode: FACTS or an ANSWER for the box. */
void job_facts(struct job_run *r, const struct frame *f);
/* BLOB, BLOB_DATA or BLOB_NONE. ERR_WIRE: a violation. */
int job_contents(struct job_run *r, const struct frame *f, struct err *err);
/* The agent's connection takes output again. */
void job_resume_output(struct job_run *r);
/* The session is gone: end the box. */
void job_cancel(struct job_run *r);

/* The owner wants the machine back: the newest end, until at most keep go on. Their callers are told. */
void jobs_preempt(struct server *s, unsigned keep);

/* What pages show of those that run: filled with at most max, the count returned. */
struct job_view {
	struct ledger_job job;	/* ending and what follows: not yet */
	uint64_t running_ms;
	uint64_t cpu_us, memory_kb;	/* as its box last said; 0 before */
};
size_t jobs_view(const struct server *s, struct job_view *views, size_t max);

/* Processor time that jobs have used so far, those that run included: what is not the owner's. Never goes down. */
uint64_t jobs_cpu_us(const struct server *s);

#endif
