/*
 * fds.c - descriptors out of everybody's way.
 */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

enum { FIRST_OWN = 200, FIRST_FREE = 3 };

int fd_high(int fd)
{
	int high;

	if (fd < 0 || fd >= FIRST_OWN)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN);
	if (high < 0)
		high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

int fd_scratch(const char *what)
{
	return fd_high(memfd_create(what, MFD_CLOEXEC));
}

int fd_null(void)
{
	return fd_high(open("/dev/null", O_RDWR | O_CLOEXEC));
}
