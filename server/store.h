/*
 * store.h - files by digest, and toolchains made of them, on this machine's disk.
 *
 *	DIR/blobs/ab/REST	contents, named by their SHA-256; whole and verified, or not there
 *	DIR/trees/ID		a toolchain's tree, encoded; its mtime is when it was last used
 *	DIR/roots/ID/		the toolchain at its absolute paths: hard links to blobs,
 *				symbolic links, and the places a box mounts on
 *	DIR/incoming/		what is not whole yet, and what is being removed
 *
 * Each thing is made in incoming/ and renamed to its place, so that whoever is
 * killed, at whatever instant, leaves nothing that looks whole and is not.
 * What a crash of the machine may have damaged is found at the start (sizes)
 * and before the first use of a life of rccd (contents): roots and incoming/ are
 * emptied at the start, so a toolchain of an earlier life is known, with all its
 * blobs, but not installed until store_install() has hashed them.
 *
 * Every call may come from any thread. Those marked "disk" block: call them
 * from a worker thread. Errors: ERR_LIMIT no room, ERR_IO the disk, others as said.
 */
#ifndef RCC_STORE_H
#define RCC_STORE_H

#include "digest.h"
#include "err.h"
#include "tree.h"

struct store;
struct store_blob;		/* one on its way in; of one thread at a time */

/* Disk. directory exists, is ours alone, and is locked by the caller. max_bytes: of all files. */
int store_open(const char *directory, uint64_t max_bytes, struct store **out, struct err *err);
void store_close(struct store *s);	/* s may be NULL */

/* Is it there, as far as is known? Memory only. */
bool store_has(struct store *s, const struct digest *d);

/*
 * Memory. A toolchain is on its way in: the blobs that its tree names, those there and those to come, are not
 * removed to make room for others, until as many calls of the second function. Before the first store_has().
 */
void store_expect(struct store *s, const struct tree *tree);
void store_expect_end(struct store *s, const struct tree *tree);

/*
 * Disk. Room for so many bytes more, below max_bytes and on the file system: blobs that no toolchain
 * uses go first, then toolchains, longest unused first, never a held one. ERR_LIMIT names the bound.
 */
int store_make_room(struct store *s, uint64_t bytes, struct err *err);

/* Disk. Bytes of a blob, in order. Two that bring the same one both succeed. */
int store_blob_begin(struct store *s, const struct digest *d, uint64_t size, struct store_blob **out, struct err *err);
int store_blob_write(struct store_blob *b, const void *p, size_t len, struct err *err);	/* ERR_WIRE: beyond its size */
int store_blob_end(struct store_blob *b, struct err *err);	/* frees b, also on error. ERR_WIRE: not what its name says */
void store_blob_drop(struct store_blob *b);			/* frees b */

/* Disk. The same from a file of this machine's, copied and verified. ERR_ABSENT: it has other contents. */
int store_copy(struct store *s, int fd, const struct digest *d, uint64_t size, struct err *err);

/*
 * Disk. Make the toolchain's root of blobs that are all there. ERR_ABSENT: one is not, or proved to be damaged and was
 * removed: ask store_has() again. ERR_UNSUPPORTED: the tree wants what no root can have. Held once, on success.
 */
int store_install(struct store *s, const struct digest *id, const struct tree *tree, struct err *err);

/*
 * Memory. True: whole, verified in this life and of that size, and it stays until as many calls of store_unpin(). False:
 * maybe there all the same, see store_verify().
 */
bool store_pin(struct store *s, const struct digest *d, uint64_t size);
void store_unpin(struct store *s, const struct digest *d);
/* Disk. What an earlier life left is hashed. ERR_ABSENT: not there, or damaged and removed. ERR_UNSUPPORTED: of another size. */
int store_verify(struct store *s, const struct digest *d, uint64_t size, struct err *err);
/* The directory of all blobs. Caller frees. */
char *store_blobs(const struct store *s);

/* Held toolchains are not evicted. hold: false when it is not installed (any more). Memory, and now and then one utimensat(2). */
bool store_hold(struct store *s, const struct digest *id);
void store_release(struct store *s, const struct digest *id);
/* Where its root is. Caller frees. */
char *store_root(const struct store *s, const struct digest *id);

struct store_view {
	uint64_t bytes, max_bytes;	/* of all files, in whole blocks */
	uint64_t blobs, toolchains;	/* those of earlier lives, too */
	uint64_t evicted;		/* toolchains, in this life */
};
struct store_view store_view(struct store *s);

/*
 * The places that a box mounts on, in an empty directory: proc, job, dev/null, dev/zero, dev/urandom. So
 * whatever else is in a root, it has these.
 */
int store_skeleton(int dir_fd, struct err *err);

#endif
