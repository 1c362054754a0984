/*
 * cores.h - how many processors this process may use at once.
 *
 * Those that it may run on (sched_setaffinity(2)), and no more than its control groups give it time for: a container that was
 * given two of sixty-four processors is a machine with two.
 */
#ifndef RCC_CORES_H
#define RCC_CORES_H

/* At least 1. */
unsigned cores_usable(void);
/* Whole ones: 0 where groups give less time than that of one. */
unsigned cores_whole(void);

/*
 * The bound of control groups alone, in processors; 0: none. membership: a /proc/self/cgroup (cgroups(7)); mount: where the
 * hierarchies are, /sys/fs/cgroup. Version 2: cpu.max; version 1: cpu.cfs_quota_us and cpu.cfs_period_us; of the group and of
 * those above it, as far as they can be seen.
 */
double cores_of_groups(const char *membership, const char *mount);

#endif
