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

/* A file that the job wrote. One that is absent, or no regular file, is not sent; an empty one is an empty frame. */
static int send_file(struct output *o, uint32_t stream, const char *name, struct err *err)
{
	static unsigned char chunk[FRAME_MAX];
	autoclose int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	bool first = true;
	ssize_t n;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	do {
		n = read(fd, chunk, sizeof chunk);
		if (n < 0)
			return err_sys(err, "read %s", name);
		rc = n > 0 || first ? send_chunk(o, stream, chunk, (size_t)n, err) : 0;
		first = false;
	} while (n > 0 && rc == 0);
	return rc;
}

static int send_outputs(struct output *o, const struct job *job, const struct captured *captured, struct err *err)
{
	int rc = send_captured(o, STREAM_STDOUT, &captured->out, err);

	if (rc == 0)
		rc = send_captured(o, STREAM_STDERR, &captured->err, err);
	for (size_t i = 0; i < job->outputs.count && rc == 0; i++)
		rc = send_file(o, STREAM_FILE + (uint32_t)i, job->outputs.v[i], err);
	return rc;
}

/* Back to rccd: what the job made, if it ran. */
static int send_job(struct link *l, const struct box_request *q, const struct captured *captured,
		    struct job_result *result, struct err *err)
{
	struct output o = { .link = l, .codec = (enum codec)q->codec, .max_bytes = q->file_bytes };
	int rc = 0;

	XXH3_64bits_reset(&o.hash);
	if (result->outcome == JOB_RAN)
		rc = send_outputs(&o, &q->job, captured, err);
	buf_free(&o.packed);
	if (rc == ERR_LIMIT || rc == ERR_IO) {
		result->outcome = rc == ERR_LIMIT ? JOB_LIMIT : JOB_BOX_FAILED;
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

static int run_job(struct link *l, const struct box_request *q, struct err *err)
{
	struct captured captured = { 0 };
	struct job_result result = { 0 };
	int rc = confine(q, err);

	if (rc < 0) {
		result.outcome = JOB_BOX_FAILED;
		snprintf(result.text, sizeof result.text, "%.120s", err->text);
		return send_result(l, &result, err);
	}
	rc = steps_run(l, q, &captured, &result, err);
	if (rc == 0)
		rc = send_job(l, q, &captured, &result, err);
	if (rc == 0)
		rc = send_result(l, &result, err);
	buf_free(&captured.out);
	buf_free(&captured.err);
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
