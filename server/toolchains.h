/*
 * toolchains.h - which toolchains of its callers this machine has itself.
 *
 * A toolchain counts when each file of its tree is on this machine's own
 * disk with the same contents, below the configured directories, owned by
 * root and readable by all. Whether it still does is looked at again before
 * each job: a package may be upgraded at any time.
 */
#ifndef RCC_TOOLCHAINS_H
#define RCC_TOOLCHAINS_H

#include "server.h"
#include "tree.h"

void toolchains_start(struct server *s);
void toolchains_free(struct toolchain_table *t);

/*
 * An agent asks for this one; takes what tree holds. The answer goes by
 * sessions_push_toolchain() once it is known, maybe before this returns.
 */
void toolchain_offer(struct server *s, const struct digest *id, struct tree *tree);

/* Announced before, by whomever, and not forgotten. */
bool toolchain_known(const struct server *s, const struct digest *id);
bool toolchain_ready(const struct server *s, const struct digest *id);
/* Ready, and no file of it has changed since. If one has, it is checked anew and the agents hear of it. */
bool toolchain_unchanged(struct server *s, const struct digest *id);
/* An enumerated program, and of this toolchain; clang only as a compiler proper, never as a driver. */
bool toolchain_allows(const struct server *s, const struct digest *id, const struct job_step *step);

/* Its files, and its links: name, target, name, target. */
void toolchain_contents(const struct server *s, const struct digest *id, struct argv *files, struct argv *links);

struct toolchain_view {
	struct digest id;
	const char *state;	/* "checking", "ready", "lacking" */
	const char *programs;	/* base names, for people */
	const char *text;	/* what is lacking; borrowed */
};
size_t toolchains_view(const struct server *s, struct toolchain_view *views, size_t max);

/* Pure, for the test: where path leads by the links of the tree; NULL when that is no file of it. */
const struct tree_entry *toolchain_resolve(const struct tree *t, const char *path);
/* cc1, cc1plus, as, clang: what a volunteer runs at all, by base name. */
bool toolchain_program_known(const char *path);
const char *toolchain_program_name(const char *path);	/* which of them; NULL: none */
bool toolchain_step_known(const struct job_step *step);

#endif
