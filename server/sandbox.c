/*
 * sandbox.c - the trial of the box at the start.
 *
 * Nothing is asked of the kernel's settings: a box is made, a program is run
 * in it, and that works or names the step that does not.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "file.h"
#include "log.h"

enum { SAID_MAX = 4096 };

uint32_t sandbox_uid(const struct server *s, unsigned place)
{
	return geteuid() == 0 ? (uint32_t)s->options->job_uid + place : 0;
}

static int spawn_probe(const char *box, char *directory, char *uid, int out, pid_t *pid, struct err *err)
{
	char *argv[] = { (char *)"rccd-box", (char *)"--probe", directory, uid, NULL }, *env[] = { NULL };
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	rc = posix_spawn(pid, box, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	return rc ? err_set(err, ERR_IO, "start %s: %s", box, strerror(rc)) : 0;
}

static int probe(const char *box, char *directory, char *uid, struct buf *said, struct err *err)
{
	int pipe_fds[2], status, rc;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	rc = spawn_probe(box, directory, uid, pipe_fds[1], &pid, err);
	close(pipe_fds[1]);
	if (rc == 0)
		rc = read_all(pipe_fds[0], SAID_MAX, said, err);
	close(pipe_fds[0]);
	if (rc < 0)
		return rc;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "wait for the box");
	if (status == 0)
		return 0;
	said->len = strcspn(buf_str(said), "\n");
	make_printable(buf_str(said));
	return err_set(err, ERR_CONFIG, "%.200s", said->len ? buf_str(said) : "the box died");
}

static void say(const struct server *s)
{
	if (geteuid() == 0)
		log_info("confined", "as=root uids=%u-%u", sandbox_uid(s, 0),
			 sandbox_uid(s, (unsigned)s->options->jobs - 1));
	else
		log_info("confined", "as=user uid=%u", (unsigned)geteuid());
}

int sandbox_start(struct server *s, struct err *err)
{
	autofree char *directory = xasprintf("%s/probe", s->jobs_dir), *uid = xasprintf("%u", sandbox_uid(s, 0));
	autobuf struct buf said = { 0 };
	int rc;

	if (s->options->insecure_no_sandbox)
		return 0;
	if (mkdir(directory, 0700) < 0)
		return err_sys(err, "make %s", directory);
	rc = probe(s->box, directory, uid, &said, err);
	rmdir(directory);
	if (rc < 0) {
		err_wrap(err, "cannot confine jobs (--insecure-no-sandbox serves without)");
		return err->code = ERR_CONFIG;
	}
	s->confined = true;
	say(s);
	return 0;
}
