/*
 * places.c - the few names at /proc, /dev and /sys that a job may look up, as a table.
 *
 * gcc looks up none of them. clang asks which program it is, and for the name
 * of each file that it has opened. The latter is left to the kernel, by a link
 * into a real /proc; the former is a link of ours, as that one must read right.
 */
#include "places.h"

#include <stdio.h>

#include "view.h"

enum place { PROC = PLACE_FIRST, SELF, PROGRAM, OPENED, DEV, SYS, PLACE_END };

static const struct fact directory = { .kind = FACT_DIR, .mode = 0555, .access = FACT_READ | FACT_EXECUTE };
static const struct fact program = { .kind = FACT_LINK, .target = (char *)"" };
static const struct fact opened = { .kind = FACT_LINK, .target = (char *)PLACE_PROC "/self/fd" };

static const struct { const char *name; const struct fact *fact; uint64_t dir; } places[] = {
	[PROC - PLACE_FIRST] = { "proc", &directory, VIEW_ROOT },
	[SELF - PLACE_FIRST] = { "self", &directory, PROC },
	[PROGRAM - PLACE_FIRST] = { "exe", &program, SELF },
	[OPENED - PLACE_FIRST] = { "fd", &opened, SELF },
	[DEV - PLACE_FIRST] = { "dev", &directory, VIEW_ROOT },
	[SYS - PLACE_FIRST] = { "sys", &directory, VIEW_ROOT },
};

/* As root.c mounts them. */
static const char *const devices[] = { "null", "zero", "urandom" };

enum place_answer place_lookup(uint64_t dir, const char *name, uint64_t *id)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].dir == dir && str_eq(places[i].name, name)) {
			*id = PLACE_FIRST + i;
			return PLACE_HERE;
		}
	for (size_t i = 0; i < ARRAY_LEN(devices) && dir == DEV; i++)
		if (str_eq(devices[i], name))
			return PLACE_BELOW;
	return place_is(dir) ? PLACE_UNFIT : PLACE_NONE;
}

const struct fact *place_fact(uint64_t id)
{
	return id < PLACE_END ? places[id - PLACE_FIRST].fact : &directory;
}

char *place_path(uint64_t id)
{
	autofree char *dir = NULL;

	if (!place_is(id) || id >= PLACE_END)
		return xstrdup("");
	dir = place_path(places[id - PLACE_FIRST].dir);
	return xasprintf("%s/%s", dir, places[id - PLACE_FIRST].name);
}

uint64_t place_program(void) { return PROGRAM; }

char *place_program_of(int proc, pid_t thread)
{
	char name[32], target[FACT_PATH_MAX + 1];
	ssize_t n;

	snprintf(name, sizeof name, "%d/exe", thread);
	n = readlinkat(proc, name, target, sizeof target);
	return n > 0 && n <= FACT_PATH_MAX ? xstrndup(target, (size_t)n) : NULL;
}
