/*
 * store_blob.c - contents on their way in: counted, hashed, and only then given their name.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "store_inner.h"

/* Read and executed by all, written by none: one file serves every toolchain. */
enum { BLOB_MODE = 0555 };

struct store_blob {
	struct store *store;
	struct index_blob *blob;	/* pinned */
	struct digest digest;
	struct hasher *hasher;
	uint64_t size, got;
	uint64_t reserved;
	int fd;				/* of the file in incoming/; -1: none */
	char name[INCOMING_NAME_SIZE];
};

int store_blob_begin(struct store *s, const struct digest *d, uint64_t size, struct store_blob **out, struct err *err)
{
	struct store_blob *b;
	int rc = store_reserve(s, index_charge(size), err);

	if (rc < 0)
		return rc;
	b = xcalloc(1, sizeof *b);
	*b = (struct store_blob){ .store = s, .digest = *d, .hasher = hasher_new(), .size = size, .reserved = index_charge(size) };
	store_lock(s);
	b->blob = index_pin(&s->index, d);
	store_unlock(s);
	disk_new_name(&s->disk, b->name);
	b->fd = disk_create(&s->disk, b->name, err);
	if (b->fd < 0) {
		rc = b->fd;
		store_blob_drop(b);
		return rc;
	}
	*out = b;
	return 0;
}

int store_blob_write(struct store_blob *b, const void *p, size_t len, struct err *err)
{
	if (len > b->size - b->got)
		return err_set(err, ERR_WIRE, "a blob of %llu bytes goes on", (unsigned long long)b->size);
	if (write_all(b->fd, p, len) < 0)
		return disk_error(&b->store->disk, err, "incoming");
	hasher_add(b->hasher, p, len);
	b->got += len;
	return 0;
}

static int check(struct store_blob *b, struct err *err)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct digest found;

	hasher_end(ptr_steal(&b->hasher), &found);
	digest_hex(&b->digest, hex);
	if (b->got != b->size)
		return err_set(err, ERR_WIRE, "blob %.12s: %llu bytes of %llu", hex, (unsigned long long)b->got,
			       (unsigned long long)b->size);
	if (!digest_eq(&found, &b->digest))
		return err_set(err, ERR_WIRE, "blob %.12s: other contents", hex);
	return fchmod(b->fd, BLOB_MODE) < 0 ? disk_error(&b->store->disk, err, "incoming") : 0;
}

/* Verified, so it may take the place of a file that an earlier life left; not of one verified in this life. */
static int place(struct store_blob *b, struct err *err)
{
	struct store *s = b->store;
	int rc = 0;

	store_lock(s);
	while (b->blob->busy)
		store_wait(s);
	if (!b->blob->present || !b->blob->verified) {
		b->blob->busy = true;
		store_unlock(s);
		rc = disk_place_blob(&s->disk, b->name, &b->digest, err);
		store_lock(s);
		if (rc == 0) {
			if (b->blob->present)
				index_gone(&s->index, b->blob);
			index_arrived(&s->index, b->blob, b->size);
			b->blob->verified = true;
			s->reserved -= b->reserved;
			b->reserved = 0;
		}
		index_not_busy(&s->index, b->blob);
		store_changed(s);
	}
	store_unlock(s);
	return rc;
}

int store_blob_end(struct store_blob *b, struct err *err)
{
	int rc = check(b, err);

	if (rc == 0)
		rc = place(b, err);
	store_blob_drop(b);
	return rc;
}

void store_blob_drop(struct store_blob *b)
{
	struct store *s = b->store;
	struct digest unused;

	if (b->hasher)
		hasher_end(b->hasher, &unused);
	if (b->fd >= 0) {
		/* no error when it was placed: the name is used once */
		unlinkat(s->disk.incoming, b->name, 0);
		close(b->fd);
	}
	store_lock(s);
	s->reserved -= b->reserved;
	index_unpin(&s->index, b->blob);
	store_unlock(s);
	free(b);
}

static int copy_bytes(struct store_blob *b, int fd, struct err *err)
{
	enum { CHUNK = 1 << 18 };
	autofree char *chunk = xmalloc(CHUNK);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, chunk, CHUNK, at)) != 0) {
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read");
		rc = store_blob_write(b, chunk, (size_t)n, err);
		if (rc < 0)
			return rc;
		at += n;
	}
	return 0;
}

/* To be read again costs more than the promise of an earlier read. */
static bool have(struct store *s, const struct digest *d, uint64_t size)
{
	const struct index_blob *b;
	bool good;

	store_lock(s);
	b = index_find(&s->index, d);
	good = b && b->present && b->verified && !b->leaving && b->size == size;
	store_unlock(s);
	return good;
}

int store_copy(struct store *s, int fd, const struct digest *d, uint64_t size, struct err *err)
{
	struct store_blob *b;
	int rc = 0;

	if (have(s, d, size))
		return 0;
	rc = store_blob_begin(s, d, size, &b, err);
	if (rc < 0)
		return rc;
	rc = copy_bytes(b, fd, err);
	if (rc == 0)
		rc = store_blob_end(b, err);
	else
		store_blob_drop(b);
	if (rc != ERR_WIRE)
		return rc;
	if (err)
		err->code = ERR_ABSENT;
	return ERR_ABSENT;
}
