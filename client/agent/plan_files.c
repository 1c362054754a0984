/*
 * plan_files.c - which subcommands serve one source, and whether they may go
 * as they are.
 *
 * In file mode a subcommand meets its caller's files under their names, so
 * nothing is forbidden for what it reads or writes there. It stays here if
 * it, or the driver around it, does what only means something here: prints
 * the time it took, loads code, reads a descriptor. These are tables.
 */
#include "plan_files.h"

#include <ctype.h>

#include "environment.h"
#include "plan_args.h"
#include "plan_parse.h"
#include "plan_program.h"

/* Options of subcommands that stay here, by how they begin; the longest row is not looked for, the first that fits counts. */
static const struct stays {
	const char *name;
	bool joined;
	enum reason reason;
} compiler_stays[] = {
	{ "-Eonly", false, REASON_NOT_A_COMPILE },
	{ "-H", false, REASON_DIAGNOSTICS },
	{ "-M", false, REASON_NOT_A_COMPILE },
	{ "-MM", false, REASON_NOT_A_COMPILE },
	{ "-add-plugin", false, REASON_READS_FILES },
	{ "-analyze", false, REASON_NOT_A_COMPILE },
	{ "-ast-", true, REASON_NOT_A_COMPILE },
	{ "-diagnostic-log-file", false, REASON_SIDE_OUTPUT },		/* added to by all */
	{ "-dump-", true, REASON_NOT_A_COMPILE },
	{ "-dwarf-debug-flags", false, REASON_RECORDS_COMMAND },	/* the driver's, with -### in it */
	{ "-fcompare-debug", true, REASON_UNUSUAL_PLAN },
	{ "-fhelp", true, REASON_DIAGNOSTICS },
	{ "-fix", true, REASON_SIDE_OUTPUT },				/* writes sources */
	{ "-fmem-report", true, REASON_DIAGNOSTICS },
	{ "-fmodule-mapper", true, REASON_READS_FILES },		/* a program, a socket */
	{ "-fpass-plugin", true, REASON_READS_FILES },
	{ "-fplugin", true, REASON_READS_FILES },
	{ "-fpost-ipa-mem-report", false, REASON_DIAGNOSTICS },
	{ "-fpre-ipa-mem-report", false, REASON_DIAGNOSTICS },
	{ "-fself-test", true, REASON_DIAGNOSTICS },
	{ "-fstats", false, REASON_DIAGNOSTICS },
	{ "-fsyntax-only", false, REASON_NOT_A_COMPILE },
	{ "-ftarget-help", false, REASON_DIAGNOSTICS },
	{ "-ftime-report", true, REASON_DIAGNOSTICS },
	{ "-ftime-trace", true, REASON_DIAGNOSTICS },
	{ "-fversion", false, REASON_DIAGNOSTICS },
	{ "-header-include-file", false, REASON_SIDE_OUTPUT },		/* added to by all */
	{ "-help", false, REASON_DIAGNOSTICS },
	{ "-load", true, REASON_READS_FILES },
	{ "-plugin", true, REASON_READS_FILES },
	{ "-print-", true, REASON_DIAGNOSTICS },
	{ "-record-command-line", false, REASON_RECORDS_COMMAND },
	{ "-rewrite-", true, REASON_NOT_A_COMPILE },
	{ "-stats", true, REASON_DIAGNOSTICS },
	{ "-time-", true, REASON_DIAGNOSTICS },
	{ "-track-memory", false, REASON_DIAGNOSTICS },
	{ "-version", false, REASON_DIAGNOSTICS },
	{ "--version", false, REASON_DIAGNOSTICS },
}, assembler_stays[] = {
	{ "--help", true, REASON_DIAGNOSTICS },
	{ "--statistics", false, REASON_DIAGNOSTICS },
	{ "--target-help", false, REASON_DIAGNOSTICS },
	{ "--verbose", false, REASON_DIAGNOSTICS },
	{ "--version", false, REASON_DIAGNOSTICS },
	{ "-dwarf-debug-flags", false, REASON_RECORDS_COMMAND },
	{ "-V", false, REASON_DIAGNOSTICS },
	{ "-v", false, REASON_DIAGNOSTICS },
};

#define PIPE JOB_SCRATCH "/pipe.s"

static enum program kind_of(const struct command *c)
{
	enum reason ignored;

	return program_of(c, &ignored);
}

/* The value of the last -o; NULL: none. */
static const char *output_of(const struct command *c)
{
	const char *output = NULL;

	for (size_t i = 1; i + 1 < c->argv.count; i++)
		if (str_eq(c->argv.v[i], "-o"))
			output = c->argv.v[i + 1];
	return output;
}

