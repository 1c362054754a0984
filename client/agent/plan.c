/*
 * plan.c - which subcommands belong together, and whether they may go.
 *
 * The driver has said what it would run. Commands are known by name, their
 * chain by the file that one writes and the next reads, their options by
 * table. Whatever falls out of these three makes the whole command local.
 */
#include "plan.h"
#include "plan_args.h"
#include "plan_files.h"
#include "plan_parse.h"
#include "plan_program.h"
#include "plan_text.h"
#include "source_doubts.h"

/* Options that make the driver itself act or speak, whatever its subcommands do. */
static const struct {
	const char *name;
	bool joined;
	enum reason reason;
	bool with_files;	/* in file mode it does not matter */
} driver_acts[] = {
	{ "--save-temps", true, REASON_SIDE_OUTPUT, true },
	{ "--time", true, REASON_DRIVER_SPEAKS },
	{ "--verbose", false, REASON_DRIVER_SPEAKS },
	{ "-###", false, REASON_QUERY },
	{ "-MJ", true, REASON_SIDE_OUTPUT },
	{ "-Q", false, REASON_DIAGNOSTICS },
	{ "-ccc-", true, REASON_QUERY },
	{ "-fcompare-debug", true, REASON_UNUSUAL_PLAN },
	{ "-fproc-stat-report", true, REASON_DRIVER_SPEAKS },
	{ "-gen-cdb-fragment-path", true, REASON_SIDE_OUTPUT },
	{ "-gen-reproducer", true, REASON_SIDE_OUTPUT },
	{ "-no-integrated-cpp", false, REASON_UNUSUAL_PLAN, true },
	{ "-save-temps", true, REASON_SIDE_OUTPUT, true },
	{ "-time", true, REASON_DRIVER_SPEAKS },
	{ "-v", false, REASON_DRIVER_SPEAKS },
	{ "-wrapper", true, REASON_UNUSUAL_PLAN },
};

/* Options of LLVM's own that only steer it. */
static const char *const llvm_options[] = {
	"-treat-scalable-fixed-error-as-warning",
};

static void check_driver(struct verdict *v, const struct argv *user_argv, bool with_files)
{
	for (size_t i = 1; i < user_argv->count; i++) {
		const char *s = user_argv->v[i];

		/* -### prints it as it is: the rest would look like another line. */
		if (strchr(s, '\n'))
			verdict_local(v, REASON_UNUSUAL_PLAN, "a newline in an argument");
		for (size_t j = 0; j < ARRAY_LEN(driver_acts); j++)
			if (!(with_files && driver_acts[j].with_files) &&
			    (driver_acts[j].joined ? str_starts : str_eq)(s, driver_acts[j].name))
				verdict_local(v, driver_acts[j].reason, s);
	}
}

static void check_env(struct verdict *v, const struct argv *env)
{
	for (size_t i = 0; env && i < env->count; i++) {
		autofree char *name = xstrndup(env->v[i], strcspn(env->v[i], "="));

		if (plan_env_forbids(name))
			verdict_local(v, REASON_ENVIRONMENT, name);
	}
}

static bool is_compiler(enum program p)
{
	return p == PROGRAM_CC1 || p == PROGRAM_CLANG;
}

/* The commands as units; what is no unit goes into v. */
static void group(struct plan *p, struct verdict *v)
{
	p->units = xcalloc(p->command_count + 1, sizeof *p->units);
	for (size_t i = 0; i < p->command_count;) {
		enum reason reason, next;
		enum program program = program_of(&p->commands[i], &reason);
		struct unit *u;

		if (!is_compiler(program) || reason != REASON_NONE) {
			/* An assembler with no compiler before it. */
			if (program == PROGRAM_AS)
				reason = REASON_ASSEMBLER_SOURCE;
			verdict_local(v, reason, path_base(p->commands[i++].program));
			continue;
		}
		u = &p->units[p->unit_count++];
		u->first = i++;
		u->count = 1;
		if (i < p->command_count && program_of(&p->commands[i], &next) == PROGRAM_AS) {
			u->count = 2;
			i++;
		}
	}
}

