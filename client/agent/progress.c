/*
 * progress.c - pure: figures in, text out. Full is only what is complete:
 * a rounded "43 of 43 MB" would look finished.
 */
#include "progress.h"

static const struct unit {
	uint64_t bytes;
	const char *name;
} units[] = { { 1000000, "MB" }, { 1000, "kB" }, { 1, "bytes" } };

/* The largest unit in which the total is a whole number or more of them. */
static const struct unit *unit_for(uint64_t total)
{
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(units) && total < units[i].bytes)
		i++;
	return &units[i];
}

void progress_put(struct buf *b, const struct peer_toolchain *t)
{
	const struct unit *u = unit_for(t->total);
	uint64_t all = t->total / u->bytes + (t->total % u->bytes != 0);

	buf_printf(b, "%s %s: %llu of %llu %s", t->state == TOOLCHAIN_WANTED && !t->by_us ? "wants" : "fetching", t->label,
		   (unsigned long long)(t->done < t->total ? t->done / u->bytes : all), (unsigned long long)all, u->name);
}

void progress_bar(struct buf *b, uint64_t done, uint64_t total, unsigned width)
{
	unsigned room = width - 2, full = room;

	if (done < total)
		full = (unsigned)((double)done / (double)total * room);
	buf_puts(b, "[");
	for (unsigned i = 0; i < room; i++)
		buf_puts(b, i < full ? "#" : ".");
	buf_puts(b, "]");
}
