/*
 * wire.h - what an agent and a volunteer say to each other. doc/PROTOCOL.md
 * is the contract and changes in the same commit.
 *
 * Control connection, one per agent and volunteer:
 *
 *	agent                           volunteer
 *	HELLO {role control}       ->
 *	                           <-   WELCOME, or BYE
 *	                           <-   STATE              whenever it changes
 *	TOOLCHAIN {tree}           ->
 *	                           <-   TOOLCHAIN_STATE {ready, wanted, or what is lacking}
 *	RESERVE id {toolchain}     ->
 *	                           <-   GRANT id {token} | REFUSE id {code, why}
 *	CANCEL id                  ->                      also gives a grant back
 *	PING {stamp}               ->
 *	                           <-   PONG {stamp, time of day}
 *
 * Job connections, a few kept warm, each carrying one job at a time:
 *
 *	HELLO {role job}           ->
 *	                           <-   WELCOME, or BYE
 *	JOB {token, job}           ->                      uses up the grant
 *	INPUT ...                  ->                      bulk, any codec
 *	INPUT_END {bytes, hash}    ->
 *	                           <-   PROGRESS           each second while it runs
 *	                           <-   OUTPUT id ...      bulk; id is an output_stream
 *	                           <-   RESULT {job_result}
 *
 * (a store connection, made when a toolchain is wanted, brings its files)
 *
 *	HELLO {role store}         ->
 *	                           <-   WELCOME, or BYE
 *	SUPPLY {toolchain}         ->
 *	                           <-   WANT {digests}         none: no more are wanted
 *	BLOB {digest, size}        ->                      for each of them, in that order
 *	BLOB_DATA ...              ->                      bulk, any codec, size bytes together
 *	BLOB_NONE {digest}         ->                      instead: it is not what it was here
 *	                           <-   WANT {digests}
 *
 * A job in file mode (job.mode) has no INPUT. Instead, on its job connection:
 *
 *	JOB {token, job}           ->
 *	FACTS {facts}              ->                      what has changed since the manifest; once, at once
 *	                           <-   QUESTION id {path, listing}
 *	ANSWER id {facts}          ->                      in any order; maybe of more than was asked, or of a part of the path
 *	                           <-   WANT {digests}     contents, or the manifest itself; several may be open
 *	BLOB, BLOB_DATA, BLOB_NONE ->                      as above, in the order of all WANTs
 *	                           <-   PROGRESS           each second while it runs
 *	                           <-   CHANGES {changes}  what it did
 *	                           <-   OUTPUT id ...      stdout, stderr, then the files of CHANGES one after the other
 *	                           <-   USED {used}        what it relied on
 *	                           <-   RESULT {job_result}
 *	JOB_END                    ->                      nothing more of this job comes: what crossed RESULT is dropped
 *
 * On a job connection, after RESULT (and JOB_END) the next JOB may come. REFUSE instead of RESULT: the job was
 * not run. Closing a job connection cancels its job; so TCP does the flow
 * control, and a lost peer needs no message.
 *
 * Between rccd and its box, over a socket pair: BOX, then INPUT ... INPUT_END
 * one way, OUTPUT ... RESULT the other, as above. In file mode FACTS, ANSWER and what answers NEED one
 * way; all that the caller is told, and KEEP, the other:
 *
 *	box                             rccd
 *	NEED {digests, sizes, paths} ->
 *	                           <-   HAVE {digests}     these are in the store, whole and verified
 *	                           <-   BLOB_NONE {digest} this one cannot be had
 *	KEEP {facts}               ->                      the manifest for the next run, if it is not the one that was named
 */
#ifndef RCC_WIRE_H
#define RCC_WIRE_H

#include "buf.h"
#include "change.h"
#include "digest.h"
#include "err.h"
#include "frame.h"
#include "job.h"
#include "tree.h"
#include "used.h"

#define WIRE_MAGIC 0x31636372u	/* "rcc1" */
enum { WIRE_VERSION = 4, WIRE_PORT = 17632, WIRE_HTTP_PORT = 17633 };
enum { PROGRESS_MS = 1000 };	/* a caller that hears nothing of its job for long may give it up */

