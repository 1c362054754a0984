/*
 * local.c - exec: the compiler keeps rcc's pid, and with it the slot.
 */
#include "local.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>

#include "request.h"

/* As execvp: a script without #! is the shell's. */
static void exec_by_shell(const char *file, char **argv)
{
	struct argv with_shell = { 0 };

	argv_push(&with_shell, "/bin/sh");
	argv_push(&with_shell, file);
	argv_extend(&with_shell, argv + 1);
	execv("/bin/sh", with_shell.v);
	argv_free(&with_shell);
}

int local_exec(const struct compiler *c, char **argv, int spool)
{
	if (spool >= 0) {
		lseek(spool, 0, SEEK_SET);
		dup2(spool, STDIN_FILENO);
	}
	if (!c->program.driver)
		compiler_mark_passed(c);
	argv[0] = (char *)c->argv0;
	execv(c->file, argv);
	if (errno == ENOEXEC)
		exec_by_shell(c->file, argv);
	fprintf(stderr, "rcc: %s: %s\n", c->argv0, strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

uint8_t local_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	return (uint8_t)size_min((size_t)CPU_COUNT(&set), UINT8_MAX);
}
