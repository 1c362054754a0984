/*
 * spawner.c - asks the spawn server for boxes, and hears of their ends.
 *
 * If it dies, its boxes die with it: each is told of as failed, and the next
 * box that is asked for starts another.
 */
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "log.h"
#include "packet.h"
#include "request.h"

enum { READY_MS = 10000, AGAIN_READY_MS = 3000 };	/* the loop stands still meanwhile: agents give up after 8 s */

/* The process and what is said to it. It may outlive its spawner's interest by a moment. */
struct server_process {
	uv_process_t process;
	uv_poll_t poll;
	int handles;
	int fd;
	struct spawner *spawner;	/* NULL: it was lost, or sent away */
};

struct spawner {
	uv_loop_t *loop;
	char *box, *mode;
	struct server_process *now;	/* NULL: none */
	struct spawned *all;
	uint64_t tickets;
	bool giving_way;
	bool closing;
};

struct spawned {
	struct spawned *next, **link;
	uint64_t ticket;
	int32_t pid;			/* 0: not yet */
	int pidfd;
	bool killed;
	spawned_end *on_end;
	void *arg;
};

static void on_closed(uv_handle_t *handle)
{
	struct server_process *p = handle->data;

	if (--p->handles)
		return;
	close(p->fd);
	free(p);
}

static void on_process_exit(uv_process_t *process, int64_t status UNUSED, int signal UNUSED)
{
	uv_close((uv_handle_t *)process, on_closed);
}

/* Nothing more is said or heard; it ends by itself. */
static void let_go(struct spawner *s)
{
	struct server_process *p = ptr_steal(&s->now);

	p->spawner = NULL;
	shutdown(p->fd, SHUT_RDWR);
	uv_close((uv_handle_t *)&p->poll, on_closed);
}

static void free_if_over(struct spawner *s)
{
	if (!s->closing || s->all)
		return;
	if (s->now)
		let_go(s);
	free(s->box);
	free(s->mode);
	free(s);
}

static void end_box(struct spawned *b, const char *why)
{
	spawned_end *on_end = b->on_end;
	void *arg = b->arg;

	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	if (b->pidfd >= 0)
		close(b->pidfd);
	free(b);
	on_end(arg, why);
}

static void lost(struct spawner *s)
{
	log_warn("spawner", "state=lost");
	let_go(s);
	while (s->all)
		end_box(s->all, "the spawn server is gone");
	free_if_over(s);
}

static struct spawned *by_ticket(const struct spawner *s, uint64_t ticket)
{
	struct spawned *b = s->all;

	while (b && b->ticket != ticket)
		b = b->next;
	return b;
}

static struct spawned *by_pid(const struct spawner *s, int32_t pid)
{
	struct spawned *b = s->all;

	while (b && b->pid != pid)
		b = b->next;
	return b;
}

static void started(struct spawned *b, int32_t pid, int pidfd)
{
	b->pid = pid;
	b->pidfd = pidfd;
	if (b->killed)
		spawned_kill(b);
}

