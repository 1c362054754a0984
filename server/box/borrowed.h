/*
 * borrowed.h - a job's caller's files, as they come over the link.
 *
 * Facts and contents in; questions, needs, and in the end what the job did
 * and used, out. Whoever has one must not name a path any more: "/" is
 * what we serve ourselves.
 */
#ifndef RCC_BOX_BORROWED_H
#define RCC_BOX_BORROWED_H

#include "link.h"
#include "overlay.h"
#include "request.h"

struct borrowed;

/*
 * Waits for FACTS and the manifest, and makes the job's root of them; to be called by
 * confine(), in a mount namespace of our own. *out is set as soon as there is anything to free. ERR_UNSUPPORTED: what
 * the caller says cannot be used; ERR_CLOSED: it is gone; ERR_IO names the step.
 */
int borrowed_enter(struct link *l, const struct box_request *q, struct borrowed **out, struct err *err);

/* Whom the job is in its root, and which kind of overlay that takes. */
struct fuse_owner borrowed_owner(const struct box_request *q);
bool borrowed_in_user_namespace(void);

int borrowed_fd(const struct borrowed *f);		/* readable: borrowed_turn() */
int borrowed_null(const struct borrowed *f);		/* /dev/null, to read */
/* What its stderr is, if its caller's is a terminal: to read from, and to write to. They are the caller's then. */
bool borrowed_terminal(struct borrowed *f, int ends[2]);
/* Requests of the job. ERR_IO. */
int borrowed_turn(struct borrowed *f, struct err *err);
/* ANSWER, HAVE, BLOB_NONE: *rc is 0 or ERR_WIRE, which ends the job. False: it is none of them. */
bool borrowed_take(struct borrowed *f, const struct frame *frame, int *rc, struct err *err);
/* Why the job cannot go on; NULL: it can. */
const char *borrowed_stopped(const struct borrowed *f);
/* Milliseconds until it will have waited for too long; -1: it does not wait. */
int borrowed_patience(struct borrowed *f);
/* Another one may follow. */
void borrowed_program_ended(struct borrowed *f);
/* What one of its programs holds, and what it wrote. */
uint64_t borrowed_usage_kb(const struct borrowed *f, pid_t pid);

/* No program is to be waited for before this: one that waits for a file cannot even be killed. */
void borrowed_end(struct borrowed *f);
/* Once none is left. CHANGES, into all as well; USED and KEEP. ERR_LIMIT, ERR_UNSUPPORTED: it did what cannot be brought to its caller. */
int borrowed_changes(struct borrowed *f, struct changes *all, struct err *err);
int borrowed_send_used(struct borrowed *f, struct err *err);
/* A changed file's contents. ERR_IO. */
int borrowed_open_change(const struct borrowed *f, const struct change *c, struct err *err);
void borrowed_free(struct borrowed *f);

#endif
