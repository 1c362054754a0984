/*
 * main.c - runs scenarios over many seeds, and prints how good the schedules are.
 *
 *	sim			what test/check runs: every scenario that is marked for it
 *	sim NAME [SEEDS]	one scenario, over so many seeds
 *	sim NAME seed N		that one run again, every event of it on a line
 *
 * TAP: an invariant that does not hold, a replay that differs, or a figure beyond its bound fails.
 */
#include <math.h>
#include <stdio.h>

#include "reference.h"

/*
 * What is shown. Volunteers only, unless local slots are named; the network is a LAN's.
 * Bounds are of the mean over seeds: makespan over the clairvoyant schedule's, p99 and mean wait in seconds, extra
 * executions a job, Jain's index; 0: none.
 */
struct bound { double makespan, p99_s, mean_s, extra, jain, over_calm; };
static const struct { struct scenario s; struct bound max; } shown[] = {
	{ { .name = "faults", .shows = "loss, partitions, deaths, freezes, lies, withdrawals: invariants", .callers = 3, .volunteers = 12,
	    .slots_min = 1, .slots_max = 4, .mix = MIXED, .jobs = 40, .window = 24, .median_s = 0.6, .sigma = 1, .cores = 4,
	    .local_slots = 2, .latency_us = 250, .slow = 0.01, .faults = true, .seeds = 2000, .check = true }, { 0 } },
	{ { .name = "forty", .shows = "1 caller, 120 jobs, 40 volunteers; built before", .callers = 1, .volunteers = 40,
	    .slots_min = 2, .slots_max = 2, .jobs = 120, .window = 120, .median_s = 0.6, .sigma = 1, .cores = 8,
	    .latency_us = 250, .known = true, .seeds = 100, .check = true }, { .makespan = 1.05 } },
	{ { .name = "forty-mixed", .shows = "the same, machines of speed 0.5 to 2", .callers = 1, .volunteers = 40,
	    .slots_min = 1, .slots_max = 3, .mix = MIXED, .jobs = 120, .window = 120, .median_s = 0.6, .sigma = 1, .cores = 8,
	    .latency_us = 250, .known = true, .seeds = 100, .check = true }, { .makespan = 1.05 } },
	{ { .name = "forty-first", .shows = "the first build, equal machines", .callers = 1, .volunteers = 40,
	    .slots_min = 2, .slots_max = 2, .jobs = 120, .window = 120, .median_s = 0.6, .sigma = 1, .cores = 8,
	    .latency_us = 250, .seeds = 100, .check = true }, { 0 } },
	{ { .name = "ten", .shows = "10 callers at 90 % load", .callers = 10, .volunteers = 40, .slots_min = 4, .slots_max = 4,
	    .jobs = 400, .load = 0.9, .median_s = 0.6, .sigma = 1, .cores = 8, .latency_us = 250, .known = true, .seeds = 4, .check = true },
	  { .p99_s = 0.5 } },
	{ { .name = "thousand", .shows = "250 callers, 1,000 volunteers, 90 % load", .callers = 250, .volunteers = 1000, .slots_min = 2,
	    .slots_max = 2, .jobs = 100, .load = 0.9, .median_s = 0.6, .sigma = 1, .cores = 8, .sees = 32, .latency_us = 250,
	    .known = true, .seeds = 1, .check = true }, { .mean_s = 0.020 } },
	{ { .name = "slow", .shows = "1 % of executions take ten times as long; over calm: the same without", .callers = 1,
	    .volunteers = 40, .slots_min = 2, .slots_max = 2, .jobs = 4000, .window = 100, .median_s = 0.6, .sigma = 1, .cores = 16,
	    .latency_us = 250, .known = true, .slow = 0.01, .seeds = 5, .check = true }, { .extra = 0.02, .over_calm = 1.15 } },
	{ { .name = "slow-short", .shows = "the same in a quarter of the jobs: no longer than a slow one with its copy", .callers = 1,
	    .volunteers = 40, .slots_min = 2, .slots_max = 2, .jobs = 1000, .window = 100, .median_s = 0.6, .sigma = 1, .cores = 16,
	    .latency_us = 250, .known = true, .slow = 0.01, .seeds = 20 }, { .extra = 0.02, .over_calm = 1.15 } },
	{ { .name = "greed", .shows = "10 callers that want 16 to 200 jobs at once", .callers = 10, .volunteers = 20, .slots_min = 2,
	    .slots_max = 2, .jobs = 300, .median_s = 0.6, .sigma = 1, .latency_us = 250, .known = true, .greed = true, .seeds = 5,
	    .check = true }, { .jain = 0.95 } },
	{ { .name = "sleepers", .shows = "2,000 jobs, 64 volunteers x 2, four speeds; built before", .callers = 1, .volunteers = 64,
	    .slots_min = 2, .slots_max = 2, .mix = FOUR_SPEEDS, .jobs = 2000, .window = 256, .median_s = 0.5, .cores = 64,
	    .latency_us = 100, .known = true, .seeds = 2, .check = true }, { .makespan = 1.10 } },
	{ { .name = "sleepers-first", .shows = "the same, nothing known", .callers = 1, .volunteers = 64, .slots_min = 2, .slots_max = 2,
	    .mix = FOUR_SPEEDS, .jobs = 2000, .window = 256, .median_s = 0.5, .cores = 64, .latency_us = 100, .seeds = 2, .check = true },
	  { .makespan = 1.30 } },
	{ { .name = "sleepers-losses", .shows = "built before; three die and two freeze", .callers = 1, .volunteers = 64,
	    .slots_min = 2, .slots_max = 2, .mix = FOUR_SPEEDS, .jobs = 2000, .window = 256, .median_s = 0.5, .cores = 64,
	    .latency_us = 100, .known = true, .losses = 3, .seeds = 2, .check = true }, { .makespan = 1.10 * 1.25 } },
	{ { .name = "dead", .shows = "every volunteer dies at once; all is local", .callers = 1, .volunteers = 3, .slots_min = 2, .slots_max = 2,
	    .jobs = 100, .window = 16, .median_s = 0.6, .sigma = 1, .cores = 4, .local_slots = 4, .latency_us = 250, .losses = 3, .seeds = 20,
	    .check = true }, { 0 } },
};

