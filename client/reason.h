/*
 * reason.h - why a command ran where it ran. Every local verdict and every
 * fallback has one; --explain prints it, --stats counts it.
 */
#ifndef RCC_REASON_H
#define RCC_REASON_H

#include "base.h"

/* identifier, key in --stats, what --explain says */
#define REASONS(X) \
	X(NONE, "none", "") \
	/* settled by looking at the command */ \
	X(MODE_LOCAL, "mode-local", "RCC_MODE=local") \
	X(NOT_A_COMPILE, "not-a-compile", "nothing is compiled to an object or assembly file") \
	X(QUERY, "query", "the driver only answers a question") \
	X(NOT_A_DRIVER, "not-a-driver", "the program is not a compiler driver rcc knows") \
	X(UNKNOWN_OPTION, "unknown-option", "an option rcc has no rule for") \
	X(DEBUG_INFO, "debug-info", "debug information would differ when compiled from preprocessed text") \
	X(SIDE_OUTPUT, "side-output", "writes more files than the object") \
	X(READS_FILES, "reads-files", "the compiler reads files besides the source") \
	X(LTO, "lto", "link-time optimisation records the command line") \
	X(RECORDS_COMMAND, "records-command", "the output records the command line") \
	X(ASSEMBLER_SOURCE, "assembler-source", "assembler sources may include files, and assembling is cheap") \
	X(LANGUAGE, "language", "not C or C++") \
	X(UNUSUAL_PLAN, "unusual-plan", "the driver's subcommands are not a plain compile") \
	X(DRIVER_FAILED, "driver-failed", "the driver rejects the command") \
	X(DRIVER_SPEAKS, "driver-speaks", "the driver itself prints something") \
	X(ENVIRONMENT, "environment", "an environment variable changes what the compiler does") \
	X(STDIN_OUTPUT, "output-stdout", "the output goes to standard output") \
	/* settled at the caller's files */ \
	X(OUTPUT_ODD, "output-odd", "the output is no regular file that can be replaced") \
	X(INPUT_ODD, "input-odd", "an input is not a regular file") \
	X(TEXT_UNSOUND, "text-unsound", "the text holds something that must be expanded here") \
	X(PREPROCESSOR, "preprocessor", "the preprocessor reported something") \
	X(FILES_UNFIT, "files-unfit", "in file mode: it needs or does what only works here") \
	X(FILES_CHANGED, "files-changed", "files that it read kept changing meanwhile") \
	X(DIAGNOSTICS, "diagnostics", "the compiler reported something; the local one words it exactly") \
	/* placement */ \
	X(NO_HOSTS, "no-hosts", "no volunteers are configured") \
	X(NO_CANDIDATE, "no-candidate", "no volunteer with this toolchain is reachable") \
	X(LOCAL_IDLE, "local-idle", "a local core was free") \
	X(LOCAL_FIRST, "local-first", "a local core was free before a volunteer") \
	X(LATE, "late", "it took too long where it was, and a local core was free") \
	X(BREAKER, "breaker", "half of the last jobs elsewhere failed: all is compiled here for some seconds") \
	/* fallbacks: a remote attempt was made and failed */ \
	X(AGENT_LOST, "agent-lost", "the agent went away") \
	X(SERVER_LOST, "server-lost", "the volunteer went away") \
	X(SERVER_STALLED, "server-stalled", "the volunteer stopped answering") \
	X(SERVER_REFUSED, "server-refused", "the volunteer refused the job") \
	X(SERVER_GARBAGE, "server-garbage", "the volunteer broke the protocol") \
	X(JOB_KILLED, "job-killed", "the job was killed on the volunteer") \
	X(JOB_LIMIT, "job-limit", "the job met a limit of the volunteer") \
	X(BOX_FAILED, "box-failed", "the volunteer could not run the job") \
	X(PREEMPTED, "preempted", "the volunteer's owner came back") \
	X(OUTPUT_FAILED, "output-failed", "the output could not be written") \
	X(NO_AGENT, "no-agent", "no agent could be started")

enum reason {
#define X(id, key, text) REASON_##id,
	REASONS(X)
#undef X
	REASON_COUNT
};

const char *reason_key(enum reason r);
const char *reason_text(enum reason r);
/* A remote attempt was made and failed: counted as a fallback. */
bool reason_is_fallback(enum reason r);

enum verdict_kind { VERDICT_LOCAL, VERDICT_TEXT, VERDICT_FILES };

struct verdict {
	enum verdict_kind kind;
	enum reason reason;	/* of a local verdict */
	char detail[96];	/* what exactly: the option, the file; may be empty */
};

#endif
