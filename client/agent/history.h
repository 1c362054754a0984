/*
 * history.h - what a job is likely to cost, from what such jobs cost before.
 *
 * Three figures a job. CPU is what it uses, and what shares are counted in. Occupancy is how long it holds a slot on a
 * machine of speed 1 that is not short of CPU; placement reckons with it: a job that waits for its disk is not small.
 * Memory is for the volunteer, which lets no more in than it has room for.
 *
 * Known jobs have an exponential average of their own. Others are put on a line through the sizes of the inputs of jobs
 * that have the compiler and the -O level in common. Else nothing is known, and zeros say so.
 *
 * Of volunteers it keeps what was learned of their speed, so that a new agent does not begin with all of them alike.
 *
 * Bounded: HISTORY_JOBS jobs; those least lately used go. Kept in a file, as record_log.h has it: a new agent knows
 * what another one learned. All but history_load() and history_save() is pure.
 */
#ifndef RCC_HISTORY_H
#define RCC_HISTORY_H

#include "speed.h"

enum { HISTORY_JOBS = 1 << 15, HISTORY_CLASSES = 1 << 8, HISTORY_HOSTS = 1 << 10 };

/* What a job is known by. */
struct history_words {
	const char *source;	/* its path, absolute */
	const char *flags;	/* its class of flags: what changes its cost; see history_flags() */
	const char *compiler;	/* path of the driver */
	char level;		/* of -O: '0' to '3', 's', 'z', 'g', 'f' */
};
struct history_job {
	uint64_t key, class;	/* of the words */
	uint64_t input_bytes;	/* 0: not known yet */
};
struct history_job history_job(const struct history_words *w, uint64_t input_bytes);

struct history_cost {
	uint64_t cpu_us, occupancy_us;
	uint64_t memory_kb;	/* at most at once; this and bytes are 0 of a job that is not known itself */
	uint64_t bytes;		/* to a volunteer and back */
};

enum history_source {
	HISTORY_UNKNOWN,
	HISTORY_FITTED,		/* from the size of its input, among its like */
	HISTORY_KNOWN,
};

struct history;
struct history *history_new(void);
void history_free(struct history *h);

enum history_source history_predict(const struct history *h, const struct history_job *j, struct history_cost *out);

/*
 * It ended. speed: of the machine it ran on (speed.h); occupancy is kept as if that were 1. Of that we hold the clock; what is
 * said of the rest is kept within what can be.
 */
void history_learn(struct history *h, const struct history_job *j, struct history_cost seen, double speed);

/*
 * Of a thousand jobs lately, for those of which nothing is known: the mean, and what is typical, which the longest
 * move little: the geometric mean. A speed is told by the second (speed.h): by the first every machine would look fast.
 * 0 before the first job.
 */
uint64_t history_mean_us(const struct history *h);
uint64_t history_typical_us(const struct history *h);

/* What is known of a machine's speed, faded by the time since; now_ms: of the clock that speeds are learned by. */
struct speed history_speed(const struct history *h, const char *host, uint64_t now_ms);
void history_note_speed(struct history *h, const char *host, const struct speed *s);
/* Something was learned that is not in the file. */
bool history_unsaved(const struct history *h);

/* The -O level that compiler words ask for: the last one counts. */
char history_level(char *const *argv, size_t count);
/* Its class of flags: those words that change how much work it is. Caller frees. */
char *history_flags(char *const *argv, size_t count);

/* Learn what the file knows; append what was learned since. Both read or write up to some megabytes at once. */
void history_load(struct history *h, const char *path);
void history_save(struct history *h, const char *path);

#endif
