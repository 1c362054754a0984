/*
 * confine.c - limits, niceness, no new privileges, and no survivors.
 *
 * Being the subreaper, the box inherits every process whose parent has gone,
 * so that it finds them all when the job is over.
 */
#include "confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "file.h"

#define OOM_SCORE "800"		/* of -1000 to 1000; the steps inherit it */
enum { FILES_MAX = 1024 };

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
	if (rc == 0 && q->memory_bytes)
		rc = limit(RLIMIT_AS, q->memory_bytes, q->memory_bytes, "memory", err);
	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, FILES_MAX, FILES_MAX, "open files", err);
	return rc < 0 ? rc : limit(RLIMIT_CORE, 0, 0, "core files", err);
}

/* When memory runs out, the kernel is to take a job, not a program of the owner's. */
static void offer_to_oom_killer(void)
{
	autoclose int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* where it may not be said, the job still runs */
	if (fd >= 0 && write(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
		return;
}

int confine(const struct box_request *q, struct err *err)
{
	/* rccd made it a session of its own; started by hand it becomes one here */
	if (getsid(0) != getpid() && setsid() < 0)
		return err_sys(err, "setsid");
	/* a job that had the socket could answer in our place */
	if (fcntl(BOX_FD, F_SETFD, FD_CLOEXEC) < 0 || close_range(BOX_FD + 1, ~0U, 0) < 0)
		return err_sys(err, "close descriptors");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(err, "prctl");
	if (chdir(q->directory) < 0)
		return err_sys(err, "%s", q->directory);
	umask(077);
	offer_to_oom_killer();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* a box that may not be nice still does its job */
	if (q->niceness && setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + q->niceness) < 0 && errno != EPERM)
		return err_sys(err, "niceness");
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
	DIR *proc = opendir("/proc");
	struct dirent *e;

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
