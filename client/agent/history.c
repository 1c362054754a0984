/*
 * history.c - two tables of fixed size: jobs, and lines through the jobs of a class.
 *
 * The table of jobs has buckets of eight: a key has eight places, and the one used least lately is overwritten. So
 * nothing is ever moved, and memory is bounded without a list.
 */
#include "history.h"

#include <math.h>

#include "buf.h"
#include "clock.h"
#include "record_log.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { WAYS = 8, NEWEST_SHARE = 3, FIT_JOBS = 6, MEAN_JOBS = 1024, CPUS_MAX = 4, MEMORY_MAX_KB = 8 << 20 };
static const double fit_kept = 127.0 / 128;	/* of a line's sums, at each new job */

/* As on disk. */
enum { RECORD_JOB = 1, RECORD_CLASS = 2, RECORD_HOST = 3, RECORD_SHARE = 4 };	/* SHARE: more of the HOST before it */
struct line { double n, x, xx, cpu, x_cpu, occupancy, x_occupancy; };	/* decayed sums; x is bytes */
struct record {
	uint64_t kind, key;
	union {
		struct history_cost job;
		struct line line;
		struct { struct speed_sums sums; uint64_t at_s; } speed;	/* at_s: of the day's clock */
	};
	uint64_t check;
};
static const struct record_kind records = { .what = "rcc history 2\n", .size = sizeof(struct record), .max_bytes = 8 << 20 };

struct job { uint64_t key; struct history_cost cost; uint64_t used; bool fresh; };	/* key 0: none; fresh: not in the file yet */
struct class { uint64_t key; struct line line; bool fresh; };
struct host { uint64_t key; struct speed speed; uint64_t at_s; bool fresh; };

struct history {
	struct job jobs[HISTORY_JOBS];
	struct class classes[HISTORY_CLASSES];
	struct host hosts[HISTORY_HOSTS];
	bool unsaved;
	uint64_t uses;
	double mean_us, mean_log;
	uint64_t seen;
};

struct history *history_new(void) { return xcalloc(1, sizeof(struct history)); }
void history_free(struct history *h) { free(h); }

struct history_job history_job(const struct history_words *w, uint64_t input_bytes)
{
	uint64_t compiler = XXH3_64bits(w->compiler, strlen(w->compiler));
	uint64_t flags = XXH3_64bits_withSeed(w->flags, strlen(w->flags), compiler);
	uint64_t key = XXH3_64bits_withSeed(w->source, strlen(w->source), flags);

	return (struct history_job){ .key = key ? key : 1, .class = (compiler + (unsigned char)w->level) | 1, .input_bytes = input_bytes };
}

static const struct job *find_job(const struct history *h, uint64_t key)
{
	const struct job *bucket = &h->jobs[key % (HISTORY_JOBS / WAYS) * WAYS];

	for (size_t i = 0; i < WAYS; i++)
		if (bucket[i].key == key)
			return &bucket[i];
	return NULL;
}

/* The job's place; a new one takes that of whoever was used least lately. */
static struct job *take_job(struct history *h, uint64_t key)
{
	struct job *bucket = &h->jobs[key % (HISTORY_JOBS / WAYS) * WAYS], *oldest = bucket;

	for (size_t i = 0; i < WAYS; i++) {
		if (bucket[i].key == key)
			return &bucket[i];
		if (bucket[i].used < oldest->used)
			oldest = &bucket[i];
	}
	*oldest = (struct job){ .key = key };
	return oldest;
}

/* Classes are few. One that meets another in its place takes it. */
static struct class *class_at(struct history *h, uint64_t key) { return &h->classes[key % HISTORY_CLASSES]; }

/* The height of the line at x, never below nothing; a line that falls, or has but one x, is flat at the mean. */
static uint64_t height(const struct line *l, double y, double x_y, double x)
{
	double spread = l->n * l->xx - l->x * l->x;
	double slope = spread > 1e-6 * l->n * l->xx ? (l->n * x_y - l->x * y) / spread : 0;
	double at = slope > 0 && x > 0 ? (y - slope * l->x) / l->n + slope * x : y / l->n;

	return at > 1 ? (uint64_t)at : 1;
}

enum history_source history_predict(const struct history *h, const struct history_job *j, struct history_cost *out)
{
	const struct job *known = find_job(h, j->key);
	const struct class *c = &h->classes[j->class % HISTORY_CLASSES];
	double x = (double)j->input_bytes;

