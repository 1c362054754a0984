/*
 * reference.c - list schedules: each job in its turn is put on a slot, first in first out on each machine.
 *
 * Jobs come when they come, or, with a window, when one before them has ended.
 */
#include "reference.h"

#include <math.h>

struct machine {
	double *free_s;			/* of each slot */
	double *ends_s;			/* of all its jobs, for what its load is */
	size_t count, room;
	double idle_since_s;
	double bytes, busy_s;		/* by which icecream tells speed */
};

struct schedule {
	const struct world *w;
	struct machine *m;
	struct dice dice;
	double *ends_s;			/* of jobs, ascending as far as a window needs */
	size_t ended;
};

const char *rule_name(enum rule r)
{
	static const char *const names_of[RULES] = {
		[CLAIRVOYANT] = "clairvoyant", [LEAST_LOADED] = "least-loaded", [RANDOM] = "random",
		[BEST_OF_TWO] = "best-of-2", [IDLE_QUEUE] = "join-idle-queue", [ICECREAM] = "icecream",
	};

	return names_of[r];
}

int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t first_free(const struct schedule *s, size_t i)
{
	size_t best = 0;

	for (size_t k = 1; k < s->w->volunteers[i].slots; k++)
		if (s->m[i].free_s[k] < s->m[i].free_s[best])
			best = k;
	return best;
}

static double start_at(const struct schedule *s, size_t i, double now_s)
{
	return fmax(now_s, s->m[i].free_s[first_free(s, i)]);
}

static double load_of(const struct schedule *s, size_t i, double now_s)
{
	struct machine *m = &s->m[i];
	size_t n = 0;

	for (size_t k = 0; k < m->count; k++)
		if (m->ends_s[k] > now_s)
			m->ends_s[n++] = m->ends_s[k];	/* those that ended are forgotten */
	m->count = n;
	return (double)n / s->w->volunteers[i].slots;
}

static size_t any_by_slots(struct schedule *s)
{
	size_t pick = dice_below(&s->dice, s->w->capacity_slots), i = 0;

	for (; pick >= s->w->volunteers[i].slots; i++)
		pick -= s->w->volunteers[i].slots;
	return i;
}

/* How little a rule likes to put a job of so much work on a machine, now. */
static double dislike(struct schedule *s, enum rule rule, size_t i, double work_s, double now_s)
{
	const struct machine *m = &s->m[i];
	double start = start_at(s, i, now_s);

	switch (rule) {
	case CLAIRVOYANT: return start + work_s / s->w->volunteers[i].speed;
	case IDLE_QUEUE: return start > now_s ? INFINITY : s->m[i].free_s[first_free(s, i)];
	case ICECREAM:	/* who has a slot first; of those the fastest, one never tried before all others */
		return start > now_s ? start * 1e9 : m->busy_s > 0 ? -m->bytes / m->busy_s : -INFINITY;
	default: return load_of(s, i, now_s);
	}
}

static size_t choose(struct schedule *s, enum rule rule, double work_s, double now_s)
{
	size_t best = 0, a, b, offset = dice_below(&s->dice, s->w->volunteer_count);
	double least = INFINITY;

	if (rule == RANDOM)
		return any_by_slots(s);
	if (rule == BEST_OF_TWO) {
		a = any_by_slots(s);
		b = any_by_slots(s);
		return load_of(s, a, now_s) <= load_of(s, b, now_s) ? a : b;
	}
	for (size_t k = 0; k < s->w->volunteer_count; k++) {
		size_t i = (k + offset) % s->w->volunteer_count;
		double v = dislike(s, rule, i, work_s, now_s);

		if (v < least) {
			least = v;
			best = i;
		}
	}
	return least < INFINITY ? best : any_by_slots(s);
}

/* The job's wait. */
static double put(struct schedule *s, size_t i, const struct task *j, double now_s)
{
	struct machine *m = &s->m[i];
	double took = (double)j->work_us / 1e6 / s->w->volunteers[i].speed, start = start_at(s, i, now_s);

	m->free_s[first_free(s, i)] = start + took;
	if (m->count == m->room) {
		m->room = m->room ? 2 * m->room : 16;
		m->ends_s = xrealloc(m->ends_s, m->room * sizeof *m->ends_s);
	}
	m->ends_s[m->count++] = start + took;
	m->bytes += (double)j->bytes;
	m->busy_s += took;
	s->ends_s[s->ended++] = start + took;
	return start - now_s;
}

