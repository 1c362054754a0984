/*
 * worker.h - one box: its process, its socket, its directory.
 *
 * Frames pass through packed as they are. The process is gone when
 * on_reaped() is called; on_end() comes when its last frame has been
 * delivered as well.
 */
#ifndef RCC_WORKER_H
#define RCC_WORKER_H

#include <uv.h>

#include "conn.h"
#include "request.h"
#include "spawner.h"

struct worker;

struct worker_ops {
	int (*on_frame)(const struct frame *f, void *arg, struct err *err);
	void (*on_room)(void *arg);	/* worker_full() became false */
	void (*on_reaped)(void *arg);
	/* why: "" or what went wrong. The worker is gone: forget the pointer. */
	void (*on_end)(void *arg, const char *why);
};

/* Who makes its box, and where. */
struct worker_place {
	struct spawner *spawner;
	int cgroup_fd;		/* -1: none; stays the caller's */
};

/* Has a box made. Unconfined it is in the request's directory, which is made, and must not exist. */
int worker_start(uv_loop_t *loop, const struct worker_place *place, const struct box_request *q,
		 const struct worker_ops *ops, void *arg, struct worker **out, struct err *err);

void worker_send(struct worker *w, const struct frame *f);
/* A message that may take several frames; the one above is for frames of their own. */
void worker_message(struct worker *w, uint8_t type, uint32_t id, const struct buf *b);
bool worker_full(const struct worker *w);	/* the box does not keep up with its input */
void worker_pause(struct worker *w);		/* its output is not taken for now */
void worker_resume(struct worker *w);

/* Nothing more is wanted: the box ends its job. on_reaped() and on_end() still come, on_frame() not. */
void worker_cancel(struct worker *w);

#endif
