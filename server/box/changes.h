/*
 * changes.h - what a job in file mode did to its caller's files: the upper layer of its overlay, as a list.
 */
#ifndef RCC_BOX_CHANGES_H
#define RCC_BOX_CHANGES_H

#include "view.h"

enum { CHANGES_MAX = 4096 };

enum change_kind { CHANGE_FILE, CHANGE_DIR, CHANGE_LINK, CHANGE_GONE, CHANGE_KINDS };

struct change {
	char *path;
	uint8_t kind;		/* enum change_kind */
	bool kept;		/* FILE: the one that the caller has there was written to; else it is another */
	uint16_t mode;		/* FILE, DIR: permission bits */
	uint64_t size;		/* FILE */
	int64_t mtime_ns;	/* FILE, DIR, LINK */
	char *target;		/* LINK */
};

struct changes {		/* in path_order(): what goes or is made comes before what lies below it */
	struct change *v;
	size_t count, room;
};

/*
 * Once no process of the job is left. upper is the overlay's, root the job's
 * "/"; into the latter we only look as far as it does not have to ask. ERR_LIMIT:
 * too many; ERR_UNSUPPORTED: something that cannot be brought to the caller;
 * all is then empty.
 */
int changes_collect(int upper, int root, const struct view *v, struct changes *all, struct err *err);
void changes_free(struct changes *all);

#endif
