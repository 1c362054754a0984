/*
 * program.c - the way from the box to a job's program: what it gives up, what it gets.
 *
 * In text mode it shares our memory until it executes, and we wait: nothing is
 * copied. In file mode it names files that we serve, so it has memory of its
 * own, and says over a pipe first which descriptor watches it, and then what failed.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "confine.h"
#include "syscalls.h"

enum {
	STACK_SIZE = 64 * 1024,		/* before it executes */
	REPORT_MS = 5000,		/* a program to come is only waited for if the machine stands still */
};

/* On that stack the sanitizer knows no bounds. */
#define NO_ADDRESS_CHECKS __attribute__((no_sanitize("address")))

/* Maybe in our memory: nothing here may allocate. */
struct child {
	struct program *p;
	pid_t box;
	int report;		/* -1: we share its memory */
};

struct said {
	int watch;
	int failure;		/* errno */
	bool no_directory;
};

/*
 * Confined, it shares our descriptors as well, so that the one which tells us
 * of its calls is made among ours; then it has its own, of which all but the
 * three go when it executes.
 */
static bool restrict_calls(struct child *c)
{
	return syscalls_restrict(&c->p->watch) == 0 &&
	       close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) == 0;
}

/* The box itself does not give way: it is to notice at once that its job is to end. */
NO_ADDRESS_CHECKS static void give_way(void)
{
	const struct sched_param none = { 0 };

	sched_setscheduler(0, SCHED_IDLE, &none);
}

static void say(const struct child *c, struct said what)
{
	if (c->report >= 0 && write(c->report, &what, sizeof what) < 0)
		_exit(127);
}

/*
 * Its three, and beside a box also what it reports by. Nothing else of ours: from here on it waits for files that we serve, and
 * the kernel lets it go when we do not any more, but only if it does not itself hold the end that we serve by.
 */
static bool keep_own(struct child *c)
{
	const int report = STDERR_FILENO + 1;

	for (int i = 0; i < 3; i++)
		if (dup2(c->p->fds[i], i) < 0)
			return false;
	if (c->report < 0)
		return true;
	if (c->report != report && dup3(c->report, report, O_CLOEXEC) < 0)
		return false;
	c->report = report;
	return close_range(report + 1, ~0U, 0) == 0;
}

/* Where its caller is. */
static void enter_caller(const struct child *c)
{
	const struct job_caller *caller = &c->p->q->job.caller;

	umask(caller->umask);
	if (chdir(caller->cwd) == 0)
		return;
	say(c, (struct said){ .failure = errno, .no_directory = true });
	_exit(127);
}

NO_ADDRESS_CHECKS static int become(void *arg)
{
	struct child *c = arg;
	struct program *p = c->p;
	bool good = true;
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != c->box)
		_exit(127);
	if (p->q->idle)
		give_way();
	if (p->q->confined)
		good = restrict_calls(c);
	say(c, (struct said){ .watch = p->watch });
	good = good && keep_own(c);
	if (good && p->q->job.mode == JOB_FILES)
		enter_caller(c);
	if (good && limit_memory(p->q->memory_bytes) == 0)
		execve(p->step->program, p->step->argv.v, p->env);
	p->failure = errno;
	say(c, (struct said){ .failure = p->failure });
	_exit(127);
}

/* It says so before it names any file. */
static int heard(int report, struct said *said)
{
	struct pollfd p = { .fd = report, .events = POLLIN };

	return poll(&p, 1, REPORT_MS) == 1 && read(report, said, sizeof *said) == sizeof *said ? 0 : -1;
}

static pid_t start_beside(struct child *c)
{
	struct program *p = c->p;
	struct said said = { .watch = -1 };
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		p->failure = errno;
		return -1;
	}
	c->report = ends[1];
	/* fork(2), but with the same table of descriptors for a moment */
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		become(c);
	if (pid < 0 || heard(ends[0], &said) < 0)
		p->failure = pid < 0 ? errno : EIO;
	close(ends[1]);
	p->watch = said.watch;
	p->report = ends[0];
	return pid;
}

static pid_t start_within(struct child *c)
{
	static char stack[STACK_SIZE] __attribute__((aligned(16)));
	int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (c->p->q->confined ? CLONE_FILES : 0);
	pid_t pid = clone(become, stack + sizeof stack, flags, c);

	if (pid < 0)
		c->p->failure = errno;
	return pid;
}

pid_t program_start(struct program *p)
{
	struct child c = { .p = p, .box = getpid(), .report = -1 };

	p->watch = p->report = -1;
	p->failure = 0;
	return p->q->job.mode == JOB_FILES ? start_beside(&c) : start_within(&c);
}

enum program_report program_report(int report, int *failure)
{
	struct said said;
	bool executes = read(report, &said, sizeof said) != sizeof said;

	close(report);
	if (executes)
		return PROGRAM_EXECUTES;
	*failure = said.failure;
	return said.no_directory ? PROGRAM_NO_DIRECTORY : PROGRAM_FAILED;
}
