/*
 * file.c - whole reads and writes, and the few directory chores.
 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

int write_all(int fd, const void *p, size_t len)
{
	const char *at = p;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int read_all(int fd, size_t max, struct buf *out, struct err *err)
{
	size_t start = out->len;
	ssize_t n;

	for (;;) {
		buf_reserve(out, 32768);
		n = read(fd, out->p + out->len, out->room - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read");
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len - start > max)
			return err_set(err, ERR_LIMIT, "more than %zu bytes", max);
	}
}

int read_file(const char *path, size_t max, struct buf *out, struct err *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys(err, "%s", path);
	rc = read_all(fd, max, out, err);
	return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

int make_dirs(const char *path, mode_t mode, struct err *err)
{
	autofree char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_sys(err, "%s", copy);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int remove_children(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, "..") && remove_tree(dirfd(d), e->d_name) < 0)
			rc = -1;
	closedir(d);
	return rc;
}

int remove_tree(int dir, const char *path)
{
	if (unlinkat(dir, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (remove_children(dir, path) < 0)
		return -1;
	return unlinkat(dir, path, AT_REMOVEDIR);
}

char *own_dir(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n <= 0)
		return xstrdup("");
	path[n] = 0;
	*strrchr(path, '/') = 0;
	return xstrdup(path);
}

char *find_own_program(const char *name)
{
	autofree char *dir = own_dir();
	char *candidates[] = {
		xasprintf("%s/%s", dir, name),
		xasprintf("%s/../libexec/rcc/%s", dir, name),
		xasprintf("%s/%s", LIBEXECDIR, name),
	};
	char *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		if (!found && access(candidates[i], X_OK) == 0)
			found = candidates[i];
		else
			free(candidates[i]);
	}
	return found;
}
