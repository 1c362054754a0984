/*
 * proc.h - start a program with chosen descriptors, and find one as execvp would.
 */
#ifndef RCC_PROC_H
#define RCC_PROC_H

#include <sys/types.h>

#include "err.h"

struct proc_spec {
	const char *program;	/* a path; proc_find() makes one of a name */
	char *const *argv;
	char *const *envp;
	int fd_in, fd_out, fd_err;	/* -1: as the caller's */
	int fd_kept;			/* it has this one too, by the same number; 0: none */
};

/* Default signal dispositions (ignored ones stay ignored) and an empty mask in the child. */
int proc_spawn(const struct proc_spec *spec, pid_t *pid, struct err *err);

/*
 * Where execvp would find name: name itself if it has a slash, else the
 * first executable regular file of that name along path. accept may reject
 * a candidate (NULL: none is). Caller frees; NULL with errno ENOENT or
 * EACCES (there was one, but it cannot be executed).
 */
char *proc_find(const char *name, const char *path, bool (*accept)(const char *file, void *arg), void *arg);

#endif
