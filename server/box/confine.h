/*
 * confine.h - what the box gives up before a job starts.
 */
#ifndef RCC_BOX_CONFINE_H
#define RCC_BOX_CONFINE_H

#include "request.h"

/* Once, before anything of the job runs. Ends in the job's directory. ERR_IO. */
int confine(const struct box_request *q, struct err *err);

/* Kill and reap whatever is left below this process, however it tried to get away. */
void end_descendants(void);

#endif
