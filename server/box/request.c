/*
 * request.c - the box's request, to bytes and back.
 */
#include "request.h"

#include "tree.h"

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
	put_u8(b, q->confined);
	put_u32(b, q->uid);
	put_u64(b, q->scratch_bytes);
	put_argv(b, &q->files);
	put_argv(b, &q->links);
	job_put(b, &q->job);
}

static int check_names(const struct box_request *q, struct err *err)
{
	bool good = q->links.count % 2 == 0;

	for (size_t i = 0; i < q->files.count; i++)
		good &= q->files.v[i][0] == '/';
	for (size_t i = 0; i < q->links.count; i += 2)
		good &= q->links.v[i][0] == '/';
	return good ? 0 : err_set(err, ERR_WIRE, "box request: the root's files");
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
	q->confined = get_u8(r);
	q->uid = get_u32(r);
	q->scratch_bytes = get_u64(r);
	get_argv(r, &q->files, TREE_ENTRIES_MAX);
	get_argv(r, &q->links, 2 * TREE_ENTRIES_MAX);
	rc = job_get(r, &q->job, err);
	if (rc == 0)
		rc = check_names(q, err);
	if (rc == 0 && (q->directory[0] != '/' || q->niceness > 19 || q->codec >= CODEC_COUNT))
		rc = err_set(err, ERR_WIRE, "box request: directory, niceness or codec");
	if (rc < 0)
		box_request_free(q);
	return rc;
}

void box_request_free(struct box_request *q)
{
	free(q->directory);
	argv_free(&q->files);
	argv_free(&q->links);
	job_free(&q->job);
	*q = (struct box_request){ 0 };
}
