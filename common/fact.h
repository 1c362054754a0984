/*
 * fact.h - what a caller's file system says of one path, at one time.
 *
 * A job in file mode sees the caller's files as facts: those that were right
 * last time come with it (its manifest: a list of facts, named by the digest
 * of its encoding), the others are asked for when they are first touched. Paths
 * lead through real directories only: links are facts of their own, and are
 * followed, component by component, by whoever uses them.
 */
#ifndef RCC_FACT_H
#define RCC_FACT_H

#include "argv.h"
#include "buf.h"
#include "digest.h"
#include "err.h"

enum fact_kind {
	FACT_ABSENT,
	FACT_FILE,
	FACT_LINK,
	FACT_DIR,
	FACT_DENIED,	/* the caller may not look: EACCES */
	FACT_OTHER,	/* a device, a FIFO, a socket, a file over a bound: no job goes remote with it */
	FACT_KINDS
};

enum { FACTS_MAX = 65536, FACTS_BYTES_MAX = 8 << 20, FACT_NAMES_MAX = 8192 };

struct fact {
	char *path;		/* absolute, canonical; "/" is one */
	uint8_t kind;		/* enum fact_kind; what follows is 0 where it does not apply */
	uint16_t mode;		/* FILE, DIR: permission bits */
	uint8_t access;		/* FILE, DIR: what the caller may: 4 read, 2 write, 1 execute or search */
	uint8_t own;		/* FILE, DIR: 1: the caller is its owner */
	int64_t mtime_ns;	/* FILE, LINK, DIR */
	uint64_t inode;		/* FILE: equal for the names of one file (hard links), else different; a mix of device and inode */
	uint64_t size;		/* FILE */
	struct digest digest;	/* FILE: of the contents */
	char *target;		/* LINK */
	bool listed;		/* DIR: names holds all of its names: every other is absent */
	struct argv names;
};

void fact_free(struct fact *f);
bool fact_eq(const struct fact *a, const struct fact *b);

struct facts {		/* sorted by path, no path twice */
	struct fact *v;
	size_t count, room;
};

/* Takes what f holds; replaces the fact of that path. */
void facts_set(struct facts *all, struct fact *f);
const struct fact *facts_find(const struct facts *all, const char *path);	/* NULL: none */
void facts_free(struct facts *all);
void facts_put(struct buf *b, const struct facts *all);
/* ERR_WIRE when out of order, not canonical, below a file, or over a bound; all is then empty. */
int facts_get(struct reader *r, struct facts *all, struct err *err);

#endif
