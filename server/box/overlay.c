/*
 * overlay.c - upper: the job's tmpfs; lower: the view, then the toolchain.
 *
 * The view lies above the toolchain, so that directories in both are as at the
 * caller; the files of the toolchain are hidden from it, so that they come from
 * the store, and stay in memory from one job to the next.
 */
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "places.h"
#include "root.h"

/*
 * Said, so that no kernel's default decides. Renaming a directory that is the
 * caller's fails (EXDEV): the change would be one that has no list of files.
 * Without inode numbers made up for names, reading a directory looks none of
 * them up. Nothing is written to any disk.
 */
#define OPTIONS "lowerdir=view:toolchain,upperdir=upper,workdir=work,index=off,metacopy=off,xino=off,volatile"
#define OPTIONS_ROOT OPTIONS ",redirect_dir=nofollow"
#define OPTIONS_USER OPTIONS ",userxattr"

static int make(const struct overlay *o, const char *name, mode_t mode, bool owned, struct err *err)
{
	const struct fuse_owner *who = &o->owner;
	uid_t uid = owned || !who->other ? who->uid : who->other_uid;
	gid_t gid = owned || !who->other ? who->gid : who->other_gid;

	if (mkdir(name, mode) < 0 || chmod(name, mode) < 0 || chown(name, uid, gid) < 0)
		return err_sys(err, "make the job's %s directory", name);
	return 0;
}

static int make_all(const struct overlay *o, struct err *err)
{
	static const struct { const char *name; mode_t mode; bool owned; } all[] = {
		{ "upper", 0755, false },	/* "/" will look like it */
		{ "upper" OVERLAY_SCRATCH, 0700, true }, { "scratch", 0700, true }, { "scratch/proc", 0555, false },
		{ "work", 0700, false }, { "view", 0755, false }, { "toolchain", 0755, false }, { "root", 0755, false },
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(all) && rc == 0; i++)
		rc = make(o, all[i].name, all[i].mode, all[i].owned, err);
	return rc;
}

/* What "/" looks like to the job is what the upper layer's looks like. */
static void set_root(const struct view *v)
{
	const struct fact *f = view_fact(v, VIEW_ROOT);
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT } };

	if (!f)
		return;
	t[1].tv_sec = f->mtime_ns / 1000000000;
	t[1].tv_nsec = f->mtime_ns % 1000000000;
	chmod("upper", f->mode);
	utimensat(AT_FDCWD, "upper", t, 0);
}

static int mount_tmpfs(const struct overlay *o, struct err *err)
{
	char options[96];

	snprintf(options, sizeof options, "size=%llu,nr_inodes=%u,mode=711", (unsigned long long)o->bytes, o->files);
	return mount("job", o->place, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0 ?
	       err_sys(err, "mount the job's directory") : 0;
}

/* It shows nothing of the machine itself. */
static int open_proc(struct overlay *o, struct err *err)
{
	autoclose int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);

	if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset", "pid", 0) == 0 &&
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		o->proc = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
				       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return o->proc < 0 ? err_sys(err, "make a /proc") : 0;
}

int overlay_prepare(struct overlay *o, struct view *v, const struct fuse_hooks *hooks, void *arg, struct fuse **f,
		    struct err *err)
{
	int rc = mount_tmpfs(o, err);

	o->upper = o->proc = -1;
	if (rc == 0 && chdir(o->place) < 0)
		rc = err_sys(err, "%s", o->place);
	if (rc == 0)
		rc = make_all(o, err);
	if (rc < 0)
		return rc;
	/* under a name without the characters that mean something in options */
	if (mount(o->toolchain, "toolchain", NULL, MS_BIND, NULL) < 0)
		return err_sys(err, "bind %s", o->toolchain);
	o->upper = open("upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->upper < 0)
		return err_sys(err, "open the job's changes");
	rc = open_proc(o, err);
	if (rc < 0)
		return rc;
	view_hide(v, OVERLAY_SCRATCH);
	set_root(v);
	return fuse_mount("view", v, o->proc, &o->owner, hooks, arg, f, err);
}

/* In a child: all of it may ask for the caller's files. */
static int mount_root(const struct overlay *o, struct err *err)
{
	int rc;

	if (mount("job", "root", "overlay", MS_NOSUID | MS_NODEV, o->in_user_namespace ? OPTIONS_USER : OPTIONS_ROOT) < 0)
		return err_sys(err, "mount the overlay");
	if (chdir("root") < 0)
		return err_sys(err, "enter the overlay");
	rc = root_add_devices(err);
	if (rc < 0)
		return rc;
	if (mount("../scratch", &OVERLAY_SCRATCH[1], NULL, MS_BIND, NULL) < 0)
		return err_sys(err, "bind the job's scratch directory");
	return syscall(SYS_move_mount, o->proc, "", AT_FDCWD, &PLACE_PROC[1], MOVE_MOUNT_F_EMPTY_PATH) < 0 ?
	       err_sys(err, "mount the job's /proc") : 0;
}

/* Serve until the child has closed its end, which says what failed; nothing: nothing did. */
static int serve_child(struct fuse *f, int ended, struct err *err)
{
	struct pollfd p[] = { { .fd = fuse_fd(f), .events = POLLIN }, { .fd = ended, .events = POLLIN } };
	struct err said = { 0 };
	int rc = 0;

	while (rc == 0 && !p[1].revents) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return err_sys(err, "poll");
		if (p[0].revents)
			rc = fuse_turn(f, err);
	}
	if (rc < 0)
		return rc;
	if (read(ended, &said, sizeof said) <= 0)
		return 0;
	*err = said;
	return err->code;
}

static int mount_in_child(const struct overlay *o, struct fuse *f, struct err *err)
{
	int ends[2], status, rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	pid = fork();
	if (pid == 0) {
		close(fuse_fd(f));	/* who waits for what we serve must not hold our end: it would wait for ever once we do not */
		rc = mount_root(o, err);
		_exit(rc < 0 && write(ends[1], err, sizeof *err) < 0);
	}
	close(ends[1]);
	rc = pid < 0 ? err_sys(err, "fork") : serve_child(f, ends[0], err);
	close(ends[0]);
	/* one that nobody serves any more may never end */
	if (pid > 0 && rc < 0)
		kill(pid, SIGKILL);
	if (pid > 0 && waitpid(pid, &status, rc < 0 ? WNOHANG : 0) < 0 && rc == 0)
		rc = err_sys(err, "wait");
	return rc;
}

int overlay_enter(struct overlay *o, struct fuse *f, struct err *err)
{
	int rc = mount_in_child(o, f, err);

	if (rc < 0)
		return rc;
	/* "." is the root of a mount, which is nobody's to look up */
	if (chdir("root") < 0)
		return err_sys(err, "enter the overlay");
	o->root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o->root < 0)
		return err_sys(err, "open the new root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "pivot_root");
	return umount2(".", MNT_DETACH) < 0 ? err_sys(err, "let the old root go") : 0;
}
