/*
 * lease.c - who holds a local core, watched by pidfd.
 */
#include "lease.h"

#include <math.h>
#include <stdio.h>
#include <sys/queue.h>

#include "buf.h"
#include "clock.h"
#include "file.h"

struct lease {
	TAILQ_ENTRY(lease) link;
	struct leases *all;
	uv_poll_t poll;
	int pidfd;
	char text[48];
	unsigned slots;
	enum reason reason;
	struct lease_note note;
	uint64_t since_us;
	double taken_us;		/* leases.taken_us then */
};

struct leases {
	uv_loop_t *loop;
	struct stats *stats;
	void (*freed)(void *arg, const struct lease_note *note, uint64_t us, double company);
	void *arg;
	unsigned taken, count;
	double taken_us;		/* taken, summed over time until changed_us */
	uint64_t changed_us;
	TAILQ_HEAD(, lease) live;
};

struct leases *leases_new(uv_loop_t *loop, struct stats *stats,
			  void (*freed)(void *arg, const struct lease_note *note, uint64_t us, double company), void *arg)
{
	struct leases *ls = xcalloc(1, sizeof *ls);

	*ls = (struct leases){ .loop = loop, .stats = stats, .freed = freed, .arg = arg };
	TAILQ_INIT(&ls->live);
	return ls;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void change_taken(struct leases *ls, int by)
{
	uint64_t now = clock_us();

	ls->taken_us += (double)ls->taken * (double)(now - ls->changed_us);
	ls->changed_us = now;
	ls->taken += (unsigned)by;
}

/* A pidfd is readable once its process has ended. */
static void on_exit_of(uv_poll_t *poll, int status, int events)
{
	struct lease *l = poll->data;
	struct leases *ls = l->all;
	uint64_t us = clock_us() - l->since_us;
	double company;

	(void)status, (void)events;
	TAILQ_REMOVE(&ls->live, l, link);
	ls->count--;
	change_taken(ls, -(int)l->slots);
	company = us ? fmax(0, (ls->taken_us - l->taken_us) / (double)us - l->slots) : 0;
	stats_reason(ls->stats, l->reason, 0, us);
	uv_close((uv_handle_t *)&l->poll, on_closed);
	close(l->pidfd);
	ls->freed(ls->arg, &l->note, us, company);
}

/* Field 22 of /proc/PID/stat, in ticks since boot (proc(5)): makes a pid unique. 0: gone already. */
static unsigned long long start_time(pid_t pid)
{
	autofree char *path = xasprintf("/proc/%d/stat", (int)pid);
	autobuf struct buf b = { 0 };
	unsigned long long start = 0;
	const char *p;

	if (read_file(path, 4096, &b, NULL) < 0)
		return 0;
	p = strrchr(buf_str(&b), ')');	/* the name before may hold anything */
	for (int field = 3; p && field <= 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		sscanf(p, "%llu", &start);
	return start;
}

const char *lease_new(struct leases *ls, pid_t pid, int pidfd, const char *below, unsigned slots, enum reason reason,
		      const struct lease_note *note)
{
	struct lease *l = xcalloc(1, sizeof *l);

	*l = (struct lease){ .all = ls, .pidfd = pidfd, .reason = reason, .note = *note, .since_us = clock_us(),
			     .slots = lease_live(ls, below) ? 0 : slots };
	if (lease_live(ls, below))
		snprintf(l->text, sizeof l->text, "%s", below);
	else
		snprintf(l->text, sizeof l->text, "%d:%llu", (int)pid, start_time(pid));
	TAILQ_INSERT_TAIL(&ls->live, l, link);
	ls->count++;
	change_taken(ls, (int)l->slots);
	l->taken_us = ls->taken_us;
	if (uv_poll_init(ls->loop, &l->poll, pidfd) < 0)
		abort();
	l->poll.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_exit_of);
	return l->text;
}

bool lease_live(const struct leases *ls, const char *text)
{
	struct lease *l;

	if (!text || !*text)
		return false;
	TAILQ_FOREACH(l, &ls->live, link)
		if (str_eq(l->text, text))
			return true;
	return false;
}

unsigned leases_taken(const struct leases *ls) { return ls->taken; }
unsigned leases_count(const struct leases *ls) { return ls->count; }
