/*
 * result.c - outputs of one job, from frames to a file.
 */
#include "result.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <xxhash.h>

#include "codec.h"
#include "feed.h"
#include "wire.h"

/* Of all results that are held now; the loop's thread only. */
static uint64_t held;

struct result {
	uv_work_t work;
	struct parcel *first, **end;
	uint64_t packed, unpacked;
	uint64_t raw[STREAM_FILE + JOB_OUTPUTS_MAX];
	uint32_t id;		/* being stored */
	int fd;			/* our own duplicate */
	struct job_result said;
	void (*done)(int rc, const struct err *err, void *arg);
	void *arg;
	bool storing, freed;	/* storing: a worker thread has it */
	int rc;
	struct err err;
};

struct result *result_new(void)
{
	struct result *r = xcalloc(1, sizeof *r);

	r->end = &r->first;
	r->fd = -1;
	return r;
}

int result_add(struct result *r, const struct frame *f, struct err *err)
{
	struct parcel *p;

	if (f->id >= ARRAY_LEN(r->raw))
		return err_set(err, ERR_WIRE, "OUTPUT of stream %u", f->id);
	if (held + f->length + sizeof *p > RESULT_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "outputs over %d bytes", RESULT_BYTES_MAX);
	if (r->unpacked + f->raw > RESULT_RAW_MAX)
		return err_set(err, ERR_LIMIT, "outputs over %d bytes", RESULT_RAW_MAX);
	r->unpacked += f->raw;
	r->packed += f->length + sizeof *p;
	held += f->length + sizeof *p;
	p = xmalloc(sizeof *p + f->length);
	*p = (struct parcel){ .id = f->id, .raw = f->raw, .len = f->length, .codec = f->codec };
	memcpy(p->data, f->payload, f->length);
	*r->end = p;
	r->end = &p->next;
	r->raw[f->id] += f->raw;
	return 0;
}

uint64_t result_bytes(const struct result *r, uint32_t id)
{
	return r->raw[id];
}

/* Where each stream begins in fd: one is written alone, or all are, in their order. */
static void place_streams(const struct result *r, uint32_t id, off_t at[STREAM_FILE + JOB_OUTPUTS_MAX])
{
	off_t next = 0;

	for (size_t i = 0; i < ARRAY_LEN(r->raw); i++) {
		at[i] = next;
		next += id == RESULT_ALL ? (off_t)r->raw[i] : 0;
	}
}

static int write_at(int fd, const unsigned char *p, size_t len, off_t *at)
{
	while (len) {
		ssize_t n = pwrite(fd, p, len, *at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
		*at += n;
	}
	return 0;
}

/* In a worker thread. */
static int store(const struct result *r, uint32_t id, int fd, const struct job_result *said, struct err *err)
{
	autobuf struct buf chunk = { 0 };
	uint64_t total = 0;
	XXH3_state_t hash;
	off_t at[ARRAY_LEN(r->raw)];

	place_streams(r, id, at);
	XXH3_64bits_reset(&hash);
	for (struct parcel *p = r->first; p; p = p->next) {
		int rc;

		chunk.len = 0;
		rc = codec_unpack(p->codec, p->data, p->len, p->raw, &chunk, err);
		if (rc < 0)
			return rc;
		XXH3_64bits_update(&hash, chunk.p, chunk.len);
		total += chunk.len;
		if ((p->id == id || id == RESULT_ALL) && write_at(fd, chunk.p, chunk.len, &at[p->id]) < 0) {
			err_sys(err, "write output");
			return ERR_OUTPUT;
		}
	}
	if (total != said->output_bytes || XXH3_64bits_digest(&hash) != said->output_hash)
		return err_set(err, ERR_WIRE, "output does not have the hash that was said");
	return 0;
}

static void on_work(uv_work_t *work)
{
	struct result *r = work->data;

	r->rc = store(r, r->id, r->fd, &r->said, &r->err);
}

static void on_stored(uv_work_t *work, int status)
{
	struct result *r = work->data;

	(void)status;
	r->storing = false;
	if (r->freed)
		result_free(r);
	else
		r->done(r->rc, &r->err, r->arg);
}

void result_store(struct result *r, uv_loop_t *loop, uint32_t id, int fd, const struct job_result *said,
		  void (*done)(int rc, const struct err *err, void *arg), void *arg)
{
	r->id = id;
	r->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	r->said = *said;
	r->done = done;
	r->arg = arg;
	r->storing = true;
	r->work.data = r;
	uv_queue_work(loop, &r->work, on_work, on_stored);
}

void result_hold(struct result *r) { r->storing = true; }

int result_write(const struct result *r, int fd, const struct job_result *said, struct err *err)
{
	return store(r, RESULT_ALL, fd, said, err);
}

void result_release(struct result *r)
{
	r->storing = false;
	if (r->freed)
		result_free(r);
}

void result_free(struct result *r)
{
	if (!r)
		return;
	r->freed = true;
	if (r->storing)
		return;
	held -= r->packed;
	while (r->first) {
		struct parcel *p = r->first;

		r->first = p->next;
		free(p);
	}
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}
