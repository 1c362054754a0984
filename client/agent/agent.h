/*
 * agent.h - what the parts of one agent share.
 */
#ifndef RCC_AGENT_H
#define RCC_AGENT_H

#include <sys/queue.h>
#include <uv.h>

#include "breaker.h"
#include "burst.h"
#include "crowd.h"
#include "files.h"
#include "hedge.h"
#include "history.h"
#include "lease.h"
#include "manifest.h"
#include "memory.h"
#include "peers.h"
#include "planner.h"
#include "remote.h"
#include "stats.h"
#include "toolchain.h"
#include "volunteers.h"

struct session;

struct agent {
	uv_loop_t *loop;
	unsigned cores;			/* that we may use, at least 1 */
	unsigned spare;			/* for jobs that can go elsewhere: none where we have less than one */
	char *temp_dir;			/* TMPDIR for -###, private */
	struct stats *stats;
	struct peers *peers;
	struct volunteers *volunteers;	/* whom the entries of RCC_HOSTS mean */
	struct remotes *remotes;
	struct toolchains *toolchains;
	struct leases *leases;
	struct memory *memory;
	struct planner *planner;
	struct source_memo *sources;
	struct files *files;		/* the caller's, for file mode */
	struct manifests *manifests;
	struct history *history;	/* what jobs took */
	char *history_path;		/* NULL: it is not kept */
	struct speed here;		/* of this machine */
	struct crowd crowd;
	struct burst burst;
	uint64_t preprocess_us;		/* what a preprocessor takes here of late */
	struct breaker breaker;
	struct hedge_budget budget;
	uv_timer_t late;		/* while jobs are away: is one late? */
	TAILQ_HEAD(, session) sessions;	/* in order of arrival */
	size_t session_count;
	uint64_t descriptions;		/* so many drivers' answers came, or will not come */
	uv_timer_t dispatch;		/* placement looks at all sessions anew */
	uint64_t dispatch_ms;		/* when it is due; 0: at once */
	uint64_t busy_ms;		/* when something last happened */
	bool stopping;			/* leave once nobody is connected and no lease is held */
};

/* How busy this machine is besides a compile, when so many others run here (speed.h). */
double agent_load(const struct agent *a, double others);
/* A job is away now: it may come to be late. */
void agent_watch_late(struct agent *a);
/* Have the waiting sessions looked at, once this event is dealt with. */
void agent_dispatch(struct agent *a);
/* Or at the latest then. */
void agent_dispatch_in(struct agent *a, unsigned ms);

#endif
