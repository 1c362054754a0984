/*
 * usage.c - processor time and memory, as the kernel counts them.
 *
 * A box has one process at a time that may not make others, so the numbers of
 * that one are the job's.
 */
#include "usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <time.h>

#include "file.h"

enum { STATUS_BYTES = 16 * 1024 };

uint64_t usage_cpu_us(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t field_kb(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

uint64_t usage_memory_of(const char *status)
{
	return field_kb(status, "\nRssAnon:") + field_kb(status, "\nRssShmem:");
}

uint64_t usage_memory_at(int proc, pid_t pid)
{
	autofree char *path = xasprintf("%d/status", pid);
	autoclose int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	autobuf struct buf status = { 0 };

	return fd < 0 || read_all(fd, STATUS_BYTES, &status, NULL) < 0 ? 0 : usage_memory_of(buf_str(&status));
}

uint64_t usage_memory_kb(pid_t pid)
{
	autoclose int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return proc < 0 ? 0 : usage_memory_at(proc, pid);
}

uint64_t usage_files_kb(void)
{
	struct statfs fs;

	if (statfs(".", &fs) < 0)
		return 0;
	return (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize / 1024;
}