enum wire_type {
	WIRE_HELLO = 1, WIRE_WELCOME, WIRE_BYE, WIRE_STATE,
	WIRE_TOOLCHAIN, WIRE_TOOLCHAIN_STATE,
	WIRE_RESERVE, WIRE_GRANT, WIRE_REFUSE, WIRE_CANCEL,
	WIRE_PING, WIRE_PONG,
	WIRE_JOB, WIRE_INPUT, WIRE_INPUT_END, WIRE_OUTPUT, WIRE_RESULT,
	WIRE_BOX, WIRE_PROGRESS,
	WIRE_SUPPLY, WIRE_WANT, WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_NONE,
	WIRE_FACTS, WIRE_QUESTION, WIRE_ANSWER, WIRE_CHANGES, WIRE_USED, WIRE_JOB_END,
	WIRE_NEED, WIRE_HAVE, WIRE_KEEP,
	WIRE_TYPES
};

extern const struct protocol wire_protocol;

enum wire_role { ROLE_CONTROL, ROLE_JOB, ROLE_STORE, ROLES };

/*
 * OUTPUT's id: which stream its bytes belong to. Files follow in the order of job.outputs; in file mode all files are
 * one stream, as long as CHANGES says.
 */
enum output_stream { STREAM_STDOUT = 0, STREAM_STDERR = 1, STREAM_FILE = 2 };

/* Why a volunteer says no, or goodbye. */
#define REFUSALS(X) \
	X(NONE, "none") \
	X(VERSION, "other protocol version") \
	X(PROTOCOL, "protocol violation") \
	X(TOO_MANY, "too many connections") \
	X(DRAINING, "volunteer is leaving") \
	X(TOOLCHAIN, "toolchain is not here") \
	X(QUEUE_FULL, "queue is full") \
	X(GRANT_EXPIRED, "grant was not used in time") \
	X(PROGRAM, "program is not allowed") \
	X(BUSY, "no slot is free") \
	X(INTERNAL, "volunteer failed") \
	X(OWNER, "its owner needs the machine") \
	X(LIMIT, "over a limit of this volunteer")

enum refusal {
#define X(id, text) REFUSAL_##id,
	REFUSALS(X)
#undef X
	REFUSAL_COUNT
};
const char *refusal_text(enum refusal r);

/* Why a volunteer has fewer slots for now than it says at WELCOME. */
#define HOLDS(X) \
	X(NONE, "") \
	X(CPU, "its owner uses the processor") \
	X(MEMORY, "little memory is left") \
	X(PRESSURE, "its programs wait for memory or disk") \
	X(BATTERY, "it runs on battery") \
	X(PRESENT, "its owner is there")

enum hold {
#define X(id, text) HOLD_##id,
	HOLDS(X)
#undef X
	HOLD_COUNT
};
const char *hold_text(enum hold h);

struct wire_hello {
	uint32_t version;
	uint8_t role;		/* enum wire_role */
	char *name;		/* who: "user@host", for pages and logs */
};

struct wire_welcome {
	uint32_t version;
	uint32_t slots;
	uint32_t processors;	/* that it may use at once (cores.h); fewer than slots: full, it is slower */
	char *name;		/* the volunteer's own name */
	char *machine;		/* uname -m */
	char *kernel;		/* uname -r */
	char *build;		/* its version */
	uint8_t modes;		/* 1 << enum job_mode: those that it offers */
};

struct wire_bye {
	uint8_t refusal;	/* enum refusal */
	char *text;
};

struct wire_state {
	uint32_t slots;		/* that may be granted for now */
	uint32_t free;		/* neither running nor granted */
	uint32_t queued;	/* reservations waiting */
	uint8_t draining;
	uint8_t hold;		/* enum hold */
};

enum toolchain_state {
	TOOLCHAIN_READY,
	TOOLCHAIN_LACKING,	/* and it will not take it from callers */
	TOOLCHAIN_WANTED,	/* whoever has it may supply it */
	TOOLCHAIN_FETCHING,	/* a caller supplies it, or it is being installed */
	TOOLCHAIN_STATES
};

struct wire_toolchain_state {
	struct digest id;
	uint8_t state;		/* enum toolchain_state */
	uint64_t done, total;	/* wanted, fetching: bytes of its files that are there, and of all */
	char *text;		/* lacking: the first file that differs or is absent, and how; else "" */
};

enum { WANT_MAX = 1024 };

struct wire_want {
	struct digest *digests;	/* NULL: none */
	size_t count;		/* at most WANT_MAX */
};

struct wire_blob {
	struct digest digest;
	uint64_t size;		/* bytes, codecs undone */
};

enum { NEED_MAX = 1024 };

struct wire_needed {
	struct digest digest;
	uint64_t size;
	char *path;		/* at the caller: this machine may have the same there; "": no file */
};

