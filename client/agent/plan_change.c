/*
 * plan_change.c - where a command in file mode may write.
 *
 * A volunteer is believed what an output holds, not where it is: that the
 * command says, by options that name an output, or that gcc makes of the
 * names it is given, with endings of its own. Nothing else in it counts: the
 * names of headers and directories are there to be read.
 */
#include "plan_files.h"

#include <ctype.h>

#include "fact.h"
#include "forecast.h"

/* Options that name what they write: the next word, or what follows the `=`. */
static const struct {
	const char *name;
	bool joined;	/* more may stand before the `=` */
} writers[] = {
	{ "--MD", false },
	{ "--output-pch", true },
	{ "-MD", false },
	{ "-MF", false },
	{ "-MMD", false },
	{ "-a", true },
	{ "-aux-info", true },
	{ "-coverage-notes-file", true },
	{ "-dependency-dot", false },
	{ "-dependency-file", false },
	{ "-fdump-", true },
	{ "-fmodule-output", true },
	{ "-fopt-info", true },
	{ "-fprofile-note", true },
	{ "-fthin-link-bitcode", true },
	{ "-o", false },
	{ "-opt-record-file", true },
	{ "-serialize-diagnostic-file", false },
	{ "-split-dwarf-output", false },
	{ "-stack-usage-file", true },
};

/*
 * How the names end that gcc makes up; dumps have a number too (a.c.252t.optimized). Objects and dependencies may be
 * written through a link of another name.
 */
static const char *const endings[] = {
	".ci", ".d", ".dot", ".dwo", ".gcc.json", ".gcno", ".gkd", ".json.gz", ".o", ".sarif", ".su",
};

/* gcc's modules are in one directory, clang's where it is told. */
#define GCC_MODULES "gcm.cache"
static const char clang_modules[] = "-fmodules-cache-path=";

static void push_new(struct argv *a, const char *s)
{
	if (*s && !str_starts(s, JOB_SCRATCH "/") && !argv_has(a, s))
		argv_push(a, s);
}

static void find_written(struct argv *out, const struct argv *argv, size_t at)
{
	const char *word = argv->v[at], *next = argv->v[at + 1], *value = strchr(word, '=');

	if (word[0] != '-')
		return;
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		size_t len;

		if (word[1] != writers[i].name[1] || !str_starts(word, writers[i].name))
			continue;
		len = strlen(writers[i].name);
		if (writers[i].joined && value && value[1])
			push_new(out, value + 1);
		else if (next && (!word[len] || (writers[i].joined && str_eq(word + len, "="))))
			push_new(out, next);
	}
}

/* objcopy changes what it is given. */
static void find_operands(struct argv *out, const struct argv *argv)
{
	for (size_t i = 1; i < argv->count; i++)
		if (argv->v[i][0] != '-')
			push_new(out, argv->v[i]);
}

static void find_directories(struct argv *out, const char *word)
{
	if (str_eq(word, "-fmodules") || str_eq(word, "-fmodules-ts"))
		push_new(out, GCC_MODULES);
	if (str_starts(word, clang_modules))
		push_new(out, word + strlen(clang_modules));
}

static void push_stem(struct argv *stems, const char *path)
{
	autofree char *stem = plan_stem(path);

	push_new(stems, stem);
}

/* The directory with its slash; "" for that of the job. */
static void push_directory(struct argv *places, const char *path)
{
	autofree char *dir = xstrndup(path, (size_t)(path_base(path) - path));

	if (!argv_has(places, dir))
		argv_push(places, dir);
}

/* gcc names side files PLACE STEM, either may be told. */
static void find_beside(struct argv *beside, const struct file_unit *u)
{
	autoargv struct argv stems = { 0 }, places = { 0 };

	argv_push(&places, "");
	push_directory(&places, u->input);
	push_directory(&places, u->output);
	push_stem(&stems, u->input);
	push_stem(&stems, u->output);
	for (size_t i = 0; i < u->job.step_count; i++) {
		const struct argv *argv = &u->job.steps[i].argv;

		for (size_t j = 1; j + 1 < argv->count; j++) {
			if (str_eq(argv->v[j], "-dumpbase") || str_starts(argv->v[j], "-auxbase"))
				push_stem(&stems, argv->v[j + 1]);
			if (str_eq(argv->v[j], "-dumpdir"))
				push_new(&places, argv->v[j + 1]);
		}
	}
	for (size_t i = 0; i < places.count; i++)
		for (size_t j = 0; j < stems.count; j++)
			argv_pushf(beside, "%s%s", places.v[i], stems.v[j]);
}

void plan_files_places(struct file_unit *u)
{
	for (size_t i = 0; i < u->job.step_count; i++) {
		const struct argv *argv = &u->job.steps[i].argv;

		if (str_eq(path_base(u->job.steps[i].program), "objcopy"))
			find_operands(&u->writes, argv);
		for (size_t j = 1; j < argv->count; j++) {
			find_written(&u->writes, argv, j);
			find_directories(&u->fills, argv->v[j]);
		}
	}
	find_beside(&u->beside, u);
}

/* Does name, in cwd, mean path? The last part settles most. */
static bool means(const char *cwd, const char *name, const char *path)
{
	autofree char *settled = NULL;

	if (!str_eq(path_base(name), path_base(path)))
		return false;
	settled = path_settle(cwd, name);
	return settled && str_eq(settled, path);
}

/* .252t. or .001l. : the number of the pass and what it works on. */
static bool is_dump(const char *rest)
{
	for (const char *s = strchr(rest, '.'); s; s = strchr(s + 1, '.'))
		if (isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2]) && isdigit((unsigned char)s[3]) &&
		    islower((unsigned char)s[4]) && s[5] == '.')
			return true;
	return false;
}

static bool made_up(const char *base)
{
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (str_ends(base, endings[i]))
			return true;
	return is_dump(base);
}

static bool is_beside(const char *cwd, const char *start, const char *path)
{
	autofree char *settled = path_settle(cwd, start);
	size_t len = settled ? strlen(settled) : 0;

	return len && strncmp(path, settled, len) == 0 && path[len] == '.' && !strchr(path + len, '/');
}

static bool is_within(const char *cwd, const char *dir, const char *path)
{
	autofree char *settled = path_settle(cwd, dir);

	return settled && !str_eq(settled, "/") && (str_eq(settled, path) || path_below(path, settled));
}

bool plan_may_fill(const struct file_unit *u, const char *cwd, const char *path)
{
	for (size_t i = 0; i < u->fills.count; i++)
		if (is_within(cwd, u->fills.v[i], path))
			return true;
	return false;
}

bool plan_may_change(const struct file_unit *u, const char *cwd, const char *path)
{
	if (!path_canonical(path) || str_eq(path, "/") || means(cwd, u->input, path))
		return false;
	for (size_t i = 0; i < u->writes.count; i++)
		if (means(cwd, u->writes.v[i], path))
			return true;
	if (plan_may_fill(u, cwd, path))
		return true;
	for (size_t i = 0; i < u->beside.count && made_up(path_base(path)); i++)
		if (is_beside(cwd, u->beside.v[i], path))
			return true;
	return false;
}
