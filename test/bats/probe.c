/*
 * probe.c - runs a command as a shell's user would, which bats cannot: in a
 * process group of its own that is sent a signal, or on a terminal of a given
 * size. Says how the command ended, told apart as wait(2) tells it.
 *
 *	probe [-s SIGNAL] [-a MS] [-1] [-i] [-p ROWSxCOLS] COMMAND [ARG...]
 *
 *	-s, -a	send SIGNAL after MS milliseconds
 *	-1	to the command alone, not to its group
 *	-i	the command starts with SIGNAL ignored
 *	-p	stdin, stdout and stderr are a terminal of that size
 *
 * The last line on stdout is "exited N" or "killed N".
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct options {
	int signal;
	long after_ms;
	bool alone;
	bool ignored;
	bool terminal;
	struct winsize size;
};

static const struct { const char *name; int number; } signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "TERM", SIGTERM },
};

static int signal_number(const char *name)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].number;
	fprintf(stderr, "probe: no signal %s\n", name);
	exit(2);
}

static void options_get(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "+s:a:1ip:")) != -1) {
		switch (c) {
		case 's': o->signal = signal_number(optarg); break;
		case 'a': o->after_ms = atol(optarg); break;
		case '1': o->alone = true; break;
		case 'i': o->ignored = true; break;
		case 'p':
			o->terminal = sscanf(optarg, "%hux%hu", &o->size.ws_row, &o->size.ws_col) == 2;
			break;
		default: exit(2);
		}
	}
	if (optind == argc)
		exit(2);
}

/* bash starts its background jobs with SIGINT ignored; a user's shell does not. */
static void signals_default(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static pid_t start(const struct options *o, char **argv, int *terminal)
{
	struct winsize size = o->size;
	pid_t pid;

	*terminal = -1;
	pid = o->terminal ? forkpty(terminal, NULL, NULL, &size) : fork();
	if (pid < 0) {
		perror("probe");
		exit(2);
	}
	if (pid > 0) {
		if (!o->terminal)
			setpgid(pid, pid);
		return pid;
	}
	if (!o->terminal)
		setpgid(0, 0);
	signals_default();
	if (o->ignored)
		signal(o->signal, SIG_IGN);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

/* What the command writes to its terminal, for up to this long; false at its end. */
static bool copy_terminal(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	if (poll(&p, 1, timeout_ms) <= 0)
		return false;
	n = read(fd, buf, sizeof(buf));
	if (n <= 0)
		return false;
	return fwrite(buf, 1, (size_t)n, stdout) == (size_t)n && fflush(stdout) == 0;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int watch(const struct options *o, pid_t pid, int terminal)
{
	long begin = now_ms();
	bool sent = o->signal == 0;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (!sent && now_ms() - begin >= o->after_ms) {
			kill(o->alone ? pid : -pid, o->signal);
			sent = true;
		}
		if (terminal >= 0)
			copy_terminal(terminal, 5);
		else
			usleep(2000);
	}
	while (terminal >= 0 && copy_terminal(terminal, 100))
		;
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	int terminal, status;
	pid_t pid;

	options_get(argc, argv, &o);
	pid = start(&o, argv + optind, &terminal);
	status = watch(&o, pid, terminal);
	if (WIFSIGNALED(status))
		printf("killed %d\n", WTERMSIG(status));
	else
		printf("exited %d\n", WEXITSTATUS(status));
	return 0;
}
