/*
 * plan_cache.h - what the driver said before, for other names.
 *
 * Asking clang what it would run takes 20 to 40 ms, and for the next file of
 * the same build it says the same with other names. A template is made of
 * two answers: whole words that are the same in both stay, whole words that
 * are the same function of the names in both become that function, and if
 * any word is neither, there is no template. Names count as alike only when
 * they have the same directories and extensions and the same relations to
 * each other.
 *
 * A pure data structure. The caller's context says all else that the answer
 * may depend on: the driver (real path, device, inode, times) and its name,
 * the working directory, each variable for which plan_env_shapes() is true,
 * the contents of @files, specs and configuration files.
 */
#ifndef RCC_PLAN_CACHE_H
#define RCC_PLAN_CACHE_H

#include "plan.h"

struct plan_cache;

/* Forgets everything when it holds more than max_entries. */
struct plan_cache *plan_cache_new(size_t max_entries);
void plan_cache_free(struct plan_cache *c);

/*
 * The directories that the driver looked through when it made this plan, as
 * far as its words show (where it found the C library, its own headers and
 * gcc's), and its programs. Their times are to be one string, the stamp of
 * an answer.
 */
void plan_cache_watch(const struct plan *p, struct argv *directories);

/*
 * The directories for an answer to this command, so that their stamp can be
 * taken; borrowed until the next learn. NULL: there is no template for it.
 */
const struct argv *plan_cache_directories(const struct plan_cache *c, const char *context,
					  const struct argv *user_argv);

/* Commands as -### would print them, for plan_make(); caller frees. NULL: none, or the stamp is another. */
char *plan_cache_recall(const struct plan_cache *c, const char *context, const struct argv *user_argv,
			const char *stamp);

/* The driver has answered user_argv with this plan. Plans in which the driver spoke or failed teach nothing. */
void plan_cache_learn(struct plan_cache *c, const char *context, const struct argv *user_argv,
		      const struct plan *p, const char *stamp);

#endif
