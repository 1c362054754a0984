/*
 * session_inner.h - what the files of a session share: session.c has its states and what its wrapper may say in each,
 * session_place.c decides where it goes, session_away.c sees it through elsewhere, session_files.c has what is
 * special about file mode.
 */
#ifndef RCC_SESSION_INNER_H
#define RCC_SESSION_INNER_H

#include "place.h"
#include "plan.h"
#include "request.h"
#include "session.h"
#include "settings.h"

enum state {
	ASKING,		/* nothing heard yet */
	DESCRIBING,	/* the wrapper runs the driver */
	ALIKE,		/* another wrapper does so, and what it learns may do for this one */
	WAITING,	/* for a place */
	PREPARING,	/* the wrapper opens files and starts the preprocessor */
	AWAY,		/* preprocessing, or on a volunteer */
	COMMITTING,	/* the wrapper puts the output in its place */
	LEAVING,	/* it has its last answer, and what it said before may still come */
	STATES
};

struct session {
	TAILQ_ENTRY(session) link;
	struct agent *agent;
	struct conn *conn;
	enum state state;
	struct ask ask;
	int pidfd;
	pid_t pid;
	struct settings settings;
	bool has_settings;
	bool below_lease;
	struct stat driver;
	enum describe_kind describing;
	uint64_t descriptions;		/* ALIKE: how many there had been when it began to wait */
	uint64_t alike_ms;		/* and when that was */
	unsigned waited_alike;		/* so often */
	struct plan *plan;
	uint8_t mode;			/* enum job_mode: how the command goes, as far as it can */
	uint64_t key;			/* of the command */
	size_t unit;			/* of plan, the one at hand */
	struct filejob *loading;	/* its past is being looked up */
	unsigned changed;		/* how often its files changed while it ran */
	uint32_t round;			/* of PREPARE: what answers an earlier one is too late */
	bool plain;			/* its second way of preprocessing is being tried */
	struct verdict local;		/* kind VERDICT_LOCAL with a reason: it must be here */
	bool must_local;
	bool planned, settled;		/* it counts for the agent's burst */
	const struct toolchain *toolchain;
	bool toolchain_failed;
	struct toolchain_question unproven;	/* not empty: toolchain is what these were last */
	struct closure *closure;	/* being found in a worker thread */
	struct peer **candidates;
	unsigned *caps;
	size_t candidate_count;
	bool candidates_awaited;	/* more may be named soon */
	bool candidates_fixed;		/* one has failed it: it gets no others but those left */
	uint64_t candidates_as_of;	/* volunteers_changes() */
	struct history_job known_by;	/* key 0: it cannot be known again */
	struct prediction predicted;
	struct attempt *attempt;
	struct attempt *copy;		/* a second one of the same, as the first is late */
	bool copied;			/* it had its one copy */
	bool trial;			/* it is the breaker's */
	unsigned failures;		/* volunteers have failed it so often */
	bool preprocessing;
	uint64_t prepared_us;		/* when its preprocessor was asked for */
	uint64_t placed_ms;		/* when its attempt began */
	uint64_t guess_us;		/* what it was thought to take when a volunteer began it; 0: nothing was known */
	uint64_t came_us;
};

static inline bool by_files(const struct session *s) { return s->mode == JOB_FILES; }

static inline const struct unit *unit_of(const struct session *s) { return &s->plan->units[s->unit]; }

static inline const struct file_unit *file_unit_of(const struct session *s)
{
	return &s->plan->file_units[s->unit];
}

static inline const struct job *job_of(const struct session *s)
{
	if (by_files(s))
		return &file_unit_of(s)->job;
	return s->plain ? &unit_of(s)->job_plain : &unit_of(s)->job;
}

/* Its source may be long in coming. */
static inline bool from_stdin(const struct session *s) { return !by_files(s) && str_eq(unit_of(s)->input, "-"); }

/* It wants none that can go elsewhere here. */
static inline bool stays_away(const struct session *s)
{
	return s->settings.mode == MODE_TEXT || s->settings.mode == MODE_FILE || !s->settings.local_slots;
}

/* session.c */
/* ALIKE, and an answer has come: on with it. */
void session_plan_again(struct session *s);
void session_send(struct session *s, enum request_type type, const struct buf *b);
/* Its wrapper execs the compiler now, and holds a slot until that ends. */
/* Where it could go is known: nobody waits any longer to learn of it. */
void session_settled(struct session *s);
void session_go_local(struct session *s, enum reason reason);
/* From now on only a local core is wanted; or, if that is forbidden, it fails. */
void session_must_be_local(struct session *s, enum reason reason);
bool session_reads_a_pipe(const struct session *s);
/* The first way is no way: is there another? It then waits again. */
bool session_try_text(struct session *s);
void session_find_toolchain(struct session *s);

/* session_place.c */
/* What its unit is likely to take. */
void placing_predict(struct session *s);
/* What a local run of it is to be learned by. */
struct lease_note placing_note(const struct session *s);
/* What decides when it is its turn. */
struct place_waiting placing_turn(const struct session *s);
/* It was served elsewhere. */
void placing_learn(struct session *s, const struct attempt *at);
/* Its preprocessor is done: what going away costs here. */
void placing_preprocessed(struct session *s);
/* The configured volunteers, woken, and whether any can take this, the way it goes. */
enum place_candidates placing_candidates(struct session *s);
struct place_view placing_view(const struct agent *a);

/* session_away.c */
void away_begin(struct session *s);
/* Slots are asked for. */
void away_attempt(struct session *s);
/* Nothing of it goes on elsewhere. */
void away_give_up(struct session *s);

/* session_files.c */
/* May this command go in file mode, as far as we know? */
bool files_allowed(const struct session *s);
/* Looks up what is known of its unit's last run, as s->loading. loaded: then a place can be asked for, if files_sound(). */
void files_go(struct session *s, void (*loaded)(void *session));
/* Its toolchain is what it was last. */
bool files_sound(const struct session *s);
/* The job, and what the attempt will tell it; loaded. */
struct filejob *files_job(struct session *s, struct job *job);
/* An attempt is over. */
void files_count(struct session *s, const struct attempt *at);
/* It went well: the wrapper is told what to make of it. */
void files_deliver(struct session *s, const struct attempt *at);

#endif
