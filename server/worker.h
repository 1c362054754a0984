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

struct worker;

struct worker_ops {
	int (*on_frame)(const struct frame *f, void *arg, struct err *err);
	void (*on_room)(void *arg);	/* worker_full() became false */
	void (*on_reaped)(void *arg);
	/* why: "" or what went wrong. The worker is gone: forget the pointer. */
	void (*on_end)(void *arg, const char *why);
};

/* Makes the request's directory, which must not exist, and starts the program box in it. */
int worker_start(uv_loop_t *loop, const char *box, const struct box_request *q, const struct worker_ops *ops,
		 void *arg, struct worker **out, struct err *err);

void worker_send(struct worker *w, const struct frame *f);
bool worker_full(const struct worker *w);	/* the box does not keep up with its input */
void worker_pause(struct worker *w);		/* its output is not taken for now */
void worker_resume(struct worker *w);

/* Nothing more is wanted: the box ends its job. on_reaped() and on_end() still come, on_frame() not. */
void worker_cancel(struct worker *w);

#endif
