/*
 * probe.c - a box with one program in it, which is the box's own.
 *
 * It goes through all that a job goes through before its first program
 * reads its input, so that what works here works there.
 */
#include "probe.h"

#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>

#include "confine.h"
#include "root.h"
#include "syscalls.h"

enum { SECONDS = 10, BYTES = 1 << 20 };

static int run_inner(char *program, struct err *err)
{
	char *argv[] = { program, (char *)PROBE_INNER, NULL }, *env[] = { NULL };
	const struct sock_fprog *filter = syscalls_filter();
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0) {
		if (syscalls_restrict(filter) < 0)
			_exit(2);
		execve(program, argv, env);
		_exit(3);
	}
	if (waitpid(pid, &status, 0) < 0)
		return err_sys(err, "wait");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return err_set(err, ERR_IO, "restrict system calls: the kernel refuses the filter");
	return status ? err_set(err, ERR_IO, "run a program: it ended with wait status %#x", status) : 0;
}

static int probe(struct box_request *q, struct err *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	int rc;

	if (n < 0)
		return err_sys(err, "/proc/self/exe");
	self[n] = 0;
	argv_push(&q->files, self);
	/* what a job's box has its socket as */
	if (dup2(STDERR_FILENO, BOX_FD) < 0)
		return err_sys(err, "dup");
	rc = confine(q, err);
	return rc < 0 ? rc : run_inner(self, err);
}

int box_probe(const char *directory, const char *uid)
{
	struct box_request q = { .directory = xstrdup(directory), .confined = true, .scratch_bytes = BYTES,
				 .uid = (uint32_t)strtoul(uid, NULL, 10), .cpu_seconds = SECONDS, .file_bytes = BYTES };
	struct err err = { 0 };
	int rc = probe(&q, &err);

	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	box_request_free(&q);
	return rc < 0;
}
