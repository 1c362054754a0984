/*
 * roots.c - toolchains of this machine's own files, as roots for boxes.
 */
#include "roots.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "file.h"

/* The directories above path, which begins with those above it that exist already. */
static int make_parents(const char *path, struct err *err)
{
	autofree char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(copy, 0755) == 0)
			chmod(copy, 0755);	/* whatever our umask is */
		else if (errno != EEXIST)
			return err_sys(err, "make %s", copy);
		*slash = '/';
	}
	return 0;
}

static int copy_file(const struct tree_entry *e, const char *to, struct err *err)
{
	autoclose int in = open(e->path, O_RDONLY | O_CLOEXEC), out = -1;
	uint64_t left = e->size;
	ssize_t n = 1;

	if (in < 0)
		return err_sys(err, "%s", e->path);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, "%s", to);
	for (; left && n > 0; left -= (uint64_t)n)
		n = sendfile(out, in, NULL, left);
	return n <= 0 || fchmod(out, e->mode & 0111 ? 0555 : 0444) < 0 ? err_sys(err, "write %s", to) : 0;
}

static int write_data(const struct tree_entry *e, const char *to, struct err *err)
{
	autoclose int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return out < 0 || write_all(out, e->data, e->size) < 0 || fchmod(out, 0444) < 0 ? err_sys(err, "write %s", to) : 0;
}

static int add(const char *dir, const struct tree_entry *e, struct err *err)
{
	autofree char *to = xasprintf("%s%s", dir, e->path);
	int rc = make_parents(to, err);

	if (rc < 0)
		return rc;
	if (e->type == TREE_LINK)
		return symlink(e->target, to) < 0 ? err_sys(err, "%s", to) : 0;
	if (e->type == TREE_DATA)
		return write_data(e, to, err);
	/* a hard link would change the file's own times */
	return copy_file(e, to, err);
}

static int add_places(const char *dir, struct err *err)
{
	static const char *const places[] = { "/proc/", "/job/", "/dev/null", "/dev/zero", "/dev/urandom" };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(places) && rc == 0; i++) {
		autofree char *path = xasprintf("%s%s", dir, places[i]);

		rc = make_parents(path, err);
		if (rc == 0 && !str_ends(path, "/")) {
			autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

			rc = fd < 0 ? err_sys(err, "%s", path) : 0;
		}
	}
	return rc;
}

int root_make(const char *dir, const struct tree *t, struct err *err)
{
	int rc = add_places(dir, err);

	for (size_t i = 0; i < t->count && rc == 0; i++)
		rc = add(dir, &t->entries[i], err);
	return rc;
}
