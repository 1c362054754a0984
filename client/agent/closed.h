/*
 * closed.h - the directories on a file's way that not everybody on this machine may search.
 *
 * Whoever asks for paths in the order of facts has each directory looked at once.
 */
#ifndef RCC_CLOSED_H
#define RCC_CLOSED_H

#include "fact.h"

struct closed {
	char *dir;		/* of the path asked for last */
	struct argv found;	/* on its way, the outermost first */
};

/* To found: those on the way to path, which is canonical. One that cannot be looked at counts. Blocks on disks. */
const struct argv *closed_on_way(struct closed *c, const char *path);
/* The way leads into this directory, of which a fact just found tells: it is not looked at. */
void closed_enter(struct closed *c, const struct fact *dir);
void closed_free(struct closed *c);
static inline void cleanup_closed(struct closed *c) { closed_free(c); }
#define autoclosed __attribute__((cleanup(cleanup_closed)))

#endif
