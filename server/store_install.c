/*
 * store_install.c - a toolchain of blobs that are there: verified once a life, linked into a root.
 *
 * Roots are made anew in each life: some hundred links take less than to
 * find out whether an old root is still right.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "log.h"
#include "store_inner.h"
#include "store_root.h"

struct install {
	struct store *store;
	struct index_toolchain *toolchain;	/* busy and held by us */
	const struct tree *tree;
	struct buf encoded;
	uint64_t own_bytes;
};

/* More room for the toolchain itself. */
static int take_room(void *arg, uint64_t size, struct err *err)
{
	struct install *k = arg;
	uint64_t bytes = index_charge(size);
	int rc = store_reserve(k->store, bytes, err);

	if (rc < 0)
		return rc;
	store_lock(k->store);
	k->store->reserved -= bytes;
	index_own(&k->store->index, k->toolchain, k->toolchain->own_bytes + bytes);
	store_unlock(k->store);
	return 0;
}

/* Contents of an earlier life: are they what their name says? ERR_ABSENT: damaged. */
static int hash_file(struct store *s, const struct index_blob *b, struct err *err)
{
	char name[BLOB_NAME_SIZE];
	struct digest found;
	struct stat st;
	autoclose int fd = -1;

	disk_blob_name(&b->digest, name);
	fd = openat(s->disk.blobs, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT && errno != ELOOP)
		return disk_error(&s->disk, err, "blobs");
	/* a file that cannot be read any more is as good as none */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != b->size ||
	    digest_fd(fd, &found, NULL) < 0 || !digest_eq(&found, &b->digest))
		return err_set(err, ERR_ABSENT, "%s/blobs/%.12s...: damaged, and removed", s->disk.path, name);
	return fchmod(fd, 0555) < 0 ? disk_error(&s->disk, err, "blobs") : 0;
}

/* Locked. Of one that is there and not busy. */
static int verify(struct store *s, struct index_blob *b, struct err *err)
{
	int rc;

	b->busy = true;
	store_unlock(s);
	rc = hash_file(s, b, err);
	if (rc == ERR_ABSENT)
		disk_remove_blob(&s->disk, &b->digest, NULL);
	store_lock(s);
	if (rc == ERR_ABSENT) {
		log_warn("store", "why=\"%s\"", err ? err->text : "damaged");
		index_gone(&s->index, b);
	} else {
		b->verified = rc == 0;
		index_not_busy(&s->index, b);
	}
	store_changed(s);
	return rc;
}

int store_verify(struct store *s, const struct digest *d, uint64_t size, struct err *err)
{
	struct index_blob *b;
	int rc = 0;

	store_lock(s);
	while ((b = index_find(&s->index, d)) && b->busy)
		store_wait(s);
	if (!b || !b->present)
		rc = err_set(err, ERR_ABSENT, "its contents are not here");
	else if (!b->verified)
		rc = verify(s, b, err);
	if (rc == 0 && b->size != size)
		rc = err_set(err, ERR_UNSUPPORTED, "%llu bytes, not %llu", (unsigned long long)b->size, (unsigned long long)size);
	store_unlock(s);
	return rc;
}

static int check_blob(struct store *s, const struct tree_entry *e, struct err *err)
{
	int rc = store_verify(s, &e->digest, e->size, err);

	return rc < 0 ? err_wrap(err, "toolchain: %.200s", e->path) : 0;
}

static int check_blobs(struct install *k, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < k->tree->count && rc == 0; i++)
		if (k->tree->entries[i].type == TREE_FILE)
			rc = check_blob(k->store, &k->tree->entries[i], err);
	return rc;
}

