/*
 * store_disk.c - appear by rename, go by rename.
 */
#include "store_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "file.h"

int disk_error(const struct store_disk *d, struct err *err, const char *what)
{
	bool full = errno == ENOSPC || errno == EDQUOT;
	int rc = err_sys(err, "%s/%s", d->path, what);

	if (!full)
		return rc;
	if (err)
		err->code = ERR_LIMIT;
	return ERR_LIMIT;
}

/* What the last life left. The roots go as a whole first, so that none is seen half removed. */
static int clear_old(const char *path, struct err *err)
{
	autofree char *incoming = xasprintf("%s/incoming", path), *roots = xasprintf("%s/roots", path);
	autofree char *aside = xasprintf("%s/incoming/roots", path);

	if (remove_tree(AT_FDCWD, incoming) < 0)
		return err_sys(err, "clear %s", incoming);
	if (mkdir(incoming, 0700) < 0)
		return err_sys(err, "make %s", incoming);
	if ((rename(roots, aside) < 0 && errno != ENOENT) || remove_tree(AT_FDCWD, aside) < 0)
		return err_sys(err, "clear %s", roots);
	return 0;
}

static int open_directory(const struct store_disk *d, const char *name, mode_t mode, int *fd, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", d->path, name);

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return disk_error(d, err, name);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 || fchmod(*fd, mode) < 0 ? disk_error(d, err, name) : 0;
}

int disk_open(const char *path, struct store_disk *d, struct err *err)
{
	const struct {
		const char *name;
		int *fd;
		mode_t mode;
	} directories[] = {
		{ "incoming", &d->incoming, 0700 },
		{ "roots", &d->roots, 0700 },
		{ "trees", &d->trees, 0700 },
		{ "blobs", &d->blobs, DISK_BLOBS_MODE },
	};
	int rc = chmod(path, 0700) < 0 ? err_sys(err, "%s", path) : clear_old(path, err);

	*d = (struct store_disk){ .path = xstrdup(path), .blobs = -1, .trees = -1, .roots = -1, .incoming = -1 };
	for (size_t i = 0; i < ARRAY_LEN(directories) && rc == 0; i++)
		rc = open_directory(d, directories[i].name, directories[i].mode, directories[i].fd, err);
	if (rc < 0)
		disk_close(d);
	return rc;
}

void disk_close(struct store_disk *d)
{
	int *const fds[] = { &d->blobs, &d->trees, &d->roots, &d->incoming };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cleanup_close(fds[i]);
	free(d->path);
}

int disk_free_bytes(const struct store_disk *d, uint64_t *bytes, struct err *err)
{
	const uint64_t least = 64 << 20, most = 1 << 30;
	uint64_t have, keep;
	struct statvfs st;

	if (fstatvfs(d->blobs, &st) < 0)
		return disk_error(d, err, "blobs");
	have = (uint64_t)st.f_bavail * st.f_frsize;
	keep = (uint64_t)st.f_blocks * st.f_frsize / 100;
	if (keep < least)
		keep = least;
	if (keep > most)
		keep = most;
	*bytes = have > keep ? have - keep : 0;
	return 0;
}

/* ab/REST: no directory gets too long. */
void disk_blob_name(const struct digest *digest, char name[BLOB_NAME_SIZE])
{
	char hex[2 * DIGEST_SIZE + 1];

	digest_hex(digest, hex);
	snprintf(name, BLOB_NAME_SIZE, "%.2s/%s", hex, hex + 2);
}

void disk_new_name(struct store_disk *d, char name[INCOMING_NAME_SIZE])
{
	uint64_t n = __atomic_fetch_add(&d->names, 1, __ATOMIC_RELAXED);

	snprintf(name, INCOMING_NAME_SIZE, "%llu", (unsigned long long)n);
}

int disk_create(const struct store_disk *d, const char *name, struct err *err)
{
	int fd = openat(d->incoming, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? disk_error(d, err, "incoming") : fd;
}

int disk_place_blob(const struct store_disk *d, const char *name, const struct digest *digest, struct err *err)
{
	char place[BLOB_NAME_SIZE], directory[3];

	disk_blob_name(digest, place);
	snprintf(directory, sizeof directory, "%.2s", place);
	if (renameat(d->incoming, name, d->blobs, place) == 0)
		return 0;
	if (errno != ENOENT)
		return disk_error(d, err, "blobs");
	if ((mkdirat(d->blobs, directory, 0700) < 0 && errno != EEXIST) ||
	    fchmodat(d->blobs, directory, DISK_BLOBS_MODE, 0) < 0)
		return disk_error(d, err, "blobs");
	return renameat(d->incoming, name, d->blobs, place) < 0 ? disk_error(d, err, "blobs") : 0;
}

/* Gone at once under its name; then bit by bit. */
static int remove_root(struct store_disk *d, const char *hex, struct err *err)
{
	char name[INCOMING_NAME_SIZE];

	disk_new_name(d, name);
	if (renameat(d->roots, hex, d->incoming, name) < 0)
		return errno == ENOENT ? 0 : disk_error(d, err, "roots");
	/* what cannot be removed now, the next start removes */
	remove_tree(d->incoming, name);
	return 0;
}

int disk_place_root(struct store_disk *d, const char *name, const struct digest *id, struct err *err)
{
	char hex[2 * DIGEST_SIZE + 1];
	int rc;

	digest_hex(id, hex);
	rc = remove_root(d, hex, err);
	if (rc < 0)
		return rc;
	return renameat(d->incoming, name, d->roots, hex) < 0 ? disk_error(d, err, "roots") : 0;
}

int disk_put_tree(struct store_disk *d, const struct digest *id, const void *p, size_t len, struct err *err)
{
	char hex[2 * DIGEST_SIZE + 1], name[INCOMING_NAME_SIZE];
	autoclose int fd = -1;

	digest_hex(id, hex);
	disk_new_name(d, name);
	fd = disk_create(d, name, err);
	if (fd < 0)
		return fd;
	if (write_all(fd, p, len) == 0 && renameat(d->incoming, name, d->trees, hex) == 0)
		return 0;
	disk_error(d, err, "trees");
	unlinkat(d->incoming, name, 0);
	return err->code;
}

void disk_stamp_tree(const struct store_disk *d, const struct digest *id, uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	char hex[2 * DIGEST_SIZE + 1];

	digest_hex(id, hex);
	utimensat(d->trees, hex, (struct timespec[2]){ t, t }, AT_SYMLINK_NOFOLLOW);
}

int disk_remove_blob(const struct store_disk *d, const struct digest *digest, struct err *err)
{
	char name[BLOB_NAME_SIZE];

	disk_blob_name(digest, name);
	return unlinkat(d->blobs, name, 0) < 0 && errno != ENOENT ? disk_error(d, err, "blobs") : 0;
}

int disk_remove_toolchain(struct store_disk *d, const struct digest *id, struct err *err)
{
	char hex[2 * DIGEST_SIZE + 1];
	int rc;

	digest_hex(id, hex);
	rc = remove_root(d, hex, err);
	if (rc < 0)
		return rc;
	return unlinkat(d->trees, hex, 0) < 0 && errno != ENOENT ? disk_error(d, err, "trees") : 0;
}
