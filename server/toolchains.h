/*
 * toolchains.h - the toolchains that callers announced, and how far each is.
 *
 * Confined jobs run from the store only: its files are copied from this
 * machine's own disk where that has them, else brought by a caller. Whoever
 * may not confine jobs runs the host's own files, and looks again before each
 * job whether they are still the caller's.
 */
#ifndef RCC_TOOLCHAINS_H
#define RCC_TOOLCHAINS_H

#include "intake.h"
#include "programs.h"
#include "server.h"

void toolchains_start(struct server *s);
void toolchains_stop(struct server *s);		/* its timer; before the loop runs dry */
void toolchains_free(struct toolchain_table *t);

/*
 * An agent asks for this one; takes what tree holds. The answer goes by
 * sessions_push_toolchain() once it is known, maybe before this returns.
 */
void toolchain_offer(struct server *s, const struct digest *id, struct tree *tree);

/* Announced before, by whomever, and not forgotten. */
bool toolchain_known(const struct server *s, const struct digest *id);
bool toolchain_ready(const struct server *s, const struct digest *id);
/*
 * For a job about to start: ready, and not to change or go while it runs. Else false; it is
 * looked at anew, and the agents hear of it. root: where it is; "" when the host's own files are used. Caller frees.
 */
bool toolchain_take(struct server *s, const struct digest *id, char **root);
void toolchain_give_back(struct server *s, const struct digest *id);
/* An enumerated program, and of this toolchain. */
bool toolchain_allows(const struct server *s, const struct digest *id, const struct job_step *step);

/* Between an intake and its toolchain. */

/* i brings this one from now on. False: nothing is wanted, or another does. */
bool toolchain_supplier(struct server *s, const struct digest *id, struct intake *i);
/* The next blobs to ask for; false, and none, when there are no more. */
bool toolchain_wanted(struct server *s, const struct digest *id, struct wire_want *out);
uint64_t toolchain_blob_size(const struct server *s, const struct digest *id, const struct digest *blob);	/* UINT64_MAX: not of it */
void toolchain_progress(struct server *s, const struct digest *id, uint64_t bytes);
void toolchain_supplied(struct server *s, const struct digest *id, const struct intake *i, enum supply_end how, const char *why);

struct toolchain_view {
	struct digest id;
	const char *state;	/* "checking", "ready", "lacking", "wanted", "fetching" */
	const char *programs;	/* base names, for people */
	const char *text;	/* what is lacking; borrowed */
	uint64_t done, total;	/* bytes of its files that are in the store, and of all */
};
size_t toolchains_view(const struct server *s, struct toolchain_view *views, size_t max);

#endif
