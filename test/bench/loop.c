/*
 * loop.c - run commands many times, in turns, and print what one run costs.
 *
 *	loop N command [--then command]... [--vs command [--then command]...]...
 *	loop --become command
 *
 * Each turn runs every contender once, so that a machine that grows busy or
 * warm is unfair to nobody. For each contender one line: the least and the
 * median of its wall time, the least of its CPU time (with that of the
 * children it waited for), in microseconds, and how many runs failed.
 * --then chains commands into one contender, as a compiler driver does.
 * --become is the smallest wrapper there can be: it executes the command.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTENDERS_MAX = 8, STEPS_MAX = 8 };

struct contender {
	char **steps[STEPS_MAX];
	int step_count;
	double *wall_us;
	double *cpu_us;
	int failed;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double cpu_us(const struct rusage *r)
{
	return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1e6 + r->ru_utime.tv_usec + r->ru_stime.tv_usec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_contender(struct contender *c, int turns)
{
	qsort(c->wall_us, turns, sizeof(double), by_value);
	qsort(c->cpu_us, turns, sizeof(double), by_value);
	printf("%.0f %.0f %.0f %d\n", c->wall_us[0], c->wall_us[turns / 2], c->cpu_us[0], c->failed);
}

/* Returns whether it succeeded, and adds what it used to *cpu. */
static int run_step(char **argv, const posix_spawn_file_actions_t *quiet, double *cpu)
{
	struct rusage used;
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], quiet, NULL, argv, environ) != 0)
		return 0;
	if (wait4(pid, &status, 0, &used) < 0)
		return 0;
	*cpu += cpu_us(&used);
	return status == 0;
}

static void run_once(struct contender *c, int turn, const posix_spawn_file_actions_t *quiet)
{
	double start = now_us();
	int fine = 1;

	c->cpu_us[turn] = 0;
	for (int i = 0; i < c->step_count && fine; i++)
		fine = run_step(c->steps[i], quiet, &c->cpu_us[turn]);
	c->wall_us[turn] = now_us() - start;
	c->failed += !fine;
}

static void contender_start(struct contender *c, char **argv, int turns)
{
	c->steps[c->step_count++] = argv;
	c->wall_us = calloc(turns, sizeof(double));
	c->cpu_us = calloc(turns, sizeof(double));
	if (c->wall_us == NULL || c->cpu_us == NULL)
		abort();
}

/* Cuts argv at --then and --vs. Returns the number of contenders, 0 if that cannot be right. */
static int parse(char **argv, int turns, struct contender *all)
{
	int count = 1;

	contender_start(&all[0], argv, turns);
	for (char **a = argv; *a != NULL; a++) {
		int vs = strcmp(*a, "--vs") == 0, then = strcmp(*a, "--then") == 0;
		struct contender *last = &all[count - 1];

		if (!vs && !then)
			continue;
		if (a[1] == NULL || count == CONTENDERS_MAX || last->step_count == STEPS_MAX)
			return 0;
		*a = NULL;
		if (vs)
			contender_start(&all[count++], a + 1, turns);
		else
			last->steps[last->step_count++] = a + 1;
	}
	return count;
}

int main(int argc, char **argv)
{
	struct contender all[CONTENDERS_MAX] = { 0 };
	posix_spawn_file_actions_t quiet;
	int turns = argc > 2 ? atoi(argv[1]) : 0;
	int count = turns > 0 ? parse(argv + 2, turns, all) : 0;

	if (argc > 2 && strcmp(argv[1], "--become") == 0) {
		execvp(argv[2], argv + 2);
		return 127;
	}
	if (count == 0) {
		fprintf(stderr, "usage: loop N command [--then command]... [--vs ...]...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	for (int turn = 0; turn < turns; turn++)
		for (int i = 0; i < count; i++)
			run_once(&all[i], turn, &quiet);
	for (int i = 0; i < count; i++)
		print_contender(&all[i], turns);
	return 0;
}
