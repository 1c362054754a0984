/*
 * elf_closure.h - the files that one program needs to start, found as the
 * loader would find them but without running anything.
 */
#ifndef RCC_ELF_CLOSURE_H
#define RCC_ELF_CLOSURE_H

#include "digest_fd.h"
#include "ldcache.h"
#include "trail.h"
#include "tree.h"

/* Where to look and what to add to; all borrowed. */
struct elf_search {
	struct tree *tree;		/* gets the files and links */
	struct ldcache_rows *cached;	/* gets what was found through the loader's cache */
	struct trail *trail;		/* gets what was looked at */
	struct digest_cache *digests;	/* of such files only (digest_fd.h) */
	const char *ldcache;		/* path of the loader's cache */
};

/*
 * Add the program, its interpreter, its libraries and every link on
 * the way to them: a root holding just these, and a cache of what was found
 * through one, runs it. modules, which may be NULL, are libraries that
 * it loads later, by path; one that is not there is passed over.
 * ERR_UNSUPPORTED when the program is not ELF or
 * a library is not found, ERR_IO when a file cannot be read.
 */
int elf_closure_add(const struct elf_search *search, const char *program, const struct argv *modules, struct err *err);

/*
 * Look for any other file. to_tree: it and the links on the way to it are
 * added. Its bytes go to the end of text unless that is NULL; ERR_UNSUPPORTED
 * when they are more than max. ERR_ABSENT, which the trail remembers; ERR_IO.
 */
int elf_search_file(const struct elf_search *search, const char *path, bool to_tree, struct buf *text, size_t max,
		    struct err *err);

#endif
