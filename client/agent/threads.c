/*
 * threads.c - words of links, as a table.
 */
#include "threads.h"

enum use {
	NO_LINK,	/* whatever else is said */
	ONE,		/* by itself, or bounded by a jobserver */
	ALL,		/* as many as there are */
	TOLD,		/* the number behind the word */
};

/* The first row that begins a word counts; of several words the last. */
static const struct { const char *begins; bool whole; enum use use; } rows[] = {
	{ "-c", true, NO_LINK }, { "-S", true, NO_LINK }, { "-E", true, NO_LINK }, { "-M", true, NO_LINK }, { "-MM", true, NO_LINK },
	{ "-fsyntax-only", true, NO_LINK }, { "-flto=jobserver", true, ONE }, { "-fno-lto", true, ONE }, { "-flto=full", true, ONE },
	{ "-flto=auto", true, ALL }, { "-flto=thin", true, ALL }, { "-fuse-ld=lld", true, ALL }, { "-fuse-ld=mold", true, ALL },
	{ "-flto=", false, TOLD }, { "-flto-jobs=", false, TOLD },
	{ "-Wl,--threads=", false, TOLD }, { "-Wl,--thread-count=", false, TOLD }, { "-Wl,--thread-count,", false, TOLD },
};

static unsigned told(const char *number, unsigned cores)
{
	char *end;
	unsigned long n = strtoul(number, &end, 10);

	if (end == number || !n)
		return 1;
	return n < cores ? (unsigned)n : cores;
}

/* What a word says; 0: nothing. */
static unsigned said(const char *word, unsigned cores, bool *no_link)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		if (rows[k].whole ? !str_eq(word, rows[k].begins) : !str_starts(word, rows[k].begins))
			continue;
		*no_link |= rows[k].use == NO_LINK;
		return rows[k].use == ALL ? cores : rows[k].use == TOLD ? told(word + strlen(rows[k].begins), cores) : 1;
	}
	return 0;
}

unsigned threads_of(const struct argv *argv, unsigned cores)
{
	unsigned threads = 1, now;
	bool no_link = false;

	for (size_t i = 1; i < argv->count && !no_link; i++)
		if ((now = said(argv->v[i], cores, &no_link)))
			threads = now;
	return no_link ? 1 : threads;
}
