/*
 * session_inner.h - what the files of a session share: session.c has its states, session_files.c
 * what is special about file mode.
 */
#ifndef RCC_SESSION_INNER_H
#define RCC_SESSION_INNER_H

#include "plan.h"
#include "request.h"
#include "session.h"
#include "settings.h"

enum state {
	ASKING,		/* nothing heard yet */
	DESCRIBING,	/* the wrapper runs the driver */
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
	const struct toolchain *toolchain;
	bool toolchain_failed;
	struct closure *closure;	/* being found in a worker thread */
	struct peer **candidates;
	unsigned *caps;
	size_t candidate_count;
	bool candidates_awaited;	/* more may be named soon */
	bool candidates_fixed;		/* one has failed it: it gets no others but those left */
	uint64_t candidates_as_of;	/* volunteers_changes() */
	struct attempt *attempt;
	enum reason first_failure;	/* one volunteer has failed it already, so */
	bool preprocessing;
	uint64_t placed_ms;		/* when its attempt began */
	uint64_t came_us;
};


static inline bool by_files(const struct session *s) { return s->mode == JOB_FILES; }

static inline const struct file_unit *file_unit_of(const struct session *s)
{
	return &s->plan->file_units[s->unit];
}

/* May this command go in file mode, as far as we know? */
bool files_allowed(const struct session *s);
/* Looks up what is known of its unit's last run, as s->loading. loaded: then a place can be asked for. */
void files_go(struct session *s, void (*loaded)(void *session));
/* The job, and what the attempt will tell it; loaded. */
struct filejob *files_job(struct session *s, struct job *job);
/* An attempt is over. */
void files_count(struct session *s, const struct attempt *at);
/* It went well: the wrapper is told what to make of it. */
void files_deliver(struct session *s, const struct attempt *at);

#endif
