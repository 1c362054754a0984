/*
 * outlook.c - bookkeeping of our own jobs at one volunteer, and the wait that follows from it.
 */
#include "outlook.h"

enum { RUNS_MAX = 64 };		/* of our jobs there, that many are looked at one by one */

void outlook_free(struct outlook *o)
{
	free(o->running);
	*o = (struct outlook){ 0 };
}

void outlook_reserved(struct outlook *o, double share)
{
	o->outstanding++;
	o->pending += share;
}

void outlook_unreserved(struct outlook *o, double share)
{
	o->outstanding--;
	/* sums of thirds drift */
	o->pending = o->outstanding ? o->pending - share : 0;
}

void outlook_started(struct outlook *o, const struct outlook_run *run)
{
	if (o->running_count == o->running_room) {
		o->running_room = o->running_room ? 2 * o->running_room : 4;
		o->running = xrealloc(o->running, o->running_room * sizeof *o->running);
	}
	o->running[o->running_count++] = *run;
}

void outlook_ended(struct outlook *o, uint64_t id)
{
	for (size_t i = 0; i < o->running_count; i++)
		if (o->running[i].id == id) {
			memmove(o->running + i, o->running + i + 1, (--o->running_count - i) * sizeof *o->running);
			return;
		}
}

bool outlook_has_room(const struct outlook *o) { return o->free > o->pending; }

uint64_t outlook_wait_us(const struct outlook *o, uint64_t mean_us, uint64_t now_us)
{
	double speed = speed_now(&o->speed, now_us / 1000);
	unsigned others = o->queued > o->outstanding ? o->queued - o->outstanding : 0;
	uint64_t left[RUNS_MAX];
	struct finish_slots s = { .slots = o->slots, .free = o->free, .ours_us = left, .mean_us = (uint64_t)((double)mean_us / speed),
				  .ahead = (unsigned)(o->pending + 0.5) + others / RESERVATIONS };

	for (size_t i = 0; i < o->running_count && s.ours < RUNS_MAX; i++) {
		const struct outlook_run *r = &o->running[i];

		left[s.ours++] = finish_left_us((uint64_t)((double)r->predicted_us / speed), now_us - r->since_us);
	}
	return finish_wait_us(&s);
}

struct finish_peer outlook_peer(const struct outlook *o, uint64_t mean_us, uint64_t now_us)
{
	return (struct finish_peer){ .slots = o->slots, .speed = speed_now(&o->speed, now_us / 1000),
				     .wait_us = outlook_wait_us(o, mean_us, now_us) };
}
