/*
 * spawner.h - the process that makes boxes, and nothing else.
 */
#ifndef RCC_BOX_SPAWNER_H
#define RCC_BOX_SPAWNER_H

#include "namespaces.h"

/* Serve rccd on BOX_FD until it is gone. Returns the exit status. */
int box_spawner(const struct mode *m);

/*
 * fork(2) into namespaces of its own, and into the cgroup unless that is -1: 0
 * in the child, which is a box's process; its pid and pidfd in the parent. -1:
 * errno says why.
 */
pid_t spawn_box(const struct mode *m, int cgroup_fd, int *pidfd);

#endif