/* gcc names a precompiled header beside an output that is of no use. */
static const char *precompiled_of(const struct command *c)
{
	static const char option[] = "--output-pch";

	for (size_t i = 1; i < c->argv.count; i++) {
		const char *s = c->argv.v[i];

		if (!str_starts(s, option))
			continue;
		s += strlen(option);
		if (*s == '=')
			s++;
		return *s ? s : i + 1 < c->argv.count ? c->argv.v[i + 1] : NULL;
	}
	return NULL;
}

static bool reads(const struct command *c, const char *name)
{
	for (size_t i = 1; i < c->argv.count; i++)
		if (str_eq(c->argv.v[i], name) && !str_eq(c->argv.v[i - 1], "-o"))
			return true;
	return false;
}

/* Its files, options aside: clang's stands last, gcc's where the table says. */
static void inputs_of(const struct command *c, struct argv *out)
{
	enum program program = kind_of(c);
	struct verdict ignored = { 0 };
	autouses struct arg_uses uses = { 0 };

	if (program == PROGRAM_CLANG || program == PROGRAM_CLANG_AS) {
		argv_push(out, c->argv.v[c->argv.count - 1]);
		return;
	}
	arg_uses_read(&uses, program == PROGRAM_CC1 ? &cc1_args : &as_args, &c->argv, 1, &ignored);
	for (size_t i = 0; i < uses.count; i++)
		if (uses.v[i].row->flags & ARG_INPUT)
			argv_push(out, uses.v[i].value);
}

/* Without a file the assembler reads what the command before it prints. */
static bool pipes(const struct command *c, const struct command *next)
{
	autoargv struct argv inputs = { 0 };
	const char *output = output_of(c);

	if (!output || !str_eq(output, "-") || kind_of(next) != PROGRAM_AS)
		return false;
	inputs_of(next, &inputs);
	return !inputs.count;
}

/* Does p->commands[at] go on with what this unit has made? */
static bool continues(const struct plan *p, const struct file_unit *u, size_t at)
{
	for (size_t i = u->first; i < at; i++) {
		const char *output = output_of(&p->commands[i]);

		if (output && reads(&p->commands[at], output))
			return true;
	}
	return pipes(&p->commands[at - 1], &p->commands[at]);
}

static void group(struct plan *p)
{
	struct file_unit *u = NULL;

	p->file_units = xcalloc(p->command_count + 1, sizeof *p->file_units);
	for (size_t i = 0; i < p->command_count; i++) {
		enum reason reason;
		enum program program = program_of(&p->commands[i], &reason);

		if (program == PROGRAM_ODD)
			verdict_local(&p->files, reason, path_base(p->commands[i].program));
		if (u && continues(p, u, i)) {
			u->count++;
			continue;
		}
		if (program == PROGRAM_OBJCOPY)
			verdict_local(&p->files, REASON_UNUSUAL_PLAN, "objcopy");
		u = &p->file_units[p->file_unit_count++];
		*u = (struct file_unit){ .first = i, .count = 1 };
	}
}

/* Something that is another file, or none, on another machine. */
static bool names_process(const char *path)
{
	return str_starts(path, "/proc/") || str_starts(path, "/sys/") || str_starts(path, "/dev/fd/") ||
	       str_starts(path, "/dev/std");
}

/* The places in a word where a path may begin. */
static bool word_names_process(const char *word)
{
	const char *value = strchr(word, '=');

	return names_process(word) || (word[0] == '-' && word[1] && names_process(word + 2)) ||
	       (value && names_process(value + 1));
}

static void check_word(struct verdict *v, const struct stays *rows, size_t count, const char *word)
{
	/* every row begins with a '-': the byte behind it tells most of them apart */
	for (size_t i = 0; i < count && word[0] == '-'; i++)
		if (word[1] == rows[i].name[1] && (rows[i].joined ? str_starts : str_eq)(word, rows[i].name))
			verdict_local(v, rows[i].reason, word);
	if (word[0] == '@')
		verdict_local(v, REASON_READS_FILES, word);
	if (word_names_process(word))
		verdict_local(v, REASON_INPUT_ODD, word);
}

static void check_words(struct verdict *v, const struct command *c)
{
	bool assembler = kind_of(c) == PROGRAM_AS || kind_of(c) == PROGRAM_CLANG_AS;

	for (size_t i = 1; i < c->argv.count; i++)
		if (assembler)
			check_word(v, assembler_stays, ARRAY_LEN(assembler_stays), c->argv.v[i]);
		else
			check_word(v, compiler_stays, ARRAY_LEN(compiler_stays), c->argv.v[i]);
}

