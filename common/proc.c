/*
 * proc.c - posix_spawn with the few settings rcc needs.
 */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>

static void dup_into(posix_spawn_file_actions_t *actions, int fd, int target)
{
	if (fd >= 0)
		posix_spawn_file_actions_adddup2(actions, fd, target);
}

int proc_spawn(const struct proc_spec *spec, pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	dup_into(&actions, spec->fd_in, 0);
	dup_into(&actions, spec->fd_out, 1);
	dup_into(&actions, spec->fd_err, 2);
	if (spec->fd_kept > 0)	/* onto itself: that takes close-on-exec off (glibc 2.29, musl) */
		dup_into(&actions, spec->fd_kept, spec->fd_kept);
	rc = posix_spawn(pid, spec->program, &actions, &attr, spec->argv, spec->envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	errno = rc;
	return rc ? err_sys(err, "run %s", spec->program) : 0;
}

/* 0: it can be run; else why not. */
static int unfit(const char *file)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return ENOENT;
	return S_ISREG(st.st_mode) && access(file, X_OK) == 0 ? 0 : EACCES;
}

char *proc_find(const char *name, const char *path, bool (*accept)(const char *file, void *arg), void *arg)
{
	autofree char *file = NULL;
	int why = ENOENT;
	size_t room;

	if (strchr(name, '/'))
		return xstrdup(name);
	if (!path)
		path = "/bin:/usr/bin";
	room = strlen(path) + strlen(name) + sizeof "./";
	file = xmalloc(room);
	for (;;) {
		size_t n = strcspn(path, ":");
		int rc;

		snprintf(file, room, "%.*s/%s", n ? (int)n : 1, n ? path : ".", name);
		rc = unfit(file);
		if (!rc && (!accept || accept(file, arg)))
			return ptr_steal(&file);
		if (rc == EACCES)
			why = EACCES;
		if (!path[n])
			break;
		path += n + 1;
	}
	errno = why;
	return NULL;
}
