/*
 * cores.c - affinity, and the quotas of control groups from a process's own up to the root.
 */
#include "cores.h"

#include <sched.h>
#include <stdio.h>

#include "buf.h"
#include "file.h"

enum { FILE_MAX = 64 << 10 };

static bool read_pair(const char *text, double *quota, double *period)
{
	return sscanf(text, "%lf %lf", quota, period) == 2;
}

/* Both figures of one group; false: it has no bound. */
static bool quota_of(const char *group, bool unified, double *quota, double *period)
{
	autofree char *path = xasprintf("%s/%s", group, unified ? "cpu.max" : "cpu.cfs_quota_us");
	autobuf struct buf b = { 0 };

	if (read_file(path, FILE_MAX, &b, NULL) < 0)
		return false;
	if (!unified) {
		autofree char *other = xasprintf("%s/cpu.cfs_period_us", group);

		if (read_file(other, FILE_MAX, &b, NULL) < 0)	/* behind the quota, which ends with a newline */
			return false;
	}
	return read_pair(buf_str(&b), quota, period) && *quota > 0 && *period > 0;	/* "max", -1: none */
}

/* The least of a group and those above it. hierarchy stays, below is cut up. */
static void bound_by(const char *hierarchy, char *below, bool unified, double *least)
{
	for (;;) {
		autofree char *group = xasprintf("%s%s", hierarchy, below);
		double quota, period;
		char *slash;

		if (quota_of(group, unified, &quota, &period) && (*least <= 0 || quota / period < *least))
			*least = quota / period;
		slash = strrchr(below, '/');
		if (!slash)
			return;
		*slash = 0;
	}
}

/* "cpu" among the controllers of a line. */
static bool has_cpu(const char *controllers, size_t len)
{
	for (const char *p = controllers, *end = controllers + len; p < end; p += strcspn(p, ",:") + 1)
		if (str_starts(p, "cpu") && (p[3] == ',' || p[3] == ':'))
			return true;
	return false;
}

double cores_of_groups(const char *membership, const char *mount)
{
	autobuf struct buf b = { 0 };
	double least = 0;
	char *save = NULL;

	if (read_file(membership, FILE_MAX, &b, NULL) < 0)
		return 0;
	for (char *line = strtok_r(buf_str(&b), "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
		autofree char *hierarchy = NULL;
		bool unified;

		if (!path)
			continue;
		controllers++;
		unified = path == controllers;
		if (!unified && !has_cpu(controllers, (size_t)(path - controllers)))
			continue;
		hierarchy = unified ? xstrdup(mount) : xasprintf("%s/%.*s", mount, (int)(path - controllers), controllers);
		bound_by(hierarchy, path + 1, unified, &least);
	}
	return least;
}

static unsigned affinity(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : (unsigned)CPU_COUNT(&set);
}

static double bound(void) { return cores_of_groups("/proc/self/cgroup", "/sys/fs/cgroup"); }

unsigned cores_usable(void)
{
	unsigned cores = affinity();
	double most = bound();
	unsigned whole = (unsigned)most;

	if (most <= 0 || most > cores)
		return cores;
	return whole < most ? whole + 1 : whole;
}

unsigned cores_whole(void)
{
	unsigned cores = affinity();
	double most = bound();

	return most <= 0 || most > cores ? cores : (unsigned)most;
}
