/*
 * child.c - the one child that rcc may have at a time.
 */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fds.h"

int pidfd_of(pid_t pid)
{
	return fd_high((int)syscall(SYS_pidfd_open, pid, 0));
}

int child_start(struct child *c, const struct proc_spec *spec, struct err *err)
{
	int rc = proc_spawn(spec, &c->pid, err);

	if (rc < 0)
		return rc;
	c->pidfd = pidfd_of(c->pid);
	if (c->pidfd >= 0)
		return 0;
	rc = err_sys(err, "watch %s", spec->program);
	kill(c->pid, SIGKILL);
	child_reap(c);
	return rc;
}

int child_reap(struct child *c)
{
	int status = -1;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (c->pidfd >= 0)
		close(c->pidfd);
	*c = NO_CHILD;
	return status;
}

void child_kill(struct child *c)
{
	if (c->pidfd < 0)
		return;
	kill(c->pid, SIGKILL);
	child_reap(c);
}
