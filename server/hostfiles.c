/*
 * hostfiles.c - entries of a tree, looked for on this machine's own disk.
 */
#include "hostfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

static bool below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len && dir[len - 1] == '/')
		len--;
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* Where the descriptor's file really is: below one of the directories that count. */
static int check_place(const struct argv *dirs, const char *path, int fd, struct err *err)
{
	autofree char *proc = xasprintf("/proc/self/fd/%d", fd);
	char real[PATH_MAX];
	ssize_t n = readlink(proc, real, sizeof real - 1);

	if (n < 0)
		return err_sys(err, "%s", path);
	real[n] = 0;
	for (size_t i = 0; i < dirs->count; i++)
		if (below(real, dirs->v[i]))
			return 0;
	return err_set(err, ERR_ABSENT, "%s: not in a directory that counts", path);
}

static int check_kind(const struct tree_entry *e, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, ERR_ABSENT, "%s: not a regular file here", e->path);
	if (st->st_uid != 0 || !(st->st_mode & S_IROTH))
		return err_set(err, ERR_ABSENT, "%s: not root's, or not readable by all", e->path);
	if ((e->mode & 0111) && !(st->st_mode & S_IXOTH))
		return err_set(err, ERR_ABSENT, "%s: not executable by all here", e->path);
	if ((uint64_t)st->st_size != e->size)
		return err_set(err, ERR_ABSENT, "%s: %lld bytes here, not %llu", e->path, (long long)st->st_size,
			       (unsigned long long)e->size);
	return 0;
}

int hostfile_open(const struct argv *dirs, const struct tree_entry *e, struct err *err)
{
	autoclose int fd = open(e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_ABSENT, "%s: %s", e->path, strerror(errno));
	rc = check_kind(e, &st, err);
	if (rc == 0)
		rc = check_place(dirs, e->path, fd, err);
	return rc < 0 ? rc : fd_steal(&fd);
}

static int match_file(const struct argv *dirs, const struct tree_entry *e, struct digest_memo *memo,
		      struct file_id *id, struct err *err)
{
	autoclose int fd = hostfile_open(dirs, e, err);
	struct digest found;
	int rc = fd < 0 ? fd : digest_memo_fd(memo, fd, id, &found, err);

	if (rc == 0 && !digest_eq(&found, &e->digest))
		rc = err_set(err, ERR_ABSENT, "%s: other contents here", e->path);
	return rc;
}

static int match_link(const struct tree_entry *e, struct file_id *id, struct err *err)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (lstat(e->path, &st) < 0)
		return err_set(err, ERR_ABSENT, "%s: %s", e->path, strerror(errno));
	n = S_ISLNK(st.st_mode) ? readlink(e->path, target, sizeof target - 1) : 0;
	if (n <= 0 || st.st_uid != 0)
		return err_set(err, ERR_ABSENT, "%s: not a link of root's here", e->path);
	target[n] = 0;
	if (!str_eq(target, e->target))
		return err_set(err, ERR_ABSENT, "%s: leads to %.100s here, not %.100s", e->path, target, e->target);
	*id = file_id_of(&st);
	return 0;
}

int hostfiles_match(const struct argv *dirs, const struct tree *t, struct digest_memo *memo, struct file_id *ids,
		    struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < t->count && rc == 0; i++) {
		const struct tree_entry *e = &t->entries[i];
		struct file_id id = { 0 };

		if (e->type == TREE_FILE)
			rc = match_file(dirs, e, memo, &id, err);
		else if (e->type == TREE_LINK)
			rc = match_link(e, &id, err);
		if (ids)
			ids[i] = id;
	}
	return rc;
}

const struct tree_entry *hostfiles_changed(const struct tree *t, const struct file_id *ids)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *e = &t->entries[i];
		struct file_id now;
		struct stat st;

		if (e->type == TREE_DATA)
			continue;
		if (lstat(e->path, &st) < 0)
			return e;
		now = file_id_of(&st);
		if (!file_id_eq(&now, &ids[i]))
			return e;
	}
	return NULL;
}
