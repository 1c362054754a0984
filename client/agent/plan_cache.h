/*
 * plan_cache.h - what the driver said before, for other names.
 *
 * Asking clang what it would run takes 20 to 40 ms, and gcc 2, a third of
 * what a small C file costs here; for the next file of the same build they
 * say the same with other names. A template is made of
 * two answers: whole words that are the same in both stay, whole words that
 * are the same function of the names in both become that function, and if
 * any word is neither, there is no template. Names count as alike only when
 * they have the same directories and extensions and the same relations to
 * each other. One answer serves for the very same names.
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
 * Commands as -### would print them, for plan_make(); caller frees. NULL: there is no template for this command, or
 * stamp_of() the directories of its answer, which is then asked for, is another (the cache frees it).
 */
char *plan_cache_recall(const struct plan_cache *c, const char *context, const struct argv *user_argv,
			char *(*stamp_of)(const struct argv *directories));

/*
 * The driver has answered user_argv with this plan, after looking through
 * these directories (plan_watch.h); their times, as one string, are the
 * stamp. Plans in which the driver spoke or failed teach nothing.
 */
void plan_cache_learn(struct plan_cache *c, const char *context, const struct argv *user_argv,
		      const struct plan *p, const struct argv *directories, const char *stamp);

/*
 * gcc makes up the names of its temporary files in temp_dir, and others the
 * next time. In text, its answer, they become what they are in every other:
 * the first of this command, the second. To be done before plan_make().
 */
void plan_cache_settle(char *text, const char *temp_dir);

#endif
