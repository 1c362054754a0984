/*
 * watch.c - volunteers above, jobs below, totals last.
 *
 * The middle is made as two lists of lines first, then each gets its share of
 * what the terminal has; a line too long loses its end, a source its beginning.
 */
#include "watch.h"

#include "progress.h"

enum { BAR = 22, KEY_MIN = 9, KEY_MAX = 40, JOB_WORDS = 24, FIXED_LINES = 7 };

static size_t key_width(const struct watch *w)
{
	size_t most = w->columns ? size_min(w->columns / 3, KEY_MAX) : KEY_MAX, width = KEY_MIN;

	for (size_t i = 0; i < w->host_count; i++)
		width = size_max(width, strlen(w->hosts[i].info.key));
	return size_min(width, most);
}

/* Takes the text. Of a character that is cut nothing is left. */
static void add_line(const struct watch *w, struct argv *lines, char *text)
{
	size_t len;

	make_printable(text);
	for (len = strlen(text); len && text[len - 1] == ' '; )
		text[--len] = 0;
	if (w->columns && len > w->columns - 1) {
		for (len = w->columns - 1; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
		text[len] = 0;
	}
	argv_push(lines, text);
	free(text);
}

static void add_host(const struct watch *w, const struct watch_host *h, struct argv *lines)
{
	int width = (int)key_width(w);
	const struct peer_info *i = &h->info;

	if (i->state != PEER_READY) {
		add_line(w, lines, xasprintf("%-*.*s  %-11s  %s", width, width, i->key, h->state, h->why_not));
		return;
	}
	add_line(w, lines, xasprintf("%-*.*s  %-11s  %4u  %4u  %5u  %6llu  %s", width, width, i->key, h->state, i->running,
				     i->slots - i->free, i->slots, (unsigned long long)i->jobs, h->why_not));
	for (size_t n = 0; n < h->fetching_count; n++) {
		const struct peer_toolchain *t = &h->fetching[n];
		autobuf struct buf b = { 0 };

		buf_puts(&b, "  ");
		progress_bar(&b, t->done, t->total, BAR);
		buf_puts(&b, " ");
		progress_put(&b, t);
		add_line(w, lines, xstrdup(buf_str(&b)));
	}
}

/* The end of a name tells more than its beginning. */
static char *shortened(const char *name, size_t room)
{
	size_t len = strlen(name);
	const char *tail;

	if (len <= room || room < 4)
		return xstrdup(name);
	for (tail = name + len - (room - 3); ((unsigned char)*tail & 0xc0) == 0x80; tail++)
		;
	return xasprintf("...%s", tail);
}

static void add_job(const struct watch *w, const struct watch_job *j, struct argv *lines)
{
	static const char *const places[WATCH_PLACES] = {
		[WATCH_AWAY] = "away", [WATCH_PREPARING] = "preparing", [WATCH_WAITING] = "waiting",
	};
	int width = (int)key_width(w);
	size_t before = (size_t)width + JOB_WORDS;
	autofree char *source = shortened(j->source, w->columns > before ? w->columns - 1 - before : SIZE_MAX);

	add_line(w, lines, xasprintf("%-9s %8.1f s  %-*.*s  %s", places[j->place], (double)j->for_us / 1e6, width, width,
				     j->host, source));
}

static void list_hosts(const struct watch *w, struct argv *lines)
{
	for (size_t i = 0; i < w->host_count; i++)
		add_host(w, &w->hosts[i], lines);
	if (!w->host_count)
		add_line(w, lines, xstrdup("none: set RCC_HOSTS, or hosts in rcc.conf"));
}

static void list_jobs(const struct watch *w, struct argv *lines, size_t counts[WATCH_PLACES])
{
	for (int place = 0; place < WATCH_PLACES; place++)
		for (size_t i = 0; i < w->job_count; i++)
			if (w->jobs[i].place == (enum watch_place)place) {
				counts[place]++;
				add_job(w, &w->jobs[i], lines);
			}
}

/* At most room of them, the last of which then says how many it stands for. */
static void put_lines(const struct watch *w, struct argv *page, const struct argv *lines, size_t room)
{
	size_t shown = lines->count <= room ? lines->count : room ? room - 1 : 0;

	for (size_t i = 0; i < shown; i++)
		argv_push(page, lines->v[i]);
	if (shown < lines->count && room)
		add_line(w, page, xasprintf("... %zu more", lines->count - shown));
}

static void put_head(const struct watch *w, struct argv *page)
{
	unsigned slots = 0, used = 0, ours = 0;

	for (size_t i = 0; i < w->host_count; i++) {
		slots += w->hosts[i].info.slots;
		used += w->hosts[i].info.slots - w->hosts[i].info.free;
		ours += w->hosts[i].info.running;
	}
	add_line(w, page, xasprintf("rcc: %u of %u slots in use, %u by us; %u compilers here, on %u processors", used, slots,
				    ours, w->local, w->cores));
	add_line(w, page, xstrdup(""));
	add_line(w, page, xasprintf("%-*s  %-11s  %4s  %4s  %5s  %6s", (int)key_width(w), "volunteer", "state", "ours", "used",
				    "slots", "done"));
}

static void put_totals(const struct watch *w, struct argv *page)
{
	const uint64_t *n = w->stats->counters;

	add_line(w, page, xstrdup(""));
	add_line(w, page, xasprintf("done: %llu remote, %llu local, %llu fallback; %.1f MB sent, %.1f MB received",
				    (unsigned long long)n[COUNT_JOBS_REMOTE], (unsigned long long)n[COUNT_JOBS_LOCAL],
				    (unsigned long long)n[COUNT_JOBS_FALLBACK], (double)n[COUNT_BYTES_SENT] / 1e6,
				    (double)n[COUNT_BYTES_RECEIVED] / 1e6));
}

char *watch_text(const struct watch *w)
{
	autoargv struct argv hosts = { 0 }, jobs = { 0 }, page = { 0 };
	size_t counts[WATCH_PLACES] = { 0 }, room = SIZE_MAX, for_hosts, most = w->lines ? w->lines - 1 : SIZE_MAX;
	struct buf b = { 0 };

	list_hosts(w, &hosts);
	list_jobs(w, &jobs, counts);
	if (w->lines)
		room = most > FIXED_LINES ? most - FIXED_LINES : 0;
	/* each may have half, and what the other leaves */
	for_hosts = size_max(room / 2, jobs.count < room ? room - jobs.count : 0);
	put_head(w, &page);
	put_lines(w, &page, &hosts, for_hosts);
	add_line(w, &page, xstrdup(""));
	add_line(w, &page, xasprintf("jobs: %zu away, %zu preparing, %zu waiting", counts[WATCH_AWAY], counts[WATCH_PREPARING],
				     counts[WATCH_WAITING]));
	put_lines(w, &page, &jobs, room - size_min(hosts.count, for_hosts));
	put_totals(w, &page);
	for (size_t i = 0; i < page.count && i < most; i++)
		buf_printf(&b, "%s\n", page.v[i]);
	return buf_str(&b);
}