struct figures { double makespan_s, clairvoyant, lower, calm, mean_s, p99_s, longest_s, jain, extra; };

static double last_done_s(const struct world *w)
{
	uint64_t last = 0;

	for (size_t i = 0; i < w->job_count; i++)
		last = w->jobs[i].done_us > last ? w->jobs[i].done_us : last;
	return (double)last / 1e6;
}

static double jain(const struct world *w)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < w->agent_count; i++) {
		double v = (double)w->agents[i].work_us;

		sum += v;
		squares += v * v;
	}
	return squares > 0 ? sum * sum / ((double)w->agent_count * squares) : 1;
}

static void waits(const struct world *w, struct figures *f)
{
	autofree double *v = xcalloc(w->job_count, sizeof *v);

	for (size_t i = 0; i < w->job_count; i++) {
		v[i] = (double)(w->jobs[i].started_us - w->jobs[i].arrived_us) / 1e6;
		f->mean_s += v[i] / (double)w->job_count;
	}
	qsort(v, w->job_count, sizeof *v, by_double);
	f->p99_s = v[(w->job_count - 1) * 99 / 100];
	f->longest_s = v[w->job_count - 1];
}

/* One seed. False: an invariant was broken, and it is said which. */
static bool run(const struct scenario *s, uint64_t seed, bool verbose, struct figures *f, uint64_t *trace)
{
	struct world *w = world_new(s, seed, verbose);
	double clairvoyant_s = s->greed ? 1 : reference_run(w, CLAIRVOYANT).makespan_s;
	const char *broken;

	*f = (struct figures){ 0 };
	if (s->greed)
		w->measured_until_us = 20000000;	/* all of them want more till then */
	world_run(w);
	f->makespan_s = last_done_s(w);
	f->clairvoyant = f->makespan_s / clairvoyant_s;
	f->lower = f->makespan_s / lower_bound_s(w);
	f->jain = jain(w);
	f->extra = (double)w->executions / (double)w->job_count - 1;
	waits(w, f);
	*trace = w->trace;
	broken = w->broken;
	world_free(w);
	if (broken)
		printf("# %s seed %llu: does not hold: %s\n", s->name, (unsigned long long)seed, broken);
	return !broken;
}

/* The same, as if no execution were slow. */
static double calm(const struct scenario *s, uint64_t seed, double makespan_s)
{
	struct scenario without = *s;
	struct figures f;
	uint64_t trace;

	without.slow = 0;
	run(&without, seed, false, &f, &trace);
	return makespan_s / f.makespan_s;
}

