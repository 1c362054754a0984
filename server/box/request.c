/*
 * request.c - the box's request, to bytes and back.
 */
#include "request.h"

void box_request_put(struct buf *b, const struct box_request *q)
{
	put_str(b, q->directory);
	put_u8(b, q->niceness);
	put_u8(b, q->codec);
	put_u32(b, q->cpu_seconds);
	put_u32(b, q->wall_seconds);
	put_u64(b, q->memory_bytes);
	put_u64(b, q->file_bytes);
	put_u64(b, q->input_bytes);
	put_u8(b, q->idle);
	put_u8(b, q->input_pipe);
	put_u8(b, q->confined);
	put_str(b, q->root ? q->root : "");
	put_u32(b, q->uid);
	put_u64(b, q->scratch_bytes);
	put_str(b, q->blobs ? q->blobs : "");
	job_put(b, &q->job);
}

static int check(const struct box_request *q, struct err *err)
{
	if (q->confined && q->root[0] != '/')
		return err_set(err, ERR_WIRE, "box request: the root is no absolute name");
	if (q->job.mode == JOB_FILES && (!q->confined || q->blobs[0] != '/'))
		return err_set(err, ERR_WIRE, "box request: file mode without a root of its own or the contents");
	for (size_t i = 0; i < q->job.step_count && q->input_pipe; i++)
		if (!*q->job.input_name || q->job.steps[i].stdin_input)
			return err_set(err, ERR_WIRE, "box request: the input is no pipe by that name");
	if (q->directory[0] != '/' || q->niceness > 19 || q->codec >= CODEC_COUNT)
		return err_set(err, ERR_WIRE, "box request: directory, niceness or codec");
	return 0;
}

int box_request_get(struct reader *r, struct box_request *q, struct err *err)
{
	int rc;

	*q = (struct box_request){ .directory = get_str(r) };
	q->niceness = get_u8(r);
	q->codec = get_u8(r);
	q->cpu_seconds = get_u32(r);
	q->wall_seconds = get_u32(r);
	q->memory_bytes = get_u64(r);
	q->file_bytes = get_u64(r);
	q->input_bytes = get_u64(r);
	q->idle = get_u8(r);
	q->input_pipe = get_u8(r);
	q->confined = get_u8(r);
	q->root = get_str(r);
	q->uid = get_u32(r);
	q->scratch_bytes = get_u64(r);
	q->blobs = get_str(r);
	rc = job_get(r, &q->job, err);
	if (rc == 0)
		rc = check(q, err);
	if (rc < 0)
		box_request_free(q);
	return rc;
}

void box_request_free(struct box_request *q)
{
	free(q->directory);
	free(q->root);
	free(q->blobs);
	job_free(&q->job);
	*q = (struct box_request){ 0 };
}