static int fill_root(struct install *k, const char *name, struct err *err)
{
	struct store_disk *d = &k->store->disk;
	const struct root_source source = { .blobs = d->blobs, .room = take_room, .arg = k };
	autoclose int fd = -1;
	int rc;

	if (mkdirat(d->incoming, name, 0700) < 0)
		return disk_error(d, err, "incoming");
	fd = openat(d->incoming, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return disk_error(d, err, "incoming");
	rc = root_build(fd, k->tree, &source, err);
	if (rc < 0 && rc != ERR_UNSUPPORTED)
		err_wrap(err, "%s", d->path);
	return rc;
}

/* The root first: a tree without a root would be known as a toolchain, a root without a tree is litter. */
static int make_root(struct install *k, struct err *err)
{
	struct store_disk *d = &k->store->disk;
	char name[INCOMING_NAME_SIZE];
	int rc;

	disk_new_name(d, name);
	rc = fill_root(k, name, err);
	if (rc == 0)
		rc = disk_place_root(d, name, &k->toolchain->id, err);
	if (rc < 0) {
		remove_tree(d->incoming, name);
		return rc;
	}
	return disk_put_tree(d, &k->toolchain->id, k->encoded.p, k->encoded.len, err);
}

static int make(struct install *k, struct err *err)
{
	int rc = check_blobs(k, err);

	/* one of an earlier life has its room already */
	if (rc == 0 && k->own_bytes > k->toolchain->own_bytes)
		rc = take_room(k, k->own_bytes - k->toolchain->own_bytes, err);
	return rc == 0 ? make_root(k, err) : rc;
}

/* Locked. *out is held; installed, or busy and ours to make. */
static int claim(struct store *s, const struct digest *id, const struct tree *tree, struct index_toolchain **out,
		 struct err *err)
{
	struct index_toolchain *t, *oldest;
	int rc;

	for (;;) {
		t = index_toolchain(&s->index, id);
		if (t && t->busy) {
			store_wait(s);
			continue;
		}
		if (t || s->index.toolchain_count < INDEX_TOOLCHAINS_MAX)
			break;
		oldest = index_oldest(&s->index);
		if (!oldest)
			return err_set(err, ERR_LIMIT, "%s: all of its %d toolchains are in use", s->disk.path,
				       INDEX_TOOLCHAINS_MAX);
		rc = store_evict(s, oldest, err);
		if (rc < 0)
			return rc;
	}
	if (!t)
		t = index_add(&s->index, id, tree);
	index_hold(&s->index, t);
	t->used = store_now(s);
	t->busy = !t->installed;
	*out = t;
	return 0;
}

/* One that failed is forgotten; what is there of its blobs stays until room is needed. */
static void finish(struct install *k, int rc)
{
	struct store *s = k->store;
	struct index_toolchain *t = k->toolchain;

	if (rc < 0)
		disk_remove_toolchain(&s->disk, &t->id, NULL);
	store_lock(s);
	t->busy = false;
	t->installed = rc == 0;
	if (rc < 0) {
		index_release(&s->index, t);
		index_remove(&s->index, t);
	}
	store_changed(s);
	store_unlock(s);
}

static int check_tree(struct install *k, const struct digest *id, struct err *err)
{
	struct digest found;
	int rc = root_check(k->tree, &k->own_bytes, err);

	if (rc < 0)
		return rc;
	tree_put(&k->encoded, k->tree);
	digest_of(k->encoded.p, k->encoded.len, &found);
	k->own_bytes += index_charge(k->encoded.len);
	return digest_eq(&found, id) ? 0 : err_set(err, ERR_UNSUPPORTED, "toolchain: not what its name says");
}

static int install(struct install *k, const struct digest *id, struct err *err)
{
	int rc = check_tree(k, id, err);
	bool ours;

	if (rc < 0)
		return rc;
	store_lock(k->store);
	rc = claim(k->store, id, k->tree, &k->toolchain, err);
	ours = rc == 0 && k->toolchain->busy;
	store_unlock(k->store);
	if (!ours)
		return rc;
	rc = make(k, err);
	finish(k, rc);
	return rc;
}

int store_install(struct store *s, const struct digest *id, const struct tree *tree, struct err *err)
{
	struct install k = { .store = s, .tree = tree };
	int rc = install(&k, id, err);

	buf_free(&k.encoded);
	return rc;
}
