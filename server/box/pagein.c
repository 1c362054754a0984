/*
 * pagein.c - a job in file mode, in small: it asks for a file, reads it, writes one.
 */
#include "pagein.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "changes.h"
#include "clock.h"
#include "file.h"

#define DIRECTORY "/asked"
#define TEXT "found\n"

struct probe {
	uint64_t question;	/* 0: none is open */
	char path[64];
	char why[128];
};

static void ask(void *arg, uint64_t question, const char *path, bool listing)
{
	struct probe *p = arg;

	(void)listing;
	p->question = question;
	snprintf(p->path, sizeof p->path, "%s", path);
}

static int open_contents(void *arg, const struct digest *digest)
{
	int fd = memfd_create("contents", MFD_CLOEXEC);

	(void)arg, (void)digest;
	if (fd >= 0 && write_all(fd, TEXT, strlen(TEXT)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void stopped(void *arg, const char *why)
{
	struct probe *p = arg;

	snprintf(p->why, sizeof p->why, "%s", why);
}

/* There is a directory, and in it one file. */
static int answer(struct fuse *f, struct probe *p, struct err *err)
{
	struct fact fact = { .path = xstrdup(p->path), .access = 7, .own = 1, .mode = 0755 };
	struct facts all = { 0 };
	uint64_t question = p->question;

	fact.kind = str_eq(p->path, DIRECTORY) ? FACT_DIR : str_eq(p->path, DIRECTORY "/file") ? FACT_FILE : FACT_ABSENT;
	fact.size = fact.kind == FACT_FILE ? strlen(TEXT) : 0;
	facts_set(&all, &fact);
	p->question = 0;
	return fuse_answer(f, question, &all, err);
}

/* Steps of the job, by their exit status. */
enum { GOOD, NO_USER, NO_READ, NO_WRITE };
static const char *const failures[] = {
	[NO_USER] = "become the job's user", [NO_READ] = "read a file of the caller", [NO_WRITE] = "write beside it",
};

static NORETURN void be_job(const struct fuse_owner *o)
{
	char text[sizeof TEXT] = "";
	int fd;

	if (o->other && (setgroups(0, NULL) < 0 || setresgid(o->gid, o->gid, o->gid) < 0 || setresuid(o->uid, o->uid, o->uid) < 0))
		_exit(NO_USER);
	fd = open(DIRECTORY "/file", O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof text) != (ssize_t)strlen(TEXT) || !str_eq(text, TEXT))
		_exit(NO_READ);
	fd = open(DIRECTORY "/made", O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(NO_WRITE);
	_exit(GOOD);
}

static int serve(struct fuse *f, struct probe *p, int ended, struct err *err)
{
	struct pollfd fds[] = { { .fd = fuse_fd(f), .events = POLLIN }, { .fd = ended, .events = POLLIN } };
	int rc = 0;

	while (rc == 0 && !fds[1].revents && !*p->why) {
		if (poll(fds, ARRAY_LEN(fds), fuse_patience(f, clock_us())) < 0 && errno != EINTR)
			return err_sys(err, "poll");
		if (fds[0].revents)
			rc = fuse_turn(f, err);
		while (rc == 0 && p->question)
			rc = answer(f, p, err);
	}
	return rc == 0 && *p->why ? err_set(err, ERR_IO, "%s", p->why) : rc;
}

/* f is gone afterwards. */
static int run_job(const struct overlay *o, struct fuse *f, struct probe *p, struct err *err)
{
	pid_t pid = fork();
	autoclose int ended = -1;
	int rc, status = 0;

	if (pid == 0) {
		close(fuse_fd(f));	/* else it may never end, once that is not served */
		be_job(&o->owner);
	}
	ended = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	rc = ended < 0 ? err_sys(err, "start a job") : serve(f, p, ended, err);
	fuse_free(f);
	if (pid > 0 && rc < 0)
		kill(pid, SIGKILL);
	if (pid > 0 && waitpid(pid, &status, 0) < 0)
		return err_sys(err, "wait");
	if (rc < 0 || status == 0)
		return rc;
	return WIFEXITED(status) && WEXITSTATUS(status) < (int)ARRAY_LEN(failures) ?
	       err_set(err, ERR_IO, "%s", failures[WEXITSTATUS(status)]) :
	       err_set(err, ERR_IO, "the job ended with wait status %#x", status);
}

static int check_changes(const struct overlay *o, const struct view *v, struct err *err)
{
	struct changes all;
	int rc = changes_collect(o->upper, o->root, v, &all, err);
	bool good = rc == 0 && all.count == 1 && str_eq(all.v[0].path, DIRECTORY "/made");

	changes_free(&all);
	return rc < 0 || good ? rc : err_set(err, ERR_IO, "find what the job wrote");
}

int pagein_probe(struct overlay *o, struct err *err)
{
	static const struct fuse_hooks hooks = { .ask = ask, .open = open_contents, .stop = stopped };
	struct probe p = { 0 };
	struct facts none = { 0 };
	struct view *v = view_new(&none);
	struct fuse *f = NULL;
	int rc = overlay_prepare(o, v, &hooks, &p, &f, err);

	if (rc == 0)
		rc = overlay_enter(o, f, err);
	if (rc < 0)
		fuse_free(f);
	else
		rc = run_job(o, f, &p, err);
	if (rc == 0)
		rc = check_changes(o, v, err);
	view_free(v);
	return rc;
}
