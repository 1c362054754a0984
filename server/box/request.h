/*
 * request.h - what rccd tells its box before a job: the one page they share.
 *
 * The box gets it as a BOX message on its one descriptor (BOX_FD), followed
 * by the job's INPUT frames, and answers with OUTPUT frames and a RESULT.
 */
#ifndef RCC_BOX_REQUEST_H
#define RCC_BOX_REQUEST_H

#include "argv.h"
#include "buf.h"
#include "err.h"
#include "frame.h"
#include "job.h"

enum { BOX_FD = 3 };

struct box_request {
	char *directory;	/* the job's own: made by rccd, empty; the box runs in it */
	uint8_t niceness;	/* 0 to 19 */
	uint8_t codec;		/* for OUTPUT frames */
	uint32_t cpu_seconds;	/* RLIMIT_CPU of each step */
	uint32_t wall_seconds;	/* of the whole job */
	uint64_t memory_bytes;	/* RLIMIT_AS; 0: none */
	uint64_t file_bytes;	/* RLIMIT_FSIZE; also the bound of all outputs together */
	uint64_t input_bytes;	/* the bound of the input, codecs undone */
	bool confined;		/* in a root of its own; else the rest of these does not count */
	uint32_t uid;		/* whom it becomes, when it is root; 0: it stays who it is */
	uint64_t scratch_bytes;	/* the bound of the job's directory */
	struct argv files;	/* what is in the root, besides: absolute names, the host's own files */
	struct argv links;	/* and links: name, target, name, target */
	struct job job;
};

void box_request_put(struct buf *b, const struct box_request *q);
int box_request_get(struct reader *r, struct box_request *q, struct err *err);
void box_request_free(struct box_request *q);

#endif