/* A name that the driver made up: the file is gone when it is done. */
static bool is_temporary(const char *name, const struct plan_options *o)
{
	size_t len = o->temp_dir ? strlen(o->temp_dir) : 0;

	return !o->temp_dir || (str_starts(name, o->temp_dir) && name[len] == '/');
}

/* The assembler reads just what the compiler wrote, by a temporary file or by a pipe. */
static void check_chain(struct unit *u, const struct arg_uses *cc, const struct arg_uses *as,
			const struct plan_options *o)
{
	const char *between = arg_value(cc, ARG_OUTPUT);
	const char *read = arg_value(as, ARG_INPUT);

	if (!between || arg_count(as, ARG_INPUT) > 1)
		verdict_local(&u->verdict, REASON_UNUSUAL_PLAN, "assembler");
	else if (!read && !str_eq(between, "-"))
		verdict_local(&u->verdict, REASON_UNUSUAL_PLAN, "assembler without input");
	else if (read && !str_eq(read, between))
		verdict_local(&u->verdict, REASON_UNUSUAL_PLAN, read);
	else if (read && !is_temporary(between, o))
		verdict_local(&u->verdict, REASON_SIDE_OUTPUT, between);
}

static void check_language(struct unit *u, const struct command *c, const struct arg_uses *cc, bool clang)
{
	const char *language = arg_value(cc, ARG_LANGUAGE);

	if (clang && !language)
		verdict_local(&u->verdict, REASON_UNUSUAL_PLAN, "no language");
	else if (clang ? str_eq(language, "assembler-with-cpp") : argv_has(&c->argv, "-lang-asm"))
		verdict_local(&u->verdict, REASON_ASSEMBLER_SOURCE, NULL);
	else if (clang && !str_eq(language, "c") && !str_eq(language, "c++"))
		verdict_local(&u->verdict, REASON_LANGUAGE, language);
}

static void check_llvm(struct unit *u, const struct arg_uses *cc)
{
	for (size_t i = 0; i < cc->count; i++) {
		bool known = !(cc->v[i].row->flags & ARG_LLVM);

		for (size_t j = 0; j < ARRAY_LEN(llvm_options); j++)
			known |= str_eq(cc->v[i].value, llvm_options[j]);
		if (!known)
			verdict_local(&u->verdict, REASON_UNKNOWN_OPTION, cc->v[i].value);
	}
}

static void check_files(struct unit *u, const struct arg_uses *cc, const struct plan_options *o)
{
	if (arg_count(cc, ARG_INPUT) != 1)
		verdict_local(&u->verdict, REASON_UNUSUAL_PLAN, "not just one input");
	else if (!u->output)
		verdict_local(&u->verdict, REASON_UNUSUAL_PLAN, "no output");
	else if (str_eq(u->output, "-"))
		verdict_local(&u->verdict, REASON_STDIN_OUTPUT, NULL);
	else if (o->temp_dir && is_temporary(u->output, o))
		verdict_local(&u->verdict, REASON_UNUSUAL_PLAN, "the output is temporary");
}

/* What in the sources would be lost on the way, given how the compiler is told to warn. */
static void set_doubts(struct unit *u, const struct arg_uses *cc, bool clang)
{
	bool silent = arg_count(cc, ARG_NO_WARNINGS);

	if (clang)
		u->doubts = silent ? 0 : DOUBT_EMPTY;
	else
		u->doubts = DOUBT_PRAGMA | DOUBT_LEXICAL | (arg_count(cc, ARG_INDENT) && !silent ? DOUBT_INDENT : 0);
	u->system_doubts = arg_count(cc, ARG_SYSTEM) ? u->doubts : u->doubts & DOUBT_PRAGMA;
}

