/*
 * root.h - the private root of a job: its toolchain, a bounded directory, and nothing else of the host.
 */
#ifndef RCC_BOX_ROOT_H
#define RCC_BOX_ROOT_H

#include "request.h"

#define ROOT_JOB "/job"		/* the job's directory in it */

/*
 * Makes q->root ours; ends in ROOT_JOB. Takes a mount namespace of our own, a
 * process namespace whose first process we are, and the right to mount. Errors
 * name the step.
 */
int root_enter(const struct box_request *q, void *unused, struct err *err);

/* Into the root that is the working directory, and has places for them. */
int root_add_devices(struct err *err);

#endif
