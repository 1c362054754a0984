/*
 * fact.h - what a caller's file system says of one path, at one time.
 *
 * A job in file mode sees the caller's files as facts: those that were right
 * last time come with it (its manifest: a list of facts, named by the digest
 * of its encoding), the others are asked for when they are first touched. Paths
 * lead through real directories only: links are facts of their own, and are
 * followed, component by component, by whoever uses them.
 *
 * Facts are sorted as a walk through the tree meets them: '/' comes before
 * every other byte, so what is below a path follows it at once, before any of
 * its siblings. Neighbours then share most of their paths, and a fact is below
 * one that is no directory only if it is below the one just before it.
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

enum { FACT_READ = 4, FACT_WRITE = 2, FACT_EXECUTE = 1 };	/* of access */

enum {
	FACTS_MAX = 65536,
	FACTS_BYTES_MAX = 8 << 20,	/* of a list: paths, targets and names written out, 64 more for each fact, 1 for each name */
	FACT_NAMES_MAX = 8192,		/* of one directory */
	FACTS_NAMES_MAX = 1 << 17,	/* of all directories in a list */
	FACT_PATH_MAX = 4095,		/* bytes of a path or target, without a NUL */
	FACT_NAME_MAX = 255,
};

enum fact_lent { LENT_PATH = 1, LENT_TARGET = 2 };

struct fact {
	char *path;		/* absolute, canonical; "/" is one */
	uint8_t kind;		/* enum fact_kind; what follows is 0 where it does not apply */
	uint16_t mode;		/* FILE, DIR: permission bits */
	uint8_t access;		/* FILE, DIR: what the caller may: 4 read, 2 write, 1 execute or search */
	uint8_t own;		/* FILE, DIR: 1: the caller is its owner */
	uint8_t unread;		/* FILE: 1: its contents are not likely to be wanted; a hint, which fact_eq() passes over */
	int64_t mtime_ns;	/* FILE, LINK, DIR; of a DIR when it was looked at first: see fact_eq() */
	uint64_t inode;		/* FILE: equal for the names of one file (hard links), else different; a mix of device and inode */
	uint64_t size;		/* FILE */
	struct digest digest;	/* FILE: of the contents; 0: see fact_lacks_contents(), or the caller may not read them */
	char *target;		/* LINK */
	uint8_t lent;		/* enum fact_lent: what is another's, which lives longer */
	bool listed;		/* DIR: names holds all of its names, sorted by strcmp(): every other is absent */
	struct argv names;
};

/* Nobody has looked at them: whoever wants to read them must ask for the path first. */
static inline bool fact_lacks_contents(const struct fact *f)
{
	return f->kind == FACT_FILE && f->unread && f->access & FACT_READ && digest_none(&f->digest);
}

void fact_free(struct fact *f);
/* Owns all of it, as what is read from a list's encoding does not. */
struct fact fact_copy(const struct fact *f);
/* Nothing of it is lent any more. */
void fact_own(struct fact *f);
/*
 * Same path, and nothing that a job may rely on differs. The time of a
 * directory is told but does not count: any file that comes, goes or is
 * replaced there moves it (each object that the build itself makes), while what a
 * program learns from it is at most "look again", and what it then sees are the names,
 * which are facts of their own.
 */
bool fact_eq(const struct fact *a, const struct fact *b);

/* Absolute, no empty, "." or ".." component, no slash at the end, within FACT_PATH_MAX. */
bool path_canonical(const char *path);
/* The order of facts: as strcmp(), with '/' before every other byte. */
int path_order(const char *a, const char *b);
/* Is path somewhere below dir? Both canonical. */
bool path_below(const char *path, const char *dir);

/* What a list takes when written out: a short encoding must not become a large list. */
struct facts_extent {
	size_t bytes, names;
	size_t odd;		/* facts that cannot be written: their paths are not canonical, or names too many */
};

struct facts {		/* sorted by path_order(), no path twice, nothing below what is no directory */
	struct fact *v;
	size_t count, room;
	struct facts_extent extent;	/* of all: their paths, targets and names stay as they came */
	struct fact_texts *texts;	/* what facts_get() made is lent from there */
};

/*
 * Takes what f holds, and a copy of what it was lent; replaces the fact of that path. The newest fact is
 * believed: what lies below f goes if f is no directory, and a fact above f that
 * denies a directory there goes too.
 */
void facts_set(struct facts *all, struct fact *f);
/* The same, but what is lent stays so: it must outlive all, and such a path be canonical. */
void facts_lend(struct facts *all, struct fact *f);
/* The same for one that comes after all that are there, and below no non-directory: as facts of one list in their order do. */
void facts_append(struct facts *all, struct fact *f);
const struct fact *facts_find(const struct facts *all, const char *path);	/* NULL: none */
void facts_free(struct facts *all);
static inline void cleanup_facts(struct facts *all) { facts_free(all); }
#define autofacts __attribute__((cleanup(cleanup_facts)))
/* Within the bounds above, and so is the encoding: facts_get() would take it. */
bool facts_fit(const struct facts *all);
/* One list has one encoding. The caller has seen that facts_fit(). */
void facts_put(struct buf *b, const struct facts *all);
/* ERR_WIRE when out of order, not canonical, below what is no directory, or over a bound; all is then empty. */
int facts_get(struct reader *r, struct facts *all, struct err *err);

#endif
