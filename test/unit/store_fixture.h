/*
 * store_fixture.h - a store in a directory of its own, and toolchains of made-up contents for it.
 */
#ifndef RCC_STORE_FIXTURE_H
#define RCC_STORE_FIXTURE_H

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "file.h"
#include "store.h"

enum { PLENTY = 64 << 20 };

static char *store_dir;
static struct err store_err;

static inline int make_store_dir_in(const char *parent)
{
	store_dir = xasprintf("%s/rcc-store.XXXXXX", parent);
	if (mkdtemp(store_dir))
		return 0;
	free(ptr_steal(&store_dir));
	return -1;
}

static inline int make_store_dir(void **state UNUSED)
{
	const char *tmp = getenv("TMPDIR");

	return make_store_dir_in(tmp ? tmp : "/tmp");
}

static inline int remove_store_dir(void **state UNUSED)
{
	int rc = remove_tree(AT_FDCWD, store_dir);

	free(ptr_steal(&store_dir));
	return rc;
}

/* Contents are known by a number, so that each can be made again. */
static inline void contents_of(unsigned n, unsigned char *p, size_t size)
{
	uint64_t x = n * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (size_t i = 0; i < size; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		p[i] = (unsigned char)(x >> 56);
	}
}

static inline struct digest digest_of_contents(unsigned n, size_t size)
{
	autofree unsigned char *p = xmalloc(size);
	struct digest d;

	contents_of(n, p, size);
	digest_of(p, size, &d);
	return d;
}

static inline int bring(struct store *s, unsigned n, size_t size, struct err *err)
{
	autofree unsigned char *p = xmalloc(size);
	struct digest d = digest_of_contents(n, size);
	struct store_blob *b;
	int rc = store_blob_begin(s, &d, size, &b, err);

	if (rc < 0)
		return rc;
	contents_of(n, p, size);
	for (size_t at = 0; at < size && rc == 0; at += 10000)
		rc = store_blob_write(b, p + at, size_min(10000, size - at), err);
	if (rc == 0)
		return store_blob_end(b, err);
	store_blob_drop(b);
	return rc;
}

/* A program and a library that are numbered, a link, and a made-up file. */
static inline struct tree tree_of(unsigned program, unsigned library, size_t size)
{
	struct tree t = { 0 };
	struct digest d = digest_of_contents(program, size);

	tree_add_file(&t, "/usr/lib/gcc/cc1", 0755, size, &d);
	d = digest_of_contents(library, size);
	tree_add_file(&t, "/usr/lib/libc.so.6", 0644, size, &d);
	tree_add_link(&t, "/lib", "usr/lib");
	tree_add_data(&t, "/etc/ld.so.cache", 0644, "cache", 5);
	return t;
}

static inline struct digest id_of(const struct tree *t)
{
	struct digest d;

	tree_digest(t, &d);
	return d;
}

static inline char *inside(const char *fmt, const char *a, const char *b)
{
	autofree char *rest = xasprintf(fmt, a, b);

	return xasprintf("%s/%s", store_dir, rest);
}

static inline char *blob_path(const struct digest *d)
{
	char hex[2 * DIGEST_SIZE + 1], ab[3];

	digest_hex(d, hex);
	memcpy(ab, hex, 2);
	ab[2] = 0;
	return inside("blobs/%s/%s", ab, hex + 2);
}

static inline char *tree_path(const struct digest *d)
{
	char hex[2 * DIGEST_SIZE + 1];

	digest_hex(d, hex);
	return inside("%s/%s", "trees", hex);
}

static inline char *root_path(const struct digest *d, const char *path)
{
	char hex[2 * DIGEST_SIZE + 1];

	digest_hex(d, hex);
	return inside("roots/%s%s", hex, path);
}

static inline size_t count_names(const char *name)
{
	autofree char *path = inside("%s%s", name, "");
	DIR *d = opendir(path);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n < 2 ? 0 : n - 2;
}

/* Is the root all that the tree says, linked to blobs? The text says what is wrong; NULL: nothing. */
static inline const char *root_fault(const struct tree *t, const struct digest *id)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *e = &t->entries[i];
		autofree char *path = root_path(id, e->path), *blob = e->type == TREE_FILE ? blob_path(&e->digest) : NULL;
		struct stat st, of_blob;
		char target[4096];
		ssize_t n;

		if (lstat(path, &st) < 0)
			return "an entry is missing";
		if (e->type == TREE_LINK) {
			n = readlink(path, target, sizeof target);
			if (n != (ssize_t)strlen(e->target) || memcmp(target, e->target, (size_t)n) != 0)
				return "a link leads elsewhere";
		} else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size) {
			return "a file is not whole";
		} else if (blob && (lstat(blob, &of_blob) < 0 || of_blob.st_ino != st.st_ino || (st.st_mode & 07777) != 0555)) {
			return "a file is not the blob";
		} else if (!blob && (st.st_mode & 07777) != ((e->mode & 0555) | 0444)) {
			return "a made-up file has another mode";
		}
	}
	return NULL;
}

#endif
