/*
 * main.c - rcc: put in front of a compiler.
 *
 * Find the compiler, see whether a glance at the command settles it, ask the
 * agent otherwise; in all cases but success elsewhere become the compiler.
 * Here and nowhere else is decided to fall back: whatever fails below, the
 * user's build goes on.
 */
#include <stdio.h>

#include "atfile.h"
#include "compiler.h"
#include "dialogue.h"
#include "invoke.h"
#include "links.h"
#include "local.h"
#include "quick.h"
#include "request.h"
#include "show.h"

/* Why the command needs no more than running here; REASON_NONE: it may go elsewhere. */
static enum reason glance(const struct compiler *c, char **words, struct argv *expanded)
{
	struct argv typed = { .v = words };
	const struct argv *all = &typed;
	enum reason why;

	if (!c->program.driver)
		return REASON_NOT_A_DRIVER;
	why = atfile_expand(words, expanded);
	if (why != REASON_NONE)
		return why;
	while (words[typed.count])
		typed.count++;
	if (expanded->count)
		all = expanded;
	why = quick_by_words(all);
	if (why == REASON_QUERY)
		return why;
	if (quick_by_environment() != REASON_NONE)
		return quick_by_environment();
	return why != REASON_NONE ? why : quick_by_files(all);
}

/* Is it over at once, or was never ours to count? */
static bool takes_no_slot(enum reason why)
{
	return why == REASON_QUERY || why == REASON_NOT_A_DRIVER;
}

static int without_agent(const struct invoke *in, const struct dialogue_command *command, int spool,
			 const struct err *err)
{
	if (in->kind != INVOKE_EXPLAIN)
		return local_exec(command->compiler, command->words, spool);
	if (command->quick != REASON_NONE)
		return show_verdict(command->quick, in->json);
	fprintf(stderr, "rcc: %s\n", err->text);
	return EXIT_RCC_INTERNAL;
}

static int run(const struct invoke *in, const struct compiler *c)
{
	autoargv struct argv expanded = { 0 };
	struct dialogue_command command = { .compiler = c, .words = in->words, .expanded = &expanded };
	struct err err = { 0 };
	int status = 0, spool = -1;

	command.quick = glance(c, in->words, &expanded);
	if (in->kind == INVOKE_EXPLAIN)
		command.explain = in->json ? 2 : 1;
	else if (takes_no_slot(command.quick))
		return local_exec(c, in->words, -1);
	switch (dialogue_run(&command, &status, &spool, &err)) {
	case DIALOGUE_EXIT:
		return status;
	case DIALOGUE_LOCAL:
		return local_exec(c, in->words, spool);
	case DIALOGUE_NO_AGENT:
		break;
	}
	return without_agent(in, &command, spool, &err);
}

static int command(const struct invoke *in)
{
	struct compiler c;
	struct err err = { 0 };
	int status = compiler_find(&c, in->words[0], in->masquerade, &err);

	if (status)
		fprintf(stderr, "rcc: %s\n", err.text);
	else
		status = run(in, &c);
	compiler_free(&c);
	return status;
}

static int act(const struct invoke *in)
{
	switch (in->kind) {
	case INVOKE_COMMAND:
	case INVOKE_EXPLAIN:	return command(in);
	case INVOKE_QUERY:	return show_query(in);
	case INVOKE_LINKS:	return links_install(in->dir);
	case INVOKE_HELP:	return show_help();
	case INVOKE_VERSION:	return show_version();
	case INVOKE_WRONG:	break;
	}
	return show_wrong(in);
}

int main(int argc UNUSED, char **argv)
{
	struct invoke in;

	invoke_read(&in, argv);
	/* rcc rcc gcc ... */
	while (in.kind == INVOKE_COMMAND && !in.masquerade && compiler_word_is_rcc(in.words[0]))
		invoke_read(&in, in.words);
	return show_end(act(&in));
}
