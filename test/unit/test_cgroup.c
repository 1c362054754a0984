/*
 * test_cgroup.c - what is written where, on a directory of plain files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "file.h"

static char directory[64];
static struct err why;

static void put(const char *name, const char *text)
{
	autofree char *path = xasprintf("%s/%s", directory, name);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void make_dir(const char *name)
{
	autofree char *path = xasprintf("%s/%s", directory, name);

	assert_int_equal(mkdir(path, 0700), 0);
}

static void assert_holds(const char *name, const char *want)
{
	autofree char *path = xasprintf("%s/%s", directory, name);
	autobuf struct buf text = { 0 };

	assert_int_equal(read_file(path, 4096, &text, NULL), 0);
	assert_string_equal(buf_str(&text), want);
}

static int setup(void **state UNUSED)
{
	snprintf(directory, sizeof directory, "/tmp/test_cgroup.XXXXXX");
	assert_non_null(mkdtemp(directory));
	why = (struct err){ 0 };
	make_dir("rccd");
	put("cgroup.procs", "");
	put("rccd/cgroup.procs", "");
	return 0;
}

static int teardown(void **state UNUSED) { return remove_tree(AT_FDCWD, directory); }

/* A kernel's directory of a job, as far as these controllers have files in it. */
static void make_job(void)
{
	static const char *const names[] = { "memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.idle",
					     "cpu.weight", "cgroup.kill" };

	make_dir("job-1");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		autofree char *name = xasprintf("job-1/%s", names[i]);

		put(name, "");
	}
	put("job-1/memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\noom_group_kill 0\n");
}

static void a_jobs_limits_are_written(void **state UNUSED)
{
	autofree char *pid = xasprintf("%d", getpid());
	struct cgroups *g;

	put("cgroup.controllers", "cpuset cpu io memory pids\n");
	put("cgroup.subtree_control", "");
	make_job();
	g = cgroups_open_at(directory, 2, &why);
	assert_non_null(g);
	assert_holds("rccd/cgroup.procs", pid);
	assert_true(str_starts(cgroups_text(g), "memory pids cpu in /tmp/"));
	assert_true(cgroup_prepare(g, 1, (uint64_t)1 << 30, true) >= 0);
	assert_holds("job-1/memory.max", "1140850688");
	assert_holds("job-1/memory.swap.max", "0");
	assert_holds("job-1/memory.oom.group", "1");
	assert_holds("job-1/pids.max", "80");
	assert_holds("job-1/cpu.idle", "1");
	assert_holds("job-1/cpu.weight", "");
	put("job-1/cpu.idle", "");
	assert_true(cgroup_prepare(g, 1, (uint64_t)1 << 30, false) >= 0);
	assert_holds("job-1/cpu.idle", "0");
	assert_holds("job-1/cpu.weight", "100");
	assert_int_equal(cgroup_prepare(g, 2, 0, false), -1);
	cgroup_clear(g, 1);
	assert_holds("job-1/cgroup.kill", "1");
	cgroups_close(g);
}

static void a_kill_for_memory_is_this_jobs(void **state UNUSED)
{
	struct cgroups *g;

	put("cgroup.controllers", "memory\n");
	put("cgroup.subtree_control", "");
	make_job();
	g = cgroups_open_at(directory, 2, &why);
	assert_non_null(g);
	cgroup_prepare(g, 1, (uint64_t)1 << 30, false);
	assert_false(cgroup_ran_out(g, 1));
	put("job-1/memory.events", "low 0\noom 3\noom_kill 3\n");
	assert_true(cgroup_ran_out(g, 1));
	assert_false(cgroup_ran_out(g, 0));
	cgroup_prepare(g, 1, (uint64_t)1 << 30, false);
	assert_false(cgroup_ran_out(g, 1));
	assert_holds("job-1/pids.max", "");
	cgroups_close(g);
}

static void nothing_is_touched_where_there_is_nothing_to_have(void **state UNUSED)
{
	put("cgroup.controllers", "hugetlb cpuset\n");
	assert_null(cgroups_open_at(directory, 2, &why));
	assert_non_null(strstr(why.text, "none of memory, pids and cpu"));
	assert_holds("rccd/cgroup.procs", "");
	/* not ours to divide: no file that takes controllers */
	put("cgroup.controllers", "memory\n");
	assert_null(cgroups_open_at(directory, 2, &why));
	assert_non_null(strstr(why.text, "cgroup.subtree_control"));
	assert_null(cgroups_open_at("/nowhere/at/all", 2, &why));
	assert_int_equal(cgroup_prepare(NULL, 0, 1, false), -1);
	assert_false(cgroup_ran_out(NULL, 0));
}

#define MOUNTS "22 1 0:21 / /proc rw - proc proc rw\n30 22 0:26 %s /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"

static void its_place_is_found(void **state UNUSED)
{
	static const struct { const char *cgroup, *root, *want; } cases[] = {
		{ "0::/user.slice/a.service\n", "/", "/sys/fs/cgroup/user.slice/a.service" },
		{ "9:name=systemd:/\n8:pids:/x\n0::/\n", "/", "/sys/fs/cgroup/" },
		{ "0::/docker/abc\n", "/docker/abc", "/sys/fs/cgroup" },
		{ "0::/other\n", "/docker/abc", NULL },
		{ "0::/docker/abcd\n", "/docker/abc", NULL },
		{ "8:pids:/x\n", "/", NULL },
		{ "", "/", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autofree char *mounts = xasprintf(MOUNTS, cases[i].root);
		autofree char *found = cgroup_directory(cases[i].cgroup, mounts);

		if (!cases[i].want)
			assert_null(found);
		else
			assert_string_equal(found, cases[i].want);
	}
	assert_null(cgroup_directory("0::/\n", "22 1 0:21 / /proc rw - proc proc rw\n"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_jobs_limits_are_written),
		TEST(a_kill_for_memory_is_this_jobs),
		TEST(nothing_is_touched_where_there_is_nothing_to_have),
		TEST(its_place_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
