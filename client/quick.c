/*
 * quick.c - what can be settled by a look at the command line, as a table.
 */
#include "quick.h"

#include <sys/resource.h>
#include <sys/stat.h>

#define QUERIES .reason = REASON_QUERY
#define NO_COMPILE .reason = REASON_NOT_A_COMPILE
#define SPEAKS .reason = REASON_DRIVER_SPEAKS
#define REPORTS .reason = REASON_DIAGNOSTICS
#define WRITES .reason = REASON_SIDE_OUTPUT

const struct quick_word quick_words[] = {
	{ .name = "-###", QUERIES },
	{ .name = "--analyze", NO_COMPILE },
	{ .name = "--assemble", .compiles = true },
	{ .name = "--compile", .compiles = true },
	{ .name = "--dependencies", NO_COMPILE },
	{ .name = "--help", .prefix = true, QUERIES },
	{ .name = "--precompile", .compiles = true },
	{ .name = "--preprocess", NO_COMPILE },
	{ .name = "--print-", .prefix = true, QUERIES },
	{ .name = "--target-help", QUERIES },
	{ .name = "--trace-includes", REPORTS },
	{ .name = "--user-dependencies", NO_COMPILE },
	{ .name = "--verbose", SPEAKS },
	{ .name = "--version", QUERIES },
	{ .name = "-E", NO_COMPILE },
	{ .name = "-H", REPORTS },
	{ .name = "-M", NO_COMPILE },
	{ .name = "-MJ", .prefix = true, WRITES },	/* clang's driver writes it, even with -### */
	{ .name = "-MM", NO_COMPILE },
	{ .name = "-Q", REPORTS },
	{ .name = "-S", .compiles = true },
	{ .name = "-c", .compiles = true },
	{ .name = "-ccc-print-", .prefix = true, QUERIES },
	{ .name = "-dumpfullversion", QUERIES },
	{ .name = "-dumpmachine", QUERIES },
	{ .name = "-dumpspecs", QUERIES },
	{ .name = "-dumpversion", QUERIES },
	{ .name = "-fdriver-only", NO_COMPILE },
	{ .name = "-fmem-report", .prefix = true, REPORTS },
	{ .name = "-fproc-stat-report", .prefix = true, SPEAKS },
	{ .name = "-fsyntax-only", NO_COMPILE },
	{ .name = "-ftime-report", .prefix = true, REPORTS },
	{ .name = "-ftime-trace", .prefix = true, WRITES },
	{ .name = "-gen-cdb-fragment-path", WRITES },
	{ .name = "-help", QUERIES },
	{ .name = "-print-", .prefix = true, QUERIES },
	{ .name = "-time", .prefix = true, SPEAKS },
	{ .name = "-v", SPEAKS },
	{ .name = "-wrapper", .reason = REASON_UNUSUAL_PLAN },
	{ .name = "-xc++-header", .compiles = true },
	{ .name = "-xc-header", .compiles = true },
};
const size_t quick_word_count = ARRAY_LEN(quick_words);

static bool fits(const struct quick_word *row, const char *word)
{
	return row->prefix ? str_starts(word, row->name) : str_eq(word, row->name);
}

/* The longest row that fits: the last one not above word, or one before it that begins alike. */
static const struct quick_word *find_row(const char *word)
{
	size_t low = 0, high = quick_word_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(quick_words[middle].name, word) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low > 0 && strncmp(quick_words[low - 1].name, word, 2) == 0; low--)
		if (fits(&quick_words[low - 1], word))
			return &quick_words[low - 1];
	return NULL;
}

/* What settles a command first when several words do. */
static int weight(enum reason reason)
{
	return reason == REASON_QUERY ? 3 : reason == REASON_NOT_A_COMPILE ? 2 : reason != REASON_NONE;
}

/* A header by its name, or the language of one, behind -x: without -c and -S it is precompiled. */
static bool is_header(const char *word)
{
	static const char *const endings[] = {
		"-header", ".H", ".h", ".h++", ".hh", ".hp", ".hpp", ".hxx", ".tcc",
	};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (str_ends(word, endings[i]))
			return true;
	return false;
}

enum reason quick_by_words(const struct argv *argv)
{
	enum reason reason = REASON_NONE;
	bool compiles = false, input = false;

	for (size_t i = 1; i < argv->count; i++) {
		const char *word = argv->v[i];
		const struct quick_word *row;

		if (word[0] != '-' || !word[1]) {
			input = true;
			compiles |= is_header(word) && !str_eq(argv->v[i - 1], "-include");
			continue;
		}
		row = find_row(word);
		if (!row)
			continue;
		compiles |= row->compiles;
		if (weight(row->reason) > weight(reason))
			reason = row->reason;
	}
	if (!input)
		return REASON_QUERY;
	return !compiles && reason != REASON_QUERY ? REASON_NOT_A_COMPILE : reason;
}

/* A file of this name depends on who opens it. */
static bool names_descriptor(const char *word)
{
	return strstr(word, "/dev/fd/") || strstr(word, "/dev/std") || strstr(word, "/proc/self/");
}

/* The file that a word names, if it may be one; NULL if not. */
static const char *named_file(const char *word)
{
	static const char *const joined[] = { "-include", "-imacros" };

	if (word[0] != '-')
		return word;
	for (size_t i = 0; i < ARRAY_LEN(joined); i++)
		if (str_starts(word, joined[i]))
			return word + strlen(joined[i]);
	return NULL;
}

enum reason quick_by_files(const struct argv *argv)
{
	struct stat st;

	for (size_t i = 1; i < argv->count; i++) {
		const char *word = argv->v[i], *file = named_file(word);

		if (names_descriptor(word))
			return REASON_INPUT_ODD;
		if (!file || !*file || str_eq(argv->v[i - 1], "-o"))	/* an output has its own rules */
			continue;
		if (stat(file, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			return REASON_INPUT_ODD;
	}
	return REASON_NONE;
}

enum reason quick_by_environment(void)
{
	const char *mode = getenv("RCC_MODE"), *preload = getenv("LD_PRELOAD"), *audit = getenv("LD_AUDIT");
	struct rlimit files;

	if (mode && str_eq(mode, "local"))
		return REASON_MODE_LOCAL;
	/* the compiler would die of it where the agent does not */
	if (getrlimit(RLIMIT_FSIZE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
		return REASON_ENVIRONMENT;
	return (preload && *preload) || (audit && *audit) ? REASON_ENVIRONMENT : REASON_NONE;
}
