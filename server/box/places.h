/*
 * places.h - what a job in file mode sees at /proc, /dev and /sys.
 *
 * What is there at its caller says something about that machine, or that
 * process. So a job may look up only what is the same here, or what the box can
 * say rightly; anything else has no answer that would be true, and ends the job.
 */
#ifndef RCC_BOX_PLACES_H
#define RCC_BOX_PLACES_H

#include <sys/types.h>

#include "fact.h"
#include "job.h"

/* Where the job's own /proc is mounted: what it may look up below /proc leads there. */
#define PLACE_PROC JOB_SCRATCH "/proc"

/* Ids beside those of a view. */
enum { PLACE_FIRST = 1 << 30 };

enum place_answer {
	PLACE_NONE,	/* no name of ours: it is the view's */
	PLACE_HERE,
	PLACE_BELOW,	/* the toolchain's root has it */
	PLACE_UNFIT,
};

/* PLACE_HERE: *id is its id. dir is a view's id or ours. */
enum place_answer place_lookup(uint64_t dir, const char *name, uint64_t *id);
static inline bool place_is(uint64_t id) { return id >= PLACE_FIRST; }
/* What it is. The target of a link that differs from program to program is "". */
const struct fact *place_fact(uint64_t id);
/* The caller frees it. */
char *place_path(uint64_t id);

/* The link to the program that runs; its id, and where it leads for this thread: proc is a /proc. NULL: it cannot be told. */
uint64_t place_program(void);
char *place_program_of(int proc, pid_t thread);

#endif
