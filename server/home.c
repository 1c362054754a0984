/*
 * home.c - lock and clear the store's directory.
 *
 * The lock goes with the process, however it ends, so what lies in the jobs'
 * directory when we have it belongs to nobody.
 */
#include "home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "file.h"

static int lock(const char *path, struct err *err)
{
	autofree char *name = xasprintf("%s/lock", path);
	autoclose int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, "%s", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? err_set(err, ERR_CONFIG, "%s: another rccd uses it", path)
					    : err_sys(err, "lock %s", name);
	return fd_steal(&fd);
}

static int clear(const char *jobs, struct err *err)
{
	if (remove_tree(AT_FDCWD, jobs) < 0)
		return err_sys(err, "clear %s", jobs);
	if (mkdir(jobs, 0700) < 0)
		return err_sys(err, "make %s", jobs);
	return 0;
}

int home_open(const char *path, char **jobs, struct err *err)
{
	char real[PATH_MAX];
	int fd, rc;

	rc = make_dirs(path, 0700, err);
	if (rc == 0 && !realpath(path, real))
		rc = err_sys(err, "%s", path);
	fd = rc == 0 ? lock(real, err) : rc;
	if (fd >= 0) {
		*jobs = xasprintf("%s/jobs", real);
		if (clear(*jobs, err) == 0)
			return fd;
		free(ptr_steal(jobs));
		close(fd);
	}
	err_wrap(err, "--store");
	return err->code = ERR_CONFIG;
}
