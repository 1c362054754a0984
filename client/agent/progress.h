/*
 * progress.h - how far a toolchain is on its way, in words and as a bar.
 */
#ifndef RCC_PROGRESS_H
#define RCC_PROGRESS_H

#include "peers.h"

/* "fetching gcc 12 (cc1, as): 12 of 43 MB"; it starts with "wants" while nobody brings it. */
void progress_put(struct buf *b, const struct peer_toolchain *t);
/* "[####......]", width columns in all, at least 3; full only when all is there. */
void progress_bar(struct buf *b, uint64_t done, uint64_t total, unsigned width);

#endif