static void add(struct figures *sum, const struct figures *f, double n)
{
	sum->makespan_s += f->makespan_s / n;
	sum->clairvoyant += f->clairvoyant / n;
	sum->lower += f->lower / n;
	sum->calm += f->calm / n;
	sum->mean_s += f->mean_s / n;
	sum->p99_s += f->p99_s / n;
	sum->jain += f->jain / n;
	sum->extra += f->extra / n;
	sum->longest_s = fmax(sum->longest_s, f->longest_s);
}

static unsigned tests, failed;

static void tell(bool ok, const char *scenario, const char *what)
{
	failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", ++tests, scenario, what);
}

static void tell_bound(const char *scenario, const char *what, double is, double bound, bool least)
{
	autofree char *line = xasprintf("%s %.4f, %s %.4f", what, is, least ? "at least" : "at most", bound);

	if (bound > 0)
		tell(least ? is >= bound : is <= bound, scenario, line);
}

static void show_references(const struct scenario *s, unsigned seeds)
{
	unsigned n = seeds < 10 ? seeds : 10;

	for (enum rule r = 0; r < RULES && !s->greed && !s->faults; r++) {
		struct reference sum = { 0 };

		for (uint64_t seed = 1; seed <= n; seed++) {
			struct world *w = world_new(s, seed, false);
			struct reference one = reference_run(w, r);

			sum.makespan_s += one.makespan_s / n;
			sum.mean_wait_s += one.mean_wait_s / n;
			sum.p99_wait_s += one.p99_wait_s / n;
			world_free(w);
		}
		printf("#   %-16s makespan %8.2f s, wait mean %7.3f s p99 %7.3f s\n", rule_name(r), sum.makespan_s, sum.mean_wait_s, sum.p99_wait_s);
	}
}

static void show(const struct scenario *s, const struct bound *max, unsigned seeds)
{
	struct figures sum = { 0 }, f;
	uint64_t trace, again;
	unsigned broken = 0;

	printf("# %s: %s; %u seeds\n", s->name, s->shows, seeds);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		broken += !run(s, seed, false, &f, &trace);
		if (max->over_calm > 0)
			f.calm = calm(s, seed, f.makespan_s);
		add(&sum, &f, seeds);
	}
	run(s, seeds, false, &f, &again);
	printf("#   %-16s makespan %8.2f s, wait mean %7.3f s p99 %7.3f s longest %.2f s\n", "rcc", sum.makespan_s, sum.mean_s, sum.p99_s, sum.longest_s);
	if (!s->greed)
		printf("#   makespan over clairvoyant %.3f, ", sum.clairvoyant);
	printf("%sover the lower bound %.3f; Jain %.3f; extra executions %.2f %%\n", s->greed ? "#   makespan " : "", sum.lower, sum.jain,
	       100 * sum.extra);
	show_references(s, seeds);
	tell(!broken, s->name, "invariants");
	tell(trace == again, s->name, "a seed is replayed exactly");
	tell_bound(s->name, "makespan over clairvoyant", sum.clairvoyant, max->makespan, false);
	tell_bound(s->name, "p99 wait, s", sum.p99_s, max->p99_s, false);
	tell_bound(s->name, "mean wait, s", sum.mean_s, max->mean_s, false);
	tell_bound(s->name, "makespan over calm", sum.calm, max->over_calm, false);
	tell_bound(s->name, "extra executions", sum.extra, max->extra, false);
	tell_bound(s->name, "Jain", sum.jain, max->jain, true);
	fflush(stdout);
}

static int usage(void)
{
	fprintf(stderr, "usage: sim [SCENARIO [SEEDS | seed N]]\n");
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		fprintf(stderr, "  %-16s %s\n", shown[i].s.name, shown[i].s.shows);
	return 2;
}

static int replay(const struct scenario *s, uint64_t seed)
{
	struct figures f;
	uint64_t trace;

	return !run(s, seed, true, &f, &trace);
}

int main(int argc, char **argv)
{
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		const struct scenario *s = &shown[i].s;

		if (argc > 1 ? !str_eq(argv[1], s->name) : !s->check)
			continue;
		found = true;
		if (argc > 3 && str_eq(argv[2], "seed"))
			return replay(s, strtoull(argv[3], NULL, 10));
		show(s, &shown[i].max, argc > 2 && atoi(argv[2]) > 0 ? (unsigned)atoi(argv[2]) : s->seeds);
	}
	if (!found)
		return usage();
	printf("1..%u\n", tests);
	return failed != 0;
}
