/*
 * steps.h - a job's programs, run one after the other over its input.
 */
#ifndef RCC_BOX_STEPS_H
#define RCC_BOX_STEPS_H

#include "borrowed.h"
#include "link.h"
#include "request.h"

/* What they wrote, besides files. */
struct captured {
	struct buf out, err;
};

/*
 * Take the input from the link, feed it, or serve the caller's files (NULL: text mode); run the steps, and say how it went.
 * No process of the job is left afterwards. ERR_CLOSED when the job was
 * cancelled; anything else is in the result.
 */
int steps_run(struct link *l, const struct box_request *q, struct borrowed *files, struct captured *captured,
	      struct job_result *result, struct err *err);

#endif
