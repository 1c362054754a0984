/*
 * request.h - what rccd tells its box before a job: the one page they share.
 *
 * The box gets it as a BOX message on its one descriptor (BOX_FD), followed
 * by what its caller says of the job, and answers with OUTPUT frames and a RESULT (wire.h). Who
 * makes a box is the spawn server, which has its own BOX_FD.
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
	char *directory;	/* unconfined: the job's own, made by rccd, empty; the box runs in it */
	uint8_t niceness;	/* 0 to 19 */
	uint8_t codec;		/* for OUTPUT frames */
	uint32_t cpu_seconds;	/* RLIMIT_CPU of each step */
	uint32_t wall_seconds;	/* of the whole job */
	uint64_t memory_bytes;	/* that the job may hold; 0: any */
	uint64_t file_bytes;	/* RLIMIT_FSIZE; also the bound of all outputs together */
	uint64_t input_bytes;	/* the bound of the input, codecs undone */
	bool idle;		/* only when nobody else wants the processors */
	bool input_pipe;	/* job.input_name is read once, from its beginning, by the first step: as it arrives */
	bool confined;		/* in a root of its own; else the rest of these does not count */
	char *root;		/* that root: a directory with the toolchain, and the places we mount on */
	uint32_t uid;		/* whom it becomes; 0: it stays who it is */
	uint64_t scratch_bytes;	/* the bound of the job's directory */
	char *blobs;		/* for a job in file mode: the store's directory of contents, ab/REST by digest; to be opened before it becomes that user */
	struct job job;
};

void box_request_put(struct buf *b, const struct box_request *q);
int box_request_get(struct reader *r, struct box_request *q, struct err *err);
void box_request_free(struct box_request *q);

/*
 * What the spawn server is told: make a box. With it come the box's socket,
 * which will be its BOX_FD, and maybe the directory of a cgroup. It is a
 * process of the same build, so both are just these structs, as packets.
 */
enum spawn_wish { SPAWN_BOX, SPAWN_GIVE_WAY, SPAWN_HURRY };

struct spawn_request {
	uint32_t wish;		/* enum spawn_wish; SPAWN_BOX brings descriptors */
	uint64_t ticket;	/* of the box */
};

enum spawn_event { SPAWNER_READY, SPAWNER_FAILED, BOX_STARTED, BOX_FAILED, BOX_ENDED };

/* And what it says. */
struct spawn_report {
	uint32_t event;		/* enum spawn_event */
	int32_t pid;		/* BOX_STARTED, and a pidfd comes with it; BOX_ENDED */
	int32_t status;		/* BOX_ENDED: as wait(2) has it */
	uint64_t ticket;	/* BOX_STARTED, BOX_FAILED: the request's */
	char text[128];		/* what failed */
};

#endif
