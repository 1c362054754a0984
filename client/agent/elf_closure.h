/*
 * elf_closure.h - the files that one program needs to start, found as the
 * loader would find them but without running anything.
 */
#ifndef RCC_ELF_CLOSURE_H
#define RCC_ELF_CLOSURE_H

#include "digest_memo.h"
#include "trail.h"
#include "tree.h"

/*
 * Add to tree the program, its interpreter, its libraries and every link on
 * the way to them: a root holding just these runs it, if the libraries are in
 * the loader's default directories or it is given an ld.so.cache. What was
 * looked at is added to trail. ERR_UNSUPPORTED when the program is not ELF or
 * a library is not found, ERR_IO when a file cannot be read.
 */
int elf_closure_add(struct tree *tree, struct trail *trail, struct digest_memo *digests,
		    const char *program, struct err *err);

#endif
