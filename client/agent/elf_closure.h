/*
 * elf_closure.h - the files that one program needs to start, found as the
 * loader would find them but without running anything.
 */
#ifndef RCC_ELF_CLOSURE_H
#define RCC_ELF_CLOSURE_H

#include "digest_memo.h"
#include "ldcache.h"
#include "trail.h"
#include "tree.h"

/* Where to look and what to add to; all borrowed. */
struct elf_search {
	struct tree *tree;		/* gets the files and links */
	struct ldcache_rows *cached;	/* gets what was found through the loader's cache */
	struct trail *trail;		/* gets what was looked at */
	struct digest_memo *digests;
	const char *ldcache;		/* path of the loader's cache */
};

/*
 * Add the program, its interpreter, its libraries and every link on
 * the way to them: a root holding just these, and a cache of what was found
 * through one, runs it. ERR_UNSUPPORTED when the program is not ELF or
 * a library is not found, ERR_IO when a file cannot be read.
 */
int elf_closure_add(const struct elf_search *search, const char *program, struct err *err);

#endif
