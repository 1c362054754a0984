/*
 * filejob.h - what an attempt in file mode does besides reserving a place: it tells the volunteer
 * of the caller's files, brings contents, and judges what comes back.
 *
 * Files are looked at in worker threads; all calls, and all events, are the loop's.
 */
#ifndef RCC_FILEJOB_H
#define RCC_FILEJOB_H

#include <uv.h>

#include "conn.h"
#include "files.h"
#include "manifest.h"
#include "plan.h"
#include "result.h"
#include "toolchain.h"

struct filejob;

struct filejob_spec {
	uv_loop_t *loop;
	struct files *files;
	struct manifests *manifests;
	struct plan *plan;			/* shared */
	const struct file_unit *unit;		/* of it */
	const char *cwd;
	const struct toolchain *toolchain;
	struct toolchains *toolchains;
	struct toolchain_question question;	/* taken. Not empty: toolchain is what these were last, which may be no longer so */
	bool at_once;				/* a place is likely to be had at once */
	bool has_date;				/* SOURCE_DATE_EPOCH counts: no clock shows in what it makes */
	bool may_fail;				/* a failure can be handed on as it is */
	bool may_speak;				/* and so can words on stderr */
	bool may_print;				/* and on stdout */
};

struct filejob_events {
	/* How to pack now what goes there. */
	enum codec (*codec)(void *arg);
	/* Is the time of day there the same as here? */
	bool (*clock_agrees)(void *arg);
	/* It cannot go on with this connection. Last call. */
	void (*failed)(enum reason why, void *arg);
	/* After filejob_judge(): REASON_NONE, and the outcome is there; or why not. Last call. */
	void (*judged)(enum reason why, void *arg);
};

/* ready: what is known of earlier runs is there, filejob_caller() can be called, and a place be asked for. */
struct filejob *filejob_new(const struct filejob_spec *spec, void (*ready)(void *arg), void *arg);
/* Once ready: the toolchain is what it was. If not, the job is of no use. */
bool filejob_toolchain_holds(const struct filejob *j);
/* The manifest's name, for the JOB message. */
void filejob_caller(const struct filejob *j, struct job_caller *out);
/* JOB was sent over c: what follows. */
void filejob_begin(struct filejob *j, struct conn *c, const struct filejob_events *events, void *arg);
/* QUESTION, WANT, CHANGES, USED; else, or in the wrong moment: ERR_WIRE. */
int filejob_message(struct filejob *j, const struct frame *f, struct err *err);
/* The connection has room again. */
void filejob_drained(struct filejob *j);
/* Nothing more goes over the connection, which is as it was before. */
void filejob_leave(struct filejob *j);
/* RESULT has come: is it all there, does what it relied on still hold? r stays the caller's, until judged or filejob_free(). */
void filejob_judge(struct filejob *j, struct result *r, const struct job_result *said);

/* A file was no longer what the volunteer had been told: no end but a good one says anything of the job. */
bool filejob_misled(const struct filejob *j);
/* Bytes on stdout and stderr. */
void filejob_said(const struct filejob *j, uint64_t *out, uint64_t *err);
/* Of a good end. Borrowed, until filejob_free(): what the job did, and a descriptor with stdout, stderr and the files' contents. */
const struct changes *filejob_changes(const struct filejob *j);
int filejob_contents(const struct filejob *j);

struct filejob_counts {
	uint64_t questions, contents, content_bytes;
	enum manifest_of manifest;		/* whose it began with */
};
struct filejob_counts filejob_counts(const struct filejob *j);
/* Safe at any time, without further events; j may be NULL. */
void filejob_free(struct filejob *j);

#endif
