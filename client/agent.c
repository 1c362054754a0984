/*
 * agent.c - the way to the agent.
 *
 * The socket's name says whom an agent serves: a user, in a network and a
 * user namespace, by one build of rcc-agent. So neither another namespace
 * nor another build is ever spoken to, and no version needs to be compared.
 *
 * Starting one is done under a lock, by one wrapper; the others look again
 * and again whether it listens yet. The program started is the agent's
 * first process, which ends once its child listens.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "child.h"
#include "fds.h"
#include "file.h"
#include "interrupt.h"
#include "request.h"

enum { TALK_MS = 2000, START_MS = 5000, FIRST_PAUSE_MS = 4, LONGEST_PAUSE_MS = 64 };

/* Where an agent is, or would be. */
struct place {
	char *program;		/* rcc-agent */
	int dir;
	char name[80];		/* of the socket in it */
};

/* --- where ------------------------------------------------------------- */

/* Opens path if it is a directory that only we can enter; made if absent. */
static int open_private(const char *path, int flags, struct err *err)
{
	struct stat st;
	int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);

	if (dir < 0 && errno == ENOENT && mkdir(path, 0700) == 0)
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
	if (dir < 0)
		return err_sys(err, "%s", path);
	if (fstat(dir, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return fd_high(dir);
	close(dir);
	return err_set(err, ERR_REFUSED, "%s: must be a directory of ours that nobody else can enter", path);
}

static int open_runtime_dir(struct err *err)
{
	const char *own = getenv("RCC_RUNTIME_DIR"), *session = getenv("XDG_RUNTIME_DIR");
	char path[PATH_MAX];
	int dir;

	if (own && *own)
		return open_private(own, 0, err);
	if (session && *session == '/') {
		snprintf(path, sizeof path, "%s/rcc", session);
		dir = open_private(path, O_NOFOLLOW, err);
		if (dir >= 0)
			return dir;
	}
	snprintf(path, sizeof path, "/tmp/rcc-%u", (unsigned)geteuid());
	return open_private(path, O_NOFOLLOW, err);
}

/* Its absolute path, wherever a link or a relative name led. */
static char *path_of(int dir)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof path - 1);
	return n > 0 ? xstrndup(path, (size_t)n) : xstrdup(".");
}

#define MIX_START 0xcbf29ce484222325

static uint64_t mix(uint64_t hash, uint64_t v)
{
	for (int i = 0; i < 8; i++, v >>= 8)
		hash = (hash ^ (v & 0xff)) * 0x100000001b3;	/* FNV-1a */
	return hash;
}

/*
 * Another network reaches other volunteers, another set of mounts shows
 * other files under the same names: there an agent cannot serve us. One that
 * the kernel does not have counts as 0.
 */
static uint64_t mix_namespaces(void)
{
	static const char *const names[] = { "/proc/self/ns/net", "/proc/self/ns/user", "/proc/self/ns/mnt" };
	uint64_t hash = MIX_START;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct stat st = { 0 };

		stat(names[i], &st);
		hash = mix(hash, st.st_ino);
	}
	return hash;
}

