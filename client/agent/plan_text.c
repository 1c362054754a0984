/*
 * plan_text.c - one compile as two halves: its preprocessor here, the rest
 * of it there.
 *
 * Both halves are the caller's own subcommand, with as little added and
 * taken away as can be. Measured with gcc 12 and clang 14 over real and
 * contrived sources: without debug information both ways give the object
 * that the whole command gives. What the rules below rest on:
 *
 * - gcc: the text goes to stdin; its line markers carry the source's name,
 *   so neither symbols nor STT_FILE see the difference. -dumpbase and its
 *   kin name side files only.
 * - clang: the name of the file it opens is in _GLOBAL__sub_I_NAME, so the
 *   text is put into a file of that name; only the last part counts. Its
 *   rewritten text does not hold the definitions of the command line.
 * - plain -E marks what a system macro expands to as the system's text, so
 *   the compiler stays silent where it would warn (int x = NULL;), and it
 *   moves columns, which sanitizers store: it is tried only under -w and
 *   without them.
 */
#include "plan_text.h"

#define OBJECT_NAME "out.o"
#define ASSEMBLY_NAME "out.s"

static void push_use(struct argv *out, const struct command *c, const struct arg_use *use)
{
	for (size_t i = 0; i < use->count; i++)
		argv_push(out, c->argv.v[use->at + i]);
}

/*
 * Every argument that has none of these flags, as it was and in its order.
 * Returns where the dependency file is named by a word of its own; 0: nowhere.
 */
static size_t push_without(struct argv *out, const struct command *c, const struct arg_uses *uses, unsigned flags)
{
	size_t dependencies_at = 0;

	for (size_t i = 0; i < uses->count; i++) {
		const struct arg_use *use = &uses->v[i];

		if (use->row->flags & flags)
			continue;
		push_use(out, c, use);
		if (use->row->flags & ARG_DEPENDENCIES)
			dependencies_at = use->count == 2 ? out->count - 1 : 0;
	}
	return dependencies_at;
}

static struct job_step *add_step(struct job *j, const struct command *c)
{
	struct job_step *s = &j->steps[j->step_count++];

	s->program = xstrdup(c->program);
	argv_push(&s->argv, c->argv.v[0]);
	return s;
}

/*
 * -fpch-preprocess: a precompiled header is then named in the text, where
 * text_scan() finds it, instead of being passed over.
 */
static size_t gcc_preprocess(struct argv *out, const struct command *cc, const struct arg_uses *uses, bool plain)
{
	size_t dependencies_at;

	argv_push(out, cc->argv.v[0]);
	argv_push(out, "-E");
	dependencies_at = push_without(out, cc, uses, ARG_OUTPUT | ARG_THERE);
	argv_push(out, "-fpch-preprocess");
	if (!plain)
		argv_push(out, "-fdirectives-only");
	return dependencies_at;
}

static void gcc_job(struct job *j, const struct command *cc, const struct arg_uses *uses, bool plain)
{
	struct job_step *s = add_step(j, cc);

	argv_push(&s->argv, "-fpreprocessed");
	if (!plain)
		argv_push(&s->argv, "-fdirectives-only");
	push_without(&s->argv, cc, uses, ARG_HERE | ARG_INPUT | ARG_OUTPUT);
	argv_push(&s->argv, "-");
	argv_push(&s->argv, "-o");
	argv_push(&s->argv, ASSEMBLY_NAME);
	s->stdin_input = true;
	j->input_name = xstrdup("");
}

static size_t clang_preprocess(struct argv *out, const struct command *cc, const struct arg_uses *uses, bool plain)
{
	size_t dependencies_at;

	argv_push(out, cc->argv.v[0]);
	argv_push(out, "-cc1");
	argv_push(out, "-E");
	if (!plain)
		argv_push(out, "-frewrite-includes");
	dependencies_at = push_without(out, cc, uses, ARG_ACTION | ARG_OUTPUT | ARG_THERE | ARG_LANGUAGE | ARG_INPUT);
	argv_push(out, "-o");
	argv_push(out, "-");
	argv_push(out, "-x");
	argv_push(out, arg_value(uses, ARG_LANGUAGE));
	argv_push(out, arg_value(uses, ARG_INPUT));
	return dependencies_at;
}

static const char *preprocessed_language(const char *language)
{
	return str_eq(language, "c") ? "cpp-output" : "c++-cpp-output";
}

static void clang_job(struct job *j, const struct command *cc, const struct arg_uses *uses, bool plain,
		      const char *result)
{
	struct job_step *s = add_step(j, cc);
	const char *input = arg_value(uses, ARG_INPUT);
	const char *language = arg_value(uses, ARG_LANGUAGE);

	argv_push(&s->argv, "-cc1");
	push_without(&s->argv, cc, uses, ARG_HERE | ARG_INPUT | ARG_OUTPUT | (plain ? ARG_MACRO : 0));
	argv_push(&s->argv, "-o");
	argv_push(&s->argv, result);
	argv_push(&s->argv, "-x");
	argv_push(&s->argv, plain ? preprocessed_language(language) : language);
	s->stdin_input = str_eq(input, "-");
	j->input_name = xstrdup(s->stdin_input ? "" : path_base(input));
	if (s->stdin_input)
		argv_push(&s->argv, "-");
	else
		argv_pushf(&s->argv, "./%s", j->input_name);
}

static void add_assembler(struct job *j, const struct command *as, const struct arg_uses *uses)
{
	struct job_step *s = add_step(j, as);

	push_without(&s->argv, as, uses, ARG_HERE | ARG_INPUT | ARG_OUTPUT);
	argv_push(&s->argv, "-o");
	argv_push(&s->argv, OBJECT_NAME);
	argv_push(&s->argv, ASSEMBLY_NAME);
}

static const char *compiler_result(bool clang, const struct arg_uses *cc, bool assembled)
{
	bool assembly = !clang || assembled;

	for (size_t i = 0; i < cc->count; i++)
		if (cc->v[i].row->flags & ARG_ACTION)
			assembly |= cc->v[i].row->name[1] == 'S';
	return assembly ? ASSEMBLY_NAME : OBJECT_NAME;
}

void plan_text_mode(struct unit *u, bool clang, const struct command *cc, const struct arg_uses *cc_uses,
		    const struct command *as, const struct arg_uses *as_uses)
{
	const char *compiled = compiler_result(clang, cc_uses, as != NULL);
	/* expanded text keeps neither every warning nor every column */
	int ways = arg_count(cc_uses, ARG_NO_WARNINGS) && !arg_count(cc_uses, ARG_SANITIZE) ? 2 : 1;

	u->result_name = xstrdup(as ? OBJECT_NAME : compiled);
	for (int plain = 0; plain < ways; plain++) {
		struct argv *preprocess = plain ? &u->preprocess_plain : &u->preprocess;
		struct job *job = plain ? &u->job_plain : &u->job;

		u->dependencies_at[plain] = clang ? clang_preprocess(preprocess, cc, cc_uses, plain)
						  : gcc_preprocess(preprocess, cc, cc_uses, plain);
		if (clang)
			clang_job(job, cc, cc_uses, plain, compiled);
		else
			gcc_job(job, cc, cc_uses, plain);
		if (as)
			add_assembler(job, as, as_uses);
		argv_push(&job->outputs, u->result_name);
	}
}
