/*
 * packet.c - descriptors over a socket, between rccd and its spawn server.
 */
#include "packet.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

union control {
	char bytes[CMSG_SPACE(PACKET_FDS * sizeof(int))];
	struct cmsghdr align;
};

int packet_send(int fd, const void *p, size_t len, const int fds[PACKET_FDS])
{
	struct iovec iov = { (void *)p, len };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t count = 0;
	ssize_t n;

	for (int i = 0; i < PACKET_FDS; i++)
		if (fds[i] >= 0)
			memcpy(CMSG_DATA(&control.align) + count++ * sizeof(int), &fds[i], sizeof(int));
	if (count) {
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
						  .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

int packet_receive(int fd, void *p, size_t len, int fds[PACKET_FDS], int flags)
{
	struct iovec iov = { p, len };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof control };
	struct cmsghdr *c;
	ssize_t n;

	for (int i = 0; i < PACKET_FDS; i++)
		fds[i] = -1;
	do
		n = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), size_min(c->cmsg_len - CMSG_LEN(0), PACKET_FDS * sizeof(int)));
	if (n <= 0)
		return (int)n;
	if ((size_t)n == len && !(msg.msg_flags & MSG_TRUNC))
		return 1;
	for (int i = 0; i < PACKET_FDS; i++)
		if (fds[i] >= 0)
			close(fd_steal(&fds[i]));
	errno = EBADMSG;
	return -1;
}