static int find_name(struct place *p, struct err *err)
{
	uint64_t build = MIX_START;
	struct stat st;

	p->program = find_own_program("rcc-agent");
	if (!p->program || stat(p->program, &st) < 0)
		return err_set(err, ERR_ABSENT, "rcc-agent is not beside rcc nor in " LIBEXECDIR);
	build = mix(build, st.st_dev);
	build = mix(build, st.st_ino);
	build = mix(build, (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec);
	snprintf(p->name, sizeof p->name, "agent-%u-%016lx-%016lx", (unsigned)geteuid(),
		 (unsigned long)mix_namespaces(), (unsigned long)build);
	return 0;
}

static void place_free(struct place *p)
{
	free(p->program);
	if (p->dir >= 0)
		close(p->dir);
}

/* --- connect ------------------------------------------------------------ */

/* A limit for each single send and receive, and for connect while the agent's queue is full. */
static void bound_talk(int fd)
{
	struct timeval t = { TALK_MS / 1000, TALK_MS % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

/* Through /proc, as the directory's own path may be longer than a socket's name can be. */
static int try_connect(const struct place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = fd_high(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	if (fd < 0)
		return -1;
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/%s", p->dir, p->name);
	bound_talk(fd);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool nobody_listens(void)
{
	return errno == ENOENT || errno == ECONNREFUSED;
}

/* --- start -------------------------------------------------------------- */

/* All of the environment that the agent gets; its settings come with each request. */
static char **agent_environment(struct argv *out)
{
	static const char *const names[] = {
		"HOME", "LOGNAME", "PATH", "RCC_LOG", "RCC_LOG_FILE", "TZ", "USER",
		"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
	};

	argv_push(out, "LC_ALL=C");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (getenv(names[i]))
			argv_pushf(out, "%s=%s", names[i], getenv(names[i]));
	return out->v;
}

/* Ends as the agent's first process does: 0 says that it listens. */
static int wait_started(struct child *first, struct err *err)
{
	struct pollfd p = { .fd = first->pidfd, .events = POLLIN };
	int n = interrupt_poll(&p, 1, START_MS), status;

	if (n <= 0) {
		child_kill(first);
		return err_set(err, ERR_IO, "rcc-agent did not start in time");
	}
	status = child_reap(first);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : err_set(err, ERR_IO, "rcc-agent could not start");
}

static int spawn_agent(const struct place *p, struct err *err)
{
	autofree char *dir = path_of(p->dir);
	char *argv[] = { "rcc-agent", "--dir", dir, "--socket", (char *)p->name, NULL };
	autoargv struct argv env = { 0 };
	autoclose int null = fd_null();
	struct proc_spec spec = { .program = p->program, .argv = argv, .envp = agent_environment(&env),
				  .fd_in = null, .fd_out = null, .fd_err = null };
	struct child first = NO_CHILD;
	int rc;

	if (null < 0)	/* the build's pipes must never reach it */
		return err_sys(err, "/dev/null");
	rc = child_start(&first, &spec, err);
	return rc < 0 ? rc : wait_started(&first, err);
}

static int open_lock(const struct place *p)
{
	char name[sizeof p->name + 8];

	snprintf(name, sizeof name, "%s.start", p->name);
	return fd_high(openat(p->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
}

/* With the lock held: nobody else is starting one. */
static int start_locked(const struct place *p, struct err *err)
{
	int fd = try_connect(p), rc;

	if (fd >= 0 || !nobody_listens())
		return fd >= 0 ? fd : err_sys(err, "%s", p->name);
	rc = spawn_agent(p, err);
	if (rc < 0)
		return rc;
	fd = try_connect(p);
	return fd >= 0 ? fd : err_sys(err, "%s", p->name);
}

static int start(const struct place *p, struct err *err)
{
	autoclose int lock = open_lock(p);
	int waited = 0;

	if (lock < 0)
		return err_sys(err, "%s.start", p->name);
	for (int pause = FIRST_PAUSE_MS; waited < START_MS; pause = pause < LONGEST_PAUSE_MS ? 2 * pause : pause) {
		int fd;

		if (flock(lock, LOCK_EX | LOCK_NB) == 0)
			return start_locked(p, err);
		if (interrupt_poll(NULL, 0, pause) < 0)
			break;
		waited += pause;
		fd = try_connect(p);
		if (fd >= 0)
			return fd;
	}
	return err_set(err, ERR_IO, "rcc-agent did not start in time");
}

int agent_connect(bool may_start, struct err *err)
{
	struct place p = { .dir = -1 };
	int fd = -1;

	if (find_name(&p, err) == 0)
		p.dir = open_runtime_dir(err);
	if (p.dir >= 0) {
		fd = try_connect(&p);
		if (fd < 0 && nobody_listens() && may_start)
			fd = start(&p, err);
		else if (fd < 0)
			err_sys(err, "connect to the agent");
	}
	place_free(&p);
	return fd < 0 ? -1 : fd;
}

/* --- messages ----------------------------------------------------------- */

static int lost(struct err *err, const char *what)
{
	if (errno == EPIPE || errno == ECONNRESET)
		return err_set(err, ERR_CLOSED, "the agent went away");
	return err_sys(err, "%s the agent", what);
}

static void attach_fds(struct msghdr *msg, struct cmsghdr *control, const int *fds, size_t count)
{
	*control = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof *fds), .cmsg_level = SOL_SOCKET,
				     .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(control), fds, count * sizeof *fds);
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(count * sizeof *fds);
}

static int send_frame(int fd, const struct frame *f, struct err *err)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(AGENT_FDS_MAX * sizeof(int))]; } control;
	unsigned char header[FRAME_HEADER];
	struct iovec iov[2] = { { header, sizeof header }, { (void *)f->payload, f->length } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t left = sizeof header + f->length;

	frame_header_put(header, f);
	if (f->fd_count)
		attach_fds(&msg, &control.h, f->fds, f->fd_count);
	for (;;) {
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lost(err, "send to");
		left -= (size_t)n;
		if (!left)
			return 0;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
		for (size_t i = 0; i < ARRAY_LEN(iov); i++) {
			size_t part = size_min((size_t)n, iov[i].iov_len);

			iov[i].iov_base = (char *)iov[i].iov_base + part;
			iov[i].iov_len -= part;
			n -= (ssize_t)part;
		}
	}
}

int agent_send(int fd, uint8_t type, const struct buf *payload, const int *fds, size_t fd_count, struct err *err)
{
	size_t len = payload ? payload->len : 0, at = 0;
	int rc;

	do {
		uint32_t part = (uint32_t)size_min(len - at, FRAME_MAX);
		struct frame f = { .length = part, .raw = part, .type = type, .flags = at + part < len ? FRAME_MORE : 0,
				   .payload = payload ? payload->p + at : NULL, .fds = (int *)fds,
				   .fd_count = at ? 0 : fd_count };

		rc = send_frame(fd, &f, err);
		at += part;
	} while (rc == 0 && at < len);
	return rc;
}

/* As recv(2); a descriptor that comes with the bytes replaces *came. */
static ssize_t receive_some(int fd, void *p, size_t len, int *came)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } control;
	struct iovec iov = { p, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = CMSG_LEN(sizeof(int)) };	/* room for one: the kernel drops more */
	ssize_t n = recvmsg(fd, &msg, MSG_WAITALL | MSG_CMSG_CLOEXEC);

	if (n <= 0 || msg.msg_controllen < CMSG_LEN(sizeof(int)) || control.h.cmsg_type != SCM_RIGHTS)
		return n;
	if (*came >= 0)
		close(*came);
	memcpy(came, CMSG_DATA(&control.h), sizeof *came);
	*came = fd_high(*came);
	return n;
}

static int receive_bytes(int fd, void *p, size_t len, int *came, struct err *err)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = receive_some(fd, (char *)p + at, len - at, came);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lost(err, "receive from");
		if (n == 0)
			return err_set(err, ERR_CLOSED, "the agent went away");
		at += (size_t)n;
	}
	return 0;
}