/* gcc's LTO stores these in the object; the driver hands them over in a variable that a remembered answer does not show. */
static void check_lto(struct verdict *v, const struct plan *p, const struct argv *user_argv)
{
	bool lto = false, assembler = false;

	for (size_t i = 1; i < user_argv->count; i++) {
		lto |= str_starts(user_argv->v[i], "-flto");
		assembler |= str_starts(user_argv->v[i], "-Wa,") || str_eq(user_argv->v[i], "-Xassembler");
	}
	if (p->dialect == DIALECT_GCC && lto && assembler)
		verdict_local(v, REASON_LTO, "options for the assembler");
}

/* A file that the driver made up: gone when it is done. */
static bool is_temporary(const char *name, const struct plan_options *o)
{
	size_t len = o->temp_dir ? strlen(o->temp_dir) : 0;

	return len && strncmp(name, o->temp_dir, len) == 0 && name[len] == '/';
}

/* The first one within a word, as in an option's value; NULL: none. */
static const char *find_temporary(const char *word, const struct plan_options *o)
{
	if (!o->temp_dir || !*o->temp_dir)
		return NULL;
	while ((word = strstr(word, o->temp_dir)) && !is_temporary(word, o))
		word++;
	return word;
}

static char *settled_word(const char *word, const struct plan_options *o)
{
	struct buf b = { 0 };

	for (const char *found; (found = find_temporary(word, o)); word = found + strlen(o->temp_dir)) {
		buf_add(&b, word, (size_t)(found - word));
		buf_puts(&b, JOB_SCRATCH);
	}
	buf_puts(&b, word);
	return b.p ? buf_str(&b) : xstrdup("");
}

static void add_step(struct job *job, const struct command *c, const struct plan_options *o)
{
	struct job_step *s = &job->steps[job->step_count++];

	s->program = xstrdup(c->program);
	for (size_t i = 0; i < c->argv.count; i++)
		argv_take(&s->argv, settled_word(c->argv.v[i], o));
}

/* What one step would print for the next to read goes through a file. */
static void join_steps(struct job_step *from, struct job_step *to)
{
	for (size_t i = 1; i + 1 < from->argv.count; i++)
		if (str_eq(from->argv.v[i], "-o"))
			argv_set(&from->argv, i + 1, PIPE);
	argv_push(&to->argv, PIPE);
}

/*
 * A gcc that was moved tells its subcommands where it is, in a variable; what
 * it prints of it has TARGET/VERSION/ at its end.
 */
static void add_prefix(struct job *job, const struct plan_options *o)
{
	const struct argv *argv = &job->steps[0].argv;
	autofree char *dir = NULL;
	size_t i = 1;

	while (i < argv->count && !str_eq(argv->v[i], "-iprefix"))
		i++;
	if (i + 1 >= argv->count || (o->env && environment_get(o->env, "GCC_EXEC_PREFIX")))
		return;
	dir = xstrdup(argv->v[i + 1]);
	for (int above = 0; above < 3; above++) {
		char *slash = strrchr(dir, '/');

		if (!slash)
			return;
		*slash = '\0';
	}
	argv_pushf(&job->env, "GCC_EXEC_PREFIX=%s/", dir);
}

/* clang's assembler gives its debug information the directory of the file it reads; that of a temporary one is the caller's. */
static void check_temporary(struct verdict *v, const struct command *c, const struct plan_options *o)
{
	bool debug = false;

	if (kind_of(c) != PROGRAM_CLANG_AS || !is_temporary(c->argv.v[c->argv.count - 1], o))
		return;
	for (size_t i = 1; i < c->argv.count; i++)
		debug |= str_starts(c->argv.v[i], "-debug-info-kind=");
	if (debug)
		verdict_local(v, REASON_DEBUG_INFO, "-g");
}

static void make_job(struct file_unit *u, const struct command *c, const struct plan_options *o)
{
	u->job.mode = JOB_FILES;
	for (size_t i = 0; i < u->count; i++)
		add_step(&u->job, &c[i], o);
	for (size_t i = 0; i + 1 < u->count; i++)
		if (pipes(&c[i], &c[i + 1]))
			join_steps(&u->job.steps[i], &u->job.steps[i + 1]);
	add_prefix(&u->job, o);
}

/* What the unit is for, and the step that makes it. */
static size_t find_output(struct file_unit *u, const struct command *c)
{
	size_t at = u->count;
	const char *output = NULL;

	while (at > 0 && !output) {
		at--;
		output = precompiled_of(&c[at]);
		if (!output)
			output = output_of(&c[at]);
	}
	u->output = xstrdup(output ? output : "");
	return at;
}

/*
 * Measured with gcc 12 and clang 14, with an old output in place: both remove
 * it when the step that names it fails, which in a pipe is the first; while an
 * earlier step fails it stays. clang with -save-temps leaves all as it is.
 */
