/*
 * store_root.c - directories, hard links, symbolic links, and the skeleton.
 */
#include "store_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "file.h"
#include "store.h"
#include "store_disk.h"
#include "store_index.h"

/* A tree may be 1 MB of slashes; no toolchain is. */
enum { DEPTH_MAX = 64, DIRECTORIES_MAX = 8192 };

/* What a box mounts on, or never has. */
static const char *const not_theirs[] = { "/proc", "/job", "/dev", "/sys" };
static const char *const skeleton_dirs[] = { "proc", "job", "dev" };
static const char *const skeleton_files[] = { "dev/null", "dev/zero", "dev/urandom" };

static int refuse(struct err *err, const char *path, const char *why)
{
	return err_set(err, ERR_UNSUPPORTED, "toolchain: %.200s: %s", path, why);
}

/* How errno speaks of a tree that does not fit, as against a disk that fails. */
static int make_error(struct err *err, const char *path)
{
	switch (errno) {
	case EEXIST:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EISDIR:
	case EINVAL:
	case EILSEQ:
		return refuse(err, path, strerror(errno));
	case ENOSPC:
	case EDQUOT:
		return err_set(err, ERR_LIMIT, "toolchain: %.200s: %s", path, strerror(errno));
	default:
		return err_sys(err, "toolchain: %.200s", path);
	}
}

static bool at_or_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || !path[len]);
}

/* Bytes of the part that begins at p; 0: it is none, or leads elsewhere. */
static size_t part_of(const char *p)
{
	size_t n = strcspn(p, "/");

	return (n == 1 && *p == '.') || (n == 2 && p[0] == '.' && p[1] == '.') ? 0 : n;
}

/* How many parts an absolute name has; 0: it is none, or not in its one form. */
static int depth_of(const char *path)
{
	int depth = 0;

	for (; *path == '/'; depth++) {
		size_t n = part_of(path + 1);

		if (!n)
			return 0;
		path += 1 + n;
	}
	return *path ? 0 : depth;
}

static int check_path(const char *path, struct err *err)
{
	int depth = depth_of(path);

	for (size_t i = 0; i < ARRAY_LEN(not_theirs); i++)
		if (at_or_below(path, not_theirs[i]))
			return refuse(err, path, "not a place for a toolchain");
	if (!depth)
		return refuse(err, path, "not an absolute name");
	if (strlen(path) >= PATH_MAX)
		return refuse(err, path, "the name is too long");
	return depth > DEPTH_MAX ? refuse(err, path, "in too many directories") : 0;
}

/* Directories of path that the entry before has not. All that share a directory lie together in the tree. */
static size_t new_directories(const char *before, const char *path)
{
	size_t same = 0, n = 0;

	while (before[same] && before[same] == path[same])
		same++;
	for (size_t i = 1; path[i]; i++)
		n += path[i] == '/' && i >= same;
	return n;
}

static int check_contents(const struct tree_entry *e, uint64_t *bytes, struct err *err)
{
	if (e->type == TREE_FILE)
		return 0;
	if (e->type == TREE_LINK && (!*e->target || strlen(e->target) >= PATH_MAX))
		return refuse(err, e->path, "a link that leads nowhere");
	*bytes += index_charge(e->type == TREE_DATA ? e->size : 0);
	return 0;
}

int root_check(const struct tree *t, uint64_t *own_bytes, struct err *err)
{
	size_t directories = ARRAY_LEN(skeleton_dirs) + ARRAY_LEN(skeleton_files) + 1;
	uint64_t bytes = 0;
	int rc = 0;

	for (size_t i = 0; i < t->count && rc == 0; i++) {
		const struct tree_entry *e = &t->entries[i];

		rc = check_path(e->path, err);
		if (rc == 0)
			rc = check_contents(e, &bytes, err);
		if (rc == 0)
			directories += new_directories(i ? t->entries[i - 1].path : "", e->path);
		if (rc == 0 && directories > DIRECTORIES_MAX)
			rc = refuse(err, e->path, "too many directories");
	}
	*own_bytes = bytes + directories * index_charge(0);
	return rc;
}

