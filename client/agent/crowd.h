/*
 * crowd.h - does this machine have a processor to spare? Told by how long we ourselves wait for one.
 *
 * That no compile of ours runs here does not make a core idle: others use it, or a control group that cannot be seen from here
 * gives less time than there are cores. Who is ready to run and is not run has met either.
 */
#ifndef RCC_CROWD_H
#define RCC_CROWD_H

#include "base.h"

struct crowd {			/* looked_us: when it begins; else all zero */
	uint64_t looked_us, waited_us;
	double share;		/* of the time of late that we were ready, and did not run */
	double held;		/* the most that it was, which fades slower */
};

/* How long the calling process' first thread has ever waited so, in microseconds (/proc/self/schedstat); 0: the kernel does not tell. */
uint64_t crowd_waited_us(void);
/* Pure: another look would tell something. */
bool crowd_is_due(const struct crowd *c, uint64_t now_us);
/* Pure: another look. */
void crowd_look(struct crowd *c, uint64_t waited_us, uint64_t now_us);
/* Pure: there is none to spare. */
bool crowd_is(const struct crowd *c);

#endif
