/*
 * probe.c - a box with one program in it, which is the box's own.
 *
 * It goes through all that a job goes through before its first program
 * reads its input, so that what works here works there.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "borrowed.h"
#include "confine.h"
#include "file.h"
#include "pagein.h"
#include "root.h"
#include "spawner.h"
#include "syscalls.h"

#define PROGRAM "/probe"
enum { SECONDS = 10, BYTES = 1 << 20, PROGRAM_MAX = 64 << 20, FILES = 64 };

static int run_inner(struct err *err)
{
	char *argv[] = { (char *)PROGRAM, (char *)PROBE_INNER, NULL }, *env[] = { NULL };
	pid_t pid = fork();
	int status, watch;

	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0) {
		if (syscalls_restrict(&watch) < 0)
			_exit(2);
		execve(PROGRAM, argv, env);
		_exit(3);
	}
	if (waitpid(pid, &status, 0) < 0)
		return err_sys(err, "wait");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return err_set(err, ERR_IO, "restrict system calls: the kernel refuses the filter");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
		return err_set(err, ERR_IO, "run a program: the store's file system does not let one run");
	return status ? err_set(err, ERR_IO, "run a program: it ended with wait status %#x", status) : 0;
}

/* Like a toolchain's root, with the program in the place of one. */
static int make_root(const char *root, struct err *err)
{
	static const char *const directories[] = { "", "/proc", "/job", "/dev" };
	static const char *const files[] = { "/dev/null", "/dev/zero", "/dev/urandom", PROGRAM };
	autobuf struct buf self = { 0 };
	int rc = read_file("/proc/self/exe", PROGRAM_MAX, &self, err);

	for (size_t i = 0; i < ARRAY_LEN(directories) && rc == 0; i++) {
		autofree char *path = xasprintf("%s%s", root, directories[i]);

		if (mkdir(path, 0755) < 0)
			rc = err_sys(err, "make %s", path);
	}
	for (size_t i = 0; i < ARRAY_LEN(files) && rc == 0; i++) {
		autofree char *path = xasprintf("%s%s", root, files[i]);
		autoclose int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);

		if (fd < 0 || (str_eq(files[i], PROGRAM) && write_all(fd, self.p, self.len) < 0))
			rc = err_sys(err, "make %s", path);
	}
	return rc;
}

/* In the box: the root of file mode instead, and a job that reads and writes in it. */
static int probe_files(const struct box_request *q, struct err *err)
{
	autofree char *place = xasprintf("%s/job", q->root);
	struct overlay o = { .toolchain = q->root, .place = place, .bytes = BYTES, .files = FILES, .owner = borrowed_owner(q),
			     .in_user_namespace = borrowed_in_user_namespace(), .upper = -1, .root = -1 };

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make mounts private");
	return pagein_probe(&o, err);
}

/* In the box. */
static int probe(const struct box_request *q, struct err *err)
{
	int rc = 0;

	if (q->job.mode == JOB_FILES)
		return probe_files(q, err);

	/* what a job's box has its socket as */
	if (dup2(STDERR_FILENO, BOX_FD) < 0)
		rc = err_sys(err, "dup");
	if (rc == 0)
		rc = confine(q, root_enter, NULL, err);
	return rc < 0 ? rc : run_inner(err);
}

static int spawn_probe(const struct mode *m, const struct box_request *q, struct err *err)
{
	int status, pidfd, rc = namespaces_share(m, err);
	pid_t pid;

	if (rc < 0)
		return rc;
	pid = spawn_box(m, -1, &pidfd);
	if (pid < 0)
		return err_sys(err, "make mount and process namespaces");
	if (pid == 0) {
		rc = probe(q, err);
		if (rc < 0)
			fprintf(stderr, "%s\n", err->text);
		_exit(rc < 0);
	}
	if (waitpid(pid, &status, 0) < 0)
		return err_sys(err, "wait");
	if (WIFEXITED(status))
		return WEXITSTATUS(status) ? -1 : 0;	/* it has said why */
	return err_set(err, ERR_IO, "the box was ended by signal %d", WTERMSIG(status));
}

int box_probe(const char *directory, const char *uid, const struct mode *m, bool files)
{
	struct box_request q = { .directory = xstrdup(directory), .confined = true, .scratch_bytes = BYTES,
				 .root = xasprintf("%s/root", directory), .uid = (uint32_t)strtoul(uid, NULL, 10),
				 .cpu_seconds = SECONDS, .file_bytes = BYTES, .job.mode = files ? JOB_FILES : JOB_TEXT };
	struct err err = { 0 };
	int rc;

	umask(022);
	rc = make_root(q.root, &err);
	if (rc == 0)
		rc = spawn_probe(m, &q, &err);
	if (rc < 0 && *err.text)
		fprintf(stderr, "%s\n", err.text);
	remove_tree(AT_FDCWD, q.root);
	box_request_free(&q);
	return rc < 0;
}
