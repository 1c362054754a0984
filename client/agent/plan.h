/*
 * plan.h - what a driver command comes down to, and what of it may run
 * elsewhere: a pure function of the command line and of what the driver
 * itself says with -###.
 */
#ifndef RCC_PLAN_H
#define RCC_PLAN_H

#include "argv.h"
#include "err.h"
#include "job.h"
#include "output_kind.h"
#include "reason.h"

enum dialect { DIALECT_GCC, DIALECT_CLANG };

/* One subcommand as the driver would run it. */
struct command {
	char *program;		/* as printed: an absolute path, or a name to be found as execvp would */
	struct argv argv;	/* argv[0] is program */
};

/* One source of the command, and the subcommands that turn it into one output. */
struct unit {
	size_t first, count;	/* in plan->commands */
	char *input;		/* as written; "-" is stdin */
	char *output;		/* as written, relative to the caller's directory */
	enum output_kind output_kind;
	struct verdict verdict;		/* VERDICT_TEXT or local, with the reason */

	/* set when the verdict is VERDICT_TEXT: */
	struct argv preprocess;		/* run here, text on stdout; [0] is the program */
	struct argv preprocess_plain;	/* another way, tried when the first fails to preprocess; empty: none */
	size_t dependencies_at[2];	/* the word of preprocess, and of preprocess_plain, that names the
					 * dependency file; 0: none is written */
	struct job job;			/* for the text of preprocess; toolchain not filled in, env neither */
	struct job job_plain;		/* for the text of preprocess_plain */
	char *result_name;		/* which of job.outputs is the output */
	unsigned doubts;		/* the text is unsound if its source, or a file it came from, has one
					 * of these source_doubts() */
	unsigned system_doubts;		/* the same for the system's headers */
	bool plain_text;		/* macros are expanded in the text that preprocess yields, so that
					 * the names of date and time need not be looked for in it */
};

/*
 * One source of the command in file mode: all subcommands that only serve it, unchanged
 * but for the names of temporary files, which are below JOB_SCRATCH there.
 */
struct file_unit {
	size_t first, count;	/* in plan->commands */
	char *input;		/* the source as written: names it to people, and its manifest */
	struct job job;		/* mode JOB_FILES; toolchain, env and caller not filled in */
	char *output;		/* as written: what it is all for */
	char *removed;		/* as written: what the driver removes when a step from removed_from on fails; NULL: nothing */
	size_t removed_from;
	/* where it may write, as written; for plan_may_change() */
	struct argv writes;	/* files */
	struct argv beside;	/* how files begin that compilers make up */
	struct argv fills;	/* directories */
};

struct plan {
	unsigned shares;		/* besides the first owner's */
	enum dialect dialect;
	struct command *commands;
	size_t command_count;
	struct unit *units;
	size_t unit_count;
	struct verdict verdict;	/* of the whole: local if anything in it forbids, e.g. a link */

	struct file_unit *file_units;
	size_t file_unit_count;
	struct verdict files;	/* of the whole in file mode: VERDICT_FILES, or local with the reason */
};

/* What the caller asked for, as far as it bears on the verdict. */
struct plan_options {
	bool force_text;	/* RCC_MODE=text: fidelity of debug info is waived */
	const char *temp_dir;	/* the private TMPDIR that -### ran with: names below it are temporary.
				 * NULL: any name between two commands is taken for one */
	const struct argv *env;	/* NAME=value, the caller's; NULL: empty. Some forbid going elsewhere */
};

/*
 * Read what `driver -### user_args` printed on stderr, untranslated and with
 * the caller's environment otherwise. user_argv is the caller's command,
 * @files expanded, [0] the driver. Always yields a plan (released with
 * plan_free) and returns 0; text that cannot be understood is a local
 * verdict, not an error. One local unit makes the whole command local.
 * Programs in commands, preprocess and job steps stand as the driver printed
 * them: a name without a slash (`as`) is still to be found as execvp would.
 */
int plan_make(enum dialect dialect, const struct argv *user_argv, const char *text,
	      const struct plan_options *options, struct plan **out, struct err *err);
void plan_free(struct plan *p);
/* Another owner, who frees it as well. Not for threads. */
void plan_share(struct plan *p);

/*
 * May this unit, started in cwd (absolute), have changed this path (canonical)? Only names that its command gives, or that
 * compilers make of those: a volunteer is believed what an output holds, not where it is.
 */
bool plan_may_change(const struct file_unit *u, const char *cwd, const char *path);
/* Is it a directory in which this unit's compiler makes files, and directories, of its own, or in one? */
bool plan_may_fill(const struct file_unit *u, const char *cwd, const char *path);

/*
 * The caller's environment variables by name. travels: a job gets it, and
 * nothing else. speaks: it names the language of messages. shapes: the driver
 * reads it, so a plan holds only for its value. forbids: the command is local
 * while it is set.
 */
bool plan_env_travels(const char *name);		/* in text mode */
bool plan_env_travels_with_files(const char *name);	/* in file mode, where preprocessing happens there too */
bool plan_env_speaks(const char *name);
bool plan_env_shapes(const char *name);
bool plan_env_forbids(const char *name);

/*
 * Looks through the text of a unit, chunk by chunk, for what makes text mode
 * unsound: the date or the time unexpanded, a file that the assembler or the
 * compiler would read, a precompiled header (text_scan.c has the words). On
 * the way it notes the files that the text came from (not the source itself,
 * nor names from #line), as the compiler named them.
 */
struct text_scan {
	/* set by the caller, the rest zero */
	enum dialect dialect;
	bool plain;		/* the text of preprocess_plain, or the unit's plain_text */

	struct argv files;		/* sorted; relative to the caller's directory or absolute */
	struct argv system_files;	/* those in which warnings are off */

	struct buf rest;	/* the last line, which may go on */
	bool started;
};
/* REASON_NONE, or why this text cannot go. */
enum reason text_scan(struct text_scan *s, const void *p, size_t len);
void text_scan_free(struct text_scan *s);

#endif
