/*
 * syscalls.h - the system calls that a job's programs may make.
 */
#ifndef RCC_BOX_SYSCALLS_H
#define RCC_BOX_SYSCALLS_H

#include "base.h"

struct sock_fprog;

/* The filter, made once; borrowed, for ever. NULL: this machine is one we have no table for. */
const struct sock_fprog *syscalls_filter(void);
/* For this process, from now on, and all it becomes; allocates nothing. 0, or -1 with errno. */
int syscalls_restrict(const struct sock_fprog *filter);

#endif
