/*
 * files.c - what the caller's files cost a unit that is compiled again: to bring
 * a manifest of 300 files, 30 directories and 3,000 absences in 10 of them up to
 * date, and to read it from disk. Prints milliseconds, the least of many turns.
 *
 *	files SCRATCH [N]	SCRATCH is a directory to be made; N: only so many refreshes, for callgrind
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../../client/agent/files.h"
#include "../../client/agent/manifest.h"
#include "clock.h"
#include "file.h"

enum { DIRS = 10, FILES = 30, ABSENCES = 300, ROUNDS = 500 };

static struct facts all;
static int64_t ahead_s = 60;

static int64_t later_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((int64_t)t.tv_sec + ahead_s) * 1000000000 + t.tv_nsec;
}

static void look(struct files *f, const char *path)
{
	struct fact fact;

	files_fact(f, path, &fact);
	facts_set(&all, &fact);
}

/* As include search leaves it: most names are tried in most directories. */
static void make_tree(struct files *f, const char *top)
{
	for (int d = 0; d < DIRS; d++) {
		autofree char *dir = xasprintf("%s/project/include/part%d/detail/bits", top, d);

		if (make_dirs(dir, 0755, NULL) < 0)
			abort();
		for (char *slash = dir + strlen(top); slash; slash = strchr(slash + 1, '/')) {
			autofree char *part = xstrndup(dir, (size_t)(slash - dir));

			look(f, part);
		}
		look(f, dir);
		for (int i = 0; i < FILES; i++) {
			autofree char *path = xasprintf("%s/header_%d.h", dir, i);
			autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
			autofree char *text = xasprintf("/* %s */\n", path);

			write_all(fd, text, strlen(text));
			look(f, path);
		}
		for (int i = 0; i < ABSENCES; i++) {
			autofree char *path = xasprintf("%s/header_%d.hpp", dir, i);

			look(f, path);
		}
	}
}

static double least_ms(void (*turn)(void *arg), void *arg, int rounds)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < rounds; i++) {
		uint64_t begun = clock_us();

		turn(arg);
		least = clock_us() - begun < least ? clock_us() - begun : least;
	}
	return (double)least / 1000;
}

/* Just after the last one. */
static void again(void *arg)
{
	if (files_refresh(arg, &all, NULL))
		abort();
}

static void refresh(void *arg)
{
	ahead_s += 2;
	again(arg);
}

static void hold(void *arg)
{
	if (!files_hold(arg, &all, NULL))
		abort();
}

static void get(void *arg)
{
	struct manifest_key key = { .source = "/project/a.c" };
	autofacts struct facts found = { 0 };
	struct digest id;

	if (manifests_get(arg, &key, &found, &id, NULL) != MANIFEST_OWN)
		abort();
}

static void put(void *arg)
{
	struct manifest_key key = { .source = "/project/a.c" };
	struct digest id;

	manifests_put(arg, &key, &all, &id);
}

int main(int argc, char **argv)
{
	struct files_options settled = { .now_ns = later_ns };
	struct files *f = files_new(&settled), *young = files_new(&(struct files_options){ 0 });
	autofree char *dir = xasprintf("%s/manifests", argc > 1 ? argv[1] : "/nowhere");
	struct manifests *m = manifests_new(dir, 0, 0);
	autobuf struct buf b = { 0 };

	if (argc < 2 || make_dirs(argv[1], 0700, NULL) < 0)
		return 1;
	make_tree(f, argv[1]);
	refresh(f);
	if (argc > 2) {
		for (int i = 0; i < atoi(argv[2]); i++)
			refresh(f);
		return 0;
	}
	facts_put(&b, &all);
	put(m);
	printf("manifest of %zu facts: %zu bytes\n", all.count, b.len);
	printf("refresh, nothing changed lately   %7.3f ms\n", least_ms(refresh, f, ROUNDS));
	printf("the same, again within a second   %7.3f ms\n", least_ms(again, f, ROUNDS));
	printf("check after the job               %7.3f ms\n", least_ms(hold, f, ROUNDS));
	printf("refresh, all changed just now     %7.3f ms\n", least_ms(refresh, young, ROUNDS / 10));
	printf("read the manifest                 %7.3f ms\n", least_ms(get, m, ROUNDS));
	printf("write it                          %7.3f ms\n", least_ms(put, m, ROUNDS));
	remove_tree(AT_FDCWD, argv[1]);
	return 0;
}
