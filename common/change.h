/*
 * change.h - what a job in file mode did to its caller's files, as a list.
 */
#ifndef RCC_CHANGE_H
#define RCC_CHANGE_H

#include "buf.h"
#include "err.h"

enum { CHANGES_MAX = 4096, CHANGES_BYTES_MAX = 4 << 20 };	/* the latter: encoded */

enum change_kind { CHANGE_FILE, CHANGE_DIR, CHANGE_LINK, CHANGE_GONE, CHANGE_KINDS };

struct change {
	char *path;		/* absolute, canonical */
	uint8_t kind;		/* enum change_kind; what follows is 0 where it does not apply */
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

/* Takes what c holds, at the end. ERR_LIMIT: too many; c is freed then. */
int changes_add(struct changes *all, struct change *c, struct err *err);
void changes_free(struct changes *all);
static inline void cleanup_changes(struct changes *all) { changes_free(all); }
#define autochanges __attribute__((cleanup(cleanup_changes)))

void changes_put(struct buf *b, const struct changes *all);
/* ERR_WIRE: a path that is not canonical, "/", out of order, a bound; all is then empty. Reads no further than the list. */
int changes_get(struct reader *r, struct changes *all, struct err *err);
/* Contents of all files in it together. */
uint64_t changes_bytes(const struct changes *all);

#endif
