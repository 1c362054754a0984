/*
 * lease.h - local slots, each held by a process until it ends.
 *
 * A wrapper hands over its own pidfd; exec keeps the process, so the slot is
 * freed when the compiler exits, however it does, and nothing is inherited.
 */
#ifndef RCC_LEASE_H
#define RCC_LEASE_H

#include <sys/types.h>
#include <uv.h>

#include "history.h"
#include "reason.h"
#include "stats.h"

struct leases;

/* What is to be learned from how long it lasts. */
struct lease_note {
	struct history_job job;		/* key 0: nothing */
	uint64_t predicted_us;		/* 0: nothing was known of it */
};

/* freed is called whenever a lease ends, us after its begin; company: so many other slots were taken meanwhile, on average. */
struct leases *leases_new(uv_loop_t *loop, struct stats *stats,
			  void (*freed)(void *arg, const struct lease_note *note, uint64_t us, double company), void *arg);
/*
 * Lease a slot to the process pid, of which pidfd (taken over) tells the end.
 * below: the text of a live lease that it runs under; then
 * it takes no slot of its own, else so many as slots says. The time until its end is counted for reason. Returns the text
 * for RCC_LEASE, borrowed: valid until the loop goes on.
 */
const char *lease_new(struct leases *ls, pid_t pid, int pidfd, const char *below, unsigned slots, enum reason reason,
		      const struct lease_note *note);
/* Is this the text of a live lease? NULL and "" are not. */
bool lease_live(const struct leases *ls, const char *text);
/* Slots taken. */
unsigned leases_taken(const struct leases *ls);
/* Processes that hold or share one. */
unsigned leases_count(const struct leases *ls);

#endif