struct arrival { double when_s; size_t job; };

static int by_arrival(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return x->when_s != y->when_s ? by_double(&x->when_s, &y->when_s) : (x->job > y->job) - (x->job < y->job);
}

/* When each comes. In the world arrivals are events of agents that have jobs in their order. */
static struct arrival *arrivals_of(const struct world *w)
{
	struct arrival *out = xcalloc(w->job_count, sizeof *out);
	autofree uint32_t *next = xcalloc(w->agent_count, sizeof *next);
	size_t n = 0;

	for (size_t i = 0; i < w->agent_count && w->s->window; i++)
		for (uint32_t k = 0; k < w->agents[i].jobs; k++, n++)
			out[n] = (struct arrival){ 0, n };
	for (size_t i = 0; i < w->events.count && !w->s->window; i++)
		if (w->events.heap[i].kind == ARRIVE)
			out[n++] = (struct arrival){ (double)w->events.heap[i].at_us / 1e6, w->events.heap[i].agent };
	if (w->s->window)
		return out;
	qsort(out, n, sizeof *out, by_arrival);
	for (size_t i = 0; i < n; i++) {
		uint32_t agent = (uint32_t)out[i].job;

		out[i].job = w->agents[agent].first_job + next[agent]++;
	}
	return out;
}

/* With a window, job n comes when all but window - 1 of those before it have ended. */
static double release_s(struct schedule *s, size_t n, double when_s)
{
	size_t window = s->w->s->window;

	if (!window || n < window)
		return when_s;
	qsort(s->ends_s, s->ended, sizeof *s->ends_s, by_double);
	return s->ends_s[n - window];
}

struct reference reference_run(const struct world *w, enum rule rule)
{
	struct schedule s = { .w = w, .dice = { w->seed ^ rule }, .m = xcalloc(w->volunteer_count, sizeof *s.m),
			      .ends_s = xcalloc(w->job_count, sizeof *s.ends_s) };
	autofree double *waits = xcalloc(w->job_count + 1, sizeof *waits);
	autofree struct arrival *arrivals = arrivals_of(w);
	struct reference out = { 0 };

	for (size_t i = 0; i < w->volunteer_count; i++)
		s.m[i].free_s = xcalloc(w->volunteers[i].slots, sizeof *s.m[i].free_s);
	for (size_t n = 0; n < w->job_count; n++) {
		const struct task *j = &w->jobs[arrivals[n].job];
		double now_s = release_s(&s, n, arrivals[n].when_s);

		waits[n] = put(&s, choose(&s, rule, (double)j->work_us / 1e6, now_s), j, now_s);
		out.mean_wait_s += waits[n] / (double)w->job_count;
	}
	for (size_t n = 0; n < w->job_count; n++)
		out.makespan_s = fmax(out.makespan_s, s.ends_s[n]);
	qsort(waits, w->job_count, sizeof *waits, by_double);
	out.p99_wait_s = waits[(w->job_count - 1) * 99 / 100];
	for (size_t i = 0; i < w->volunteer_count; i++) {
		free(s.m[i].free_s);
		free(s.m[i].ends_s);
	}
	free(s.m);
	free(s.ends_s);
	return out;
}

double lower_bound_s(const struct world *w)
{
	double work = 0, longest = 0, capacity = 0, fastest = 0;

	for (size_t i = 0; i < w->job_count; i++) {
		work += (double)w->jobs[i].work_us / 1e6;
		longest = fmax(longest, (double)w->jobs[i].work_us / 1e6);
	}
	for (size_t i = 0; i < w->volunteer_count; i++) {
		capacity += w->volunteers[i].slots * w->volunteers[i].speed;
		fastest = fmax(fastest, w->volunteers[i].speed);
	}
	return fmax(work / capacity, longest / fastest);
}
