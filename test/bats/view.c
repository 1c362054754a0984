/*
 * view.c - runs a command as a job in file mode would run: in a box, in a
 * root made of a toolchain and of this machine's own files as facts.
 *
 *	view [-m MANIFEST] [-u UID] [-o DIR] [-s FILE] [-p SECONDS] TOOLCHAIN BLOBS COMMAND...
 *
 * The caller is a process that stays outside. It answers questions from the
 * file system, and puts contents into BLOBS, by digest. MANIFEST is read if it
 * is there, and written: what was used. Into DIR goes what changed: "list", and
 * contents by number; into FILE how many requests there were, and the processor
 * time of box and job in ms. As root the command runs as UID. What is called
 * "silent" the caller never answers for, "vague" without saying anything, and
 * with -p the box's clock is SECONDS ahead of the questions.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <dirent.h>

#include "changes.h"
#include "clock.h"
#include "file.h"
#include "overlay.h"
#include "../../server/box/spawner.h"

enum { PACKET_MAX = 1 << 20, BYTES = 1 << 30, FILES = 16384, STOPPED = 125 };

struct question { uint64_t id; uint8_t listing; char path[FACT_PATH_MAX + 1]; };

static struct {
	const char *manifest, *out, *stats, *toolchain, *cwd;
	uid_t uid;
	uint64_t ahead_us;
	int caller;		/* socket to it */
	int blobs_fd, out_fd, stats_fd;
	char why[512];		/* it was stopped */
} run;

static NORETURN void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the caller */

/* As a store would. */
static void keep_blob(int fd, const struct digest *d)
{
	char hex[2 * DIGEST_SIZE + 1];
	autofree char *temporary = xasprintf("%d", getpid());
	struct stat st;
	int out;

	digest_hex(d, hex);
	if (fstatat(run.blobs_fd, hex, &st, 0) == 0)
		return;
	out = openat(run.blobs_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	lseek(fd, 0, SEEK_SET);
	while (sendfile(out, fd, NULL, 1 << 20) > 0)
		;
	close(out);
	renameat(run.blobs_fd, temporary, run.blobs_fd, hex);
}

static void describe_file(struct fact *f, const struct stat *st)
{
	autoclose int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	f->kind = FACT_FILE;
	f->size = (uint64_t)st->st_size;
	f->inode = st->st_ino ^ (uint64_t)st->st_dev << 48;
	if (fd < 0)
		return;
	digest_fd(fd, &f->digest, NULL);
	keep_blob(fd, &f->digest);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void describe_names(struct fact *f)
{
	DIR *d = opendir(f->path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			argv_push(&f->names, e->d_name);
	if (d)
		closedir(d);
	f->listed = f->names.count <= FACT_NAMES_MAX;
	if (!f->listed)
		argv_free(&f->names);
	else if (f->names.count)
		qsort(f->names.v, f->names.count, sizeof *f->names.v, by_name);
}

static uint8_t access_of(const char *path)
{
	return (uint8_t)((faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0) * 4 +
			 (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0) * 2 +
			 (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0));
}

static struct fact describe(const char *path, bool listing)
{
	struct fact f = { .path = xstrdup(path), .kind = FACT_OTHER };
	char target[FACT_PATH_MAX + 1];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0) {
		f.kind = errno == EACCES ? FACT_DENIED : FACT_ABSENT;
		return f;
	}
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		f.mode = st.st_mode & 07777;
		f.access = access_of(path);
		f.own = st.st_uid == geteuid();
	}
	f.mtime_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
	if (S_ISREG(st.st_mode)) {
		describe_file(&f, &st);
	} else if (S_ISDIR(st.st_mode)) {
		f.kind = FACT_DIR;
		if (listing)
			describe_names(&f);
	} else if (S_ISLNK(st.st_mode) && (n = readlink(path, target, sizeof target - 1)) > 0) {
		f.kind = FACT_LINK;
		f.target = xstrndup(target, (size_t)n);
	}
	return f;
}

static NORETURN void serve_questions(int fd)
{
	struct question q;

	while (recv(fd, &q, sizeof q, 0) > 0) {
		const char *name = path_base(q.path);
		autobuf struct buf b = { 0 };
		autofacts struct facts all = { 0 };
		struct fact f;

		if (str_eq(name, "silent"))
			continue;
		if (!str_eq(name, "vague")) {
			f = describe(q.path, q.listing);
			facts_set(&all, &f);
		}
		put_u64(&b, q.id);
		facts_put(&b, &all);
		if (send(fd, b.p, b.len, 0) < 0)
			die("answer");
	}
	_exit(0);
}

static void start_caller(void)
{
	int pair[2], size = PACKET_MAX;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (fork() == 0) {
		close(pair[0]);
		serve_questions(pair[1]);
	}
	close(pair[1]);
	run.caller = pair[0];
}

/* --- the box */

static void ask(void *arg, uint64_t id, const char *path, bool listing)
{
	struct question q = { .id = id, .listing = listing };

	(void)arg;
	strcpy(q.path, path);
	if (send(run.caller, &q, sizeof q, 0) < 0)
		die("ask");
}

static int open_contents(void *arg, const struct digest *d)
{
	char hex[2 * DIGEST_SIZE + 1];

	(void)arg;
	digest_hex(d, hex);
	return openat(run.blobs_fd, hex, O_RDONLY | O_CLOEXEC);
}

static void stopped(void *arg, const char *why)
{
	(void)arg;
	snprintf(run.why, sizeof run.why, "%s", why);
}

static void take_answer(struct fuse *f)
{
	static unsigned char packet[PACKET_MAX];
	ssize_t n = recv(run.caller, packet, sizeof packet, 0);
	struct reader r = reader_of(packet, n > 0 ? (size_t)n : 0);
	uint64_t id = get_u64(&r);
	struct facts all;
	struct err err = { 0 };

	if (facts_get(&r, &all, &err) < 0 || fuse_answer(f, id, &all, &err) < 0) {
		fprintf(stderr, "view: %s\n", err.text);
		exit(1);
	}
}

static struct view *hide_in;

static int hide_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)ftw;
	if (kind != FTW_D)
		view_hide(hide_in, path + strlen(run.toolchain));
	return 0;
}

