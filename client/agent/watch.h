/*
 * watch.h - the page of rcc --watch: a pure function of what is known, cut to
 * the terminal that it is for.
 */
#ifndef RCC_WATCH_H
#define RCC_WATCH_H

#include "peers.h"
#include "stats.h"

enum watch_place { WATCH_AWAY, WATCH_PREPARING, WATCH_WAITING, WATCH_PLACES };	/* in the order shown */

struct watch_job {
	enum watch_place place;
	uint64_t for_us;	/* away: there; else since it came */
	const char *source;	/* or the compiler, while that is all that is known */
	const char *host;	/* away: where; else "" */
};

struct watch_host {
	struct peer_info info;
	const char *state;		/* a word */
	const char *why_not;		/* "": usable */
	const struct peer_toolchain *fetching;	/* what is on its way there */
	size_t fetching_count;
};

struct watch {
	const struct watch_host *hosts;
	size_t host_count;
	const struct watch_job *jobs;
	size_t job_count;
	unsigned local, cores;		/* compilers that run here, on so many processors */
	const struct stats *stats;
	unsigned columns, lines;	/* of the terminal; 0: no bounds */
};

/* Less than lines lines, each shorter than columns and ended by a newline. Caller frees. */
char *watch_text(const struct watch *w);

#endif
