/*
 * job.h - what a volunteer is asked to run: a chain of subcommands.
 *
 * In text mode over one input, in a directory of its own: file names in argv
 * are relative to that, or absolute names of the toolchain's files. In file
 * mode where the caller is, over the caller's files: the names are the caller's.
 *
 * The agent makes it from a plan, rccd checks it and hands it to the box, the box runs it.
 */
#ifndef RCC_JOB_H
#define RCC_JOB_H

#include "argv.h"
#include "buf.h"
#include "digest.h"
#include "err.h"

enum {
	JOB_STEPS_MAX = 8,
	JOB_ARGS_MAX = 65536,	/* per step */
	JOB_ENV_MAX = 256,
	JOB_OUTPUTS_MAX = 8,
	JOB_BYTES_MAX = 4 << 20,	/* encoded */
	JOB_PATH_MAX = 4095,
};

enum job_mode { JOB_TEXT, JOB_FILES, JOB_MODES };

/* A directory that no caller has: of the job's own, in file mode, for what one step leaves to the next. */
#define JOB_SCRATCH "/.rcc"

struct job_step {
	char *program;		/* absolute path; one of the toolchain's programs */
	struct argv argv;	/* argv[0] included, as the driver gave it */
	bool stdin_input;	/* reads the job's input on stdin; else stdin is /dev/null */
};

/* Of a job in file mode only. */
struct job_caller {
	char *cwd;		/* absolute */
	uint16_t umask;
	/*
	 * columns 0: its stderr is no terminal. Else it is one, and what ioctl(2) tells of its stdin, which is what gcc asks,
	 * is this; 65535: nothing, as that is no terminal.
	 */
	uint16_t columns, lines;
	struct digest manifest;	/* of the encoded facts (fact.h) that it starts with: a blob. 0: none */
	uint64_t manifest_size;
};

struct job {
	uint8_t mode;		/* enum job_mode; in file mode there is no input, and no outputs are named */
	struct digest toolchain;
	struct argv env;	/* NAME=value; nothing else is set */
	char *input_name;	/* "" : the input goes to the first step's stdin as it arrives;
				 * else it is written to this file first (no slash in it) */
	struct job_step steps[JOB_STEPS_MAX];	/* run in order until one fails */
	size_t step_count;
	struct argv outputs;	/* names in the job's directory that come back, no slash in them */
	struct job_caller caller;
};

void job_free(struct job *j);
static inline void cleanup_job(struct job *j) { job_free(j); }
#define autojob __attribute__((cleanup(cleanup_job)))

void job_put(struct buf *b, const struct job *j);
/* Checks every bound and that names have no slash. On error j is empty. */
int job_get(struct reader *r, struct job *j, struct err *err);

/* What became of it. */
enum job_outcome {
	JOB_RAN,		/* the steps ran; see status */
	JOB_LIMIT,		/* a limit of the box ended it */
	JOB_BOX_FAILED,		/* the box could not run it: the volunteer's fault */
	JOB_BAD_INPUT,		/* the input did not arrive whole */
	JOB_PREEMPTED,		/* the volunteer's owner came back */
	JOB_UNFIT,		/* in file mode: it needs, or did, what only works at its caller's */
	JOB_OUTCOMES,
};

struct job_result {
	uint8_t outcome;	/* enum job_outcome */
	uint8_t step;		/* the last one that ran */
	uint8_t exit_status;	/* of that step; 0 when every step succeeded */
	uint8_t signal;		/* that ended it, 0: none */
	uint64_t cpu_us;	/* user and system time of all steps */
	uint64_t wall_us;
	uint64_t max_rss_kb;
	uint64_t output_bytes;	/* of all streams together */
	uint64_t output_hash;	/* XXH3 of all streams' bytes, in the order they were sent */
	char text[128];		/* unless it ran: which, why */
};

void job_result_put(struct buf *b, const struct job_result *r);
int job_result_get(struct reader *r, struct job_result *out, struct err *err);

#endif