static void ended(struct spawned *b, int status)
{
	char why[64] = "";

	if (WIFSIGNALED(status))
		snprintf(why, sizeof why, "the box was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(why, sizeof why, "the box failed with status %d", WEXITSTATUS(status));
	end_box(b, why);
}

static void take_report(struct spawner *s, struct spawn_report *r, int *pidfd)
{
	struct spawned *b = r->event == BOX_ENDED ? by_pid(s, r->pid) : by_ticket(s, r->ticket);

	r->text[sizeof r->text - 1] = 0;
	if (!b)
		return;
	if (r->event == BOX_STARTED)
		started(b, r->pid, fd_steal(pidfd));
	else if (r->event == BOX_ENDED)
		ended(b, r->status);
	else
		end_box(b, r->text);
}

static void on_readable(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct server_process *p = poll->data;

	while (p->spawner) {
		struct spawner *s = p->spawner;
		struct spawn_report r = { 0 };
		int fds[PACKET_FDS], rc = packet_receive(p->fd, &r, sizeof r, fds, MSG_DONTWAIT);

		if (rc < 0 && errno == EAGAIN)
			return;
		if (rc <= 0) {
			lost(s);
			return;
		}
		take_report(s, &r, &fds[0]);
		for (int i = 0; i < PACKET_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		if (s->closing && !s->all) {
			free_if_over(s);
			return;
		}
	}
}

static int spawn(struct spawner *s, struct server_process *p, int fd, struct err *err)
{
	char *argv[] = { (char *)"rccd-box", (char *)"--spawner", s->mode, NULL }, *env[] = { NULL };
	uv_stdio_container_t stdio[BOX_FD + 1] = {
		[0] = { .flags = UV_IGNORE },
		[1] = { .flags = UV_IGNORE },
		[2] = { .flags = UV_INHERIT_FD, .data.fd = 2 },
		[BOX_FD] = { .flags = UV_INHERIT_FD, .data.fd = fd },
	};
	uv_process_options_t options = { .exit_cb = on_process_exit, .file = s->box, .args = argv, .env = env,
					 .cwd = "/", .flags = UV_PROCESS_DETACHED, .stdio_count = BOX_FD + 1,
					 .stdio = stdio };
	int rc = uv_spawn(s->loop, &p->process, &options);

	return rc < 0 ? err_set(err, ERR_IO, "start %s: %s", s->box, uv_strerror(rc)) : 0;
}

/* Its first word. It comes before any job is taken, and again only if the spawn server died: so we wait. */
static int await_ready(int fd, int wait_ms, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct spawn_report r = { 0 };
	int fds[PACKET_FDS];

	if (poll(&p, 1, wait_ms) <= 0 || packet_receive(fd, &r, sizeof r, fds, MSG_DONTWAIT) <= 0)
		return err_set(err, ERR_IO, "the spawn server does not answer");
	r.text[sizeof r.text - 1] = 0;
	return r.event == SPAWNER_READY ? 0 : err_set(err, ERR_IO, "the spawn server: %s", r.text);
}

static void tell_weight(const struct spawner *s)
{
	const struct spawn_request q = { .wish = s->giving_way ? SPAWN_GIVE_WAY : SPAWN_HURRY };
	const int none[PACKET_FDS] = { -1, -1 };

	/* when it fails the spawn server is gone, which the next turn of the loop says */
	if (s->now)
		packet_send(s->now->fd, &q, sizeof q, none);
}

static int start(struct spawner *s, int wait_ms, struct err *err)
{
	struct server_process *p;
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "socketpair");
	p = s->now = xcalloc(1, sizeof *p);
	*p = (struct server_process){ .handles = 2, .fd = pair[0], .spawner = s };
	uv_poll_init(s->loop, &p->poll, p->fd);
	rc = spawn(s, p, pair[1], err);
	p->poll.data = p->process.data = p;
	close(pair[1]);
	if (rc < 0)
		uv_close((uv_handle_t *)&p->process, on_closed);
	else
		rc = await_ready(p->fd, wait_ms, err);
	if (rc < 0) {
		let_go(s);
		return rc;
	}
	uv_poll_start(&p->poll, UV_READABLE, on_readable);
	if (s->giving_way)
		tell_weight(s);
	log_info("spawner", "state=started pid=%d mode=%s", p->process.pid, s->mode);
	return 0;
}

int spawner_open(uv_loop_t *loop, const char *box, const char *mode, struct spawner **out, struct err *err)
{
	struct spawner *s = xcalloc(1, sizeof *s);
	int rc;

	*s = (struct spawner){ .loop = loop, .box = xstrdup(box), .mode = xstrdup(mode) };
	rc = start(s, READY_MS, err);
	if (rc < 0) {
		spawner_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void spawner_close(struct spawner *s)
{
	if (!s)
		return;
	s->closing = true;
	free_if_over(s);
}

int spawner_box(struct spawner *s, int socket, int cgroup_fd, spawned_end *on_end, void *arg,
		struct spawned **out, struct err *err)
{
	struct spawn_request q = { .ticket = ++s->tickets };
	const int fds[PACKET_FDS] = { socket, cgroup_fd };
	struct spawned *b;
	int rc = s->now ? 0 : start(s, AGAIN_READY_MS, err);

	if (rc < 0)
		return rc;
	if (packet_send(s->now->fd, &q, sizeof q, fds) < 0)
		return err_sys(err, "ask the spawn server");
	b = xcalloc(1, sizeof *b);
	*b = (struct spawned){ .next = s->all, .link = &s->all, .ticket = q.ticket, .pidfd = -1, .on_end = on_end,
			       .arg = arg };
	if (b->next)
		b->next->link = &b->next;
	s->all = b;
	*out = b;
	return 0;
}

void spawner_give_way(struct spawner *s, bool yes)
{
	if (s->giving_way == yes)
		return;
	s->giving_way = yes;
	tell_weight(s);
}

void spawned_kill(struct spawned *b)
{
	b->killed = true;
	if (b->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, b->pidfd, SIGKILL, NULL, 0);
}
