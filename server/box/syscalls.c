/*
 * syscalls.c - the table of allowed system calls, as a filter for the kernel.
 *
 * What a compiler does: files by name below its root, memory, time, threads.
 * No second process, no socket, no mount, no tracing, no signal to others.
 * Whatever has no row ends the process by SIGSYS. The filter is a list of
 * comparisons; the kernel works out once which calls always pass, so its
 * length costs nothing later.
 */
#include "syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
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

enum { EXTRAS = 16 };
static struct sock_filter code[2 * ARRAY_LEN(allowed) + EXTRAS];
static struct sock_fprog program = { .filter = code };

static void add(struct sock_filter step)
{
	code[program.len++] = step;
}

#define LOAD(field) add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
#define SKIP_UNLESS(value) add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1))
#define END(verdict) add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (verdict)))

/* clone, but a thread only: low half of its first argument. */
static void add_clone(void)
{
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4));
	LOAD(args[0]);
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
	END(SECCOMP_RET_ALLOW);
	END(SECCOMP_RET_KILL_PROCESS);
}

static void make_filter(unsigned machine)
{
	LOAD(arch);
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0));
	END(SECCOMP_RET_KILL_PROCESS);
	LOAD(nr);
	/* x32's calls have high numbers, and so no row */
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		SKIP_UNLESS(allowed[i]);
		END(SECCOMP_RET_ALLOW);
	}
	SKIP_UNLESS(REFUSED);
	END(SECCOMP_RET_ERRNO | ENOSYS);
	add_clone();
	END(SECCOMP_RET_KILL_PROCESS);
}

const struct sock_fprog *syscalls_filter(void)
{
#ifdef MACHINE
	if (!program.len)
		make_filter(MACHINE);
	return &program;
#else
	return NULL;
#endif
}

int syscalls_restrict(const struct sock_fprog *filter)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter);
}
