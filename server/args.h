/*
 * args.h - which arguments a job's programs may have, by the volunteer's own judgement.
 *
 * In text mode the agent sends no others. One that would name a file of its own choice,
 * load code, or do something else than compile is refused here, before a
 * box is made; the box then holds what this overlooks.
 *
 * In file mode the names are the caller's and the programs see only what is the caller's, so all is allowed
 * but what brings code of the caller's choice into a program, or starts another.
 */
#ifndef RCC_ARGS_H
#define RCC_ARGS_H

#include "err.h"
#include "job.h"

enum {
	ARGS_ALONE = 0,
	ARGS_JOINED = 1 << 0,	/* the name goes on: -O2 */
	ARGS_VALUE = 1 << 1,	/* the next argument is its value; with ARGS_JOINED: when nothing follows the name */
	ARGS_OUTPUT = 1 << 2,	/* so it is, and a name in the job's directory */
	ARGS_NEVER = 1 << 3,	/* refused, although a shorter row would take it */
};

struct args_row {
	const char *name;
	unsigned flags;
	const char *only;	/* the one value it may have; NULL: any */
};

struct args_table {
	const char *program;	/* base name without target and version */
	const struct args_row *rows;	/* sorted by name, as strcmp does; the longest that fits counts */
	size_t count;
};

extern const struct args_table args_tables[];
extern const size_t args_table_count;

/* In file mode: what no word of theirs may begin with, wherever it stands. */
struct args_denied {
	const char *program;
	const char *begins;
};

extern const struct args_denied args_denied[];
extern const size_t args_denied_count;

/* 0, or ERR_REFUSED with the argument. name: the program's table. */
int args_check(enum job_mode mode, const char *name, const struct argv *argv, struct err *err);

#endif
