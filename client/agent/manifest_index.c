/*
 * manifest_index.c - a table of names by source, and a scan for relatives.
 */
#include "manifest_index.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "dir_read.h"

enum { NAMES_MAX = 1 << 20, LEFTOVER_S = 3600, TOUCH_S = 3600 };

struct entry {
	struct manifest_name name;
	uint64_t size;
	int64_t used_ns;	/* 0: no entry */
	int64_t touched_ns;	/* the file's time */
};

struct manifest_index {
	struct entry *v;	/* open addressing by name, at most half full */
	size_t slots, count;
	uint64_t bytes;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void manifest_name_text(const struct manifest_name *n, char text[MANIFEST_NAME_SIZE])
{
	snprintf(text, MANIFEST_NAME_SIZE, "%08" PRIx32 "%08" PRIx32 "-%016" PRIx64 "-%016" PRIx64, n->toolchain,
		 n->args, n->dir, n->source);
}

static bool parse_name(const char *text, struct manifest_name *n)
{
	char again[MANIFEST_NAME_SIZE];

	if (sscanf(text, "%8" SCNx32 "%8" SCNx32 "-%16" SCNx64 "-%16" SCNx64, &n->toolchain, &n->args, &n->dir, &n->source) != 4)
		return false;
	manifest_name_text(n, again);
	return str_eq(text, again);
}

static bool same(const struct manifest_name *a, const struct manifest_name *b)
{
	return a->toolchain == b->toolchain && a->args == b->args && a->dir == b->dir && a->source == b->source;
}

static struct entry *find(const struct manifest_index *x, const struct manifest_name *n)
{
	size_t at = (n->source ^ n->args) & (x->slots - 1);

	while (x->v[at].used_ns && !same(&x->v[at].name, n))
		at = (at + 1) & (x->slots - 1);
	return &x->v[at];
}

static void set_slots(struct manifest_index *x, size_t slots)
{
	struct manifest_index bigger = { .v = xcalloc(slots, sizeof *x->v), .slots = slots, .count = x->count, .bytes = x->bytes };

	for (size_t i = 0; i < x->slots; i++)
		if (x->v[i].used_ns)
			*find(&bigger, &x->v[i].name) = x->v[i];
	free(x->v);
	*x = bigger;
}

static struct entry *add(struct manifest_index *x, const struct manifest_name *n)
{
	struct entry *e;

	if (2 * (x->count + 1) > x->slots)
		set_slots(x, 2 * x->slots);
	e = find(x, n);
	x->count += !e->used_ns;
	e->name = *n;
	return e;
}

struct loading {
	struct manifest_index *x;
	int dir;
	int64_t now_ns;
};

static void load_one(void *arg, const char *name)
{
	struct loading *l = arg;
	struct manifest_name n;
	struct entry *e;
	struct stat st;
	int64_t changed_ns;

	if (fstatat(l->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (!parse_name(name, &n)) {
		if (str_starts(name, "new-") && l->now_ns - changed_ns > LEFTOVER_S * (int64_t)1000000000)
			unlinkat(l->dir, name, 0);
		return;
	}
	e = add(l->x, &n);
	e->size = (uint64_t)st.st_size;
	e->used_ns = e->touched_ns = changed_ns ? changed_ns : 1;
	l->x->bytes += e->size;
}

struct manifest_index *manifest_index_load(int dir)
{
	struct manifest_index *x = xcalloc(1, sizeof *x);
	struct loading l = { x, dir, now_ns() };

	set_slots(x, 64);
	dir_read(dir, NAMES_MAX, load_one, &l);
	return x;
}

void manifest_index_free(struct manifest_index *x)
{
	if (!x)
		return;
	free(x->v);
	free(x);
}

void manifest_index_note(struct manifest_index *x, int dir, const struct manifest_name *n, uint64_t size,
			 enum manifest_event what)
{
	char file[MANIFEST_NAME_SIZE];
	struct entry *e = add(x, n);

	x->bytes += size - e->size;
	e->size = size;
	e->used_ns = now_ns();
	if (what == MANIFEST_USED && e->used_ns - e->touched_ns > TOUCH_S * (int64_t)1000000000) {
		manifest_name_text(n, file);
		utimensat(dir, file, NULL, AT_SYMLINK_NOFOLLOW);
		e->touched_ns = e->used_ns;
	}
	if (what == MANIFEST_WRITTEN)
		e->touched_ns = e->used_ns;
}

/* 0: no relative. */
static int nearness(const struct manifest_name *a, const struct manifest_name *b)
{
	if (a->toolchain != b->toolchain || same(a, b))
		return 0;
	if (a->source == b->source)
		return 5;
	return a->args == b->args ? 3 + (a->dir == b->dir) : 1 + (a->dir == b->dir);
}

bool manifest_index_nearest(const struct manifest_index *x, const struct manifest_name *n, struct manifest_name *out)
{
	const struct entry *best = NULL;
	int best_near = 0;

	for (size_t i = 0; i < x->slots; i++) {
		const struct entry *e = &x->v[i];
		int near = e->used_ns ? nearness(&e->name, n) : 0;

		if (!near || near < best_near || (near == best_near && e->used_ns <= best->used_ns))
			continue;
		best = e;
		best_near = near;
	}
	if (best)
		*out = best->name;
	return best;
}

bool manifest_index_over(const struct manifest_index *x, size_t max_count, uint64_t max_bytes)
{
	return x->count > max_count || x->bytes > max_bytes;
}

static int by_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->used_ns < y->used_ns ? -1 : x->used_ns > y->used_ns;
}

void manifest_index_trim(struct manifest_index *x, int dir, size_t max_count, uint64_t max_bytes)
{
	struct manifest_index left = *x;
	char file[MANIFEST_NAME_SIZE];
	size_t i;

	/* empty slots have used_ns 0, so they come first */
	qsort(x->v, x->slots, sizeof *x->v, by_use);
	for (i = 0; i < x->slots && manifest_index_over(&left, max_count - max_count / 8, max_bytes - max_bytes / 8); i++) {
		if (!x->v[i].used_ns)
			continue;
		manifest_name_text(&x->v[i].name, file);
		unlinkat(dir, file, 0);
		left.count--;
		left.bytes -= x->v[i].size;
		x->v[i].used_ns = 0;
	}
	x->count = left.count;
	x->bytes = left.bytes;
	set_slots(x, x->slots);
}
