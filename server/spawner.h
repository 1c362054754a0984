/*
 * spawner.h - rccd's end of the spawn server, which makes its boxes.
 */
#ifndef RCC_SPAWNER_H
#define RCC_SPAWNER_H

#include <uv.h>

#include "err.h"

struct spawner;
struct spawned;		/* a box that was asked for, until its end */

/* why: "" when it ended by itself and well. The spawned is gone: forget the pointer. */
typedef void spawned_end(void *arg, const char *why);

/* Start it: box is the program, mode its word (namespaces.h). Waits until it is ready. ERR_IO. */
int spawner_open(uv_loop_t *loop, const char *box, const char *mode, struct spawner **out, struct err *err);
/* Once no box is left, it ends; the loop runs until then. s may be NULL. */
void spawner_close(struct spawner *s);

/*
 * Make a box. Its socket and its cgroup (-1: none) stay the caller's. A spawn
 * server that has died is started again, once for each call. on_end comes later.
 */
int spawner_box(struct spawner *s, int socket, int cgroup_fd, spawned_end *on_end, void *arg,
		struct spawned **out, struct err *err);
/*
 * All boxes together: give way to every other session of the machine, or do not, so that what is to end can.
 * Holds for a spawn server that is started again, too. sched(7), "The autogroup feature".
 */
void spawner_give_way(struct spawner *s, bool yes);
/* It was asked to end, and did not. */
void spawned_kill(struct spawned *b);

#endif
