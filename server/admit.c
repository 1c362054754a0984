/*
 * admit.c - slots, reservations and grants.
 *
 * Late binding lives here: an agent reserves at several volunteers and takes
 * the first grant, so a grant is only worth a moment. One that is not used
 * lapses, and the slot goes to whoever is next.
 */
#include "admit.h"

struct reservation {
	uint64_t owner;
	uint32_t id;
	uint64_t arrival;	/* its number in the order of arrival */
	uint32_t predicted_ms;
	int8_t niceness;
};

struct grant {
	struct reservation of;
	uint64_t token;
	uint64_t lapses_ms;
};

struct admit {
	struct admit_config config;
	struct reservation *queue;	/* in no order but that of before() */
	size_t queued, room;
	struct grant *grants;		/* at most config.slots */
	unsigned granted, running;
	uint64_t arrivals;
	unsigned capacity;		/* at most config.slots */
	bool draining;
};

struct admit *admit_new(const struct admit_config *config)
{
	struct admit *a = xcalloc(1, sizeof *a);

	a->config = *config;
	a->capacity = config->slots;
	a->grants = xcalloc(config->slots, sizeof *a->grants);
	return a;
}

void admit_free(struct admit *a)
{
	if (!a)
		return;
	free(a->queue);
	free(a->grants);
	free(a);
}

void admit_actions_free(struct admit_actions *actions)
{
	free(actions->v);
	*actions = (struct admit_actions){ 0 };
}

static void act(struct admit_actions *out, struct admit_action action)
{
	if (out->count == out->room) {
		out->room = out->room ? out->room * 2 : 16;
		out->v = xrealloc(out->v, out->room * sizeof *out->v);
	}
	out->v[out->count++] = action;
}

static void refuse(struct admit_actions *out, uint64_t owner, uint32_t id, enum refusal refusal)
{
	act(out, (struct admit_action){ .verdict = ADMIT_REFUSE, .owner = owner, .id = id, .refusal = refusal });
}

/* Who is served first. The one place that decides it: first come, first served. */
static bool before(const struct reservation *a, const struct reservation *b)
{
	return a->arrival < b->arrival;
}

static size_t first_in_queue(const struct admit *a)
{
	size_t first = 0;

	for (size_t i = 1; i < a->queued; i++)
		if (before(&a->queue[i], &a->queue[first]))
			first = i;
	return first;
}

/* The order of the array says nothing, so the last may take the place of one that goes. */
static void drop_queued(struct admit *a, size_t at) { a->queue[at] = a->queue[--a->queued]; }
static void drop_grant(struct admit *a, size_t at) { a->grants[at] = a->grants[--a->granted]; }

/* Give what is free to who is first. */
static void serve(struct admit *a, uint64_t now_ms, struct admit_actions *out)
{
	while (a->queued && a->running + a->granted < a->capacity) {
		size_t at = first_in_queue(a);
		struct grant *g = &a->grants[a->granted++];

		*g = (struct grant){ .of = a->queue[at], .token = a->config.new_token(),
				     .lapses_ms = now_ms + a->config.grant_ms };
		drop_queued(a, at);
		act(out, (struct admit_action){ .verdict = ADMIT_GRANT, .owner = g->of.owner, .id = g->of.id,
						.token = g->token });
	}
}

static unsigned queued_of(const struct admit *a, uint64_t owner)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->queued; i++)
		n += a->queue[i].owner == owner;
	return n;
}

