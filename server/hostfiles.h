/*
 * hostfiles.h - what of a caller's toolchain is on this machine's own disk.
 *
 * A file counts when it is at the path that the tree says, below one of the
 * configured directories, owned by root and readable by all: what any user of
 * this machine could learn by himself.
 */
#ifndef RCC_HOSTFILES_H
#define RCC_HOSTFILES_H

#include "argv.h"
#include "digest_memo.h"
#include "tree.h"

/* The entry's file here, of the size it should have; its contents are still to be looked at. A descriptor, or ERR_ABSENT. */
int hostfile_open(const struct argv *dirs, const struct tree_entry *e, struct err *err);

/*
 * All of the tree is here, with the same contents; made-up contents need not be. ids: which files these
 * were, one for each entry, or NULL. ERR_ABSENT names the first that is not.
 */
int hostfiles_match(const struct argv *dirs, const struct tree *t, struct digest_memo *memo, struct file_id *ids,
		    struct err *err);
/* The entry that is no longer what it was when it matched; NULL: none. */
const struct tree_entry *hostfiles_changed(const struct tree *t, const struct file_id *ids);

#endif
