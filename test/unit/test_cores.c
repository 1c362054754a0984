/*
 * test_cores.c - how many processors control groups leave.
 */
#include "unit.h"

#include <sys/stat.h>

#include "cores.h"
#include "scratch.h"

/* A scratch file with its directories. */
static void put(const char *name, const char *text)
{
	autofree char *path = xstrdup(in_scratch(name));
	FILE *f;

	for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = 0;
		mkdir(path, 0700);
	}
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static double cores(const char *dir)
{
	autofree char *membership = xasprintf("%s/self", dir);
	autofree char *at = xstrdup(in_scratch(membership)), *mount = xstrdup(in_scratch(dir));

	return cores_of_groups(at, mount);
}

static void no_groups_and_no_quota_bound_nothing(void **state)
{
	(void)state;
	assert_int_equal(cores("absent"), 0);
	put("none/self", "0::/user.slice\n");
	put("none/user.slice/cpu.max", "max 100000\n");
	assert_int_equal(cores("none"), 0);
}

static void a_quota_may_be_less_than_one(void **state)
{
	(void)state;
	put("two/self", "0::/\n");
	put("two/cpu.max", "150000 100000\n");
	assert_true(cores("two") > 1.49 && cores("two") < 1.51);
	put("two/cpu.max", "20000 100000\n");
	assert_true(cores("two") > 0.19 && cores("two") < 0.21);
}

static void the_least_on_the_way_to_the_root_counts(void **state)
{
	(void)state;
	put("deep/self", "0::/a/b/c\n");
	put("deep/a/b/c/cpu.max", "800000 100000\n");
	put("deep/a/cpu.max", "300000 100000\n");
	assert_int_equal(cores("deep"), 3);
}

static void the_first_version_says_it_in_two_files(void **state)
{
	(void)state;
	put("old/self", "5:memory:/x\n4:cpu,cpuacct:/job\n3:cpuset:/\n0::/\n");
	put("old/cpu,cpuacct/job/cpu.cfs_quota_us", "400000\n");
	put("old/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
	put("old/cpuset/cpu.cfs_quota_us", "100000\n");
	put("old/cpuset/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cores("old"), 4);
	put("old/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
	assert_int_equal(cores("old"), 0);
}

static void there_is_always_one(void **state)
{
	(void)state;
	assert_true(cores_usable() >= 1 && cores_whole() <= cores_usable());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_groups_and_no_quota_bound_nothing), cmocka_unit_test(a_quota_may_be_less_than_one),
		cmocka_unit_test(the_least_on_the_way_to_the_root_counts), cmocka_unit_test(the_first_version_says_it_in_two_files),
		cmocka_unit_test(there_is_always_one),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
