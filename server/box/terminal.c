/*
 * terminal.c - a pseudo-terminal that changes nothing of what passes.
 *
 * Programs ask whether their stderr is a terminal, and how wide: it makes their
 * words differ. What a terminal does to them is for the caller's own to do.
 */
#include "terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

static int set_up(int master, int fd, const struct job_caller *caller, struct err *err)
{
	const struct winsize size = { .ws_col = caller->columns, .ws_row = caller->lines };
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return err_sys(err, "look at the terminal");
	cfmakeraw(&t);
	if (tcsetattr(fd, TCSANOW, &t) < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
		return err_sys(err, "set up the terminal");
	return 0;
}

int terminal_open(const struct job_caller *caller, int ends[2], struct err *err)
{
	autoclose int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), fd = -1;
	int unlocked = 0, rc;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_sys(err, "/dev/ptmx");
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open the other end of the terminal");
	rc = set_up(master, fd, caller, err);
	if (rc < 0)
		return rc;
	ends[0] = fd_steal(&master);
	ends[1] = fd_steal(&fd);
	return 0;
}
