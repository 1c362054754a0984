/*
 * store_scan.c - blobs by name and type, then trees, which say how large blobs are.
 *
 * Nothing found here is trusted with its contents yet: store_install() hashes
 * a blob of an earlier life before anything is made of it.
 */
#include "store_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "log.h"
#include "store_root.h"

/* The 2 * DIGEST_SIZE hexadecimal digits of prefix and name, in the one way that we write them. */
static bool digest_of_name(const char *prefix, const char *name, struct digest *d)
{
	static const char digits[] = "0123456789abcdef";
	autofree char *hex = xasprintf("%s%s", prefix, name);

	if (strlen(hex) != 2 * DIGEST_SIZE || strspn(hex, digits) != 2 * DIGEST_SIZE)
		return false;
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		d->b[i] = (unsigned char)((strchr(digits, hex[2 * i]) - digits) << 4 | (strchr(digits, hex[2 * i + 1]) - digits));
	return true;
}

static void drop(int dir, const char *what, const char *name, const char *why)
{
	log_warn("store", "removed=\"%s/%s\" why=\"%s\"", what, name, why);
	remove_tree(dir, name);
}

struct scan {
	struct store_disk *disk;
	struct store_index *index;
	const char *prefix;	/* of the blobs' directory */
};

/* Calls each for what is in a directory; a name that begins with a dot is not ours, like all that is unknown. */
static int each_name(int dir, const char *name, void (*each)(struct scan *k, int dir, const char *name), struct scan *k,
		     struct err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return err_sys(err, "%s/%s", k->disk->path, name);
	}
	while ((e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			each(k, dirfd(d), e->d_name);
	closedir(d);
	return 0;
}

static void each_blob(struct scan *k, int dir, const char *name)
{
	struct digest d;
	struct index_blob *b;
	struct stat st;

	if (!digest_of_name(k->prefix, name, &d) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)) {
		drop(dir, "blobs", name, "not a blob");
		return;
	}
	b = index_pin(k->index, &d);
	index_arrived(k->index, b, (uint64_t)st.st_size);
	index_unpin(k->index, b);
}

static void each_blob_directory(struct scan *k, int dir, const char *name)
{
	struct stat st;

	k->prefix = name;
	if (strlen(name) != 2 || strspn(name, "0123456789abcdef") != 2 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode) || fchmodat(dir, name, DISK_BLOBS_MODE, 0) < 0 || each_name(dir, name, each_blob, k, NULL) < 0)
		drop(dir, "blobs", name, "not a directory of blobs");
}

/* All blobs there, as large as the tree says? One that is not goes. */
static const char *check_blobs(struct scan *k, const struct tree *t)
{
	const char *why = NULL;

	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *e = &t->entries[i];
		struct index_blob *b = e->type == TREE_FILE ? index_find(k->index, &e->digest) : NULL;

		if (e->type == TREE_FILE && (!b || !b->present))
			why = "a blob is missing";
		if (!b || !b->present || b->size == e->size)
			continue;
		why = "a blob has another size";
		disk_remove_blob(k->disk, &e->digest, NULL);
		index_gone(k->index, b);
	}
	return why;
}

static const char *add_tree(struct scan *k, const struct digest *id, const struct buf *b, uint64_t used_ns)
{
	struct reader r = reader_of(b->p, b->len);
	struct tree tree = { 0 };
	struct index_toolchain *t;
	struct digest found;
	uint64_t own_bytes;
	const char *why = NULL;

	digest_of(b->p, b->len, &found);
	if (!digest_eq(&found, id))
		return "damaged";
	if (k->index->toolchain_count == INDEX_TOOLCHAINS_MAX)
		return "one too many";
	if (tree_get(&r, &tree, NULL) < 0 || root_check(&tree, &own_bytes, NULL) < 0)
		why = "not a tree";
	else
		why = check_blobs(k, &tree);
	if (!why) {
		t = index_add(k->index, id, &tree);
		index_own(k->index, t, own_bytes + index_charge(b->len));
		t->used = t->stamped = used_ns;
	}
	tree_free(&tree);
	return why;
}

static void each_tree(struct scan *k, int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autobuf struct buf b = { 0 };
	const char *why;
	struct digest id;
	struct stat st;

	if (!digest_of_name("", name, &id))
		why = "not a tree's name";
	else if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || read_all(fd, TREE_BYTES_MAX + 4, &b, NULL) < 0)
		why = "cannot be read";
	else
		why = add_tree(k, &id, &b, (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec);
	if (why)
		drop(dir, "trees", name, why);
}

int store_scan(struct store_disk *d, struct store_index *x, struct err *err)
{
	struct scan k = { .disk = d, .index = x };
	int rc = each_name(d->blobs, ".", each_blob_directory, &k, err);

	return rc < 0 ? rc : each_name(d->trees, ".", each_tree, &k, err);
}
