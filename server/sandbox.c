/*
 * sandbox.c - the trial of the box at the start, and whose its jobs are.
 *
 * Nothing is asked of the kernel's settings: a box is made, a program is run
 * in it, and that works or names the step that does not. So it is with the
 * range of user ids that an ordinary user may have.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "file.h"
#include "log.h"
#include "spawner.h"

enum { SAID_MAX = 4096, SUBIDS_BYTES = 1 << 20 };

uint32_t sandbox_uid(const struct server *s, unsigned place)
{
	if (geteuid() == 0)
		return (uint32_t)s->options->job_uid + place;
	return s->job_users ? 1 + place : 0;	/* 0 is rccd's own user there */
}

bool subid_find(const char *text, const char *name, unsigned id, unsigned count, unsigned *first)
{
	autofree char *number = xasprintf("%u", id);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t len = strcspn(text, ":\n");
		unsigned start, many;

		if (sscanf(text + len, ":%u:%u", &start, &many) == 2 && many >= count &&
		    ((strlen(name) == len && strncmp(text, name, len) == 0) ||
		     (strlen(number) == len && strncmp(text, number, len) == 0))) {
			*first = start;
			return true;
		}
	}
	return false;
}

static bool find_range(const char *file, unsigned id, unsigned count, unsigned *first)
{
	const struct passwd *self = getpwuid(geteuid());
	autobuf struct buf text = { 0 };

	return read_file(file, SUBIDS_BYTES, &text, NULL) == 0 &&
	       subid_find(buf_str(&text), self ? self->pw_name : "", id, count, first);
}

/* words: directory, user, mode, and what else is to be tried, or NULL. */
static int spawn_probe(const char *box, char *const words[4], int out, pid_t *pid, struct err *err)
{
	char *argv[] = { (char *)"rccd-box", (char *)"--probe", words[0], words[1], words[2], words[3], NULL }, *env[] = { NULL };
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	rc = posix_spawn(pid, box, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	return rc ? err_set(err, ERR_IO, "start %s: %s", box, strerror(rc)) : 0;
}

static int run_probe(const char *box, char *const words[4], struct buf *said, struct err *err)
{
	int pipe_fds[2], status, rc;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	rc = spawn_probe(box, words, pipe_fds[1], &pid, err);
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

static int probe(const struct server *s, char *mode, char *what, struct err *err)
{
	autofree char *directory = xasprintf("%s/probe", s->jobs_dir), *uid = xasprintf("%u", sandbox_uid(s, 0));
	autobuf struct buf said = { 0 };
	int rc;

	if (mkdir(directory, 0700) < 0)
		return err_sys(err, "make %s", directory);
	rc = run_probe(s->box, (char *[4]){ directory, uid, mode, what }, &said, err);
	rmdir(directory);
	return rc;
}

/* A user of its own for each slot, from the range that the system gives this user. NULL: there is none, or it does not work. */
static char *try_range(struct server *s, struct err *why)
{
	unsigned count = (unsigned)s->options->jobs, uid, gid;
	char *mode;

	if (!find_range("/etc/subuid", geteuid(), count, &uid) || !find_range("/etc/subgid", geteuid(), count, &gid)) {
		err_set(why, ERR_ABSENT, "no range in /etc/subuid and /etc/subgid");
		return NULL;
	}
	mode = xasprintf("confined:%u:%u:%u", count, uid, gid);
	s->job_users = count;
	if (probe(s, mode, NULL, why) == 0) {
		log_info("confined", "as=user uids=%u-%u", uid, uid + count - 1);
		return mode;
	}
	s->job_users = 0;
	free(mode);
	return NULL;
}

static int try_boxes(struct server *s, char **mode, struct err *err)
{
	struct err why = { 0 };

	s->confined = true;
	*mode = geteuid() == 0 ? NULL : try_range(s, &why);
	if (*mode)
		return 0;
	*mode = xstrdup("confined");
	if (probe(s, *mode, NULL, err) < 0)
		return err_wrap(err, "cannot confine jobs (--insecure-no-sandbox serves without)");
	if (geteuid() == 0)
		log_info("confined", "as=root uids=%u-%u", sandbox_uid(s, 0),
			 sandbox_uid(s, (unsigned)s->options->jobs - 1));
	else
		log_info("confined", "as=user uid=%u note=\"all jobs are one user: %s\"", (unsigned)geteuid(), why.text);
	return 0;
}

/* File mode needs more of the kernel than a box does. */
static void try_files(struct server *s, char *mode)
{
	struct err why = { 0 };

	if (!s->confined)
		s->no_files = xstrdup("jobs are not confined");
	else if (probe(s, mode, (char *)"files", &why) < 0)
		s->no_files = xstrdup(why.text);
	log_info("files", "offered=%d why=\"%s\"", !s->no_files, s->no_files ? s->no_files : "");
}

/* First, so that the spawn server is where we are. */
static void start_cgroups(struct server *s)
{
	struct err why = { 0 };

	s->cgroups = cgroups_open((unsigned)s->options->jobs, &why);
	make_printable(why.text);
	if (s->cgroups)
		log_info("cgroups", "bound=\"%s\"", cgroups_text(s->cgroups));
	else
		log_info("cgroups", "bound=\"\" note=\"each process of a job has limits of its own: %s\"", why.text);
}

int sandbox_start(struct server *s, struct err *err)
{
	autofree char *mode = NULL;
	int rc = 0;

	start_cgroups(s);

	if (s->options->insecure_no_sandbox)
		mode = xstrdup("unconfined");
	else
		rc = try_boxes(s, &mode, err);
	if (rc == 0)
		try_files(s, mode);
	if (rc == 0 && s->fault == FAULT_NAMED) {
		free(mode);
		mode = xasprintf("confined@%s", s->options->name);
	}
	if (rc == 0)
		rc = spawner_open(s->loop, s->box, mode, &s->spawner, err);
	return rc < 0 ? err->code = ERR_CONFIG : 0;
}
