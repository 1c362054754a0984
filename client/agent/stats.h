/*
 * stats.h - this user's totals, in a file mapped by every agent of the
 * runtime directory, so that they survive any of them.
 */
#ifndef RCC_STATS_H
#define RCC_STATS_H

#include "err.h"
#include "reason.h"

/* identifier, key */
#define COUNTERS(X) \
	X(JOBS_LOCAL, "local") \
	X(JOBS_REMOTE, "remote") \
	X(JOBS_CACHED, "cached") \
	X(JOBS_FALLBACK, "fallback") \
	X(BYTES_SENT, "sent") \
	X(BYTES_RECEIVED, "received") \
	X(JOBS_FILES, "in-file-mode") \
	X(QUESTIONS, "questions") \
	X(CONTENTS, "contents") \
	X(CONTENT_BYTES, "content-bytes") \
	X(NEW_UNITS, "new-units") \
	X(RUN_AGAIN, "run-again") \
	X(COPIES, "copies")

enum counter {
#define X(id, key) COUNT_##id,
	COUNTERS(X)
#undef X
	COUNTER_COUNT
};

struct stats {
	uint64_t counters[COUNTER_COUNT];
	uint64_t reasons[REASON_COUNT];
	uint64_t reason_us[REASON_COUNT];	/* wall time of the commands it was the reason for */
};

/* Map DIR/stats, made anew if it is of another layout. Never fails: without a file the totals are the agent's own. */
struct stats *stats_open(int dir);
void stats_add(struct stats *s, enum counter c, uint64_t n);
void stats_reason(struct stats *s, enum reason r, uint64_t n, uint64_t us);
void stats_zero(struct stats *s);

#endif
