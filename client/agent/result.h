/*
 * result.h - what came back from a volunteer: kept packed, then checked
 * against its hash and written in a worker thread.
 */
#ifndef RCC_RESULT_H
#define RCC_RESULT_H

#include <uv.h>

#include "err.h"
#include "frame.h"
#include "job.h"

struct result;

enum {	/* what is more is compiled here */
	RESULT_BYTES_MAX = 256 << 20,	/* packed, of all results held */
	RESULT_RAW_MAX = 1 << 30,	/* unpacked, of one: what a volunteer may make us write */
};

struct result *result_new(void);
/* One OUTPUT frame. ERR_LIMIT when it grows beyond its bound. */
int result_add(struct result *r, const struct frame *f, struct err *err);
/* Raw bytes of one stream so far. */
uint64_t result_bytes(const struct result *r, uint32_t id);
#define RESULT_ALL UINT32_MAX	/* all streams, one after the other */
/*
 * Check everything against said, and write stream id to fd (borrowed until
 * done is called, in the loop). rc: 0, ERR_WIRE (not what was said),
 * ERR_OUTPUT (fd cannot be written).
 */
void result_store(struct result *r, uv_loop_t *loop, uint32_t id, int fd, const struct job_result *said,
		  void (*done)(int rc, const struct err *err, void *arg), void *arg);
/*
 * The same at once, all streams, for a worker thread that has more to do: between hold and release, which are the loop's.
 * Nothing is added meanwhile.
 */
void result_hold(struct result *r);
int result_write(const struct result *r, int fd, const struct job_result *said, struct err *err);
void result_release(struct result *r);
/* Safe while it is being stored or held: done is then not called, and fd may be closed. r may be NULL. */
void result_free(struct result *r);

#endif
