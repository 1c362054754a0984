/*
 * fs_kind.h - what the times of a file system are worth.
 */
#ifndef RCC_FS_KIND_H
#define RCC_FS_KIND_H

#include "base.h"

struct fs_kind {
	const char *name;
	uint32_t magic;		/* f_type of statfs(2) */
	bool made_up;		/* contents come from the kernel, not from a disk: no size, no time says what they are */
	bool fixed_times;	/* an image, whose times its maker chose: another one may have the same */
	bool current;		/* what stat says is so now; else only what it says of an open file */
	bool stays;		/* a file keeps its identity from one day to the next */
	bool names;		/* any name that comes or goes moves the directory's mtime and ctime */
	uint8_t settle_s;	/* a change this long after the last one has another ctime */
};

/* Never NULL: what is not in the table is trusted with nothing. */
const struct fs_kind *fs_kind_of(uint32_t magic);

#endif
