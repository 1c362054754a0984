/*
 * peers.h - the volunteers: who is there, what each can take, and warm
 * connections to them.
 *
 * One control connection a volunteer is kept as long as jobs want it; it is
 * made when one first does, and after a failure not before a back-off
 * with full jitter is over. Job connections are kept warm in a pool. A
 * toolchain of ours that a volunteer wants is brought there; see supply.h.
 */
#ifndef RCC_PEERS_H
#define RCC_PEERS_H

#include <uv.h>

#include "conn.h"
#include "history.h"
#include "outlook.h"
#include "reason.h"
#include "settings.h"
#include "toolchain.h"
#include "wire.h"

struct peers;
struct peer;

struct peer_events {
	/* It became usable or not, has room, or answered about a toolchain. */
	void (*changed)(struct peer *p, void *arg);
	void (*granted)(struct peer *p, uint32_t id, uint64_t token, void *arg);
	void (*refused)(struct peer *p, uint32_t id, enum refusal refusal, void *arg);
	/* Its control connection ended: its reservations and grants are void. */
	void (*lost)(struct peer *p, enum reason why, void *arg);
};

enum peer_state { PEER_IDLE, PEER_RESOLVING, PEER_CONNECTING, PEER_READY, PEER_BACKOFF };

/* Read-only, for pages and for placement. */
struct peer_info {
	const char *key;		/* host:port */
	enum peer_state state;
	const char *trouble;		/* why it is not usable; "" */
	const char *name, *build, *machine, *kernel;	/* "" until it answered */
	uint32_t slots, free, queued;
	bool draining;
	enum hold hold;			/* why slots are fewer than they could be */
	uint32_t slots_all;		/* that it has when its owner leaves them all */
	uint8_t modes;			/* 1 << enum job_mode: those that it offers */
	bool same_host;
	uint64_t rtt_us;		/* 0: not measured */
	uint64_t bandwidth;		/* bytes a second towards it; 0: not measured */
	uint64_t jobs, failures, preempted, cpu_us;
	unsigned running;		/* our jobs there */
	double speed;			/* learned; 1: as most */
};

/* For the process's life. history: what is known of their speed; it outlives them. */
struct peers *peers_new(uv_loop_t *loop, const char *own_name, const struct history *history, const struct peer_events *events, void *arg);

/*
 * The volunteer of this host entry, made known if it is new. Never NULL; lives as long as peers. keys: what
 * connections to it are sealed with, NULL for plain ones. With another key it is another peer.
 */
struct peer *peers_get(struct peers *ps, const struct host *h, struct keys *keys);
/* Connect if it is neither connected nor in back-off. */
void peer_wake(struct peer *p);
/* It cannot be had now, and not at once: in back-off, failing, or leaving. */
bool peer_is_out(const struct peer *p);
void peer_describe(const struct peer *p, struct peer_info *out);

/* What it said about one toolchain. Read-only, for pages. */
struct peer_toolchain {
	const char *label;
	bool known;			/* it has answered */
	enum toolchain_state state;
	uint64_t done, total;		/* wanted, fetching: bytes that are there, and all */
	const char *lack;		/* lacking: what; else "" */
	bool by_us;			/* we bring it, now */
};

enum peer_can { PEER_CANNOT, PEER_MAYBE, PEER_CAN };
/* Whether it can run this toolchain. Asks it when it has not been asked, and brings it what it wants; changed()
 * tells of the answer, and of each further one. One that is brought there may yet prove able to, as long as that goes on.
 * Of no toolchain (NULL): whether it may yet prove able to. */
enum peer_can peer_can_run(struct peer *p, const struct toolchain *tc);
/* It runs jobs of this mode (enum job_mode). One that has not answered yet may. */
bool peer_offers(const struct peer *p, unsigned mode);
/* Its time of day is ours to within a second, as far as is known. */
bool peer_clock_agrees(const struct peer *p);
/* It refused for lack of this one: it is asked again. */
void peer_ask_again(struct peer *p, const struct toolchain *tc);
/* The index-th toolchain it was asked about; false: there are no more. */
bool peer_toolchain(const struct peer *p, size_t index, struct peer_toolchain *out);

void peer_reserve(struct peer *p, uint32_t id, const struct wire_reserve *m);
void peer_cancel(struct peer *p, uint32_t id);

/* A job connection, warm or new. The caller's until given back or closed; NULL if none can be made. */
struct conn *peer_take_conn(struct peer *p, const struct conn_ops *ops, void *arg);
/* Give it back, in the state it was taken: no job on it. */
void peer_return_conn(struct peer *p, struct conn *c);

/* For what is sent there: by the link's measured bandwidth. */
enum codec peer_codec(const struct peer *p);

/* What is known of its slots, for placement; it lives as long as p, whatever becomes of the connection. */
struct outlook *peer_outlook(struct peer *p);
/* As a candidate for a job: its outlook and its link. */
struct finish_peer peer_finish(struct peer *p, uint64_t mean_us, bool lasting);

/* What became of a job there. */
enum job_end {
	JOB_SERVED,
	JOB_FAILED,		/* the volunteer is to blame, and is left alone for a while */
	JOB_FAILED_SO,		/* that toolchain fails there: it is left alone with that */
	JOB_FAILED_ALONE,	/* it is the job's own matter */
	JOB_TAKEN_BACK,		/* its owner came back: nobody's fault */
	JOB_GIVEN_UP,		/* by us */
};
void peer_job_started(struct peer *p, const struct outlook_run *run);
void peer_job_foreseen(struct peer *p, uint64_t run, uint64_t predicted_us);	/* what it is likely to take was learned since */
void peer_job_ended(struct peer *p, uint64_t run, const struct toolchain *tc, uint64_t cpu_us, enum job_end how);
/* It does not do what it says: no job for a while. */
void peer_leave_alone(struct peer *p);
void peer_fail(struct peer *p, enum reason why, const char *text);

/* This machine slept: nothing that was known of connections and back-offs holds. All that are in use are made anew, at once. */
void peers_start_over(struct peers *ps);

#endif
