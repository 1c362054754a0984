/*
 * serve.c - one request from the socket, one job, one answer.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "codec.h"
#include "confine.h"
#include "root.h"
#include "serve.h"
#include "steps.h"

/* The job's output on its way back. */
struct output {
	struct link *link;
	enum codec codec;
	uint64_t max_bytes, bytes;
	XXH3_state_t hash;
	struct buf packed;
};

static int read_request(struct link *l, struct box_request *q, struct err *err)
{
	struct frame f;
	struct reader r;
	int rc;

	while ((rc = link_next(l, &f, err)) == 0)
		if ((rc = link_wait(l, err)) < 0)
			return rc;
	if (rc < 0)
		return rc;
	if (f.type != WIRE_BOX)
		return err_set(err, ERR_WIRE, "%s is no request", wire_protocol.rules[f.type].name);
	r = reader_of(f.payload, f.length);
	return box_request_get(&r, q, err);
}

static int send_chunk(struct output *o, uint32_t stream, const void *p, size_t len, struct err *err)
{
	struct frame f = { .type = WIRE_OUTPUT, .id = stream, .raw = (uint32_t)len };

	if (o->bytes + len > o->max_bytes)
		return err_set(err, ERR_LIMIT, "outputs of more than %llu bytes", (unsigned long long)o->max_bytes);
	o->packed.len = 0;
	f.codec = (uint8_t)codec_pack(o->codec, p, len, &o->packed);
	f.payload = o->packed.p;
	f.length = (uint32_t)o->packed.len;
	o->bytes += len;
	XXH3_64bits_update(&o->hash, p, len);
	return link_send(o->link, &f, err);
}

static int send_captured(struct output *o, uint32_t stream, const struct buf *b, struct err *err)
{
	int rc = 0;

	for (size_t at = 0; at < b->len && rc == 0; at += FRAME_MAX)
		rc = send_chunk(o, stream, b->p + at, size_min(b->len - at, FRAME_MAX), err);
	return rc;
}

static int send_said(struct output *o, const struct captured *captured, struct err *err)
{
	int rc = send_captured(o, STREAM_STDOUT, &captured->out, err);

	return rc < 0 ? rc : send_captured(o, STREAM_STDERR, &captured->err, err);
}

static int send_contents(struct output *o, uint32_t stream, int fd, const char *name, struct err *err)
{
	static unsigned char chunk[FRAME_MAX];
	bool first = true;
	ssize_t n;
	int rc;

	do {
		n = read(fd, chunk, sizeof chunk);
		if (n < 0)
			return err_sys(err, "read %s", name);
		rc = n > 0 || first ? send_chunk(o, stream, chunk, (size_t)n, err) : 0;
		first = false;
	} while (n > 0 && rc == 0);
	return rc;
}

/* A file that the job wrote. One that is absent, or no regular file, is not sent; an empty one is an empty frame. */
static int send_file(struct output *o, uint32_t stream, const char *name, struct err *err)
{
	autoclose int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? 0 : send_contents(o, stream, fd, name, err);
}

/* Of what it did to its caller's files the list comes first, and what it relied on last. */
static int send_files(struct output *o, struct borrowed *f, const struct captured *captured, struct err *err)
{
	autochanges struct changes all = { 0 };
	int rc = borrowed_changes(f, &all, err);

	if (rc == 0)
		rc = send_said(o, captured, err);
	for (size_t i = 0; i < all.count && rc == 0; i++)
		if (all.v[i].kind == CHANGE_FILE) {
			autoclose int fd = borrowed_open_change(f, &all.v[i], err);

			rc = fd < 0 ? fd : send_contents(o, STREAM_FILE, fd, path_base(all.v[i].path), err);
		}
	return rc < 0 ? rc : borrowed_send_used(f, err);
}

static int send_outputs(struct output *o, const struct job *job, const struct captured *captured, struct err *err)
{
	int rc = send_said(o, captured, err);

	for (size_t i = 0; i < job->outputs.count && rc == 0; i++)
		rc = send_file(o, STREAM_FILE + (uint32_t)i, job->outputs.v[i], err);
	return rc;
}

static uint8_t outcome_of(int rc)
{
	return rc == ERR_LIMIT ? JOB_LIMIT : rc == ERR_UNSUPPORTED ? JOB_UNFIT : rc == ERR_WIRE ? JOB_BAD_INPUT : JOB_BOX_FAILED;
}

/* Back to rccd: what the job made, if it ran. */
static int send_job(struct link *l, const struct box_request *q, struct borrowed *files, const struct captured *captured,
		    struct job_result *result, struct err *err)
{
	struct output o = { .link = l, .codec = (enum codec)q->codec, .max_bytes = q->file_bytes };
	int rc = 0;

	XXH3_64bits_reset(&o.hash);
	if (result->outcome == JOB_RAN)
		rc = files ? send_files(&o, files, captured, err) : send_outputs(&o, &q->job, captured, err);
	buf_free(&o.packed);
	if (rc == ERR_LIMIT || rc == ERR_IO || rc == ERR_UNSUPPORTED) {
		result->outcome = outcome_of(rc);
		snprintf(result->text, sizeof result->text, "%.120s", err->text);
		rc = 0;
	}
	result->output_bytes = o.bytes;
	result->output_hash = XXH3_64bits_digest(&o.hash);
	return rc;
}

static int send_result(struct link *l, const struct job_result *result, struct err *err)
{
	autobuf struct buf b = { 0 };
	struct frame f = { .type = WIRE_RESULT };

	job_result_put(&b, result);
	f.payload = b.p;
	f.length = f.raw = (uint32_t)b.len;
	return link_send(l, &f, err);
}

struct room { struct link *link; struct borrowed *files; };

static int enter_files(const struct box_request *q, void *arg, struct err *err)
{
	struct room *room = arg;

	return borrowed_enter(room->link, q, &room->files, err);
}

static int run_job(struct link *l, const struct box_request *q, struct err *err)
{
	bool by_files = q->job.mode == JOB_FILES;
	struct room room = { .link = l };
	struct captured captured = { 0 };
	struct job_result result = { 0 };
	int rc = confine(q, by_files ? enter_files : root_enter, &room, err);

	if (rc == ERR_CLOSED)
		return rc;
	if (rc < 0) {
		result.outcome = outcome_of(rc);
		snprintf(result.text, sizeof result.text, "%.120s", err->text);
		return send_result(l, &result, err);
	}
	rc = steps_run(l, q, room.files, &captured, &result, err);
	if (rc == 0)
		rc = send_job(l, q, room.files, &captured, &result, err);
	if (rc == 0)
		rc = send_result(l, &result, err);
	buf_free(&captured.out);
	buf_free(&captured.err);
	borrowed_free(room.files);
	return rc;
}

int box_serve(int fd)
{
	struct link l = { .fd = fd };
	struct box_request q = { 0 };
	struct err err = { 0 };
	int rc = read_request(&l, &q, &err);

	if (rc == 0)
		rc = run_job(&l, &q, &err);
	box_request_free(&q);
	link_free(&l);
	if (rc < 0 && rc != ERR_CLOSED) {
		fprintf(stderr, "rccd-box: %s\n", err.text);
		return 1;
	}
	return 0;
}
