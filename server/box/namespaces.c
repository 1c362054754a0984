/*
 * namespaces.c - namespaces that hold nothing: made once, as making and
 * ending them costs more than everything else around a job.
 *
 * No job can use them to meet another: the calls that would reach what they
 * hold (sockets, queues, host names) are not allowed at all.
 */
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#include "file.h"

bool mode_parse(const char *word, struct mode *m)
{
	const char *host = strchr(word, '@');
	char end;

	*m = (struct mode){ .confined = str_starts(word, "confined"), .host = host ? host + 1 : "rcc" };
	return str_eq(word, "unconfined") || str_eq(word, "confined") || str_starts(word, "confined@") ||
	       (sscanf(word, "confined:%u:%u:%u%c", &m->users, &m->first_uid, &m->first_gid, &end) == 3 && m->users);
}

int map_self(uid_t uid, gid_t gid, struct err *err)
{
	static const char *const names[] = { "setgroups", "gid_map", "uid_map" };
	autofree char *gids = xasprintf("%u %u 1", gid, gid), *uids = xasprintf("%u %u 1", uid, uid);
	const char *const texts[] = { "deny", gids, uids };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		autofree char *path = xasprintf("/proc/self/%s", names[i]);
		autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write_all(fd, texts[i], strlen(texts[i])) < 0)
			return err_sys(err, "write %s", path);
	}
	return 0;
}

/* newuidmap or newgidmap: the system's own, which know what each user may have. Their complaint goes to stderr. */
static int run_map(const char *program, pid_t pid, unsigned self, unsigned first, unsigned count)
{
	autofree char *target = xasprintf("%d", pid), *own = xasprintf("%u", self);
	autofree char *from = xasprintf("%u", first), *many = xasprintf("%u", count);
	char *argv[] = { (char *)program, target, (char *)"0", own, (char *)"1", (char *)"1", from, many, NULL };
	pid_t child = fork();
	int status;

	if (child == 0) {
		execvp(program, argv);
		fprintf(stderr, "%s: %s\n", program, strerror(errno));
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

/* Outside of the namespace that its parent is about to make: who is inside may not ask for a range. */
static NORETURN void map_for_parent(int told, const struct mode *m)
{
	pid_t parent = getppid();
	char any;
	bool good = read(told, &any, 1) == 1 &&
		    run_map("newuidmap", parent, getuid(), m->first_uid, m->users) == 0 &&
		    run_map("newgidmap", parent, getgid(), m->first_gid, m->users) == 0;

	_exit(good ? 0 : 1);
}

static int map_range(const struct mode *m, struct err *err)
{
	int pipe_fds[2], status = 0;
	pid_t helper;
	bool made;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	helper = fork();
	if (helper == 0) {
		close(pipe_fds[1]);
		map_for_parent(pipe_fds[0], m);
	}
	close(pipe_fds[0]);
	made = helper > 0 && unshare(CLONE_NEWUSER) == 0 && write(pipe_fds[1], "", 1) == 1;
	if (!made)
		err_sys(err, "make a user namespace");
	close(pipe_fds[1]);
	if (helper > 0 && waitpid(helper, &status, 0) < 0)
		return err_sys(err, "wait");
	if (!made)
		return err->code;
	return status ? err_set(err, ERR_IO, "have user ids %u to %u by newuidmap", m->first_uid,
				m->first_uid + m->users - 1) : 0;
}

static int enter_user_namespace(const struct mode *m, struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (m->users)
		return map_range(m, err);
	if (unshare(CLONE_NEWUSER) < 0)
		return err_sys(err, "make a user namespace");
	return map_self(uid, gid, err);
}

static const struct { int flag; const char *name; } shared[] = {
	{ CLONE_NEWNET, "network" },
	{ CLONE_NEWIPC, "ipc" },
	{ CLONE_NEWUTS, "uts" },
};

int namespaces_share(const struct mode *m, struct err *err)
{
	int rc = geteuid() == 0 ? 0 : enter_user_namespace(m, err);

	for (size_t i = 0; i < ARRAY_LEN(shared) && rc == 0; i++)
		if (unshare(shared[i].flag) < 0)
			rc = err_sys(err, "make a %s namespace", shared[i].name);
	if (rc == 0 && sethostname(m->host, strlen(m->host)) < 0)
		rc = err_sys(err, "name the host");
	return rc;
}

int namespaces_of_box(const struct mode *m)
{
	if (!m->confined)
		return 0;
	return CLONE_NEWNS | CLONE_NEWPID | (geteuid() != 0 && !m->users ? CLONE_NEWUSER : 0);
}