static void find_removed(struct file_unit *u, const struct command *c, size_t at, enum dialect dialect,
			 const struct argv *user_argv)
{
	for (size_t i = 1; i < user_argv->count; i++)
		if (dialect == DIALECT_CLANG &&
		    (str_starts(user_argv->v[i], "-save-temps") || str_starts(user_argv->v[i], "--save-temps")))
			return;
	u->removed = xstrdup(u->output);
	u->removed_from = at > 0 && pipes(&c[at - 1], &c[at]) ? at - 1 : at;
}

/* The first word of the caller's that the first command reads. */
static void find_input(struct file_unit *u, const struct command *c, const struct argv *user_argv)
{
	autoargv struct argv inputs = { 0 };
	size_t i = 0;

	inputs_of(c, &inputs);
	while (i < inputs.count && !argv_has(user_argv, inputs.v[i]))
		i++;
	u->input = xstrdup(i < inputs.count ? inputs.v[i] : "");
}

/* Only preprocesses: nothing comes after it. */
static bool preprocesses(const struct command *c)
{
	return (kind_of(c) == PROGRAM_CC1 || kind_of(c) == PROGRAM_CLANG) && argv_has(&c->argv, "-E");
}

static void check_files(struct verdict *v, const struct file_unit *u, const struct plan_options *o)
{
	if (!*u->input)
		verdict_local(v, REASON_UNUSUAL_PLAN, "the source is not found");
	else if (str_eq(u->input, "-") || str_starts(u->input, "/dev/"))
		verdict_local(v, REASON_INPUT_ODD, u->input);
	if (!*u->output || is_temporary(u->output, o))
		verdict_local(v, REASON_UNUSUAL_PLAN, "no output");
	else if (str_eq(u->output, "-"))
		verdict_local(v, REASON_STDIN_OUTPUT, NULL);
	else if (str_starts(u->output, "/dev/"))
		verdict_local(v, REASON_OUTPUT_ODD, u->output);
}

static void unit_read(struct plan *p, struct file_unit *u, const struct argv *user_argv, const struct plan_options *o)
{
	const struct command *c = &p->commands[u->first];
	size_t at = find_output(u, c);

	find_input(u, c, user_argv);
	if (preprocesses(&c[u->count - 1]))
		verdict_local(&p->files, REASON_NOT_A_COMPILE, NULL);
	for (size_t i = 0; i < u->count; i++) {
		check_words(&p->files, &c[i]);
		check_temporary(&p->files, &c[i], o);
	}
	check_files(&p->files, u, o);
	if (u->count > JOB_STEPS_MAX) {
		verdict_local(&p->files, REASON_UNUSUAL_PLAN, "too many subcommands");
		return;
	}
	find_removed(u, c, at, p->dialect, user_argv);
	make_job(u, c, o);
	plan_files_places(u);
}

void plan_files_make(struct plan *p, const struct argv *user_argv, const struct plan_options *o)
{
	group(p);
	check_lto(&p->files, p, user_argv);
	for (size_t i = 0; i < p->file_unit_count; i++)
		unit_read(p, &p->file_units[i], user_argv, o);
	if (!p->file_unit_count)
		verdict_local(&p->files, REASON_QUERY, NULL);
	if (p->files.reason == REASON_NONE)
		p->files.kind = VERDICT_FILES;
}

void plan_files_free(struct plan *p)
{
	for (size_t i = 0; i < p->file_unit_count; i++) {
		struct file_unit *u = &p->file_units[i];

		free(u->input);
		free(u->output);
		free(u->removed);
		argv_free(&u->writes);
		argv_free(&u->beside);
		argv_free(&u->fills);
		job_free(&u->job);
	}
	free(p->file_units);
}

char *plan_stem(const char *path)
{
	const char *base = path_base(path);

	return xstrndup(base, strcspn(base, "."));
}

/* As a whole word of it: a.o and kmod_a hold a, half does not. */
static bool holds(const char *word, const char *stem)
{
	size_t len = strlen(stem);

	if (!len)
		return false;
	for (const char *s = strstr(word, stem); s; s = strstr(s + 1, stem))
		if ((s == word || !isalnum((unsigned char)s[-1])) && !isalnum((unsigned char)s[len]))
			return true;
	return false;
}

void plan_files_key(const struct file_unit *u, struct buf *out)
{
	autofree char *source = plan_stem(u->input), *output = plan_stem(u->output);

	for (size_t i = 0; i < u->job.step_count; i++) {
		const struct argv *argv = &u->job.steps[i].argv;

		for (size_t j = 0; j < argv->count; j++)
			if (!holds(argv->v[j], source) && !holds(argv->v[j], output)) {
				buf_puts(out, argv->v[j]);
				buf_puts(out, "\n");
			}
	}
}