/* Fills in what the commands of one unit say; text mode is made ready where it may be used. */
static void unit_read(const struct plan *p, struct unit *u, const struct plan_options *o)
{
	const struct command *c = &p->commands[u->first];
	enum reason ignored;
	bool clang = program_of(c, &ignored) == PROGRAM_CLANG;
	struct verdict rows = { 0 };
	autouses struct arg_uses cc = { 0 }, as = { 0 };
	const char *output;

	arg_uses_read(&cc, clang ? &clang_args : &cc1_args, &c->argv, clang ? 2 : 1, &rows);
	check_language(u, c, &cc, clang);
	if (u->count == 2)
		arg_uses_read(&as, &as_args, &c[1].argv, 1, &rows);
	if (u->verdict.reason == REASON_NONE)
		u->verdict = rows;
	output = arg_value(u->count == 2 ? &as : &cc, ARG_OUTPUT);
	u->input = xstrdup(arg_count(&cc, ARG_INPUT) ? arg_value(&cc, ARG_INPUT) : "");
	u->output = output ? xstrdup(output) : NULL;
	u->output_kind = clang || u->count == 2 ? OUTPUT_REPLACE : OUTPUT_THROUGH;
	check_llvm(u, &cc);
	check_files(u, &cc, o);
	if (u->count == 2)
		check_chain(u, &cc, &as, o);
	if ((arg_debug(&cc) || arg_debug(&as)) && !o->force_text)
		verdict_local(&u->verdict, REASON_DEBUG_INFO, "-g");
	if (u->verdict.reason != REASON_NONE)
		return;
	u->verdict.kind = VERDICT_TEXT;
	set_doubts(u, &cc, clang);
	plan_text_mode(u, clang, c, &cc, u->count == 2 ? &c[1] : NULL, &as);
}

/* One unit that must stay keeps all of them: the driver then runs the whole command as it is. */
static void settle(struct plan *p)
{
	for (size_t i = 0; i < p->unit_count; i++)
		if (p->units[i].verdict.reason != REASON_NONE)
			verdict_local(&p->verdict, p->units[i].verdict.reason, p->units[i].verdict.detail);
	if (p->verdict.reason == REASON_NONE && !p->unit_count)
		verdict_local(&p->verdict, REASON_QUERY, NULL);
	if (p->verdict.reason == REASON_NONE)
		p->verdict.kind = VERDICT_TEXT;
	for (size_t i = 0; i < p->unit_count && p->verdict.kind == VERDICT_LOCAL; i++) {
		p->units[i].verdict.kind = VERDICT_LOCAL;
		verdict_local(&p->units[i].verdict, p->verdict.reason, p->verdict.detail);
	}
}

int plan_make(enum dialect dialect, const struct argv *user_argv, const char *text,
	      const struct plan_options *options, struct plan **out, struct err *err UNUSED)
{
	struct plan *p = xcalloc(1, sizeof *p);
	struct plan_text t = { 0 };

	plan_text_parse(&t, text);
	p->dialect = dialect;
	p->commands = t.commands;
	p->command_count = t.count;
	check_driver(&p->verdict, user_argv, false);
	verdict_local(&p->verdict, t.verdict.reason, t.verdict.detail);
	check_env(&p->verdict, options->env);
	check_driver(&p->files, user_argv, true);
	verdict_local(&p->files, t.verdict.reason, t.verdict.detail);
	check_env(&p->files, options->env);
	plan_files_make(p, user_argv, options);
	group(p, &p->verdict);
	for (size_t i = 0; i < p->unit_count; i++)
		unit_read(p, &p->units[i], options);
	settle(p);
	*out = p;
	return 0;
}

static void unit_free(struct unit *u)
{
	free(u->input);
	free(u->output);
	free(u->result_name);
	argv_free(&u->preprocess);
	argv_free(&u->preprocess_plain);
	job_free(&u->job);
	job_free(&u->job_plain);
}

void plan_share(struct plan *p) { p->shares++; }

void plan_free(struct plan *p)
{
	if (!p || p->shares--)
		return;
	for (size_t i = 0; i < p->unit_count; i++)
		unit_free(&p->units[i]);
	for (size_t i = 0; i < p->command_count; i++) {
		free(p->commands[i].program);
		argv_free(&p->commands[i].argv);
	}
	plan_files_free(p);
	free(p->units);
	free(p->commands);
	free(p);
}
