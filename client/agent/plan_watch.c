/*
 * plan_watch.c - read from an answer where the driver has looked.
 *
 * clang shows where it found the C library, its own headers and gcc's. gcc
 * (12.2, by strace) looks for cc1, `as` and a file `specs` in the directories
 * that it prints as COMPILER_PATH and LIBRARY_PATH, which are those that
 * exist, in those of the target four steps above cc1, and in those that the
 * caller's variables name. A file that appears in a directory changes its
 * times, a directory that appears those of the one above; so each is watched
 * with all on the way to it, also while it is not there.
 */
#include "plan_watch.h"

#include "environment.h"

/* A path and each directory on the way to it, that before a `..` too. */
static void add_directories(struct argv *out, const char *path)
{
	autofree char *dir = xstrdup(path);

	for (char *slash; *dir == '/' && dir[1];) {
		if (!argv_has(out, dir))
			argv_push(out, dir);
		slash = strrchr(dir, '/');
		*slash = '\0';
		if (slash == dir)
			return;
	}
}

/* Up to the end of the line. False: one is relative; so is an empty one. */
static bool add_list(struct argv *out, const char *list)
{
	for (;; list++) {
		size_t n = strcspn(list, ":\n");
		autofree char *dir = xstrndup(list, n);

		if (*dir != '/')
			return false;
		if (dir[n - 1] == '/')
			dir[n - 1] = '\0';
		add_directories(out, dir);
		list += n;
		if (*list != ':')
			return true;
	}
}

static const char *find_line(const char *text, const char *start)
{
	while (text && !str_starts(text, start)) {
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return text;
}

/* DIR/TARGET/VERSION/cc1: the target's own directories. */
static bool add_target(struct argv *out, const char *cc1)
{
	autofree char *dir = xstrndup(cc1, (size_t)(path_base(cc1) - cc1)), *above = NULL;
	char *version, *target;

	if (*cc1 != '/' || !str_starts(path_base(cc1), "cc1"))
		return false;
	dir[strlen(dir) - 1] = '\0';
	version = strrchr(dir, '/');
	if (!version)
		return false;
	above = xstrndup(dir, (size_t)(version - dir));
	target = strrchr(above, '/');
	if (!target)
		return false;
	for (int i = 0; i < 2; i++) {
		autofree char *path = xasprintf("%s/../../../../%s/%s", dir, target + 1, i ? "lib" : "bin");

		add_directories(out, path);
	}
	return true;
}

static bool add_gcc(struct argv *out, const struct plan *p, const char *text)
{
	static const char *const lists[] = { "COMPILER_PATH=", "LIBRARY_PATH=" };

	if (!find_line(text, "Using built-in specs.") || !p->command_count || !add_target(out, p->commands[0].program))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *line = find_line(text, lists[i]);

		if (!line || !add_list(out, line + strlen(lists[i])))
			return false;
	}
	return true;
}

static bool add_clang(struct argv *out, const struct plan *p, const char *text)
{
	static const char *const found[] = { "-internal-externc-isystem", "-internal-isystem", "-resource-dir" };

	for (size_t i = 0; i < p->command_count; i++) {
		const struct argv *argv = &p->commands[i].argv;

		for (size_t j = 0; j + 1 < argv->count; j++)
			for (size_t k = 0; k < ARRAY_LEN(found); k++)
				if (str_eq(argv->v[j], found[k]))
					add_directories(out, argv->v[j + 1]);
	}
	return !find_line(text, "Configuration file: ");
}

/* Where a variable tells the driver to look. */
static bool add_variables(struct argv *out, const struct argv *env)
{
	static const char *const lists[] = { "COMPILER_PATH", "GCC_EXEC_PREFIX", "LIBRARY_PATH", "LPATH" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *value = environment_get(env, lists[i]);

		if (value && !add_list(out, value))
			return false;
	}
	return true;
}

bool plan_watch(const struct plan *p, const char *text, const struct argv *env, struct argv *directories)
{
	for (size_t i = 0; i < p->command_count; i++)
		add_directories(directories, p->commands[i].program);
	if (!add_variables(directories, env))
		return false;
	return p->dialect == DIALECT_CLANG ? add_clang(directories, p, text) : add_gcc(directories, p, text);
}
