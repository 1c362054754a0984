/*
 * walk.h - a walk through real directories, one open descriptor a level.
 *
 * Whoever asks for paths in the order of facts opens each directory once, and
 * no link is ever followed on the way.
 */
#ifndef RCC_WALK_H
#define RCC_WALK_H

#include "dir_names.h"
#include "digest_memo.h"
#include "fact.h"
#include "fs_kind.h"

enum { WALK_LEVELS_MAX = 64 };

struct walk_level {
	int fd;				/* O_PATH */
	size_t len;			/* of its path; 0: the root */
	struct file_id id;		/* as it was opened */
	uint16_t mode;			/* permission bits */
	uid_t uid;
	const struct fs_kind *fs;
	unsigned char mount_flags;	/* the ST_RDONLY and ST_NOEXEC among f_flags */
	uint64_t mount;			/* which; 0: the kernel does not say */
	struct names *names;		/* known by now, or NULL */
	size_t absences;		/* looked up one by one */
};

struct walk {
	char path[FACT_PATH_MAX + 1];	/* of the directory on top */
	size_t depth;
	struct walk_level levels[WALK_LEVELS_MAX];
};

/* No more than that: the levels are ten kilobytes. */
static inline void walk_begin(struct walk *w) { w->depth = 0; }
/*
 * Make the directory of path the top. 0; else an errno, in *stopped the
 * length of the part of path that could not be entered, and on top the directory
 * of that part. path is canonical; the top of "/" is "/" itself.
 */
int walk_to(struct walk *w, const char *path, size_t *stopped);
/* Make the directory that path is the top. 0, else an errno. */
int walk_into(struct walk *w, const char *path);
static inline struct walk_level *walk_top(struct walk *w) { return &w->levels[w->depth - 1]; }
void walk_end(struct walk *w);

#endif
