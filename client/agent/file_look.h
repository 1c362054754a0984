/*
 * file_look.h - one look at one name in an open directory, or at the directory.
 */
#ifndef RCC_FILE_LOOK_H
#define RCC_FILE_LOOK_H

#include "digest_cache.h"
#include "walk.h"

/* What is remembered, and what counts: of struct files. */
struct look {
	struct digest_cache *digests;
	int64_t (*now_ns)(void);
	uint64_t max_file;
	uid_t user;		/* the caller */
};

/*
 * The fact of dir, which is name in above, but for its path: from what the walk saw when it came in. False: something else
 * is there by now.
 */
bool file_look_dir(const struct look *l, const struct walk_level *above, const struct walk_level *dir, const char *name,
		   struct fact *out);
/* The fact of name in dir, but for its path, and for a file's contents unless they are wanted. FACT_OTHER for what cannot be told. */
void file_look(const struct look *l, const struct walk_level *dir, const char *name, bool contents, struct fact *out);

#endif
