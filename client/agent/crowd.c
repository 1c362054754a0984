/*
 * crowd.c - the share of time spent waiting for a processor, as a mean that fades.
 */
#include "crowd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
	LOOK_US = 10000,	/* closer looks tell of single waits */
	FADE_US = 150000,	/* what is as old as this weighs a third */
	HOLD_US = 1000000,	/* and a crowd that is gone a third: it comes again with the next of our own jobs */
};
static const double crowded = 1.0 / 3;

uint64_t crowd_waited_us(void)
{
	static int fd = -1;
	char text[128];
	uint64_t ran_ns, waited_ns;
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	n = pread(fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = 0;
	return sscanf(text, "%" SCNu64 " %" SCNu64, &ran_ns, &waited_ns) == 2 ? waited_ns / 1000 : 0;
}

bool crowd_is_due(const struct crowd *c, uint64_t now_us) { return now_us >= c->looked_us + LOOK_US; }

void crowd_look(struct crowd *c, uint64_t waited_us, uint64_t now_us)
{
	uint64_t passed = now_us - c->looked_us;
	double kept, share, held;

	if (!crowd_is_due(c, now_us) || waited_us < c->waited_us)
		return;
	kept = c->waited_us ? exp(-(double)passed / FADE_US) : 0;	/* the first look is all there is */
	share = fmin(1, (double)(waited_us - c->waited_us) / (double)passed);
	share = c->share * kept + share * (1 - kept);
	held = c->held * exp(-(double)passed / HOLD_US);
	*c = (struct crowd){ .looked_us = now_us, .waited_us = waited_us, .share = share, .held = fmax(held, share) };
}

bool crowd_is(const struct crowd *c) { return c->held > crowded; }
