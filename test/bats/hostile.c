/*
 * hostile.c - a "compiler" that does on a volunteer what none should: the
 * word on its standard input says what. It prints what it got.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void bomb(void) { for (;;) fork(); }
static void kill_parent(void) { kill(getppid(), SIGKILL); }
static void kill_all(void) { kill(-1, SIGKILL); }
static void open_socket(void) { socket(AF_INET, SOCK_STREAM, 0); }
static void open_local_socket(void) { socket(AF_UNIX, SOCK_STREAM, 0); }
static void trace(void) { ptrace(PTRACE_ATTACH, getppid(), 0, 0); }
static void mount_it(void) { mount("proc", "/job", "proc", 0, NULL); }
static void new_namespace(void) { unshare(CLONE_NEWUSER | CLONE_NEWNS); }
static void leave_session(void) { setsid(); }
static void become_root(void) { setuid(0); }
static void make_unknown_call(void) { syscall(999); }

static void *mount_there(void *arg)
{
	mount_it();
	return arg;
}

static void mount_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, mount_there, NULL);
	pthread_join(thread, NULL);
}

static void list(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			printf("%s ", e->d_name);
	printf("\n");
}

/* What the root and /proc show. Nothing else may be there. */
static void look(void)
{
	static const char *const names[] = { "/etc/passwd", "/etc/shadow", "/etc/hostname", "/home", "/root", "/tmp/x", "/sys",
					     "/var", "/run", "/proc/1/mem", "/proc/1/environ", "/proc/1/root/etc",
					     "/proc/1/fd/3", "/proc/version", "/proc/cmdline", "/proc/sys", "/dev/vda",
					     "/dev/kmsg", "/usr/bin", "../etc/passwd" };
	char host[65] = "";

	gethostname(host, sizeof host - 1);
	printf("host %s\nprocesses ", host);
	list("/proc");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (open(names[i], O_RDONLY) >= 0)
			printf("opened %s\n", names[i]);
}

/* Everything but its own directory must refuse. */
static void write_outside(void)
{
	static const char *const names[] = { "/x", "/usr/x", "/dev/x", "/proc/1/oom_score_adj", "/job/../x", "/etc/x" };
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (open(names[i], O_WRONLY | O_CREAT, 0600) >= 0)
			printf("wrote %s\n", names[i]);
	self[n > 0 ? n : 0] = 0;
	if (chmod(self, 04777) == 0 || unlink(self) == 0 || open(self, O_WRONLY) >= 0)
		printf("changed %s\n", self);
	printf("tried\n");
}

static void *sleep_on(void *arg)
{
	sleep(1000);
	return arg;
}

static void many_threads(void)
{
	int n = 0;
	pthread_t any;

	while (n < 4000 && pthread_create(&any, NULL, sleep_on, NULL) == 0)
		n++;
	printf("threads %s\n", n < 100 ? "few" : "many");
}

static void many_files(void)
{
	char name[32];
	int n = 0, fd;

	do {
		snprintf(name, sizeof name, "f%d", n++);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		close(fd);
	} while (fd >= 0 && n < 100000);
	printf("files %s\n", n < 20000 ? "few" : "many");
}

static void fill_disk(void)
{
	static char block[1 << 20];
	unsigned long total = 0;
	char name[32];

	for (int i = 0; i < 8; i++) {
		int fd;

		snprintf(name, sizeof name, "f%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		for (int k = 0; k < 400; k++)
			total += write(fd, block, sizeof block) == sizeof block;
	}
	printf("megabytes %s\n", total <= 1024 ? "few" : "many");
}

static void hold(int kind)
{
	const size_t block = 1 << 20;

	/* 2 GiB: a machine that does not stop us survives it */
	for (int i = 0; i < 2048; i++) {
		char *p = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | kind, -1, 0);

		if (p == MAP_FAILED)
			break;
		memset(p, 1, block);
	}
	sleep(60);
}

static void hold_memory(void) { hold(MAP_PRIVATE); }
static void hold_shared(void) { hold(MAP_SHARED); }
static void return_setuid(void) { close(open("out.s", O_WRONLY | O_CREAT, 0600)); printf("%d\n", chmod("out.s", 04755)); }
static void return_directory(void) { printf("%d\n", mkdir("out.s", 0700)); }
static void wait_long(void) { sleep(60); }
static void return_a_link(void) { printf("%d\n", symlink("/etc/passwd", "out.s")); }
static void return_a_device(void) { printf("%d\n", mkfifo("out.s", 0600)); }

static const struct { const char *word; void (*act)(void); } acts[] = {
	{ "bomb", bomb }, { "kill", kill_parent }, { "killall", kill_all }, { "socket", open_socket },
	{ "local", open_local_socket }, { "trace", trace }, { "mount", mount_it }, { "namespace", new_namespace },
	{ "session", leave_session }, { "root", become_root }, { "look", look }, { "write", write_outside },
	{ "threads", many_threads }, { "files", many_files }, { "disk", fill_disk }, { "link", return_a_link },
	{ "device", return_a_device }, { "unknown", make_unknown_call }, { "thread", mount_in_thread },
	{ "wait", wait_long }, { "memory", hold_memory }, { "shared", hold_shared }, { "setuid", return_setuid },
	{ "directory", return_directory },
};

int main(void)
{
	char word[64] = "";

	if (!fgets(word, sizeof word, stdin))
		return 2;
	word[strcspn(word, "\n")] = 0;
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		if (strcmp(acts[i].word, word) == 0) {
			acts[i].act();
			printf("survived\n");
			return 0;
		}
	return 2;
}
