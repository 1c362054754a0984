/*
 * changes.c - a walk through the upper layer.
 *
 * What is in it tells what is there now; what the job was told tells what was
 * there before, as it never changed a name without having looked at it. Only
 * whether a file is still the same one must be asked of the overlay, which
 * gives it the inode number of the caller's then.
 */
#include "changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "fuse.h"
#include "overlay.h"

enum { DEPTH_MAX = 256 };

struct walk {
	int root;
	const struct view *view;
	struct changes *all;
	unsigned depth;
};

static int add(struct walk *w, struct change c, struct err *err)
{
	return changes_add(w->all, &c, err);
}

/* A name in the job's root, if the kernel knows it without asking anybody; -1 with errno, EAGAIN when it does not. */
static int open_known(const struct walk *w, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_CACHED | RESOLVE_IN_ROOT };

	return (int)syscall(SYS_openat2, w->root, path, &how, sizeof how);
}

/* Is it still the caller's file, written to? */
static bool is_kept(const struct walk *w, const char *path)
{
	autoclose int fd = open_known(w, path);
	struct statx st;

	return fd >= 0 && statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) == 0 && st.stx_ino & FUSE_INODE;
}

/*
 * A directory whose names were read may have been removed, and made again:
 * then those of its names that are not in the upper layer are gone, too. If
 * one is still to be seen, none is.
 */
static int check_same_directory(const struct walk *w, int dir, const char *path, const struct fact *before, struct err *err)
{
	for (size_t i = 0; i < before->names.count; i++) {
		autofree char *name = xasprintf("%s/%s", path, before->names.v[i]);
		struct stat st;
		autoclose int fd = -1;

		if (fstatat(dir, before->names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			return 0;	/* changed, or gone by itself: a new one would not say so */
		fd = open_known(w, name);
		if (fd >= 0)
			return 0;
	}
	return before->names.count ? err_set(err, ERR_UNSUPPORTED, "%s: maybe removed and made again", path) : 0;
}

static int64_t ns_of(const struct timespec *t) { return t->tv_sec * 1000000000LL + t->tv_nsec; }

static int add_file(struct walk *w, const char *path, const struct stat *st, struct err *err)
{
	unsigned how;
	const struct fact *before = view_told(w->view, path, &how);

	if (st->st_mode & (S_ISUID | S_ISGID))
		return err_set(err, ERR_UNSUPPORTED, "%s: runs with its owner's rights", path);
	return add(w, (struct change){ .path = xstrdup(path), .kind = CHANGE_FILE, .mode = st->st_mode & 0777,
				       .size = (uint64_t)st->st_size, .mtime_ns = ns_of(&st->st_mtim),
				       .kept = before && before->kind == FACT_FILE && is_kept(w, path) }, err);
}

static int add_link(struct walk *w, int dir, const char *name, const char *path, const struct stat *st, struct err *err)
{
	char target[FACT_PATH_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof target);

	if (n < 0 || n > FACT_PATH_MAX)
		return err_sys(err, "read link %s", path);
	return add(w, (struct change){ .path = xstrdup(path), .kind = CHANGE_LINK, .target = xstrndup(target, (size_t)n),
				       .mtime_ns = ns_of(&st->st_mtim) }, err);
}

static int add_gone(struct walk *w, const char *path, struct err *err)
{
	return add(w, (struct change){ .path = xstrdup(path), .kind = CHANGE_GONE }, err);
}

static int walk_directory(struct walk *w, int dir, const char *path, struct err *err);

static int enter(struct walk *w, int parent, const char *name, const char *path, const struct stat *st, struct err *err)
{
	unsigned how;
	const struct fact *before = view_told(w->view, path, &how);
	int rc = 0, dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return err_sys(err, "open %s", path);
	if (!before || before->kind != FACT_DIR)
		rc = add(w, (struct change){ .path = xstrdup(path), .kind = CHANGE_DIR, .mode = st->st_mode & 01777,
					     .mtime_ns = ns_of(&st->st_mtim) }, err);
	else if (how & USED_LISTED)
		rc = check_same_directory(w, dir, path, before, err);
	if (rc == 0 && ++w->depth > DEPTH_MAX)
		rc = err_set(err, ERR_LIMIT, "%s: directories within more than %d", path, DEPTH_MAX);
	if (rc < 0) {
		close(dir);
		return rc;
	}
	rc = walk_directory(w, dir, path, err);
	w->depth--;
	return rc;
}

static int take(struct walk *w, int dir, const char *name, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "%s", path);
	if (S_ISREG(st.st_mode))
		return add_file(w, path, &st, err);
	if (S_ISDIR(st.st_mode))
		return str_eq(path, OVERLAY_SCRATCH) ? 0 : enter(w, dir, name, path, &st, err);
	if (S_ISLNK(st.st_mode))
		return add_link(w, dir, name, path, &st, err);
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
		return add_gone(w, path, err);
	return err_set(err, ERR_UNSUPPORTED, "%s: neither file, directory nor link", path);
}

/* Closes dir. */
static int walk_directory(struct walk *w, int dir, const char *path, struct err *err)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	int rc = 0;

	if (!d) {
		close(dir);
		return err_sys(err, "read %s", path);
	}
	while (rc == 0 && (e = readdir(d))) {
		autofree char *below = xasprintf("%s/%s", path, e->d_name);

		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			rc = take(w, dir, e->d_name, below, err);
	}
	closedir(d);
	return rc;
}

static int by_path(const void *a, const void *b)
{
	return path_order(((const struct change *)a)->path, ((const struct change *)b)->path);
}

int changes_collect(int upper, int root, const struct view *v, struct changes *all, struct err *err)
{
	struct walk w = { .root = root, .view = v, .all = all };
	int dir = openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? err_sys(err, "open the job's changes") : 0;

	*all = (struct changes){ 0 };
	if (rc == 0)
		rc = walk_directory(&w, dir, "", err);
	if (rc < 0)
		changes_free(all);
	else if (all->count)
		qsort(all->v, all->count, sizeof *all->v, by_path);
	return rc;
}