static struct view *make_view(void)
{
	autobuf struct buf b = { 0 };
	struct facts all = { 0 };
	struct err err = { 0 };
	struct reader r;

	if (run.manifest && read_file(run.manifest, FACTS_BYTES_MAX, &b, &err) == 0 && b.len) {
		r = reader_of(b.p, b.len);
		if (facts_get(&r, &all, &err) < 0)
			fprintf(stderr, "view: %s\n", err.text);
	}
	hide_in = view_new(&all);
	nftw(run.toolchain, hide_one, 16, FTW_PHYS);
	return hide_in;
}

static NORETURN void become_job(char **argv)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv("TMPDIR", OVERLAY_SCRATCH, 1);
	if (geteuid() == 0 && run.uid && (setgroups(0, NULL) < 0 || setresgid(run.uid, run.uid, run.uid) < 0 ||
					  setresuid(run.uid, run.uid, run.uid) < 0))
		die("setuid");
	if (chdir(run.cwd) < 0)
		die(run.cwd);
	execv(argv[0], argv);
	die(argv[0]);
}

/* The wait status of the job. */
static int serve_job(struct fuse *f, pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status;
	struct pollfd p[] = { { .fd = fuse_fd(f), .events = POLLIN }, { .fd = run.caller, .events = POLLIN },
			      { .fd = pidfd, .events = POLLIN } };
	struct err err = { 0 };

	while (!p[2].revents) {
		if (poll(p, ARRAY_LEN(p), fuse_patience(f, clock_us() + run.ahead_us)) < 0)
			die("poll");
		if (p[0].revents && fuse_turn(f, &err) < 0) {
			fprintf(stderr, "view: %s\n", err.text);
			exit(1);
		}
		if (p[1].revents)
			take_answer(f);
		if (*run.why)
			kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	return status;
}

static double ms_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e3 + (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e3;
}

static void write_stats(const struct fuse_counts *c, double setup_ms, double run_ms)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	dprintf(run.stats_fd, "requests=%llu lookups=%llu reads=%llu listings=%llu questions=%llu waits=%llu bytes=%llu "
		"box_ms=%.3f job_ms=%.3f setup_ms=%.3f run_ms=%.3f\n", (unsigned long long)c->requests,
		(unsigned long long)c->lookups, (unsigned long long)c->reads, (unsigned long long)c->listings,
		(unsigned long long)c->questions, (unsigned long long)c->waits, (unsigned long long)c->bytes,
		ms_of(&self), ms_of(&children), setup_ms, run_ms);
}

static void add_used(void *arg, const struct view_use *u)
{
	struct fact f = fact_copy(u->fact->path ? u->fact : &(struct fact){ .path = (char *)u->path });

	facts_set(arg, &f);
}

static void write_manifest(const struct view *v, int fd)
{
	autobuf struct buf b = { 0 };
	autofacts struct facts all = { 0 };

	view_each_use(v, add_used, &all);
	facts_put(&b, &all);
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 || write_all(fd, b.p, b.len) < 0)
		die("manifest");
}

