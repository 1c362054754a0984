/*
 * scratch.h - a directory for a test's files, on a file system whose times we trust.
 *
 * On tmpfs what is written through a mapping that was written to before moves no time:
 * so contents can change behind the back of whoever believes stat, which shows who does.
 */
#ifndef RCC_SCRATCH_H
#define RCC_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "file.h"

static char scratch[] = "/dev/shm/rcc-test-XXXXXX";
static int64_t clock_ahead_s;	/* of the clock that a test hands out */

static UNUSED int64_t test_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((int64_t)t.tv_sec + clock_ahead_s) * 1000000000 + t.tv_nsec;
}

static UNUSED int scratch_make(void **state UNUSED)
{
	strcpy(scratch, "/dev/shm/rcc-test-XXXXXX");
	clock_ahead_s = 60;
	return mkdtemp(scratch) && chmod(scratch, 0755) == 0 ? 0 : -1;
}

static UNUSED int scratch_remove(void **state UNUSED)
{
	return remove_tree(AT_FDCWD, scratch);
}

/* Borrowed, of the last four calls. */
static UNUSED const char *in_scratch(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
	return path;
}

static UNUSED void write_text(const char *name, const char *text)
{
	autoclose int fd = open(in_scratch(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

/* A new file, and its contents to be changed: no time moves then. Stays mapped. */
static UNUSED char *write_mapped(const char *name, const char *text)
{
	autoclose int fd = -1;
	char *p;

	write_text(name, text);
	fd = open(in_scratch(name), O_RDWR | O_CLOEXEC);
	p = mmap(NULL, strlen(text), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	memcpy(p, text, strlen(text));	/* the first write does move them */
	return p;
}

/* Whatever changes from here on has another time than what changed before. */
static UNUSED void next_tick(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000000 }, NULL);
}

#endif
