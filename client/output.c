/*
 * output.c - how an output comes into being.
 *
 * Measured with gcc 12.2, binutils 2.40 and clang 14.0, as an ordinary user,
 * umask 022, writing over something that exists:
 *
 *	                     as (gcc -c)        clang -c, -S       cc1 (gcc -S)
 *	nothing              new file 0644      new file 0644      new file 0644
 *	file, hard links     new file, others keep the old one     written through
 *	file 0755            new file 0644      new file 0644      stays 0755
 *	empty file 0600      written through    new file 0644      written through
 *	file 0444            new file 0644      refused            refused
 *	link to a file       link replaced      link replaced      target written
 *	link to 0444         link replaced      refused            refused
 *	link to empty file   target written     link replaced      target written
 *	link to nothing      target created     link replaced      target created
 *	directory 0555       written through    written through    written through
 *	FIFO, /dev/null      never replaced, whoever writes
 *
 * as asks BFD to unlink first, which it does for a file or link whose target
 * is not empty; clang renames a temporary file over the name, unless the
 * target is no regular file or cannot be written; cc1 calls fopen. So the
 * rows in which as and clang differ, and those where anything else than a
 * plain file results, are left to the compiler itself.
 *
 * A new file is made with O_TMPFILE in its directory, so that the kernel
 * applies umask, ACL and group as it would have, and it has no name until it
 * is whole.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "fds.h"
#include "file.h"

enum { COPY_CHUNK = 256 * 1024 };

static bool open_dir(struct output *o, const char *path)
{
	const char *base = path_base(path);
	autofree char *dir = base == path ? xstrdup(".") : xstrndup(path, (size_t)(base - path));

	if (!*base || str_eq(path, "-"))
		return false;
	o->name = xstrdup(base);
	o->dir = fd_high(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
	return o->dir >= 0;
}

/* In a sticky directory a name can be removed by its owner and the directory's only. */
static bool may_unlink(int dir, const struct stat *entry)
{
	struct stat st;
	uid_t me = geteuid();

	if (me == 0)
		return true;
	if (fstat(dir, &st) < 0)
		return false;
	return !(st.st_mode & S_ISVTX) || st.st_uid == me || entry->st_uid == me;
}

/* May what exists be dealt with as kind says, whichever compiler it is? */
static bool target_is_plain(const struct output *o, enum output_kind kind, const struct stat *entry)
{
	struct stat target;

	if (fstatat(o->dir, o->name, &target, 0) < 0 || !S_ISREG(target.st_mode))
		return false;
	if (faccessat(o->dir, o->name, W_OK, AT_EACCESS) < 0)
		return false;
	if (kind == OUTPUT_THROUGH)
		return true;
	return target.st_size > 0 && may_unlink(o->dir, entry);
}

static enum reason odd(struct output *o)
{
	output_drop(o);
	return REASON_OUTPUT_ODD;
}

enum reason output_prepare(struct output *o, const char *path, enum output_kind kind)
{
	struct stat entry;
	bool exists;

	*o = NO_OUTPUT;
	if (!open_dir(o, path))
		return odd(o);
	exists = fstatat(o->dir, o->name, &entry, AT_SYMLINK_NOFOLLOW) == 0;
	if (!exists && errno != ENOENT)
		return odd(o);
	if (exists && !target_is_plain(o, kind, &entry))
		return odd(o);
	o->keep = exists && kind == OUTPUT_THROUGH;
	o->unlink = kind == OUTPUT_REPLACE;
	if (o->keep)
		o->fd = fd_scratch("rcc-output");
	else
		o->fd = fd_high(openat(o->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666));
	return o->fd < 0 ? odd(o) : REASON_NONE;
}

mode_t output_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/* Opens the directory; a name that exists must be one that may go. */
enum reason output_prepare_gone(struct output *o, const char *path)
{
	struct stat entry;

