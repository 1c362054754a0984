/*
 * links.c - links to rcc, named like the compilers that PATH leads to.
 *
 * Only what rcc would do more for than run it gets one: an ELF file behind a
 * driver's name. What is in the directory already and no link to an rcc is
 * somebody else's and stays.
 */
#include "links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "argv.h"
#include "drivers.h"
#include "err.h"
#include "file.h"
#include "program.h"
#include "request.h"

/* The compilers' names in one directory of PATH, each once. */
static void add_compilers(struct argv *names, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		autofree char *file = NULL;
		struct program p;

		if (!driver_name(e->d_name) || argv_has(names, e->d_name))
			continue;
		file = xasprintf("%s/%s", dir, e->d_name);
		if (access(file, X_OK) < 0)
			continue;
		program_look(file, &p);
		if (p.driver)
			argv_push(names, e->d_name);
	}
	if (d)
		closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_compilers(struct argv *names)
{
	const char *path = getenv("PATH");
	autofree char *copy = xstrdup(path ? path : "/bin:/usr/bin");
	char *rest = copy, *dir;

	while ((dir = strsep(&rest, ":")))
		add_compilers(names, *dir ? dir : ".");
	if (names->count)
		qsort(names->v, names->count, sizeof *names->v, by_name);
}

/* May the file of that name be replaced? Only a link that leads to an rcc, or did. */
static bool is_ours(int dir, const char *name)
{
	char target[PATH_MAX], link[64 + NAME_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
	struct program p;

	if (n <= 0)
		return false;
	target[n] = 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d/%.*s", dir, NAME_MAX, name);
	program_look(link, &p);
	return p.rcc || (access(link, F_OK) < 0 && str_eq(path_base(target), "rcc"));
}

/* 1: made, 0: left alone. */
static int make_link(int dir, const char *name, const char *self, struct err *err)
{
	if (symlinkat(self, dir, name) == 0)
		return 1;
	if (errno != EEXIST)
		return err_sys(err, "%s", name);
	if (!is_ours(dir, name))
		return 0;
	if (unlinkat(dir, name, 0) < 0 || symlinkat(self, dir, name) < 0)
		return err_sys(err, "%s", name);
	return 1;
}

static int make_links(const char *path, const struct argv *names, const char *self, struct err *err)
{
	autoclose int dir = -1;
	int made = 0;

	if (make_dirs(path, 0777, err) < 0)
		return err->code;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "%s", path);
	for (size_t i = 0; i < names->count; i++) {
		int rc = make_link(dir, names->v[i], self, err);

		if (rc < 0)
			return err_wrap(err, "%s", path);
		if (rc == 0)
			fprintf(stderr, "rcc: %s/%s is no link to rcc: left as it is\n", path, names->v[i]);
		made += rc;
	}
	return made;
}

int links_install(const char *path)
{
	autofree char *self = program_self(), *real = NULL;
	autoargv struct argv names = { 0 };
	struct err err = { 0 };
	int made = ERR_ABSENT;

	find_compilers(&names);
	if (self)
		made = make_links(path, &names, self, &err);
	else
		err_set(&err, ERR_ABSENT, "/proc is needed to find rcc itself");
	if (made < 0) {
		fprintf(stderr, "rcc: %s\n", err.text);
		return EXIT_RCC_INTERNAL;
	}
	real = realpath(path, NULL);
	printf("%d links to %s. To use them:\n\n\tPATH=\"%s:$PATH\"\n", made, self, real ? real : path);
	return 0;
}