	*out = (struct history_cost){ 0 };
	if (known) {
		*out = known->cost;
		return HISTORY_KNOWN;
	}
	if (c->key != j->class || c->line.n < FIT_JOBS)
		return HISTORY_UNKNOWN;
	out->cpu_us = height(&c->line, c->line.cpu, c->line.x_cpu, x);
	out->occupancy_us = height(&c->line, c->line.occupancy, c->line.x_occupancy, x);
	return HISTORY_FITTED;
}

static uint64_t averaged(uint64_t old, uint64_t new)
{
	return old - old / NEWEST_SHARE + new / NEWEST_SHARE;
}

static void learn_job(struct history *h, uint64_t key, struct history_cost seen)
{
	struct job *k = take_job(h, key);

	if (k->used) {
		/* too little memory is worse than too much: it goes up at once */
		seen.memory_kb = seen.memory_kb > k->cost.memory_kb ? seen.memory_kb : averaged(k->cost.memory_kb, seen.memory_kb);
		seen.cpu_us = averaged(k->cost.cpu_us, seen.cpu_us);
		seen.occupancy_us = averaged(k->cost.occupancy_us, seen.occupancy_us);
	}
	k->cost = seen;
	k->used = ++h->uses;
	k->fresh = true;
}

static void learn_class(struct history *h, uint64_t key, double x, struct history_cost seen)
{
	struct class *c = class_at(h, key);
	double cpu = (double)seen.cpu_us, occupancy = (double)seen.occupancy_us;
	struct line *l = &c->line;

	if (c->key != key)
		*c = (struct class){ .key = key };
	*l = (struct line){
		.n = l->n * fit_kept + 1, .x = l->x * fit_kept + x, .xx = l->xx * fit_kept + x * x,
		.cpu = l->cpu * fit_kept + cpu, .x_cpu = l->x_cpu * fit_kept + x * cpu,
		.occupancy = l->occupancy * fit_kept + occupancy, .x_occupancy = l->x_occupancy * fit_kept + x * occupancy,
	};
	c->fresh = true;
}

static void learn_mean(struct history *h, uint64_t occupancy_us)
{
	h->seen += h->seen < MEAN_JOBS;
	h->mean_us += ((double)occupancy_us - h->mean_us) / (double)h->seen;
	h->mean_log += (log((double)occupancy_us + 1) - h->mean_log) / (double)h->seen;
}

/*
 * A volunteer may say anything of a job, and what is believed here is what others are asked for: one that was said to take all
 * memory would run alone there.
 */
static struct history_cost plausible(struct history_cost seen)
{
	if (seen.cpu_us / CPUS_MAX > seen.occupancy_us)
		seen.cpu_us = CPUS_MAX * seen.occupancy_us;
	if (seen.memory_kb > MEMORY_MAX_KB)
		seen.memory_kb = MEMORY_MAX_KB;
	return seen;
}

void history_learn(struct history *h, const struct history_job *j, struct history_cost seen, double speed)
{
	seen = plausible(seen);
	seen.occupancy_us = (uint64_t)((double)seen.occupancy_us * speed);
	h->unsaved = true;
	learn_job(h, j->key, seen);
	if (j->input_bytes)
		learn_class(h, j->class, (double)j->input_bytes, seen);
	learn_mean(h, seen.occupancy_us);
}

uint64_t history_mean_us(const struct history *h) { return (uint64_t)h->mean_us; }
uint64_t history_typical_us(const struct history *h) { return h->seen ? (uint64_t)exp(h->mean_log) : 0; }

/* Speeds. One that meets another in its place takes it. */

static uint64_t host_key(const char *name) { return XXH3_64bits(name, strlen(name)) | 1; }

struct speed history_speed(const struct history *h, const char *host, uint64_t now_ms)
{
	uint64_t key = host_key(host), now_s = clock_time_us() / 1000000, ago_ms;
	const struct host *o = &h->hosts[key / 2 % HISTORY_HOSTS];
	struct speed s = { 0 };

	if (o->key != key)
		return s;
	s = o->speed;
	ago_ms = now_s > o->at_s ? (now_s - o->at_s) * 1000 : 0;
	s.at_ms = now_ms > ago_ms ? now_ms - ago_ms : 0;
	return s;
}

