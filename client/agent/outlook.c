/*
 * outlook.c - bookkeeping of our own jobs at one volunteer, and the wait that follows from it.
 */
#include "outlook.h"

enum { RUNS_MAX = 64 };		/* of our jobs there, that many are looked at one by one */
static const double nearly_all = 0.9, most = 0.8;	/* of what a machine can do */
static const double a_third = 0.34;	/* of a job: one of three reservations for it */

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

static double company_now(const struct outlook *o, uint64_t now_us)
{
	return o->company_us + (double)o->running_count * (double)(now_us - o->changed_us);
}

static void pass_time(struct outlook *o, uint64_t now_us)
{
	o->company_us = company_now(o, now_us);
	o->changed_us = now_us;
}

void outlook_started(struct outlook *o, const struct outlook_run *run)
{
	pass_time(o, run->since_us);
	if (o->running_count == o->running_room) {
		o->running_room = o->running_room ? 2 * o->running_room : 4;
		o->running = xrealloc(o->running, o->running_room * sizeof *o->running);
	}
	o->running[o->running_count] = *run;
	o->running[o->running_count++].company_us = o->company_us;
}

void outlook_ended(struct outlook *o, uint64_t id, uint64_t now_us)
{
	pass_time(o, now_us);
	for (size_t i = 0; i < o->running_count; i++)
		if (o->running[i].id == id) {
			memmove(o->running + i, o->running + i + 1, (--o->running_count - i) * sizeof *o->running);
			return;
		}
}

void outlook_foresee(struct outlook *o, uint64_t id, uint64_t predicted_us)
{
	for (size_t i = 0; i < o->running_count; i++)
		if (o->running[i].id == id)
			o->running[i].predicted_us = predicted_us;
}

static double load_of(const struct outlook *o, double others)
{
	if (o->slots < 2 || others <= 0)
		return 0;
	return others >= o->slots - 1 ? 1 : others / (o->slots - 1);
}

/* Slots that are taken: those it last spoke of, or all of ours. */
static unsigned busy(const struct outlook *o)
{
	unsigned said = o->slots > o->free ? o->slots - o->free : 0, ours = (unsigned)o->running_count;

	return ours > said ? ours : said;
}

static unsigned useful(const struct outlook *o, uint64_t now_us)
{
	return speed_useful_slots(&o->speed, o->slots, nearly_all, now_us / 1000);
}

/* With so many others there, or as many as are of use. */
static double load_with(const struct outlook *o, unsigned others, uint64_t now_us)
{
	unsigned slots = useful(o, now_us);

	return load_of(o, slots && others >= slots ? slots - 1 : others);
}

double outlook_load(const struct outlook *o, uint64_t now_us) { return load_with(o, busy(o), now_us); }

double outlook_load_of(const struct outlook *o, uint64_t id, uint64_t now_us)
{
	for (size_t i = 0; i < o->running_count; i++) {
		const struct outlook_run *r = &o->running[i];

		if (r->id == id && now_us > r->since_us)
			return load_of(o, (company_now(o, now_us) - r->company_us) / (double)(now_us - r->since_us) - 1);
	}
	return 0;
}

double outlook_speed(const struct outlook *o, uint64_t now_us) { return speed_now(&o->speed, outlook_load(o, now_us), now_us / 1000); }

static bool has_use(const struct outlook *o, double more, uint64_t now_us)
{
	unsigned slots = useful(o, now_us);

	return slots == o->slots || (double)o->running_count + more <= slots;
}

bool outlook_worth_asking(const struct outlook *o, uint64_t now_us) { return has_use(o, o->pending + a_third, now_us); }

bool outlook_worth_taking(const struct outlook *o, uint64_t now_us) { return has_use(o, 1, now_us); }

bool outlook_does_most(const struct outlook *o, uint64_t now_us)
{
	return o->running_count >= speed_useful_slots(&o->speed, o->slots, most, now_us / 1000);
}

bool outlook_has_room(const struct outlook *o, uint64_t now_us) { return o->free > o->pending && outlook_worth_asking(o, now_us); }

static uint64_t left_of(const struct outlook_run *r, double speed, uint64_t now_us)
{
	return finish_left_us((uint64_t)((double)r->predicted_us / speed), now_us - r->since_us);
}

uint64_t outlook_wait_us(const struct outlook *o, uint64_t mean_us, uint64_t now_us)
{
	double speed = outlook_speed(o, now_us);
	unsigned others = o->queued > o->outstanding ? o->queued - o->outstanding : 0, slots = useful(o, now_us), ours = (unsigned)o->running_count;
	unsigned of_use = slots == o->slots ? slots : slots > ours ? slots - ours : 0;	/* by our jobs: what it said is older */
	uint64_t left[RUNS_MAX];
	struct finish_slots s = { .slots = slots, .free = o->free < of_use ? o->free : of_use, .ours_us = left, .mean_us = (uint64_t)((double)mean_us / speed),
				  .ahead = (unsigned)(o->pending + 0.5) + others / RESERVATIONS };

	for (size_t i = 0; i < o->running_count && s.ours < RUNS_MAX; i++)
		left[s.ours++] = left_of(&o->running[i], speed, now_us);
	return finish_wait_us(&s);
}

/* Until all of ours there have ended. */
static uint64_t until_alone_us(const struct outlook *o, uint64_t now_us)
{
	double speed = outlook_speed(o, now_us);
	uint64_t longest = 0;

	for (size_t i = 0; i < o->running_count; i++) {
		uint64_t left = left_of(&o->running[i], speed, now_us);

		longest = left > longest ? left : longest;
	}
	return longest;
}

/* What they take from it until then is a wait; after that only others' jobs are there. */
static void outlast(const struct outlook *o, uint64_t now_us, struct finish_peer *p)
{
	double alone = speed_now(&o->speed, load_with(o, busy(o) - (unsigned)o->running_count, now_us), now_us / 1000);
	uint64_t until = until_alone_us(o, now_us);

	if (until > p->wait_us)
		p->wait_us += (uint64_t)((double)(until - p->wait_us) * (1 - p->speed / alone));
	p->speed = alone;
}

struct finish_peer outlook_peer(const struct outlook *o, uint64_t mean_us, bool lasting, uint64_t now_us)
{
	struct finish_peer p = { .slots = o->slots, .speed = outlook_speed(o, now_us), .wait_us = outlook_wait_us(o, mean_us, now_us) };

	if (lasting)
		outlast(o, now_us, &p);
	return p;
}
