/*
 * walk.c - up as far as two paths differ, then down.
 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static void leave(struct walk *w)
{
	struct walk_level *l = &w->levels[--w->depth];

	close(l->fd);
	names_release(l->names);
}

static int64_t ns_of(const struct statx_timestamp *t)
{
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

/* One of the same mount as the directory above is of its file system, too. */
static int ask_file_system(struct walk_level *l, const struct walk_level *above)
{
	struct statfs fs;

	if (above && l->mount && l->mount == above->mount) {
		l->fs = above->fs;
		l->mount_flags = above->mount_flags;
		return 0;
	}
	if (fstatfs(l->fd, &fs) < 0)
		return errno;
	l->fs = fs_kind_of((uint32_t)fs.f_type);
	l->mount_flags = (unsigned char)(fs.f_flags & (ST_RDONLY | ST_NOEXEC));
	return 0;
}

static int enter(struct walk *w, int dir, const char *name, size_t len)
{
	struct walk_level *l = &w->levels[w->depth];
	autoclose int fd = -1;
	struct statx st;
	int rc;

	if (w->depth == WALK_LEVELS_MAX)
		return ENAMETOOLONG;
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st) < 0)
		return errno;
	*l = (struct walk_level){
		.fd = fd,
		.len = len,
		.id = { makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino, st.stx_size, ns_of(&st.stx_mtime), ns_of(&st.stx_ctime) },
		.mode = st.stx_mode & 07777,
		.uid = st.stx_uid,
		.mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0,
	};
	rc = ask_file_system(l, w->depth ? l - 1 : NULL);
	if (rc)
		return rc;
	fd_steal(&fd);
	w->depth++;
	return 0;
}

/* Does the top lead to the first len bytes of path, or is it there? */
static bool on_way(struct walk *w, const char *path, size_t len)
{
	size_t have = walk_top(w)->len;

	return have <= len && strncmp(w->path, path, have) == 0 && (have == len || path[have] == '/');
}

/* To the directory that the first len bytes of path are; 0: the root. */
static int go(struct walk *w, const char *path, size_t len, size_t *stopped)
{
	int rc;

	*stopped = 1;
	if (!w->depth && (rc = enter(w, AT_FDCWD, "/", 0)))
		return rc;
	while (!on_way(w, path, len))
		leave(w);
	while (walk_top(w)->len < len) {
		struct walk_level *top = walk_top(w);

		*stopped = top->len + 1 + strcspn(path + top->len + 1, "/");
		memcpy(w->path + top->len, path + top->len, *stopped - top->len);
		w->path[*stopped] = 0;
		rc = enter(w, top->fd, w->path + top->len + 1, *stopped);
		if (rc)
			return rc;
	}
	return 0;
}

int walk_to(struct walk *w, const char *path, size_t *stopped)
{
	return go(w, path, (size_t)(path_base(path) - path) - 1, stopped);
}

int walk_into(struct walk *w, const char *path)
{
	size_t stopped;

	return go(w, path, path[1] ? strlen(path) : 0, &stopped);
}

void walk_end(struct walk *w)
{
	while (w->depth)
		leave(w);
}