	*o = NO_OUTPUT;
	if (!open_dir(o, path) || faccessat(o->dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return odd(o);
	o->unlink = fstatat(o->dir, o->name, &entry, AT_SYMLINK_NOFOLLOW) == 0;
	if (!o->unlink)
		return errno == ENOENT ? REASON_NONE : odd(o);
	if ((!S_ISREG(entry.st_mode) && !S_ISLNK(entry.st_mode)) || !may_unlink(o->dir, &entry))
		return odd(o);
	return REASON_NONE;
}

/*
 * As programs make files: plain ones with 0666, those to be run with 0777, of
 * which the kernel takes what umask or the directory's ACL says. Any other
 * mode was set by the program itself.
 */
static int open_made(int dir, mode_t mode)
{
	mode_t mask = output_umask(), asked = mode == (0777 & ~mask) ? 0777 : 0666;
	int fd = fd_high(openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, asked));

	if (fd < 0 || mode == (asked & ~mask) || fchmod(fd, mode) == 0)
		return fd;
	close(fd);
	return -1;
}

/* To write to it, and to give it another mode if that is what was done. */
static bool may_keep(const struct output *o, mode_t mode)
{
	struct stat target;
	uid_t me = geteuid();

	return fstatat(o->dir, o->name, &target, 0) == 0 && S_ISREG(target.st_mode) &&
	       faccessat(o->dir, o->name, W_OK, AT_EACCESS) == 0 &&
	       ((target.st_mode & 0777) == mode || target.st_uid == me || me == 0);
}

enum reason output_prepare_made(struct output *o, const char *path, bool kept, mode_t mode)
{
	enum reason why = REASON_NONE;

	*o = NO_OUTPUT;
	if (!kept)
		why = output_prepare_gone(o, path);
	else if (!open_dir(o, path) || !may_keep(o, mode))
		why = odd(o);
	if (why != REASON_NONE)
		return why;
	o->keep = kept;
	o->fd = kept ? fd_scratch("rcc-output") : open_made(o->dir, mode);
	return o->fd < 0 ? odd(o) : REASON_NONE;
}

static int copy_all(int from, int to)
{
	autofree char *chunk = xmalloc(COPY_CHUNK);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, chunk, COPY_CHUNK, at)) > 0) {
		if (write_all(to, chunk, (size_t)n) < 0)
			return -1;
		at += n;
	}
	return n < 0 ? -1 : 0;
}

/* What is there may have become a FIFO or a device since it was looked at. */
static int empty_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISREG(st.st_mode))
		return ftruncate(fd, 0);
	errno = ESPIPE;
	return -1;
}

static int write_through(struct output *o)
{
	int to = fd_high(openat(o->dir, o->name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	int rc;

	if (to < 0)
		return -1;
	rc = empty_file(to) == 0 ? copy_all(o->fd, to) : -1;
	return close(to) < 0 ? -1 : rc;		/* network file systems report a full disk there */
}

int output_unlink(const struct output *o)
{
	return !o->unlink || unlinkat(o->dir, o->name, 0) == 0 || errno == ENOENT ? 0 : -1;
}

static int give_name(struct output *o)
{
	char link[64];

	snprintf(link, sizeof link, "/proc/self/fd/%d", o->fd);
	futimens(o->fd, NULL);		/* never older than what make sees as its sources */
	if (output_unlink(o) < 0)
		return -1;
	return linkat(AT_FDCWD, link, o->dir, o->name, AT_SYMLINK_FOLLOW);
}

int output_commit(struct output *o, struct err *err)
{
	int rc = o->keep ? write_through(o) : give_name(o);

	if (rc < 0)
		err_set(err, ERR_OUTPUT, "%s: %s", o->name, strerror(errno));
	output_drop(o);
	return rc < 0 ? ERR_OUTPUT : 0;
}

void output_drop(struct output *o)
{
	free(o->name);
	if (o->dir >= 0)
		close(o->dir);
	if (o->fd >= 0)
		close(o->fd);
	*o = NO_OUTPUT;
}
