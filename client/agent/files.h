/*
 * files.h - the caller's file system as facts (common/fact.h).
 *
 * A file that stat says is unchanged is not read again, an absence in a
 * directory that is unchanged is not looked up again; a change within the clock's
 * granularity is never missed: what changed less than 2 s ago (10 s where
 * the clock may be another machine's) is read each time. Seen with the agent's own
 * rights. What a program writes through a mapping, long after it mapped the file, moves no
 * time and escapes us, as it does make.
 *
 * Any thread may call, any number at once; calls block on disks and hash.
 */
#ifndef RCC_FILES_H
#define RCC_FILES_H

#include "fact.h"

struct files;

struct files_options {
	const char *cache_dir;		/* made (0700) if absent; NULL: nothing is kept on disk */
	int64_t (*now_ns)(void);	/* NULL: CLOCK_REALTIME */
	uint64_t max_file;		/* bytes; a larger one is FACT_OTHER. 0: 512 MiB */
	size_t max_known;		/* files remembered; 0: 65536 */
};

struct files *files_new(const struct files_options *o);
void files_free(struct files *f);	/* what was learned goes to disk */
/* Before a pause: what was learned goes to disk. It does by itself now and then. */
void files_flush(struct files *f);

/*
 * What is at path, which is canonical, now: or, where a part of the path is no directory,
 * what that part is, as then nothing below it is anything. *out is new. A
 * directory is not listed. FACT_OTHER also stands for what cannot be told: errors of the
 * disk, more than 64 levels, a file that changes faster than it can be read.
 */
void files_fact(struct files *f, const char *path, struct fact *out);
/*
 * As files_fact(), and a directory with its names; not listed when it has more than
 * FACT_NAMES_MAX, does not tell cases apart, or may not be read.
 */
void files_listing(struct files *f, const char *path, struct fact *out);

/*
 * What of all is no longer so, by fact_eq(), goes to changed, which is empty, as it is now: facts_set()
 * of each brings all up to date. (A directory that gave way to something else
 * stands for all that was below it.) Returns how many. One stat for each file, link and
 * directory, one for all absences in a directory. A file that is unread is not read for it either: it then lacks its contents.
 */
size_t files_changes(struct files *f, const struct facts *all, struct facts *changed);
/*
 * Before a job: the same, and brings all up to date. changed may be NULL. What has long been the same, and was looked at less than
 * a second ago, is taken for that (recent.h): it may have changed since, which files_hold() finds after the job.
 */
size_t files_refresh(struct files *f, struct facts *all, struct facts *changed);
/* After a job: all of used is still so: each is looked at now. If not, *why (may be NULL; caller frees) is the first path that is not. */
bool files_hold(struct files *f, const struct facts *used, char **why);
/* Something was not as it was taken to be: the next refresh looks at everything itself. */
void files_doubt(struct files *f);

/*
 * Does one of these files hold __DATE__, __TIME__ or __TIMESTAMP__ (clock_words.h)? Of
 * facts that this struct files made or found unchanged.
 */
bool files_has_clock(struct files *f, const struct facts *all);

#endif