static void copy_out(int upper, const char *path, size_t number)
{
	char name[32];
	autoclose int in = openat(upper, path + 1, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out = -1;

	snprintf(name, sizeof name, "%zu", number);
	out = openat(run.out_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (in < 0 || out < 0)
		die(path);
	while (sendfile(out, in, NULL, 1 << 20) > 0)
		;
}

static void write_changes(const struct overlay *o, const struct view *v)
{
	static const char *const names[CHANGE_KINDS] = { "file", "dir", "link", "gone" };
	autoclose int list = openat(run.out_fd, "list", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct changes all;
	struct err err = { 0 };

	if (changes_collect(o->upper, o->root, v, &all, &err) < 0)
		dprintf(list, "refused %s\n", err.text);
	for (size_t i = 0; i < all.count; i++) {
		const struct change *c = &all.v[i];

		dprintf(list, "%zu %s %s %o %llu %s %s\n", i, names[c->kind], c->path, c->mode,
			(unsigned long long)c->size, c->kept ? "kept" : "-", c->target ? c->target : "-");
		if (c->kind == CHANGE_FILE)
			copy_out(o->upper, c->path, i);
	}
	changes_free(&all);
}

static int box(char **argv, int manifest_fd)
{
	static const struct fuse_hooks hooks = { .ask = ask, .open = open_contents, .stop = stopped };
	autofree char *place = xasprintf("%s/job", run.toolchain);
	bool root = run.uid != 0;
	struct overlay o = { .toolchain = run.toolchain, .place = place, .bytes = BYTES, .files = FILES,
			     .in_user_namespace = !root,
			     .owner = { .uid = root ? run.uid : geteuid(), .gid = root ? run.uid : getegid(), .other = root } };
	uint64_t start_us = clock_us(), run_us;
	struct err err = { 0 };
	struct view *v = make_view();
	struct fuse *f;
	pid_t pid;
	int status;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("private");
	if (overlay_prepare(&o, v, &hooks, NULL, &f, &err) < 0 || overlay_enter(&o, f, &err) < 0) {
		fprintf(stderr, "view: %s\n", err.text);
		return 1;
	}
	run_us = clock_us();
	pid = fork();
	if (pid == 0)
		become_job(argv);
	status = serve_job(f, pid);
	if (run.stats)
		write_stats(fuse_counts(f), (double)(run_us - start_us) / 1e3, (double)(clock_us() - run_us) / 1e3);
	fuse_free(f);
	if (run.out)
		write_changes(&o, v);
	if (manifest_fd >= 0 && !*run.why)
		write_manifest(v, manifest_fd);
	view_free(v);
	if (*run.why)
		fprintf(stderr, "view: stopped: %s\n", run.why);
	return *run.why ? STOPPED : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int open_output(const char *name, int flags)
{
	int fd = name ? open(name, flags | O_CLOEXEC, 0666) : -1;

	if (name && fd < 0)
		die(name);
	return fd;
}

int main(int argc, char **argv)
{
	struct mode mode = { .confined = true };
	int option, pidfd, status, manifest_fd;
	pid_t pid;

	while ((option = getopt(argc, argv, "+m:u:o:s:p:")) >= 0) {
		if (option == 'm')
			run.manifest = optarg;
		else if (option == 'u')
			run.uid = geteuid() == 0 ? (uid_t)atoi(optarg) : 0;
		else if (option == 'o')
			run.out = optarg;
		else if (option == 's')
			run.stats = optarg;
		else if (option == 'p')
			run.ahead_us = (uint64_t)atoi(optarg) * 1000000;
		else
			return 2;
	}
	if (argc - optind < 3)
		return 2;
	run.toolchain = realpath(argv[optind], NULL);
	if (!run.toolchain)
		die(argv[optind]);
	run.cwd = getcwd(NULL, 0);
	run.blobs_fd = open_output(argv[optind + 1], O_RDONLY | O_DIRECTORY);
	run.out_fd = open_output(run.out, O_RDONLY | O_DIRECTORY);
	run.stats_fd = open_output(run.stats, O_WRONLY | O_CREAT | O_APPEND);
	manifest_fd = open_output(run.manifest, O_RDWR | O_CREAT);
	start_caller();
	pid = spawn_box(&mode, -1, &pidfd);
	if (pid < 0)
		die("namespaces");
	if (pid == 0)
		_exit(box(argv + optind + 2, manifest_fd));
	close(run.caller);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