/* The modes are ours, not the umask's. */
static int enter(int at, const char *name)
{
	bool made = mkdirat(at, name, 0700) == 0;
	autoclose int fd = -1;

	if (!made && errno != EEXIST)
		return -1;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (made && fchmod(fd, 0755) < 0))
		return -1;
	return fd_steal(&fd);
}

static int enter_part(int at, const char *part, size_t len)
{
	char name[NAME_MAX + 1];

	if (len >= sizeof name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, part, len);
	name[len] = 0;
	return enter(at, name);
}

/* The directory that path's last part goes into, and that part. -1 with errno. */
static int open_parent(int dir, const char *path, const char **name)
{
	int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	path += *path == '/';
	for (size_t n = strcspn(path, "/"); at >= 0 && path[n]; n = strcspn(path, "/")) {
		int above = at;

		at = enter_part(above, path, n);
		close(above);
		path += n + 1;
	}
	*name = path;
	return at;
}

static int make_file(int dir, const char *name, mode_t mode, const void *p, size_t len)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || write_all(fd, p, len) < 0)
		return -1;
	return fchmod(fd, mode);
}

int store_skeleton(int dir_fd, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(skeleton_dirs); i++) {
		autoclose int fd = enter(dir_fd, skeleton_dirs[i]);

		if (fd < 0)
			return make_error(err, skeleton_dirs[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(skeleton_files); i++)
		if (make_file(dir_fd, skeleton_files[i], 0444, NULL, 0) < 0)
			return make_error(err, skeleton_files[i]);
	return 0;
}

static int copy_bytes(int in, int out)
{
	enum { CHUNK = 1 << 18 };
	autofree char *chunk = xmalloc(CHUNK);
	ssize_t n;

	while ((n = read(in, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write_all(out, chunk, (size_t)n) < 0)
			return -1;
	}
	return fchmod(out, 0555);
}

/* A file system allows some thousands of names for one file; a copy then has its own. */
static int copy_blob(int parent, const char *name, const struct tree_entry *e, const char *blob,
		     const struct root_source *source, struct err *err)
{
	autoclose int in = openat(source->blobs, blob, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int out = -1;
	int rc = source->room(source->arg, e->size, err);

	if (rc < 0)
		return rc;
	out = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (in < 0 || out < 0 || copy_bytes(in, out) < 0)
		return make_error(err, e->path);
	return 0;
}

static int add_file(int parent, const char *name, const struct tree_entry *e, const struct root_source *source,
		    struct err *err)
{
	char blob[BLOB_NAME_SIZE];

	disk_blob_name(&e->digest, blob);
	if (linkat(source->blobs, blob, parent, name, 0) == 0)
		return 0;
	return errno == EMLINK ? copy_blob(parent, name, e, blob, source, err) : make_error(err, e->path);
}

static int add_entry(int dir, const struct tree_entry *e, const struct root_source *source, struct err *err)
{
	const char *name;
	autoclose int parent = open_parent(dir, e->path, &name);
	int rc = 0;

	if (parent < 0)
		return make_error(err, e->path);
	if (e->type == TREE_FILE)
		return add_file(parent, name, e, source, err);
	if (e->type == TREE_LINK)
		rc = symlinkat(e->target, parent, name);
	else
		rc = make_file(parent, name, (e->mode & 0555) | 0444, e->data, e->size);
	return rc < 0 ? make_error(err, e->path) : 0;
}

int root_build(int dir, const struct tree *t, const struct root_source *source, struct err *err)
{
	int rc = store_skeleton(dir, err);

	for (size_t i = 0; i < t->count && rc == 0; i++)
		rc = add_entry(dir, &t->entries[i], source, err);
	return rc;
}
