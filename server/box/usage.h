/*
 * usage.h - what a program that runs has used of the machine.
 */
#ifndef RCC_BOX_USAGE_H
#define RCC_BOX_USAGE_H

#include <sys/types.h>

#include "base.h"

/* Processor time of all its threads; 0 when it has gone. */
uint64_t usage_cpu_us(pid_t pid);

/*
 * What only it holds: its own pages and shared ones that no file holds, not
 * those of its program and libraries. 0 when it has gone.
 */
uint64_t usage_memory_kb(pid_t pid);
/* The same by a /proc that is this descriptor. */
uint64_t usage_memory_at(int proc, pid_t pid);
/* Pure: the same from the text of /proc/PID/status. */
uint64_t usage_memory_of(const char *status);

/* Of the file system that we are in, which is a job's own: its files are memory too. */
uint64_t usage_files_kb(void);

#endif
