/*
 * syscalls.h - the system calls that a job's programs may make.
 */
#ifndef RCC_BOX_SYSCALLS_H
#define RCC_BOX_SYSCALLS_H

#include "base.h"

enum { SYSCALL_NAME = 48 };

/* Before the first syscalls_restrict(). False: this machine is one we have no table for. */
bool syscalls_prepare(void);

/*
 * For this process from now on, and all it becomes; allocates nothing. *watch
 * is a new descriptor, close-on-exec: while another process holds it, a call
 * that is not allowed waits and makes it readable. -1: such a call kills by SIGSYS.
 * 0, or -1 with errno.
 */
int syscalls_restrict(int *watch);

/* watch is readable: which call waits? False: none any more. */
bool syscalls_refused(int watch, char text[SYSCALL_NAME]);

/* For people: its name, or its number. machine: as seccomp(2) has it. */
void syscalls_name(uint32_t machine, int number, char text[SYSCALL_NAME]);

#endif
