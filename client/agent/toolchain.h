/*
 * toolchain.h - the closure of files that a set of programs needs to run,
 * named by the digest of its tree.
 *
 * The closure of a program is the program, the links its path goes through,
 * its ELF interpreter and its libraries as the loader would find them
 * (RPATH, RUNPATH, $ORIGIN, ld.so.cache, the default directories), a cache for
 * the loader, and the data that its job will read (toolchain_data.h). Digests
 * of files are memoised by (dev, inode, size, mtime, ctime).
 */
#ifndef RCC_TOOLCHAIN_H
#define RCC_TOOLCHAIN_H

#include "argv.h"
#include "digest.h"
#include "err.h"
#include "tree.h"

struct toolchains;	/* the memo: digests of files, closures of programs */

struct toolchain {
	struct digest id;	/* tree_digest() of tree */
	struct tree tree;
	struct argv programs;	/* absolute, sorted */
	bool translates;	/* a job must be told the caller's locale: it shows in what it writes */
	char *label;		/* for people: "gcc 12 (cc1, as)", made from the paths */
};

/* log: the path where digests of programs and libraries are kept for other agents; NULL: nowhere. */
struct toolchains *toolchains_new(const char *log);
void toolchains_free(struct toolchains *ts);

/*
 * The toolchain of these absolute program paths, with what data_needs() said of
 * the job (NULL: nothing). Borrowed: valid until
 * toolchains_free(); the same closure, unchanged on disk, gives the same
 * pointer. Reads files: call it from a worker thread; calls are serialised
 * by a lock inside. ERR_UNSUPPORTED when a program is not an ELF file or a
 * library cannot be found, ERR_IO when a file cannot be read.
 */
int toolchain_find(struct toolchains *ts, const struct argv *programs, const struct argv *needs,
		   const struct toolchain **out, struct err *err);
/*
 * What toolchain_find() said last of the same: mostly so still, which only toolchain_find() knows. NULL: unknown, or
 * somebody is finding one just now. Never blocks.
 */
const struct toolchain *toolchain_last(struct toolchains *ts, const struct argv *programs, const struct argv *needs);

/* What toolchain_find() is asked. */
struct toolchain_question { struct argv programs, needs; };
static inline void toolchain_question_free(struct toolchain_question *q)
{
	argv_free(&q->programs);
	argv_free(&q->needs);
}

#endif
