/*
 * invoke.c - what was typed, as a pure function of argv.
 *
 * Options of rcc's own are only looked for before the compiler, so none of
 * them can collide with one of the compiler's.
 */
#include "invoke.h"

#include <stdarg.h>
#include <stdio.h>

#include "drivers.h"
#include "request.h"

enum operand { NO_OPERAND, A_DIRECTORY, A_COMMAND };

static const struct option {
	const char *name;
	enum invoke_kind kind;
	enum query_kind query;
	enum operand operand;
	bool json;		/* may be followed by --json */
} options[] = {
	{ "--explain",       .kind = INVOKE_EXPLAIN, .operand = A_COMMAND, .json = true },
	{ "--help",          .kind = INVOKE_HELP },
	{ "--hosts",         .kind = INVOKE_QUERY, .query = QUERY_HOSTS, .json = true },
	{ "--install-links", .kind = INVOKE_LINKS, .operand = A_DIRECTORY },
	{ "--jobs",          .kind = INVOKE_QUERY, .query = QUERY_JOBS, .json = true },
	{ "--stats",         .kind = INVOKE_QUERY, .query = QUERY_STATS, .json = true },
	{ "--stop-agent",    .kind = INVOKE_QUERY, .query = QUERY_STOP },
	{ "--version",       .kind = INVOKE_VERSION },
	{ "--watch",         .kind = INVOKE_QUERY, .query = QUERY_WATCH },
	{ "--zero-stats",    .kind = INVOKE_QUERY, .query = QUERY_ZERO_STATS },
};

static const char *const operand_names[] = { [A_DIRECTORY] = "a directory", [A_COMMAND] = "a compiler command" };

static const struct option *find_option(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (str_eq(word, options[i].name))
			return &options[i];
	return NULL;
}

PRINTF_LIKE(2, 3)
static void wrong(struct invoke *in, const char *fmt, ...)
{
	va_list ap;

	in->kind = INVOKE_WRONG;
	va_start(ap, fmt);
	vsnprintf(in->complaint, sizeof in->complaint, fmt, ap);
	va_end(ap);
}

/* What follows the option o; argv points at it. */
static void read_operand(struct invoke *in, const struct option *o, char **argv)
{
	if (o->operand == A_COMMAND && *argv && **argv != '-') {
		in->words = argv;
		return;
	}
	if (o->operand == A_DIRECTORY && *argv)
		in->dir = *argv++;
	else if (o->operand != NO_OPERAND)
		wrong(in, "%s needs %s (see rcc --help)", o->name, operand_names[o->operand]);
	if (in->kind != INVOKE_WRONG && *argv)
		wrong(in, "%s: unexpected '%.100s' (see rcc --help)", o->name, *argv);
}

static void read_option(struct invoke *in, char **argv)
{
	const struct option *o = find_option(*argv);

	if (!o) {
		wrong(in, "unknown option '%.100s' (see rcc --help)", *argv);
		return;
	}
	in->kind = o->kind;
	in->query = (uint8_t)o->query;
	argv++;
	if (o->json && *argv && str_eq(*argv, "--json")) {
		in->json = true;
		argv++;
	}
	read_operand(in, o, argv);
}

void invoke_read(struct invoke *in, char **argv)
{
	*in = (struct invoke){ .kind = INVOKE_COMMAND };
	if (argv[0] && driver_name(path_base(argv[0]))) {
		in->masquerade = true;
		in->words = argv;
	} else if (!argv[0] || !argv[1]) {
		wrong(in, "usage: rcc COMPILER [ARGUMENT ...] (see rcc --help)");
	} else if (argv[1][0] == '-') {
		read_option(in, argv + 1);
	} else {
		in->words = argv + 1;
	}
}
