/*
 * request.h - what a wrapper and its agent say to each other, over a local
 * stream socket, in the frames of frame.h.
 *
 *	wrapper                          agent
 *	ASK {command} [pidfd]       ->
 *	                            <-   DESCRIBE {what}	run the driver, tell what it prints
 *	DESCRIPTION {text}          ->
 *	                            <-   PREPARE {unit}		preprocess, open the output
 *	STARTED [text, output, stdin] ->				or DECLINED {reason}
 *	PREPROCESSED {status}       ->
 *	                            <-   FINISHED		the output descriptor holds the result
 *	COMMITTED                   ->				or DECLINED; then the next PREPARE, or DONE
 *	                            <-   DONE			exit with 0, or the status of the last OUTCOME
 *	(in file mode nothing is prepared)
 *	                            <-   OUTCOME {outcome} [contents]	make these changes, say this
 *	COMMITTED                   ->				or DECLINED, as above
 *
 * at any time instead             <-   LOCAL {lease}		exec the compiler
 *	                            <-   FATAL {status, text}	print and exit
 *
 *	QUERY {kind}                ->
 *	                            <-   ANSWER {status, text}
 *
 * Either side closing the socket cancels: the wrapper then runs the compiler
 * itself, the agent frees whatever the wrapper held.
 */
#ifndef RCC_REQUEST_H
#define RCC_REQUEST_H

#include "argv.h"
#include "buf.h"
#include "change.h"
#include "err.h"
#include "frame.h"
#include "reason.h"

enum request_type {
	REQUEST_ASK = 1, REQUEST_DESCRIBE, REQUEST_DESCRIPTION, REQUEST_PREPARE,
	REQUEST_STARTED, REQUEST_DECLINED, REQUEST_PREPROCESSED, REQUEST_FINISHED,
	REQUEST_COMMITTED, REQUEST_DONE, REQUEST_LOCAL, REQUEST_FATAL,
	REQUEST_QUERY, REQUEST_ANSWER,
	REQUEST_OUTCOME,
	REQUEST_TYPES
};

extern const struct protocol request_protocol;

enum { REQUEST_ARGS_MAX = 1 << 20, REQUEST_BYTES_MAX = 8 << 20, REQUEST_PAGE_MAX = 4 << 20 };

/* rcc's own exit statuses; everything else is the compiler's. */
enum exit_status {
	EXIT_RCC_USAGE = 120,		/* an option of rcc that does not exist */
	EXIT_RCC_CONFIG = 121,		/* a setting that cannot be used */
	EXIT_RCC_REMOTE = 122,		/* a remote attempt failed and RCC_FALLBACK=0 */
	EXIT_RCC_RECURSION = 123,	/* the only compiler of that name is rcc itself */
	EXIT_RCC_INTERNAL = 124,	/* rcc failed, and no compiler was involved */
	EXIT_CANNOT_RUN = 126,		/* as env(1) */
	EXIT_NOT_FOUND = 127,
};

/* A whole command, as the wrapper found it. */
struct ask {
	char *program;		/* the compiler: absolute or as typed, but never rcc */
	struct argv argv;	/* as the compiler will be given it; [0] included */
	struct argv expanded;	/* the same with @files expanded; empty if there were none */
	char *cwd;
	struct argv env;	/* the variables of environment.h that are set */
	int8_t niceness;
	uint8_t cores;		/* that this process may run on */
	uint8_t explain;	/* 0, 1: as text, 2: as JSON. The command is not run. */
	uint8_t quick;		/* enum reason: settled already, only a local slot is wanted */
	uint8_t after;		/* enum reason: why an earlier attempt of this command failed */
	uint8_t stderr_tty;
	uint16_t columns, lines;	/* job.h: struct job_caller */
	uint16_t umask;
};

enum describe_kind { DESCRIBE_VERSION, DESCRIBE_PLAN, DESCRIBE_KINDS };

struct describe {
	uint8_t kind;		/* driver -v, or driver -### ARGS */
	char *temp_dir;		/* TMPDIR for it */
};

struct description {
	int32_t status;		/* as of waitpid */
	char *text;		/* stderr */
};

/* One unit to be preprocessed here. */
struct prepare {
	char *input;
	uint8_t stdin_input;	/* the source is on the wrapper's stdin */
	char *output;
	uint8_t output_kind;	/* enum output_kind */
	struct argv preprocess;	/* [0] is the program, found as execvp would */
	uint32_t round;		/* of this wrapper; its answers say it again, as they may cross the next PREPARE */
	uint32_t dependencies_at;	/* which of them names the dependency file; 0: none is written */
};

/*
 * What a unit in file mode came to. With it comes a descriptor: what it said on stdout, on stderr, then the contents of
 * each CHANGE_FILE, one after the other.
 */
struct outcome {
	uint32_t round;		/* for DECLINED */
	uint8_t status;		/* exit status; not 0: its driver fails with it */
	uint64_t out_bytes, err_bytes;
	struct changes changes;	/* paths absolute */
	char *removed;		/* absolute: what its driver removes, if it is a regular file, as the status is not 0; "" */
};

struct local_go {
	uint8_t reason;		/* enum reason */
	char *lease;		/* for RCC_LEASE; "" if none was given */
};

struct fatal {
	uint8_t status;
	char *text;
};

enum query_kind { QUERY_HOSTS, QUERY_JOBS, QUERY_STATS, QUERY_ZERO_STATS, QUERY_STOP, QUERY_WATCH, QUERY_KINDS };

struct query {
	uint8_t kind;
	uint8_t json;
	uint8_t cores;
	uint16_t columns, lines;	/* of the terminal that watches; 0: no terminal */
	struct argv env;
};

/* Each _get returns 0 or ERR_WIRE, and leaves *m safe to free. */
void ask_put(struct buf *b, const struct ask *m);
int ask_get(struct reader *r, struct ask *m, struct err *err);
void ask_free(struct ask *m);
void describe_put(struct buf *b, const struct describe *m);
int describe_get(struct reader *r, struct describe *m, struct err *err);
void description_put(struct buf *b, const struct description *m);
int description_get(struct reader *r, struct description *m, struct err *err);
void prepare_put(struct buf *b, const struct prepare *m);
int prepare_get(struct reader *r, struct prepare *m, struct err *err);
void prepare_free(struct prepare *m);
void started_put(struct buf *b, uint32_t round);
int started_get(struct reader *r, uint32_t *round, struct err *err);
void declined_put(struct buf *b, uint32_t round, enum reason reason);
int declined_get(struct reader *r, uint32_t *round, enum reason *reason, struct err *err);
/* PREPROCESSED: 1 when it succeeded and printed nothing. */
void preprocessed_put(struct buf *b, uint32_t round, bool clean);
int preprocessed_get(struct reader *r, uint32_t *round, bool *clean, struct err *err);
void outcome_put(struct buf *b, const struct outcome *m);
int outcome_get(struct reader *r, struct outcome *m, struct err *err);
void outcome_free(struct outcome *m);
void local_go_put(struct buf *b, const struct local_go *m);
int local_go_get(struct reader *r, struct local_go *m, struct err *err);
void fatal_put(struct buf *b, const struct fatal *m);		/* FATAL and ANSWER */
int fatal_get(struct reader *r, struct fatal *m, struct err *err);
void query_put(struct buf *b, const struct query *m);
int query_get(struct reader *r, struct query *m, struct err *err);
void query_free(struct query *m);

#endif
