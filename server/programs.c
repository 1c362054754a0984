/*
 * programs.c - names of programs, and the links that lead to them.
 */
#include "programs.h"

enum { LINKS_MAX = 40 };

/* GNU names its programs after the target, Debian after the version too: x86_64-linux-gnu-as, clang-14. */
static const struct {
	const char *name;
	bool prefixed, versioned;
} programs[] = {
	{ "cc1", false, false },
	{ "cc1plus", false, false },
	{ "cc1obj", false, false },
	{ "cc1objplus", false, false },
	{ "objcopy", true, false },
	{ "as", true, false },
	{ "clang", false, true },
	{ "clang++", false, true },
};

static bool name_fits(const char *base, const char *name, bool prefixed, bool versioned)
{
	size_t len = strlen(name);

	if (prefixed && strlen(base) > len + 1 && base[strlen(base) - len - 1] == '-')
		base += strlen(base) - len;
	if (!str_starts(base, name))
		return false;
	base += len;
	return !*base || (versioned && *base == '-' && base[1] && strspn(base + 1, "0123456789.") == strlen(base + 1));
}

const char *program_name(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		if (name_fits(path_base(path), programs[i].name, programs[i].prefixed, programs[i].versioned))
			return programs[i].name;
	return NULL;
}

bool program_known(const char *path) { return program_name(path) != NULL; }

bool program_step_known(const struct job_step *step)
{
	const char *first = step->argv.count > 1 ? step->argv.v[1] : "";

	if (!program_known(step->program))
		return false;
	return !str_starts(path_base(step->program), "clang") || str_eq(first, "-cc1") || str_eq(first, "-cc1as");
}

/* path with the link at its first `upto` bytes replaced by where it points. Caller frees. */
static char *through_link(const char *path, size_t upto, const char *target)
{
	size_t dir = upto;

	if (*target == '/')
		return xasprintf("%s%s", target, path + upto);
	while (dir && path[dir - 1] != '/')
		dir--;
	/* Debian's links are of the forms "name", "dir/name" and "../dir/name" */
	while (str_starts(target, "../") && dir > 1) {
		target += 3;
		for (dir--; dir && path[dir - 1] != '/'; dir--)
			;
	}
	return xasprintf("%.*s%s%s", (int)dir, path, target, path + upto);
}

/* The path with its first link followed; NULL when no part of it is a link of the tree. */
static char *follow_one(const struct tree *t, const char *path)
{
	for (size_t i = 1;; i++) {
		autofree char *part = NULL;
		const struct tree_entry *e;

		i += strcspn(path + i, "/");
		part = xstrndup(path, i);
		e = tree_find(t, part);
		if (e && e->type == TREE_LINK)
			return through_link(path, i, e->target);
		if (!path[i])
			return NULL;
	}
}

const struct tree_entry *program_resolve(const struct tree *t, const char *path)
{
	autofree char *at = xstrdup(path);
	const struct tree_entry *e;

	for (int links = 0; links < LINKS_MAX; links++) {
		char *next = *at ? follow_one(t, at) : NULL;

		if (!next)
			break;
		free(at);
		at = next;
	}
	e = tree_find(t, at);
	return e && e->type == TREE_FILE ? e : NULL;
}
