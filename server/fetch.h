/*
 * fetch.h - contents that jobs in file mode wait for: found in the store, on this machine's own disk, or brought by a caller.
 *
 * Several jobs may wait for one blob: it is looked for once, and one of their callers is asked. When that one cannot bring
 * it, ends, or takes long, the next is asked; when nobody is left, the boxes are told so.
 */
#ifndef RCC_FETCH_H
#define RCC_FETCH_H

#include <uv.h>

#include "argv.h"
#include "buf.h"
#include "frame.h"
#include "store.h"

/*
 * What one job may make us look for, write and keep. What is beyond is said not to be there, so its caller runs the job itself.
 *
 *	files of one job, each time it asks		FETCH_BLOBS_MAX
 *	bytes of them together				FETCH_BYTES_MAX
 *	bytes of one					FETCH_BLOB_MAX, as what a job may write
 *	manifests that it leaves			1, of the length of the message
 *
 * and all of them together what the store may hold.
 */
enum { FETCH_BLOBS_MAX = 1 << 17 };
enum { FETCH_SLOW_MS = 5000 };		/* a box waits for 30 s: time for a few */
#define FETCH_BYTES_MAX ((uint64_t)4 << 30)
#define FETCH_BLOB_MAX ((uint64_t)512 << 20)

struct fetch;		/* what one job waits for */
struct fetches;		/* what all do */

struct fetch_ops {
	void (*to_box)(void *arg, uint8_t type, const struct buf *b);
	void (*to_caller)(void *arg, uint8_t type, const struct buf *b);
	void (*pause)(void *arg);	/* the caller's connection is not to be read */
	void (*resume)(void *arg);
	void (*violation)(void *arg, const struct err *err);	/* the caller lied. May call fetch_end() */
};

struct fetch_view {
	uint64_t brought, brought_bytes;	/* by callers, codecs undone */
	uint64_t own, own_bytes;		/* copied from this machine's own disk */
};

/* dirs: of this machine's disk, those that count (hostfiles.h). It and the store are borrowed. */
struct fetches *fetches_new(uv_loop_t *loop, struct store *s, const struct argv *dirs);
void fetches_free(struct fetches *all);		/* when no job is left and the loop ran dry. May be NULL */
struct fetch_view fetches_view(const struct fetches *all);

struct fetch *fetch_new(struct fetches *all, const struct fetch_ops *ops, void *arg);
/* The job is over. Others wait on. f may be NULL. */
void fetch_end(struct fetch *f);

/* From the box. ERR_WIRE: a violation of its protocol. */
int fetch_need(struct fetch *f, const struct frame *frame, struct err *err);
int fetch_keep(struct fetch *f, const struct frame *frame, struct err *err);

/* From the caller. ERR_WIRE: a violation: of another size than the box said, or not the next that was asked for. */
int fetch_blob(struct fetch *f, const struct frame *frame, struct err *err);
int fetch_data(struct fetch *f, const struct frame *frame, struct err *err);
int fetch_none(struct fetch *f, const struct frame *frame, struct err *err);

/* Each second or so, while jobs run. now_ms: clock_ms(). */
void fetches_tick(struct fetches *all, uint64_t now_ms);

/* Something was asked of the caller that has not come yet. */
bool fetch_waits(const struct fetch *f);

#endif