void history_note_speed(struct history *h, const char *host, const struct speed *s)
{
	uint64_t key = host_key(host);

	h->hosts[key / 2 % HISTORY_HOSTS] = (struct host){ .key = key, .speed = *s, .at_s = clock_time_us() / 1000000, .fresh = true };
	h->unsaved = true;
}

bool history_unsaved(const struct history *h) { return h->unsaved; }

char history_level(char *const *argv, size_t count)
{
	char level = '0';

	for (size_t i = 0; i < count; i++) {
		const char *w = argv[i];

		if (w[0] != '-' || w[1] != 'O')
			continue;
		if (!w[2] || strchr("0123szg", w[2]))
			level = w[2] ? w[2] : '1';
		else if (str_eq(w, "-Ofast"))
			level = 'f';
	}
	return level;
}

char *history_flags(char *const *argv, size_t count)
{
	static const char *const costly[] = { "-O", "-g", "-f", "-m", "-std=" };
	struct buf b = { 0 };

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < ARRAY_LEN(costly); j++)
			if (str_starts(argv[i], costly[j])) {
				buf_printf(&b, "%s ", argv[i]);
				break;
			}
	return buf_str(&b);
}

/* The file */

static void take_host(struct host *o, const struct record *r)
{
	if (r->kind == RECORD_HOST)
		*o = (struct host){ .key = r->key, .at_s = r->speed.at_s, .speed.took = r->speed.sums };
	else if (o->key == r->key)
		o->speed.share = r->speed.sums;
}

static void take_record(void *arg, const void *record)
{
	struct history *h = arg;
	const struct record *r = record;

	if (r->kind == RECORD_CLASS) {
		*class_at(h, r->key) = (struct class){ .key = r->key, .line = r->line };
		return;
	}
	if (r->kind == RECORD_HOST || r->kind == RECORD_SHARE) {
		take_host(&h->hosts[r->key / 2 % HISTORY_HOSTS], r);
		return;
	}
	if (r->kind != RECORD_JOB)
		return;
	*take_job(h, r->key) = (struct job){ .key = r->key, .cost = r->job, .used = ++h->uses };
	learn_mean(h, r->job.occupancy_us);
}

void history_load(struct history *h, const char *path)
{
	record_log_load(&records, path, take_record, h);
}

static int by_use(const void *a, const void *b)
{
	const struct job *const *x = a, *const *y = b;

	return ((*x)->used > (*y)->used) - ((*x)->used < (*y)->used);
}

/* Those not in the file yet, or all: as records, those used last at the end, so that loading keeps the order. */
static size_t collect(struct history *h, bool all, struct record *out)
{
	autofree struct job **jobs = xcalloc(HISTORY_JOBS, sizeof *jobs);
	size_t count = 0, n = 0;

	for (size_t i = 0; i < HISTORY_JOBS; i++)
		if (h->jobs[i].key && (all || h->jobs[i].fresh))
			jobs[count++] = &h->jobs[i];
	qsort(jobs, count, sizeof *jobs, by_use);
	for (size_t i = 0; i < count; i++) {
		out[n++] = (struct record){ .kind = RECORD_JOB, .key = jobs[i]->key, .job = jobs[i]->cost };
		jobs[i]->fresh = false;
	}
	for (size_t i = 0; i < HISTORY_CLASSES; i++)
		if (h->classes[i].key && (all || h->classes[i].fresh)) {
			out[n++] = (struct record){ .kind = RECORD_CLASS, .key = h->classes[i].key, .line = h->classes[i].line };
			h->classes[i].fresh = false;
		}
	for (size_t i = 0; i < HISTORY_HOSTS; i++)
		if (h->hosts[i].key && (all || h->hosts[i].fresh)) {
			const struct host *o = &h->hosts[i];

			out[n++] = (struct record){ .kind = RECORD_HOST, .key = o->key, .speed = { o->speed.took, o->at_s } };
			out[n++] = (struct record){ .kind = RECORD_SHARE, .key = o->key, .speed = { o->speed.share, o->at_s } };
			h->hosts[i].fresh = false;
		}
	return n;
}

void history_save(struct history *h, const char *path)
{
	autofree struct record *out = xcalloc(HISTORY_JOBS + HISTORY_CLASSES + 2 * HISTORY_HOSTS, sizeof *out);
	size_t n = collect(h, false, out);

	h->unsaved = false;
	if (!n || record_log_append(&records, path, out, n))
		return;
	record_log_replace(&records, path, out, collect(h, true, out));
}
