/*
 * main.c - rcc-agent: one per user, started by the first rcc.
 *
 *	rcc-agent --dir DIR --socket NAME
 *
 * Makes itself independent of whoever started it (own session, nothing
 * inherited, a table's environment, cwd /, default signals, full affinity,
 * limits raised), listens on DIR/NAME and only then lets the first process
 * end, so that its starter may connect at once. Leaves after ten idle
 * minutes, when told to, or when its own program file was replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent.h"
#include "clock.h"
#include "cores.h"
#include "file.h"
#include "gap.h"
#include "log.h"
#include "session.h"

enum { IDLE_MS = 10 * 60 * 1000, TICK_MS = 1000, GAP_MS = 8000, SAVE_MS = 10000, LATE_MS = 250, BACKLOG = 4096, DESCRIPTORS_EACH = 8 };

/* In the history, beside volunteers' addresses. */
#define HERE "here"

static struct {
	struct agent agent;
	const char *name;
	int dir, lock, listener;
	uv_poll_t listening;
	uv_timer_t tick;
	struct gap gap;
	uint64_t saved_ms;	/* the history was written */
	uv_signal_t terminate;
	struct stat program;
	size_t sessions_max;	/* each may need a handful of descriptors */
} self;

static NORETURN void fail(const char *what)
{
	fprintf(stderr, "rcc-agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Nothing but 0, 1, 2, and those are /dev/null: no build tool ever waits for us. */
static void drop_descriptors(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close_range(3, ~0u, 0);
}

static void raise_limits(void)
{
	static const int limits[] = { RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_AS, RLIMIT_DATA, RLIMIT_CPU, RLIMIT_FSIZE };
	struct rlimit l;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (getrlimit(limits[i], &l) == 0) {
			l.rlim_cur = l.rlim_max;
			setrlimit(limits[i], &l);
		}
}

static void default_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All cores, as many as there are. */
static void full_affinity(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof all);
	sched_setaffinity(0, sizeof all, &all);
}

static void log_to_file(void)
{
	const char *path = getenv("RCC_LOG_FILE"), *level = getenv("RCC_LOG");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	int chosen = level ? log_level_of(level) : LOG_INFO;

	if (fd < 0)
		fd = openat(self.dir, "agent.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		log_open(fd, chosen < 0 ? LOG_INFO : (enum log_level)chosen);
}

/* One agent per socket name: whoever holds the lock. */
static void take_lock(void)
{
	autofree char *name = xasprintf("%s.lock", self.name);

	self.lock = openat(self.dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (self.lock < 0)
		fail(name);
	if (flock(self.lock, LOCK_EX | LOCK_NB) < 0)
		exit(errno == EWOULDBLOCK ? 0 : 1);	/* another one is there: as good */
}

/* Bound under a name of our own, then renamed: who finds the name can connect. */
static void start_listening(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	autofree char *temp = xasprintf("%s.new", self.name);

	self.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlinkat(self.dir, temp, 0);
	snprintf(sa.sun_path, sizeof sa.sun_path, "/proc/self/fd/%d/%s", self.dir, temp);
	if (self.listener < 0 || bind(self.listener, (struct sockaddr *)&sa, sizeof sa) < 0)
		fail("bind");
	if (fchmodat(self.dir, temp, 0600, 0) < 0 || listen(self.listener, BACKLOG) < 0)
		fail("listen");
	if (renameat(self.dir, temp, self.dir, self.name) < 0)
		fail("rename");
}

/* The child goes on once the parent has ended; the parent ends once the child listens. */
static void go_to_background(void)
{
	int pipe_fds[2];
	char ok;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		fail("fork");
	if (pid > 0) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &ok, 1) == 1 ? 0 : 1);
	}
	setsid();
	take_lock();
	start_listening();
	if (write(pipe_fds[1], "", 1) != 1)
		fail("start");
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* How long a compile took here tells of this machine, if it is known what it takes; else of the compile. */
static void learn_here(struct agent *a, const struct lease_note *note, uint64_t us, double company)
{
	struct history_cost seen = { .cpu_us = us, .occupancy_us = us };
	double load = agent_load(a, company);

	if (note->predicted_us) {
		speed_learn(&a->here, &(struct speed_seen){ .predicted_us = note->predicted_us, .took_us = us, .load = load }, clock_ms());
		history_note_speed(a->history, HERE, &a->here);
	} else if (note->job.key) {
		history_learn(a->history, &note->job, seen, speed_now(&a->here, load, clock_ms()));
	}
}

static void on_lease_freed(void *arg, const struct lease_note *note, uint64_t us, double company)
{
	struct agent *a = arg;

	learn_here(a, note, us, company);
	a->busy_ms = clock_ms();
	agent_dispatch(a);
}

static void on_volunteers_changed(void *arg)
{
	agent_dispatch(arg);
}

static void on_peer_changed(struct peer *p, void *arg)
{
	struct agent *a = arg;

	remotes_changed(a->remotes, p);
	agent_dispatch(a);
}

static void on_peer_granted(struct peer *p, uint32_t id, uint64_t token, void *arg)
{
	remotes_granted(((struct agent *)arg)->remotes, p, id, token);
}

static void on_peer_refused(struct peer *p, uint32_t id, enum refusal refusal, void *arg)
{
	remotes_refused(((struct agent *)arg)->remotes, p, id, refusal);
}

static void on_peer_lost(struct peer *p, enum reason why, void *arg)
{
	remotes_lost(((struct agent *)arg)->remotes, p, why);
}

static const struct peer_events peer_events = {
	.changed = on_peer_changed, .granted = on_peer_granted, .refused = on_peer_refused, .lost = on_peer_lost,
};

static void on_listening(uv_poll_t *poll, int status, int events)
{
	int fd;

	(void)status, (void)events;
	while (sessions_count(&self.agent) < self.sessions_max &&
	       (fd = accept4(self.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		session_new(&self.agent, fd);
	/* full, or out of descriptors: who else comes waits in the backlog until on_tick or a session's end */
	if (sessions_count(&self.agent) >= self.sessions_max || errno != EAGAIN)
		uv_poll_stop(poll);
}

static void go_on_listening(void)
{
	if (sessions_count(&self.agent) < self.sessions_max && !uv_is_active((uv_handle_t *)&self.listening))
		uv_poll_start(&self.listening, UV_READABLE, on_listening);
}

static void save_history(void)
{
	self.saved_ms = clock_ms();
	if (self.agent.history_path)
		history_save(self.agent.history, self.agent.history_path);
}

static bool replaced(void)
{
	struct stat now;

	return stat("/proc/self/exe", &now) < 0 || now.st_nlink == 0 || now.st_mtime != self.program.st_mtime;
}

/*
 * Without its name nobody new can come; whoever came before that is served
 * first. The directory for -### goes before the lock, after which another
 * agent may make one.
 */
static void leave(const char *why)
{
	autofree char *lock = xasprintf("%s.lock", self.name);

	unlinkat(self.dir, self.name, 0);
	on_listening(&self.listening, 0, UV_READABLE);
	if (!sessions_idle(&self.agent))
		return;
	log_info("leave", "reason=\"%s\"", why);
	files_flush(self.agent.files);
	save_history();
	remove_tree(AT_FDCWD, self.agent.temp_dir);
	unlinkat(self.dir, lock, 0);
	_exit(0);
}

static void leave_if_due(struct agent *a)
{
	if (!sessions_idle(a) || leases_count(a->leases))
		return;
	if (a->stopping)
		leave("told to");
	if (clock_ms() - a->busy_ms > IDLE_MS)
		leave("idle");
	if (replaced())
		leave("another build is here");
}

static void on_dispatch(uv_timer_t *timer)
{
	struct agent *a = timer->data;

	sessions_dispatch(a);
	go_on_listening();
	if (a->stopping)
		leave_if_due(a);
}

void agent_dispatch(struct agent *a)
{
	a->dispatch_ms = 0;
	uv_timer_start(&a->dispatch, on_dispatch, 0, 0);
}

double agent_load(const struct agent *a, double others)
{
	return a->cores < 2 ? others > 0 : fmin(1, others / (a->cores - 1));
}

void agent_dispatch_in(struct agent *a, unsigned ms)
{
	uint64_t due_ms = clock_ms() + ms;

	if (uv_is_active((uv_handle_t *)&a->dispatch) && a->dispatch_ms <= due_ms)
		return;
	a->dispatch_ms = due_ms;
	uv_timer_start(&a->dispatch, on_dispatch, ms, 0);
}

static void on_late(uv_timer_t *timer)
{
	if (!sessions_look_for_late(timer->data))
		uv_timer_stop(timer);
}

void agent_watch_late(struct agent *a)
{
	if (!uv_is_active((uv_handle_t *)&a->late))
		uv_timer_start(&a->late, on_late, LATE_MS, LATE_MS);
}

/* After a sleep no volunteer knows us any more, and the network may be another. */
static void look_for_gap(void)
{
	uint64_t gap_ms = gap_look(&self.gap, gap_clock_ms(), TICK_MS);

	if (gap_ms < GAP_MS)
		return;
	log_warn("stood-still", "ms=%llu", (unsigned long long)gap_ms);
	peers_start_over(self.agent.peers);
}

/* At a build's end, not between two of its commands: what was learned is for whoever builds next, which may be another agent's. */
static bool at_rest(const struct agent *a)
{
	return sessions_idle(a) && clock_ms() - a->busy_ms >= TICK_MS;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	look_for_gap();
	if (history_unsaved(self.agent.history) && (at_rest(&self.agent) || clock_ms() - self.saved_ms > SAVE_MS))
		save_history();
	agent_dispatch(&self.agent);
	leave_if_due(&self.agent);
}

static void on_terminate(uv_signal_t *signal_handle, int signum)
{
	(void)signal_handle, (void)signum;
	self.agent.stopping = true;
}

static char *own_name(void)
{
	const char *user = getenv("USER");
	char host[65] = "?";

	gethostname(host, sizeof host - 1);
	return user && *user ? xasprintf("%.32s@%s", user, host) : xasprintf("%u@%s", getuid(), host);
}

static void make_temp_dir(const char *dir)
{
	struct err err = { 0 };

	self.agent.temp_dir = xasprintf("%s/%s.tmp", dir, self.name);
	if (make_dirs(self.agent.temp_dir, 0700, &err) < 0) {
		fprintf(stderr, "rcc-agent: %s\n", err.text);
		exit(1);
	}
}

/* What is learnt of the caller's files outlives us. Without a place for it, it does not. */
static void open_cache(struct agent *a)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	autofree char *dir = xdg && *xdg == '/' ? xasprintf("%s/rcc", xdg) : home ? xasprintf("%s/.cache/rcc", home) : NULL;
	autofree char *programs = dir ? xasprintf("%s/programs-1", dir) : NULL;
	autofree char *manifests = dir ? xasprintf("%s/manifests", dir) : xasprintf("%s/manifests", a->temp_dir);

	a->files = files_new(&(struct files_options){ .cache_dir = dir });
	a->toolchains = toolchains_new(programs);
	a->manifests = manifests_new(manifests, 0, 0);
	a->history = history_new();
	a->history_path = dir ? xasprintf("%s/history", dir) : NULL;
	if (a->history_path)
		history_load(a->history, a->history_path);
	a->here = history_speed(a->history, HERE, clock_ms());
}

static void build_agent(void)
{
	struct agent *a = &self.agent;
	autofree char *name = own_name();
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	self.sessions_max = files.rlim_cur / DESCRIPTORS_EACH;
	a->loop = uv_default_loop();
	a->cores = cores_usable();
	a->spare = cores_whole();
	a->busy_ms = clock_ms();
	a->crowd.looked_us = clock_us();
	TAILQ_INIT(&a->sessions);
	a->stats = stats_open(self.dir);
	a->leases = leases_new(a->loop, a->stats, on_lease_freed, a);
	a->memory = memory_new();
	a->planner = planner_new();
	a->sources = source_memo_new();
	open_cache(a);
	a->peers = peers_new(a->loop, name, a->history, &peer_events, a);
	a->volunteers = volunteers_new(a->loop, a->peers, on_volunteers_changed, a);
	a->remotes = remotes_new(a->loop, a->history);
	uv_timer_init(a->loop, &a->dispatch);
	uv_timer_init(a->loop, &a->late);
	a->dispatch.data = a->late.data = a;
	uv_poll_init(a->loop, &self.listening, self.listener);
	uv_poll_start(&self.listening, UV_READABLE, on_listening);
	uv_timer_init(a->loop, &self.tick);
	uv_timer_start(&self.tick, on_tick, TICK_MS, TICK_MS);
	gap_look(&self.gap, gap_clock_ms(), TICK_MS);
	uv_signal_init(a->loop, &self.terminate);
	uv_signal_start(&self.terminate, on_terminate, SIGTERM);
}

int main(int argc, char **argv)
{
	if (argc != 5 || !str_eq(argv[1], "--dir") || !str_eq(argv[3], "--socket")) {
		fputs("rcc-agent is started by rcc; see rcc(1)\n", stderr);
		return 2;
	}
	drop_descriptors();
	self.name = argv[4];
	self.dir = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (self.dir < 0 || stat("/proc/self/exe", &self.program) < 0)
		return 1;
	default_signals();
	raise_limits();
	umask(077);
	setpriority(PRIO_PROCESS, 0, 0);
	if (chdir("/") < 0)
		return 1;
	log_to_file();
	make_temp_dir(argv[2]);
	go_to_background();
	full_affinity();
	build_agent();
	log_info("start", "pid=%d version=%s", (int)getpid(), VERSION);
	uv_run(self.agent.loop, UV_RUN_DEFAULT);
	return 0;
}
