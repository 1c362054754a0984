/*
 * link.c - frames over the box's socket, without an event loop.
 */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { READ_CHUNK = 128 * 1024 };

int link_fill(struct link *l, struct err *err)
{
	ssize_t n;

	buf_drop(&l->in, l->at);
	l->at = 0;
	buf_reserve(&l->in, READ_CHUNK);
	n = recv(l->fd, l->in.p + l->in.len, l->in.room - l->in.len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return err_set(err, ERR_CLOSED, "rccd is gone");
	l->in.len += (size_t)n;
	return 1;
}

int link_wait(struct link *l, struct err *err)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	int rc;

	do {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_sys(err, "poll");
		rc = link_fill(l, err);
	} while (rc == 0);
	return rc;
}

/* The next frame, maybe a part. */
static int next_frame(struct link *l, struct frame *f, struct err *err)
{
	size_t have = l->in.len - l->at;
	const unsigned char *p = l->in.p + l->at;
	int rc;

	if (have < FRAME_HEADER)
		return 0;
	rc = frame_header_get(p, &wire_protocol, f, err);
	if (rc < 0)
		return rc;
	if (have < FRAME_HEADER + f->length)
		return 0;
	f->payload = p + FRAME_HEADER;
	l->at += FRAME_HEADER + f->length;
	return 1;
}

int link_next(struct link *l, struct frame *f, struct err *err)
{
	int rc;

	while ((rc = next_frame(l, f, err)) > 0) {
		if (!(f->flags & FRAME_MORE) && !l->message.len)
			return 1;
		if (l->message.len + f->length > wire_protocol.rules[f->type].max)
			return err_set(err, ERR_WIRE, "%s over its bound", wire_protocol.rules[f->type].name);
		buf_add(&l->message, f->payload, f->length);
		if (f->flags & FRAME_MORE)
			continue;
		f->payload = l->message.p;
		f->length = (uint32_t)l->message.len;
		l->message.len = 0;
		return 1;
	}
	return rc;
}

int link_send(struct link *l, const struct frame *f, struct err *err)
{
	unsigned char header[FRAME_HEADER];
	struct iovec iov[] = { { header, FRAME_HEADER }, { (void *)f->payload, f->length } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	frame_header_put(header, f);
	while (iov[0].iov_len || iov[1].iov_len) {
		ssize_t n = sendmsg(l->fd, &msg, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_CLOSED, "rccd is gone");
		for (int i = 0; i < 2; i++) {
			size_t part = size_min((size_t)n, iov[i].iov_len);

			iov[i].iov_base = (char *)iov[i].iov_base + part;
			iov[i].iov_len -= part;
			n -= (ssize_t)part;
		}
	}
	return 0;
}

void link_free(struct link *l)
{
	buf_free(&l->in);
	buf_free(&l->message);
}
