/*
 * changes.h - what a job in file mode did to its caller's files: the upper layer of its overlay, as a list.
 */
#ifndef RCC_BOX_CHANGES_H
#define RCC_BOX_CHANGES_H

#include "change.h"
#include "view.h"

/*
 * Once no process of the job is left. upper is the overlay's, root the job's
 * "/"; into the latter we only look as far as it does not have to ask. ERR_LIMIT:
 * too many; ERR_UNSUPPORTED: something that cannot be brought to the caller;
 * all is then empty.
 */
int changes_collect(int upper, int root, const struct view *v, struct changes *all, struct err *err);

#endif
