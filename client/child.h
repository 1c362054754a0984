/*
 * child.h - one program of ours at a time: started, watched by its pidfd, reaped.
 */
#ifndef RCC_CHILD_H
#define RCC_CHILD_H

#include "err.h"
#include "proc.h"

struct child {
	pid_t pid;
	int pidfd;	/* readable once it has ended; -1: there is none */
};

#define NO_CHILD ((struct child){ .pidfd = -1 })

int child_start(struct child *c, const struct proc_spec *spec, struct err *err);
/* Waits for it. The status as of waitpid; c is NO_CHILD again. */
int child_reap(struct child *c);
/* Ends it if there is one. */
void child_kill(struct child *c);

/* A descriptor for any process; high, -1 with errno. */
int pidfd_of(pid_t pid);

#endif
