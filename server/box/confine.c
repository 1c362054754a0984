/*
 * confine.c - what the box gives up before a job starts.
 *
 * Confined: a root that holds the toolchain only, a user of its own where
 * there is one, no capabilities. We are the first process of our process
 * namespace already, so nothing outlives us. Unconfined: limits and no new
 * privileges only; being the subreaper we inherit, and so find, every process
 * whose parent has gone.
 */
#include "confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "file.h"
#include "syscalls.h"

#define OOM_SCORE "800"		/* of -1000 to 1000; the steps inherit it */
enum { FILES_MAX = 1024, THREADS_MAX = 64 };

static int limit(int resource, uint64_t soft, uint64_t hard, const char *name, struct err *err)
{
	struct rlimit now, want;

	if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return err_sys(err, "limit of %s", name);
	/* never above what we were given */
	want.rlim_max = hard < now.rlim_max ? hard : now.rlim_max;
	want.rlim_cur = soft < want.rlim_max ? soft : want.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &want) < 0 ? err_sys(err, "limit %s", name) : 0;
}

static int set_limits(const struct box_request *q, struct err *err)
{
	/* one second between SIGXCPU, which tells us why, and SIGKILL */
	int rc = limit(RLIMIT_CPU, q->cpu_seconds, (uint64_t)q->cpu_seconds + 1, "processor time", err);

	if (rc == 0)
		rc = limit(RLIMIT_FSIZE, q->file_bytes, q->file_bytes, "file size", err);
	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, FILES_MAX, FILES_MAX, "open files", err);
	return rc < 0 ? rc : limit(RLIMIT_CORE, 0, 0, "core files", err);
}

int limit_memory(uint64_t bytes)
{
	/* what may be written to, and what may be mapped at all: room for memory that is asked for and not used */
	const uint64_t data = bytes + bytes / 2, space = 2 * bytes + ((uint64_t)1 << 30);

	if (!bytes)
		return 0;
	return limit(RLIMIT_DATA, data, data, "memory", NULL) < 0 ||
	       limit(RLIMIT_AS, space, space, "address space", NULL) < 0 ? -1 : 0;
}

/* Where it may not be said, the job still runs. */
static void tell_kernel(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return;
}

/* For good: none is left that a program could be given again. */
static int drop_bounds(struct err *err)
{
	/* EINVAL: there are no more of them */
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return err_sys(err, "drop capability %d", i);
	return 0;
}

static int drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	return syscall(SYS_capset, &header, none) < 0 ? err_sys(err, "drop capabilities") : 0;
}

static int become_user(uid_t uid, struct err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(err, "become user %u", uid);
	return 0;
}

/* A job may neither trace us nor read our memory; and we end with the spawn server. */
static int guard(struct err *err)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ?
	       err_sys(err, "prctl") : 0;
}

static int isolate(const struct box_request *q, enter_root *enter, void *arg, struct err *err)
{
	int rc;

	if (!syscalls_prepare())
		return err_set(err, ERR_IO, "restrict system calls: no table for this machine");
	/* its root is the cgroup that we are in by now, which is ours */
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, "make a cgroup namespace");
	rc = enter(q, arg, err);
	if (rc == 0)
		rc = drop_bounds(err);
	if (rc == 0 && q->uid)
		rc = become_user(q->uid, err);
	if (rc == 0)
		rc = drop_capabilities(err);
	if (rc == 0)
		rc = guard(err);
	return rc < 0 ? rc : limit(RLIMIT_NPROC, THREADS_MAX, THREADS_MAX, "threads", err);
}

int confine(const struct box_request *q, enter_root *enter, void *arg, struct err *err)
{
	int rc;

	/* not a session: the kernel weighs sessions against each other, and jobs are to be one weight together */
	if (setpgid(0, 0) < 0)
		return err_sys(err, "setpgid");
	/* a job that had the socket could answer in our place */
	if (fcntl(BOX_FD, F_SETFD, FD_CLOEXEC) < 0 || close_range(BOX_FD + 1, ~0U, 0) < 0)
		return err_sys(err, "close descriptors");
	/* when memory runs out, the kernel is to take a job, not a program of the owner's */
	tell_kernel("/proc/self/oom_score_adj", OOM_SCORE);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* a box that may not be nice still does its job */
	if (q->niceness && setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + q->niceness) < 0 && errno != EPERM)
		return err_sys(err, "niceness");
	rc = q->confined ? isolate(q, enter, arg, err) : 0;
	if (rc < 0)
		return rc;
	if (!q->confined && chdir(q->directory) < 0)
		return err_sys(err, "%s", q->directory);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(err, "prctl");
	umask(077);
	return set_limits(q, err);
}

/* The parent of a process: the second number after the name, which may hold anything but ends at the last ')'. */
static pid_t parent_of(const char *pid)
{
	autofree char *path = xasprintf("/proc/%s/stat", pid);
	autobuf struct buf stat = { 0 };
	const char *end;
	int parent = 0;

	if (read_file(path, 4096, &stat, NULL) < 0)
		return 0;
	end = strrchr(buf_str(&stat), ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* False when there is no /proc to find them by. */
static bool kill_children(void)
{
	DIR *proc;
	struct dirent *e;

	if (getpid() == 1)	/* of our own namespace: all the others */
		return kill(-1, SIGKILL) == 0 || errno == ESRCH;
	proc = opendir("/proc");
	if (!proc)
		return false;
	while ((e = readdir(proc)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && parent_of(e->d_name) == getpid())
			kill(atoi(e->d_name), SIGKILL);
	closedir(proc);
	return true;
}

void end_descendants(void)
{
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno != EINTR)
			return;		/* none is left */
		if (pid == 0 && (!kill_children() || waitpid(-1, NULL, 0) < 0))
			return;
	}
}
