/*
 * root.c - a directory with a toolchain in it becomes the root, read-only.
 *
 * Everything is mounted while the old root can still be seen, then the root is
 * exchanged and the old one let go. The only place that can be written is the
 * job's directory, whose bytes and files are counted.
 */
#include "root.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { JOB_FILES_MAX = 16384 };

static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/urandom" };

static int seal(const char *path, uint64_t attributes, struct err *err)
{
	struct mount_attr a = { .attr_set = attributes };

	return syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &a, sizeof a) < 0 ?
	       err_sys(err, "restrict mount %s", path) : 0;
}

static int bind(const char *path, const char *to, uint64_t attributes, struct err *err)
{
	if (mount(path, to, NULL, MS_BIND, NULL) < 0)
		return err_sys(err, "bind %s", path);
	return seal(to, attributes, err);
}

int root_add_devices(struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(devices) && rc == 0; i++)
		rc = bind(devices[i], devices[i] + 1, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	return rc;
}

static int add_proc(struct err *err)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;

	/* the compilers find themselves in it; of the machine itself it shows nothing */
	return mount("proc", "proc", "proc", flags, "subset=pid") < 0 ? err_sys(err, "mount proc") : 0;
}

static int add_job(const struct box_request *q, struct err *err)
{
	char options[128];

	snprintf(options, sizeof options, "size=%llu,nr_inodes=%d,mode=700,uid=%u,gid=%u",
		 (unsigned long long)q->scratch_bytes, JOB_FILES_MAX, q->uid ? q->uid : getuid(),
		 q->uid ? q->uid : getgid());
	return mount("job", &ROOT_JOB[1], "tmpfs", MS_NOSUID | MS_NODEV, options) < 0 ?
	       err_sys(err, "mount the job's directory") : 0;
}

static int fill(const struct box_request *q, struct err *err)
{
	int rc = root_add_devices(err);

	if (rc == 0)
		rc = add_proc(err);
	return rc < 0 ? rc : add_job(q, err);
}

int root_enter(const struct box_request *q, void *unused UNUSED, struct err *err)
{
	int rc;

	/* nothing that we mount is to be seen elsewhere */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make mounts private");
	rc = bind(q->root, q->root, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
	if (rc < 0)
		return rc;
	if (chdir(q->root) < 0)
		return err_sys(err, "%s", q->root);
	rc = fill(q, err);
	if (rc < 0)
		return rc;
	/* the old root ends up on top of the new one, and is let go */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(err, "let the old root go");
	return chdir(ROOT_JOB) < 0 ? err_sys(err, ROOT_JOB) : 0;
}
