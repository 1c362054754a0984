/*
 * root.c - a tmpfs with the toolchain's files bound into it, read-only.
 *
 * Everything is made while the old root can still be seen, then the root is
 * exchanged and the old one let go. The only place that can be written is
 * the job's directory, whose bytes and files are counted.
 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ROOT_SIZE "size=8m,nr_inodes=32768,mode=755"
enum { JOB_FILES_MAX = 16384 };

/* What compilers read besides their own files, by their C library: the same for all users, and no secret. */
static const char *const shared[] = {
	"/etc/ld.so.cache",
	"/usr/lib/locale",
	"/usr/lib64/gconv",
	"/usr/lib/x86_64-linux-gnu/gconv",
	"/usr/lib/aarch64-linux-gnu/gconv",
	"/usr/share/locale",
	"/usr/share/zoneinfo",
};
static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/urandom" };
static const char *const ours[] = { "/dev/", "/proc/", ROOT_JOB "/" };

/* The directories above name, which is relative to where we are. */
static int make_parents(const char *name, struct err *err)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof path && name[i]; i++) {
		path[i] = 0;
		if (name[i] == '/' && mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make /%s", path);
		path[i] = name[i];
	}
	return 0;
}

static int make_file(const char *name, struct err *err)
{
	int fd, rc = make_parents(name, err);

	if (rc < 0)
		return rc;
	fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_sys(err, "make /%s", name);
	close(fd);
	return 0;
}

static int bind(const char *path, struct err *err)
{
	return mount(path, path + 1, NULL, MS_BIND, NULL) < 0 ? err_sys(err, "bind %s", path) : 0;
}

static int add_files(const struct argv *files, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < files->count && rc == 0; i++) {
		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			if (str_starts(files->v[i], ours[k]))
				return err_set(err, ERR_IO, "%s: not a place for a toolchain", files->v[i]);
		rc = make_file(files->v[i] + 1, err);
		if (rc == 0)
			rc = bind(files->v[i], err);
	}
	return rc;
}

static int add_links(const struct argv *links, struct err *err)
{
	for (size_t i = 0; i < links->count; i += 2) {
		int rc = make_parents(links->v[i] + 1, err);

		if (rc < 0)
			return rc;
		if (symlink(links->v[i + 1], links->v[i] + 1) < 0)
			return err_sys(err, "link %s", links->v[i]);
	}
	return 0;
}

/* Those that are here, and that no link of the toolchain hides. */
static int add_shared(struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(shared) && rc == 0; i++) {
		const char *name = shared[i] + 1;
		struct stat st;

		if (stat(shared[i], &st) < 0)
			continue;
		rc = S_ISDIR(st.st_mode) ? make_parents(name, err) : make_file(name, err);
		if (rc == 0 && S_ISDIR(st.st_mode) && mkdir(name, 0755) < 0 && errno != EEXIST)
			rc = err_sys(err, "make %s", shared[i]);
		if (rc == 0)
			rc = bind(shared[i], err);
	}
	return rc;
}

static int seal(const char *path, uint64_t attributes, unsigned flags, struct err *err)
{
	struct mount_attr a = { .attr_set = attributes };

	return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &a, sizeof a) < 0 ?
	       err_sys(err, "restrict mount %s", path) : 0;
}

/* After the root was sealed: the devices must work. */
static int add_devices(struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(devices) && rc == 0; i++) {
		rc = bind(devices[i], err);
		if (rc == 0)
			rc = seal(devices[i] + 1, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, err);
	}
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

static int make_places(struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(ours) && rc == 0; i++)
		rc = make_parents(ours[i] + 1, err);
	for (size_t i = 0; i < ARRAY_LEN(devices) && rc == 0; i++)
		rc = make_file(devices[i] + 1, err);
	return rc;
}

static int fill(const struct box_request *q, struct err *err)
{
	int rc = make_places(err);

	if (rc == 0)
		rc = add_links(&q->links, err);
	if (rc == 0)
		rc = add_files(&q->files, err);
	if (rc == 0)
		rc = add_shared(err);
	if (rc == 0)
		rc = seal(".", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, AT_RECURSIVE, err);
	if (rc == 0)
		rc = add_devices(err);
	if (rc == 0)
		rc = add_proc(err);
	return rc < 0 ? rc : add_job(q, err);
}

int root_enter(const struct box_request *q, struct err *err)
{
	int rc;

	/* nothing that we mount is to be seen elsewhere */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make mounts private");
	if (mount("root", q->directory, "tmpfs", MS_NOSUID | MS_NODEV, ROOT_SIZE) < 0)
		return err_sys(err, "mount a root");
	if (chdir(q->directory) < 0)
		return err_sys(err, "%s", q->directory);
	umask(022);
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