struct wire_need {
	struct wire_needed *v;
	size_t count;		/* 1 to NEED_MAX */
};

struct wire_question {
	uint8_t listing;	/* the names in it are wanted, too */
	char *path;		/* canonical */
};

struct wire_progress {		/* from a box: */
	uint64_t cpu_us;	/* used by its job so far */
	uint64_t memory_kb;	/* held by it now */
};

struct wire_reserve {
	struct digest toolchain;
	uint32_t predicted_ms;	/* processor or slot, whichever is more; 0: unknown */
	uint32_t predicted_mb;	/* memory; 0: unknown */
	int8_t niceness;	/* the caller's */
};

struct wire_grant { uint64_t token; };

struct wire_refuse {		/* id: the reservation's; on a job connection 0 */
	uint8_t refusal;
	char *text;
};

struct wire_input_end {
	uint64_t bytes;		/* of all INPUT frames, codecs undone */
	uint64_t hash;		/* XXH3 of them */
};

/* Each pair beside each other in wire.c. get returns 0 or ERR_WIRE; strings are the caller's. */
void wire_hello_put(struct buf *b, const struct wire_hello *m);
int wire_hello_get(struct reader *r, struct wire_hello *m, struct err *err);
void wire_welcome_put(struct buf *b, const struct wire_welcome *m);
int wire_welcome_get(struct reader *r, struct wire_welcome *m, struct err *err);
void wire_welcome_free(struct wire_welcome *m);
void wire_bye_put(struct buf *b, const struct wire_bye *m);
int wire_bye_get(struct reader *r, struct wire_bye *m, struct err *err);
void wire_state_put(struct buf *b, const struct wire_state *m);
int wire_state_get(struct reader *r, struct wire_state *m, struct err *err);
/* TOOLCHAIN is a tree, JOB is a token (u64) and a job, RESULT is a job_result. */
void wire_toolchain_state_put(struct buf *b, const struct wire_toolchain_state *m);
int wire_toolchain_state_get(struct reader *r, struct wire_toolchain_state *m, struct err *err);
void wire_reserve_put(struct buf *b, const struct wire_reserve *m);
int wire_reserve_get(struct reader *r, struct wire_reserve *m, struct err *err);
void wire_grant_put(struct buf *b, const struct wire_grant *m);
int wire_grant_get(struct reader *r, struct wire_grant *m, struct err *err);
void wire_refuse_put(struct buf *b, const struct wire_refuse *m);
int wire_refuse_get(struct reader *r, struct wire_refuse *m, struct err *err);
void wire_job_put(struct buf *b, uint64_t token, const struct job *job);
int wire_job_get(struct reader *r, uint64_t *token, struct job *job, struct err *err);
void wire_input_end_put(struct buf *b, const struct wire_input_end *m);
int wire_input_end_get(struct reader *r, struct wire_input_end *m, struct err *err);
/* SUPPLY and BLOB_NONE are a digest. FACTS, ANSWER and KEEP are facts (fact.h), CHANGES changes (change.h), USED used.h. HAVE is as WANT. */
void wire_digest_put(struct buf *b, const struct digest *d);
int wire_digest_get(struct reader *r, struct digest *d, struct err *err);
void wire_want_put(struct buf *b, const struct wire_want *m);
int wire_want_get(struct reader *r, struct wire_want *m, struct err *err);
void wire_want_free(struct wire_want *m);
void wire_blob_put(struct buf *b, const struct wire_blob *m);
int wire_blob_get(struct reader *r, struct wire_blob *m, struct err *err);
void wire_need_put(struct buf *b, const struct wire_need *m);
int wire_need_get(struct reader *r, struct wire_need *m, struct err *err);
void wire_need_free(struct wire_need *m);
void wire_question_put(struct buf *b, const struct wire_question *m);
int wire_question_get(struct reader *r, struct wire_question *m, struct err *err);
void wire_progress_put(struct buf *b, const struct wire_progress *m);
int wire_progress_get(struct reader *r, struct wire_progress *m, struct err *err);
void wire_ping_put(struct buf *b, uint64_t stamp);
int wire_ping_get(struct reader *r, uint64_t *stamp, struct err *err);
/* time_us: of day, since 1970. */
void wire_pong_put(struct buf *b, uint64_t stamp, uint64_t time_us);
int wire_pong_get(struct reader *r, uint64_t *stamp, uint64_t *time_us, struct err *err);

#endif