static void on_reserve(struct admit *a, const struct admit_event *e, struct admit_actions *out)
{
	if (a->draining) {
		refuse(out, e->owner, e->id, REFUSAL_DRAINING);
		return;
	}
	if (!a->capacity) {
		refuse(out, e->owner, e->id, REFUSAL_OWNER);
		return;
	}
	if (a->queued >= a->config.queue_max || queued_of(a, e->owner) >= a->config.owner_max) {
		refuse(out, e->owner, e->id, REFUSAL_QUEUE_FULL);
		return;
	}
	if (a->queued == a->room) {
		a->room = a->room ? a->room * 2 : 32;
		a->queue = xrealloc(a->queue, a->room * sizeof *a->queue);
	}
	a->queue[a->queued++] = (struct reservation){ .owner = e->owner, .id = e->id, .arrival = a->arrivals++,
						      .predicted_ms = e->predicted_ms, .niceness = e->niceness };
}

/* CANCEL and LEAVE: forget what is the owner's; with every_id, whatever its number. */
static void give_up(struct admit *a, const struct admit_event *e, bool every_id)
{
	for (size_t i = a->queued; i-- > 0; )
		if (a->queue[i].owner == e->owner && (every_id || a->queue[i].id == e->id))
			drop_queued(a, i);
	for (size_t i = a->granted; i-- > 0; )
		if (a->grants[i].of.owner == e->owner && (every_id || a->grants[i].of.id == e->id))
			drop_grant(a, i);
}

/* Checked by time, not by whether a tick came: the answer does not depend on the timer. */
static void lapse(struct admit *a, uint64_t now_ms)
{
	for (size_t i = a->granted; i-- > 0; )
		if (a->grants[i].lapses_ms <= now_ms)
			drop_grant(a, i);
}

static void on_redeem(struct admit *a, const struct admit_event *e, struct admit_actions *out)
{
	for (size_t i = 0; i < a->granted; i++) {
		int8_t niceness = a->grants[i].of.niceness;

		if (a->grants[i].token != e->token)
			continue;
		drop_grant(a, i);
		a->running++;
		act(out, (struct admit_action){ .verdict = ADMIT_START, .owner = e->owner, .niceness = niceness });
		return;
	}
	refuse(out, e->owner, 0, REFUSAL_GRANT_EXPIRED);
}

static void refuse_all(struct admit *a, enum refusal refusal, struct admit_actions *out)
{
	for (size_t i = 0; i < a->queued; i++)
		refuse(out, a->queue[i].owner, a->queue[i].id, refusal);
	a->queued = 0;
}

static void on_drain(struct admit *a, struct admit_actions *out)
{
	a->draining = true;
	refuse_all(a, REFUSAL_DRAINING, out);
}

/* Without a slot for who knows how long, whoever waits is better off elsewhere. */
static void on_capacity(struct admit *a, const struct admit_event *e, struct admit_actions *out)
{
	a->capacity = e->capacity < a->config.slots ? e->capacity : a->config.slots;
	if (!a->capacity)
		refuse_all(a, REFUSAL_OWNER, out);
}

void admit_step(struct admit *a, const struct admit_event *e, uint64_t now_ms, struct admit_actions *out)
{
	lapse(a, now_ms);
	switch (e->kind) {
	case ADMIT_RESERVE: on_reserve(a, e, out); break;
	case ADMIT_CANCEL: give_up(a, e, false); break;
	case ADMIT_LEAVE: give_up(a, e, true); break;
	case ADMIT_REDEEM: on_redeem(a, e, out); break;
	case ADMIT_FINISH: a->running -= a->running > 0; break;
	case ADMIT_DRAIN: on_drain(a, out); break;
	case ADMIT_CAPACITY: on_capacity(a, e, out); break;
	case ADMIT_TICK: case ADMIT_KINDS: break;
	}
	serve(a, now_ms, out);
}

uint64_t admit_deadline(const struct admit *a)
{
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < a->granted; i++)
		if (a->grants[i].lapses_ms < first)
			first = a->grants[i].lapses_ms;
	return first;
}

struct admit_counts admit_counts(const struct admit *a)
{
	return (struct admit_counts){ .slots = a->config.slots, .capacity = a->capacity, .running = a->running, .granted = a->granted,
				      .queued = (unsigned)a->queued, .draining = a->draining };
}
