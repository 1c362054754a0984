/*
 * interrupt.c - signals are blocked but for the moments in which rcc waits,
 * so that no step of a clean-up can be cut in two.
 */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

static const int noted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

static volatile sig_atomic_t pending;
static struct sigaction as_called[ARRAY_LEN(noted)];
static struct sigaction child_as_called;
static sigset_t mask_as_called;

static void on_signal(int signal)
{
	pending = signal;
}

void interrupt_begin(void)
{
	struct sigaction note = { .sa_handler = on_signal }, normal = { .sa_handler = SIG_DFL };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_LEN(noted); i++)
		sigaddset(&mask, noted[i]);
	sigprocmask(SIG_BLOCK, &mask, &mask_as_called);
	for (size_t i = 0; i < ARRAY_LEN(noted); i++) {
		sigaction(noted[i], &note, &as_called[i]);
		if (as_called[i].sa_handler == SIG_IGN)
			sigaction(noted[i], &as_called[i], NULL);
	}
	/* ignored, it would hide how our children end */
	sigaction(SIGCHLD, &normal, &child_as_called);
}

void interrupt_end(void)
{
	for (size_t i = 0; i < ARRAY_LEN(noted); i++)
		if (as_called[i].sa_handler != SIG_IGN)
			sigaction(noted[i], &as_called[i], NULL);
	sigaction(SIGCHLD, &child_as_called, NULL);
	if (pending)
		raise(pending);		/* blocked still: comes with the mask */
	sigprocmask(SIG_SETMASK, &mask_as_called, NULL);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;

	while (!pending) {
		int64_t left = timeout_ms < 0 ? -1 : end > now_ms() ? end - now_ms() : 0;
		struct timespec t = { left / 1000, left % 1000 * 1000000 };
		int n = ppoll(fds, count, left < 0 ? NULL : &t, &mask_as_called);

		if (n >= 0 || errno != EINTR)
			return n;
	}
	return -1;
}
