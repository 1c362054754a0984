/*
 * stats.c - counters in a shared mapping: kill -9 loses none of them.
 */
#include "stats.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The layout is in the name, so that agents of two builds do not share one. */
static void *map(int dir)
{
	autofree char *name = xasprintf("stats-%zu-%d", sizeof(struct stats), REASON_COUNT);
	autoclose int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* not a hole: a full disk must be told now, not by SIGBUS */
	if (fd < 0 || posix_fallocate(fd, 0, sizeof(struct stats)) != 0)
		return MAP_FAILED;
	return mmap(NULL, sizeof(struct stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

struct stats *stats_open(int dir)
{
	void *p = map(dir);

	return p == MAP_FAILED ? xcalloc(1, sizeof(struct stats)) : p;
}

static void add(uint64_t *at, uint64_t n)
{
	__atomic_fetch_add(at, n, __ATOMIC_RELAXED);
}

void stats_add(struct stats *s, enum counter c, uint64_t n)
{
	add(&s->counters[c], n);
}

void stats_reason(struct stats *s, enum reason r, uint64_t n, uint64_t us)
{
	add(&s->reasons[r], n);
	add(&s->reason_us[r], us);
}

void stats_zero(struct stats *s)
{
	memset(s, 0, sizeof *s);
}
