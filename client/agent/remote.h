/*
 * remote.h - one attempt to run one unit on a volunteer: reserve at up to
 * three, the first grant wins, stream the text or (filejob.h) tell of files, take the result.
 *
 * A second copy of a job that is late is a further attempt beside its first.
 */
#ifndef RCC_REMOTE_H
#define RCC_REMOTE_H

#include <uv.h>

#include "feed.h"
#include "filejob.h"
#include "history.h"
#include "peers.h"
#include "place.h"
#include "reason.h"

struct remotes;		/* all attempts under way */
struct attempt;

struct attempt_events {
	/* A volunteer granted a slot: no local core is wanted any more. */
	void (*granted)(struct attempt *a, void *arg);
	/* It is over, and a is gone after this call. REASON_NONE: the output
	 * descriptor holds the verified result of a clean compile; in file mode
	 * attempt_files() has the outcome. */
	void (*ended)(struct attempt *a, enum reason why, void *arg);
};

/* What such a job is likely to take (history.h). */
struct prediction {
	struct history_cost cost;
	bool known;			/* from its own past, not from that of others */
};

struct attempt_spec {
	const struct job *job;			/* copied */
	const struct toolchain *toolchain;
	struct peer *const *candidates;		/* copied */
	size_t candidate_count;
	const unsigned *caps;			/* per candidate: at most so many of our jobs there, 0: any */
	int8_t niceness;
	struct prediction predicted;
	struct place_waiting waiting;		/* a slot that is granted goes to whoever is to go next of those that asked there */
	bool alone;				/* but not to or from this one: a second copy */
	uint64_t known_text;			/* a text of this hash is not sent: REASON_DIAGNOSTICS; 0: none */
	uint32_t result_stream;			/* which stream is the output */
	struct filejob *files;			/* file mode: taken over, and nothing of the text matters */
};

/* history, which tells what an unknown job takes, outlives it. */
struct remotes *remotes_new(uv_loop_t *loop, const struct history *history);
struct attempt *attempt_new(struct remotes *rs, const struct attempt_spec *spec,
			    const struct attempt_events *events, void *arg);
/* The text, from a pipe whose read end it takes, what it is (taken over too), and where the result goes (duplicated). */
void attempt_text(struct attempt *a, int text_fd, const struct feed_text *text, int output_fd);
/* The preprocessor is done: did it succeed without a word? Only then is the text's end sent. */
void attempt_preprocessed(struct attempt *a, bool clean);
/* What it is likely to take has been learned from others since, and with that whose turn it is. */
void attempt_foresee(struct attempt *a, const struct prediction *predicted, const struct place_waiting *waiting);
/* Over, without a call of ended; a may be NULL. */
void attempt_cancel(struct attempt *a);

bool attempt_granted(const struct attempt *a);
uint64_t attempt_granted_us(const struct attempt *a);	/* when, by clock_us() */
uint64_t attempt_took_us(const struct attempt *a);	/* from the grant to its result */
double attempt_load(const struct attempt *a);		/* how busy the volunteer was besides (speed.h) */
uint64_t attempt_text_hash(const struct attempt *a);	/* XXH3 of the whole text; 0: not read to its end */
struct job_result attempt_result(const struct attempt *a);
void attempt_bytes(const struct attempt *a, uint64_t *sent, uint64_t *received);
const struct filejob *attempt_files(const struct attempt *a);	/* NULL: text mode */
struct peer *attempt_where(const struct attempt *a);	/* NULL before a grant */
const char *attempt_peer(const struct attempt *a);	/* key; "" before a grant */

/* For how long the one of those that run is still expected to which ends last; 0: none, or nothing is known of them. */
uint64_t remotes_left_us(const struct remotes *rs);

/* Is the volunteer to blame, or a toolchain there, when an attempt ends so? */
enum job_end attempt_blame(enum reason why);

/* To be called from peers' events. */
void remotes_granted(struct remotes *rs, struct peer *p, uint32_t id, uint64_t token);
void remotes_refused(struct remotes *rs, struct peer *p, uint32_t id, enum refusal refusal);
void remotes_lost(struct remotes *rs, struct peer *p, enum reason why);
void remotes_changed(struct remotes *rs, struct peer *p);

#endif
