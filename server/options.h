/*
 * options.h - what rccd can be told: one table serves the command line, the
 * configuration file and --help.
 */
#ifndef RCC_OPTIONS_H
#define RCC_OPTIONS_H

#include "argv.h"
#include "err.h"

/* For tests of what the other side does when a volunteer goes wrong. */
enum fault {
	FAULT_NONE,
	FAULT_EXIT_BEFORE_GRANT,	/* gone at RESERVE */
	FAULT_EXIT_ON_INPUT,		/* gone at the first INPUT */
	FAULT_EXIT_COMPILING,		/* gone when the input is complete */
	FAULT_EXIT_SENDING,		/* gone after the first OUTPUT */
	FAULT_REFUSE,			/* refuses each reservation */
	FAULT_SILENT,			/* accepts, never answers */
	FAULT_SILENT_JOB,		/* takes the job, never starts it */
	FAULT_GARBAGE,			/* answers HELLO with noise */
	FAULT_FLIP,			/* one bit of the output is wrong */
	FAULT_EMPTY,			/* sends no OUTPUT, and a RESULT that agrees */
	FAULT_NAMED,			/* tells jobs the volunteer's name: a stand-in for a compiler goes by that */
	FAULTS
};

struct options {
	struct argv listen;
	char *http;			/* "off": none */
	uint64_t jobs;
	uint64_t job_uid;
	uint64_t job_memory;		/* bytes */
	uint64_t grace;			/* seconds */
	char *store;
	char *name;
	char *policy;
	char *owner_root;		/* NULL: the root of this machine */
	struct argv toolchain_dirs;
	char *accept_toolchains;	/* same, any; NULL: any if there is a key */
	uint64_t store_max;		/* bytes */
	char *config;
	char *log;
	char *fault;
	struct argv key_files;
	char *make_key;			/* NULL: serve */
	bool allow_public;
	bool insecure_no_sandbox;
	bool insecure_no_auth;
	bool help;
	bool version;
};

enum option_type { OPTION_FLAG, OPTION_NUMBER, OPTION_SIZE, OPTION_TEXT, OPTION_CHOICE, OPTION_ADDRESS, OPTION_TYPES };

struct option_row {
	const char *name;
	const char *value;	/* as --help shows it; NULL for flags */
	enum option_type type;
	bool many;		/* may be given several times */
	bool argv_only;		/* not in a configuration file */
	size_t offset;		/* in struct options */
	const char *fallback;	/* NULL: worked out when the program starts */
	uint64_t min, max;	/* OPTION_NUMBER; OPTION_SIZE: in bytes */
	const char *const *choices;	/* OPTION_CHOICE; and what OPTION_ADDRESS takes besides addresses */
	const char *help;
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/*
 * The command line over the file over the defaults. ERR_CONFIG names the
 * option, or the file and line. With --help or --version nothing else counts.
 */
int options_read(struct options *o, char *const *argv, struct err *err);
void options_free(struct options *o);
/* Bytes from a number with K, M, G or T after it, or nothing: times 1024 each. UINT64_MAX: it is none. */
uint64_t options_size(const char *text);
/* Pure: what --job-memory is when nothing is said: a quarter of this machine's, but a GiB, but not above half of it. */
uint64_t options_job_memory(uint64_t machine_bytes);
uint64_t options_machine_bytes(void);
enum fault options_fault(const struct options *o);
/* What --help prints. Caller frees. */
char *options_help(void);

#endif
