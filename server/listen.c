/*
 * listen.c - listening sockets and accept.
 *
 * While too many connections have not said HELLO, a new one takes the place of
 * the oldest of them, once that had a fair time; until then the kernel's
 * backlog holds it.
 */
#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "log.h"
#include "session.h"

enum { BACKLOG = 1024, RETRY_MS = 100, IDLE_S = 30, PROBE_S = 10, PROBES = 3, UNSENT = 256 << 10 };

struct listener {
	struct listener *next;
	struct server *server;
	int fd;
	uv_poll_t poll;
	uv_timer_t retry;	/* after accept failed for want of descriptors, or there was no room */
	int handles;
	bool waiting;		/* not accepting for now */
};

static int failed(int fd, const char *option, const char *text, struct err *err)
{
	err_sys(err, "%s %s", option, text);
	if (fd >= 0)
		close(fd);
	return err->code = ERR_CONFIG;
}

int listen_open(const char *option, const char *text, struct address *where, struct err *err)
{
	int one = 1, fd, rc = address_parse(text, where, err);

	if (rc < 0)
		return err_wrap(err, "%s", option);
	fd = socket(where->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(fd, option, text, err);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (where->sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&where->sa, where->len) < 0 || listen(fd, BACKLOG) < 0)
		return failed(fd, option, text, err);
	getsockname(fd, (struct sockaddr *)&where->sa, &where->len);
	return fd;
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
	struct listener *l = timer->data;

	uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
}

/* Dead peers are noticed, small frames leave at once, and what a peer does not read does not pile up in the kernel. */
static void tune(int fd)
{
	int one = 1, idle = IDLE_S, probe = PROBE_S, probes = PROBES, unsent = UNSENT;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe, sizeof probe);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

/* One connection. False when there are no more for now. */
static bool accept_one(struct listener *l)
{
	struct address peer = { .len = sizeof peer.sa };
	int fd = accept4(l->fd, (struct sockaddr *)&peer.sa, &peer.len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		tune(fd);
		session_open(l->server, fd, &peer);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		log_warn("accept", "why=\"%s\"", strerror(errno));
		uv_poll_stop(&l->poll);
		uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
		return false;
	}
	/* else that one connection is gone already */
	return errno != EAGAIN;
}

static void on_acceptable(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct listener *l = poll->data;

	while (sessions_have_room(l->server))
		if (!accept_one(l))
			return;
	l->waiting = true;
	uv_poll_stop(&l->poll);
	uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
}

void listen_resume(struct server *s)
{
	for (struct listener *l = s->listeners; l; l = l->next)
		if (l->waiting && s->stranger_count < STRANGERS_MAX) {
			l->waiting = false;
			uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
		}
}

static int start_one(struct server *s, const char *text, struct err *err)
{
	struct address where;
	char at[ADDRESS_TEXT];
	int fd = listen_open("--listen", text, &where, err);
	struct listener *l;

	if (fd < 0)
		return fd;
	l = xcalloc(1, sizeof *l);
	*l = (struct listener){ .next = s->listeners, .server = s, .fd = fd, .handles = 2 };
	s->listeners = l;
	uv_poll_init(s->loop, &l->poll, fd);
	uv_timer_init(s->loop, &l->retry);
	l->poll.data = l->retry.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
	address_text(&where, at);
	argv_push(&s->listening, at);
	s->exposed |= !address_is_loopback(&where);
	log_info("listening", "addr=%s", at);
	return 0;
}

int listen_start(struct server *s, struct err *err)
{
	for (size_t i = 0; i < s->options->listen.count; i++)
		if (start_one(s, s->options->listen.v[i], err) < 0)
			return err->code;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	if (--l->handles == 0)
		free(l);
}

void listen_stop(struct server *s)
{
	for (struct listener *l = s->listeners, *next; l; l = next) {
		next = l->next;
		uv_close((uv_handle_t *)&l->poll, on_closed);
		uv_close((uv_handle_t *)&l->retry, on_closed);
		close(l->fd);
	}
	s->listeners = NULL;
}