static int receive_message(int fd, uint8_t *type, struct buf *payload, int *came, struct err *err)
{
	unsigned char header[FRAME_HEADER];
	struct frame f = { 0 };
	int rc;

	payload->len = 0;
	do {
		uint8_t first = f.type;

		rc = receive_bytes(fd, header, sizeof header, came, err);
		if (rc == 0)
			rc = frame_header_get(header, &request_protocol, &f, err);
		if (rc < 0)
			return rc;
		if (first && f.type != first)
			return err_set(err, ERR_WIRE, "a message in the middle of another");
		if (payload->len + f.length > request_protocol.rules[f.type].max)
			return err_set(err, ERR_WIRE, "%s over its bound", request_protocol.rules[f.type].name);
		buf_reserve(payload, (size_t)f.length + 1);
		rc = receive_bytes(fd, payload->p + payload->len, f.length, came, err);
		payload->len += f.length;
	} while (rc == 0 && (f.flags & FRAME_MORE));
	*type = f.type;
	return rc;
}

int agent_receive(int fd, uint8_t *type, struct buf *payload, int *came, struct err *err)
{
	int rc;

	*came = -1;
	rc = receive_message(fd, type, payload, came, err);
	if (rc == 0 || *came < 0)
		return rc;
	close(*came);
	*came = -1;
	return rc;
}
