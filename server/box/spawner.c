/*
 * spawner.c - a small process beside rccd, forked once for each box.
 *
 * It is small, so forking it is cheap; and it lives where a box must be, so
 * a box has less to leave. It reads nothing of any job: a box's request comes
 * over the box's own socket, which it only passes on.
 */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "packet.h"
#include "request.h"
#include "serve.h"

/* As nice as a session can be, to the other sessions: sched(7), "The autogroup feature". */
#define NICEST "19"
enum { AGAIN_MS = 100 };	/* the kernel takes an ordinary user's change so often */

static const int no_fds[PACKET_FDS] = { -1, -1 };
static int autogroup = -1;	/* of our session, which is that of all boxes; -1: the kernel has none */
static const char *weight;	/* to be written there; NULL: it is */

/* clone3 only where it must be: containers tend to refuse it. */
static pid_t clone_box(uint64_t flags, int cgroup_fd, int *pidfd)
{
	struct clone_args a = { .flags = flags | CLONE_INTO_CGROUP, .pidfd = (uintptr_t)pidfd,
				.exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup_fd };

	if (cgroup_fd < 0)
		return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, pidfd, NULL, NULL);
	return (pid_t)syscall(SYS_clone3, &a, sizeof a);
}

/* A new process may look at itself until confine() has done so; and in a user namespace of its own it is somebody again. */
static void be_somebody(int namespaces, uid_t uid, gid_t gid)
{
	struct err err = { 0 };

	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (!(namespaces & CLONE_NEWUSER) || map_self(uid, gid, &err) == 0)
		return;
	fprintf(stderr, "rccd-box: %s\n", err.text);
	_exit(1);
}

pid_t spawn_box(const struct mode *m, int cgroup_fd, int *pidfd)
{
	int namespaces = namespaces_of_box(m);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t pid = clone_box((uint64_t)namespaces | CLONE_PIDFD, cgroup_fd, pidfd);

	if (pid == 0)
		be_somebody(namespaces, uid, gid);
	if (pid < 0)
		*pidfd = -1;	/* the kernel may have set it to one that it took back */
	return pid;
}

static void report(const struct spawn_report *r, int pidfd)
{
	const int fds[PACKET_FDS] = { pidfd, -1 };

	/* when it fails rccd is gone, which the next poll says */
	packet_send(BOX_FD, r, sizeof *r, fds);
}

/* In the child: all that it has of ours is the socket. */
static NORETURN void become_box(int socket)
{
	if (dup2(socket, BOX_FD) < 0)
		_exit(1);
	_exit(box_serve(BOX_FD));
}

static void make_box(const struct mode *m, const struct spawn_request *q, int socket, int cgroup_fd)
{
	struct spawn_report r = { .event = BOX_STARTED, .ticket = q->ticket };
	int pidfd = -1;

	r.pid = spawn_box(m, cgroup_fd, &pidfd);
	if (r.pid == 0)
		become_box(socket);
	if (r.pid < 0) {
		r.event = BOX_FAILED;
		snprintf(r.text, sizeof r.text, "make a box: %s", strerror(errno));
	}
	report(&r, pidfd);
	if (pidfd >= 0)
		close(pidfd);
}

/* Jobs of a guest give way; but to end they need the processor as well. Where it cannot be said, they still run. */
static void tell_weight(void)
{
	if (weight && (write(autogroup, weight, strlen(weight)) > 0 || errno != EAGAIN))
		weight = NULL;
}

static void take_wish(const struct mode *m, const struct spawn_request *q, const int fds[PACKET_FDS])
{
	if (q->wish == SPAWN_BOX && fds[0] >= 0)
		make_box(m, q, fds[0], fds[1]);
	if (q->wish != SPAWN_BOX && autogroup >= 0) {
		weight = q->wish == SPAWN_GIVE_WAY ? NICEST : "0";
		tell_weight();
	}
}

/* False: rccd is gone. */
static bool take_request(const struct mode *m)
{
	struct spawn_request q = { 0 };
	int fds[PACKET_FDS], rc = packet_receive(BOX_FD, &q, sizeof q, fds, MSG_DONTWAIT);

	if (rc < 0 && errno == EAGAIN)
		return true;
	if (rc <= 0)
		return false;
	take_wish(m, &q, fds);
	for (int i = 0; i < PACKET_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return true;
}

/* What a killed box without a process namespace leaves is in its group, whose number is its own until it is reaped. */
static void reap(const struct mode *m, int children)
{
	struct signalfd_siginfo any;
	siginfo_t info;

	if (read(children, &any, sizeof any) < 0 && errno != EAGAIN)
		return;
	while (info.si_pid = 0, waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		struct spawn_report r = { .event = BOX_ENDED, .pid = info.si_pid };

		if (!m->confined)
			kill(-info.si_pid, SIGKILL);
		if (waitpid(info.si_pid, &r.status, 0) == info.si_pid)
			report(&r, -1);
	}
}

static void serve(const struct mode *m, int children)
{
	struct pollfd p[] = { { .fd = BOX_FD, .events = POLLIN }, { .fd = children, .events = POLLIN } };

	for (;;) {
		if (poll(p, ARRAY_LEN(p), weight ? AGAIN_MS : -1) < 0 && errno != EINTR)
			return;
		tell_weight();
		/* first, so that a number is not given again before its end was told */
		if (p[1].revents)
			reap(m, children);
		if (p[0].revents && !take_request(m))
			return;
	}
}

static int prepare(const struct mode *m, int *children, struct err *err)
{
	sigset_t chld;
	int rc;

	if (fcntl(BOX_FD, F_SETFD, FD_CLOEXEC) < 0 || close_range(BOX_FD + 1, ~0U, 0) < 0)
		return err_sys(err, "close descriptors");
	/* opened while we may look at ourselves */
	autogroup = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	rc = m->confined ? namespaces_share(m, err) : 0;
	if (rc < 0)
		return rc;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(err, "prctl");
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	*children = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	return *children < 0 ? err_sys(err, "signalfd") : 0;
}

int box_spawner(const struct mode *m)
{
	struct spawn_report r = { .event = SPAWNER_READY };
	struct err err = { 0 };
	int children;

	if (prepare(m, &children, &err) < 0) {
		r.event = SPAWNER_FAILED;
		snprintf(r.text, sizeof r.text, "%.120s", err.text);
		packet_send(BOX_FD, &r, sizeof r, no_fds);
		return 1;
	}
	report(&r, -1);
	serve(m, children);
	return 0;
}
