/*
 * plan_args.h - the options of each subcommand: what rcc knows about them.
 */
#ifndef RCC_PLAN_ARGS_H
#define RCC_PLAN_ARGS_H

#include "plan.h"

enum arg_flags {
	ARG_JOINED = 1 << 0,	/* the name goes on: -O2, -I/usr */
	ARG_SEPARATE = 1 << 1,	/* the next argument is its value; with ARG_JOINED: when nothing follows the name */
	ARG_HERE = 1 << 2,	/* for the preprocessor only: not sent */
	ARG_MACRO = 1 << 3,	/* defines or undefines a macro: sent only with text that does not hold the definitions */
	ARG_THERE = 1 << 4,	/* for the compiler only: not given to the preprocessor */
	ARG_OUTPUT = 1 << 5,	/* its value is the output */
	ARG_LANGUAGE = 1 << 6,	/* its value is the language of what follows */
	ARG_LOCAL = 1 << 7,	/* cannot go, for the row's reason */
	ARG_DEBUG = 1 << 8,	/* asks for debug information */
	ARG_NO_DEBUG = 1 << 9,	/* takes it back */
	ARG_NO_WARNINGS = 1 << 10,	/* no warning whatever */
	ARG_ACTION = 1 << 11,	/* what clang is to make */
	ARG_LLVM = 1 << 12,	/* its value is an option of LLVM's own */
	ARG_INDENT = 1 << 13,	/* turns gcc's -Wmisleading-indentation on */
	ARG_SYSTEM = 1 << 14,	/* turns warnings in system headers on */
	ARG_SANITIZE = 1 << 15,	/* puts lines and columns into the object */
	ARG_DEPENDENCIES = 1 << 17,	/* its value names the dependency file; the last one counts */
	ARG_INPUT = 1 << 16,	/* no option but a file: never in a table */
};

/* One row. Looked up by the longest name that fits. */
struct arg {
	const char *name;
	unsigned flags;
	enum reason reason;	/* of ARG_LOCAL */
};

struct arg_table {
	const struct arg *rows;	/* sorted by name, as strcmp does */
	size_t count;
};

extern const struct arg_table cc1_args;		/* gcc's cc1 and cc1plus */
extern const struct arg_table clang_args;	/* clang -cc1 */
extern const struct arg_table as_args;		/* GNU as */

/* NULL: no row fits. */
const struct arg *arg_find(const struct arg_table *table, const char *s);

/* One argument of a command as its table reads it. */
struct arg_use {
	const struct arg *row;
	size_t at, count;	/* words in the command's argv */
	const char *value;	/* borrowed: the separate word or the rest of the name; the file of ARG_INPUT */
};

struct arg_uses {
	struct arg_use *v;
	size_t count;
};

/*
 * Reads argv[first..] by the table. The first argument that has no row,
 * lacks its value or has an ARG_LOCAL row goes into verdict.
 */
void arg_uses_read(struct arg_uses *uses, const struct arg_table *table, const struct argv *argv, size_t first,
		   struct verdict *verdict);
void arg_uses_free(struct arg_uses *uses);
static inline void cleanup_arg_uses(struct arg_uses *u) { arg_uses_free(u); }
#define autouses __attribute__((cleanup(cleanup_arg_uses)))

/* The value of the last argument with this flag; NULL: none. */
const char *arg_value(const struct arg_uses *uses, unsigned flag);
size_t arg_count(const struct arg_uses *uses, unsigned flag);
/* Debug information is asked for, all options read in order. */
bool arg_debug(const struct arg_uses *uses);

#endif
