/*
 * syscalls.c - the table of allowed system calls, as a filter for the kernel.
 *
 * What a compiler does: files by name below its root, memory, time, threads.
 * No second process, no socket, no mount, no tracing, no signal to others.
 * Whatever has no row stops its thread and is told to us, who say which it
 * was and end the job; where the kernel cannot do that, it ends the process by
 * SIGSYS. The filter is a list of comparisons; the kernel works out once which
 * calls always pass, so its length costs nothing later.
 */
#include "syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#if defined __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define MACHINE AUDIT_ARCH_AARCH64
#endif

static const unsigned short allowed[] = {
	/* files */
	SYS_close, SYS_close_range, SYS_copy_file_range, SYS_dup, SYS_dup3, SYS_faccessat, SYS_faccessat2, SYS_fadvise64,
	SYS_fallocate, SYS_fchdir, SYS_fchmod, SYS_fchmodat, SYS_fcntl, SYS_fdatasync, SYS_flock, SYS_fstat, SYS_fstatfs,
	SYS_fsync, SYS_ftruncate, SYS_getcwd, SYS_getdents64, SYS_ioctl, SYS_linkat, SYS_lseek, SYS_mkdirat,
	SYS_newfstatat, SYS_openat, SYS_pipe2, SYS_ppoll, SYS_pread64, SYS_preadv, SYS_pselect6, SYS_pwrite64,
	SYS_pwritev, SYS_read, SYS_readlinkat, SYS_readv, SYS_renameat, SYS_renameat2, SYS_sendfile, SYS_statfs,
	SYS_statx, SYS_symlinkat, SYS_truncate, SYS_umask, SYS_unlinkat, SYS_utimensat, SYS_write, SYS_writev,
	SYS_chdir,
	/* memory */
	SYS_brk, SYS_madvise, SYS_mincore, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_msync, SYS_munmap,
	/* itself, and its threads */
	SYS_execve, SYS_exit, SYS_exit_group, SYS_futex, SYS_get_robust_list, SYS_getegid, SYS_geteuid, SYS_getgid,
	SYS_getpgid, SYS_getpid, SYS_getppid, SYS_getrandom, SYS_getrlimit, SYS_getrusage, SYS_gettid, SYS_getuid,
	SYS_membarrier, SYS_prctl, SYS_prlimit64, SYS_restart_syscall, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigpending,
	SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler,
	SYS_sched_yield, SYS_set_robust_list, SYS_set_tid_address, SYS_setrlimit, SYS_sigaltstack, SYS_sysinfo,
	SYS_tgkill, SYS_times, SYS_uname,
	/* time */
	SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_getitimer, SYS_gettimeofday, SYS_nanosleep,
	SYS_setitimer,
#ifdef __x86_64__
	/* older names of the same */
	SYS_access, SYS_alarm, SYS_arch_prctl, SYS_chmod, SYS_creat, SYS_dup2, SYS_getdents, SYS_getpgrp, SYS_link,
	SYS_lstat, SYS_mkdir, SYS_open, SYS_pipe, SYS_poll, SYS_readlink, SYS_rename, SYS_rmdir, SYS_select, SYS_stat,
	SYS_symlink, SYS_time, SYS_unlink, SYS_utime, SYS_utimes,
#endif
};

/* The C library asks for it first, and goes on with clone, whose flags can be looked at. */
#define REFUSED SYS_clone3

static const char *const names[] = {
#include "syscall_names.h"
};

/* The same list with two ends. */
enum { WATCHED, KILLED, FILTERS };
static const uint32_t verdicts[FILTERS] = { SECCOMP_RET_USER_NOTIF, SECCOMP_RET_KILL_PROCESS };

enum { EXTRAS = 16 };
static struct filter {
	struct sock_filter code[2 * ARRAY_LEN(allowed) + EXTRAS];
	struct sock_fprog program;
} filters[FILTERS];

static void add(struct filter *f, struct sock_filter step)
{
	f->code[f->program.len++] = step;
}

#define LOAD(f, field) add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
#define SKIP_UNLESS(f, value) add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1))
#define END(f, verdict) add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (verdict)))

/* clone, but a thread only: low half of its first argument. */
static void add_clone(struct filter *f, uint32_t otherwise)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4));
	LOAD(f, args[0]);
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
	END(f, SECCOMP_RET_ALLOW);
	END(f, otherwise);
}

static void make_filter(struct filter *f, unsigned machine, uint32_t otherwise)
{
	LOAD(f, arch);
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0));
	END(f, otherwise);
	LOAD(f, nr);
	/* x32's calls have high numbers, and so no row */
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		SKIP_UNLESS(f, allowed[i]);
		END(f, SECCOMP_RET_ALLOW);
	}
	SKIP_UNLESS(f, REFUSED);
	END(f, SECCOMP_RET_ERRNO | ENOSYS);
	add_clone(f, otherwise);
	END(f, otherwise);
}

bool syscalls_prepare(void)
{
#ifdef MACHINE
	for (size_t i = 0; i < FILTERS; i++)
		if (!filters[i].program.len) {
			filters[i].program.filter = filters[i].code;
			make_filter(&filters[i], MACHINE, verdicts[i]);
		}
	return true;
#else
	return false;
#endif
}

int syscalls_restrict(int *watch)
{
	*watch = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			      &filters[WATCHED].program);
	if (*watch >= 0)
		return 0;
	/* an older kernel; or whoever started rccd watches it already */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filters[KILLED].program);
}

void syscalls_name(uint32_t machine, int number, char text[SYSCALL_NAME])
{
#ifdef MACHINE
	bool ours = machine == MACHINE;
#else
	bool ours = false;
#endif
	const char *name = ours && number >= 0 && (size_t)number < ARRAY_LEN(names) ? names[number] : NULL;

	if (name)
		snprintf(text, SYSCALL_NAME, "%s", name);
	else
		snprintf(text, SYSCALL_NAME, "number %d%s", number, ours ? "" : " of another machine");
}

bool syscalls_refused(int watch, char text[SYSCALL_NAME])
{
	struct seccomp_notif call = { 0 };

	/* whoever made it may have ended since */
	if (ioctl(watch, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return false;
	syscalls_name(call.data.arch, call.data.nr, text);
	return true;
}
