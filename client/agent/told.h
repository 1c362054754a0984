/*
 * told.h - what one job was told of its caller's files, and what of that it used.
 *
 * A job is never told two things of one path: then it could have used the
 * one, and the check afterwards would be made with the other. Pure.
 */
#ifndef RCC_TOLD_H
#define RCC_TOLD_H

#include "used.h"

enum { TOLD_BYTES_MAX = 32 << 20 };			/* of answers: paths, targets and names, and what holds them */
#define TOLD_CONTENTS_MAX ((uint64_t)4 << 30)		/* bytes of files in answers: each of them was read */

struct told {
	struct facts start;	/* that it began with; used.h counts in it */
	struct facts answers;
	const struct fact **by_digest;	/* of files; made when it is needed */
	size_t digest_count;
	size_t bytes;			/* of answers */
	uint64_t content_bytes;
};

void told_free(struct told *t);
/*
 * What is to be answered. False: it contradicts what the job was told before, so something has changed meanwhile. The
 * time of a directory may move; the job is told the first one again, so that both ends keep the same.
 */
bool told_add(struct told *t, struct facts *answer);
/* More than any job looks at. */
bool told_full(const struct told *t);
/* A file with these contents, that the job was told of; NULL: none. Borrowed until the next told_add(). */
const struct fact *told_contents(struct told *t, const struct digest *d);
/* The facts that it used: to be checked, and for its next run to start with; lent by t and u. ERR_WIRE: it was not told of one. */
int told_used(const struct told *t, const struct used *u, struct facts *out, struct err *err);

#endif
