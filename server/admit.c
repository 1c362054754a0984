/*
 * admit.c - slots, reservations and grants.
 *
 * Late binding lives here: an agent reserves at several volunteers and takes
 * the first grant, so a grant is only worth a moment. One that is not used
 * lapses, and the slot goes to whoever is next.
 */
#include "admit.h"

#include "shares.h"

enum { TYPICAL_US = 1000 * 1000, TYPICAL_OF = 16 };	/* what a job takes, before we know; a mean over so many */

struct reservation {
	uint64_t owner;
	uint32_t id;
	uint64_t arrival;	/* its number in the order of arrival */
	struct share *share;
	uint32_t predicted_ms, predicted_mb;
	int8_t niceness;
};

/* A slot that is granted or running. */
struct slot {
	struct reservation of;
	uint64_t token;
	bool running;
	uint64_t since_ms, lapses_ms;
	uint64_t charged_us;
};

struct admit {
	struct admit_config config;
	struct reservation *queue;	/* in no order but that of before() */
	size_t queued, room;
	struct slot *busy;		/* at most config.slots */
	unsigned held, running;
	struct shares shares;
	uint64_t now_ms;		/* of the event at hand */
	uint64_t short_until_ms;	/* a slot is kept for short jobs */
	uint64_t typical_us;		/* that a job takes */
	uint64_t arrivals;
	unsigned capacity;		/* at most config.slots */
	bool draining;
};

struct admit *admit_new(const struct admit_config *config)
{
	struct admit *a = xcalloc(1, sizeof *a);

	a->config = *config;
	a->capacity = config->slots;
	a->typical_us = TYPICAL_US;
	a->busy = xcalloc(config->slots, sizeof *a->busy);
	return a;
}

void admit_free(struct admit *a)
{
	if (!a)
		return;
	free(a->queue);
	free(a->busy);
	shares_free(&a->shares);
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

/* A slot's part of the memory. */
static uint32_t part_mb(const struct admit *a) { return a->config.memory_mb / a->config.slots; }

static uint32_t need_mb(const struct admit *a, const struct reservation *r)
{
	uint32_t mb = r->predicted_mb ? r->predicted_mb : part_mb(a);

	return mb < a->config.memory_mb ? mb : a->config.memory_mb;
}

/* Who takes the memory of two slots is charged for two. */
static uint64_t occupancy_us(const struct admit *a, const struct reservation *r, uint64_t ms)
{
	uint32_t part = part_mb(a), need = need_mb(a, r);

	return part && need > part ? ms * 1000 * need / part : ms * 1000;
}

static uint64_t expected_us(const struct admit *a, const struct reservation *r)
{
	return r->predicted_ms ? occupancy_us(a, r, r->predicted_ms) : a->typical_us;
}

static bool is_short(const struct reservation *r) { return r->predicted_ms && r->predicted_ms <= SHORT_MS; }

/* The charge becomes that, if it was less. */
static void charge(struct slot *slot, uint64_t us)
{
	if (us <= slot->charged_us)
		return;
	share_charge(slot->of.share, us - slot->charged_us, slot->of.niceness);
	slot->charged_us = us;
}

static void charge_time(const struct admit *a, struct slot *slot)
{
	bool lapsed = !slot->running && slot->lapses_ms < a->now_ms;

	charge(slot, occupancy_us(a, &slot->of, (lapsed ? slot->lapses_ms : a->now_ms) - slot->since_ms));
}

/* Charge all slots until now, and see what is to be expected of them yet. */
static void charge_all(struct admit *a)
{
	for (unsigned i = 0; i < a->held; i++)
		a->busy[i].of.share->expected_us = 0;
	for (unsigned i = 0; i < a->held; i++) {
		struct slot *slot = &a->busy[i];
		uint64_t whole_us = expected_us(a, &slot->of);

		charge_time(a, slot);
		if (whole_us > slot->charged_us)
			slot->of.share->expected_us += (double)(whole_us - slot->charged_us) * share_price(slot->of.niceness);
	}
}

/* The order of the arrays says nothing, so the last may take the place of one that goes. */
static void drop_queued(struct admit *a, size_t at)
{
	a->queue[at].share->waiting--;
	a->queue[at] = a->queue[--a->queued];
}

static void drop_slot(struct admit *a, size_t at)
{
	struct slot *slot = &a->busy[at];

	charge_time(a, slot);
	slot->of.share->expected_us = 0;	/* of its other slots: charge_all() */
	slot->of.share->holding--;
	a->running -= slot->running;
	*slot = a->busy[--a->held];
}

/* Slots that any job may have: one is kept while short jobs come. */
static unsigned open_slots(const struct admit *a)
{
	return a->capacity - (a->capacity >= SLOTS_TO_KEEP_ONE && a->now_ms < a->short_until_ms);
}

static bool for_short_only(const struct admit *a)
{
	unsigned lengthy = 0;

	for (unsigned i = 0; i < a->held; i++)
		lengthy += !is_short(&a->busy[i].of);
	return lengthy >= open_slots(a);
}

static bool has_memory(const struct admit *a, const struct reservation *r)
{
	uint64_t mb = need_mb(a, r);

	for (unsigned i = 0; i < a->held; i++)
		mb += need_mb(a, &a->busy[i].of);
	return mb <= a->config.memory_mb || !a->held;
}

/* Who is served first. */
static bool before(const struct reservation *x, const struct reservation *y)
{
	double rank_x = share_rank(x->share), rank_y = share_rank(y->share);

	return rank_x < rank_y || (rank_x == rank_y && x->arrival < y->arrival);
}

/* The first of the queue, without who is left out, and none nicer than that. */
static const struct reservation *first_in_queue(const struct admit *a, const struct share *left_out, int niceness_max)
{
	const struct reservation *first = NULL;
	bool short_only = for_short_only(a);

	for (size_t i = 0; i < a->queued; i++) {
		const struct reservation *r = &a->queue[i];

		if (r->share == left_out || r->niceness > niceness_max || (short_only && !is_short(r)))
			continue;
		if (!first || before(r, first))
			first = r;
	}
	return first;
}

/* Whose turn it is. Who has all slots but one gets that only if he is alone, or all others are nicer. */
static const struct reservation *next_in_queue(const struct admit *a)
{
	const struct reservation *first = first_in_queue(a, NULL, INT8_MAX), *other = NULL;

	if (first && first->share->holding && first->share->holding + 1 >= open_slots(a))
		other = first_in_queue(a, first->share, first->niceness);
	first = other ? other : first;
	return first && has_memory(a, first) ? first : NULL;
}

static void grant(struct admit *a, const struct reservation *r, struct admit_actions *out)
{
	struct slot *slot = &a->busy[a->held++];

	*slot = (struct slot){ .of = *r, .token = a->config.new_token(), .since_ms = a->now_ms,
			       .lapses_ms = a->now_ms + a->config.grant_ms };
	slot->of.share->holding++;
	slot->of.share->expected_us += (double)expected_us(a, r) * share_price(r->niceness);
	shares_serve(&a->shares);
	drop_queued(a, (size_t)(r - a->queue));
	act(out, (struct admit_action){ .verdict = ADMIT_GRANT, .owner = slot->of.owner, .id = slot->of.id, .token = slot->token });
}

/* Give what is free to who is first. */
static void serve(struct admit *a, struct admit_actions *out)
{
	const struct reservation *r;

	charge_all(a);
	while (a->held < a->capacity && (r = next_in_queue(a)))
		grant(a, r, out);
}

static void enqueue(struct admit *a, const struct reservation *r)
{
	if (a->queued == a->room) {
		a->room = a->room ? a->room * 2 : 32;
		a->queue = xrealloc(a->queue, a->room * sizeof *a->queue);
	}
	a->queue[a->queued++] = *r;
	share_wait(&a->shares, r->share);
	if (is_short(r))
		a->short_until_ms = a->now_ms + SHORT_COME_MS;
}

static void on_reserve(struct admit *a, const struct admit_event *e, struct admit_actions *out)
{
	struct share *share;

	if (a->draining) {
		refuse(out, e->owner, e->id, REFUSAL_DRAINING);
		return;
	}
	if (!a->capacity) {
		refuse(out, e->owner, e->id, REFUSAL_OWNER);
		return;
	}
	share = shares_of(&a->shares, e->identity);
	if (a->queued >= a->config.queue_max || share->waiting >= a->config.identity_max) {
		refuse(out, e->owner, e->id, REFUSAL_QUEUE_FULL);
		return;
	}
	enqueue(a, &(struct reservation){ .owner = e->owner, .id = e->id, .arrival = a->arrivals++, .share = share,
					  .predicted_ms = e->predicted_ms, .predicted_mb = e->predicted_mb,
					  .niceness = e->niceness });
}

/* CANCEL and LEAVE: forget what is the owner's; with every_id, whatever its number. */
static void give_up(struct admit *a, const struct admit_event *e, bool every_id)
{
	for (size_t i = a->queued; i-- > 0; )
		if (a->queue[i].owner == e->owner && (every_id || a->queue[i].id == e->id))
			drop_queued(a, i);
	for (size_t i = a->held; i-- > 0; ) {
		const struct slot *slot = &a->busy[i];

		if (!slot->running && slot->of.owner == e->owner && (every_id || slot->of.id == e->id))
			drop_slot(a, i);
	}
}

/* Checked by time, not by whether a tick came: the answer does not depend on the timer. */
static void lapse(struct admit *a)
{
	for (size_t i = a->held; i-- > 0; )
		if (!a->busy[i].running && a->busy[i].lapses_ms <= a->now_ms)
			drop_slot(a, i);
}

static struct slot *find_slot(struct admit *a, uint64_t token, bool running)
{
	for (unsigned i = 0; i < a->held; i++)
		if (a->busy[i].token == token && a->busy[i].running == running)
			return &a->busy[i];
	return NULL;
}

static void on_redeem(struct admit *a, const struct admit_event *e, struct admit_actions *out)
{
	struct slot *slot = find_slot(a, e->token, false);

	if (!slot) {
		refuse(out, e->owner, 0, REFUSAL_GRANT_EXPIRED);
		return;
	}
	slot->running = true;
	a->running++;
	act(out, (struct admit_action){ .verdict = ADMIT_START, .owner = e->owner, .niceness = slot->of.niceness });
}

static void on_finish(struct admit *a, const struct admit_event *e)
{
	struct slot *slot = find_slot(a, e->token, true);

	if (!slot)
		return;
	charge(slot, e->cpu_us);
	charge_time(a, slot);
	a->typical_us += slot->charged_us / TYPICAL_OF - a->typical_us / TYPICAL_OF;
	drop_slot(a, (size_t)(slot - a->busy));
}

static void refuse_all(struct admit *a, enum refusal refusal, struct admit_actions *out)
{
	while (a->queued) {
		refuse(out, a->queue[0].owner, a->queue[0].id, refusal);
		drop_queued(a, 0);
	}
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
	a->now_ms = now_ms;
	shares_advance(&a->shares, now_ms);
	lapse(a);
	switch (e->kind) {
	case ADMIT_RESERVE: on_reserve(a, e, out); break;
	case ADMIT_CANCEL: give_up(a, e, false); break;
	case ADMIT_LEAVE: give_up(a, e, true); break;
	case ADMIT_REDEEM: on_redeem(a, e, out); break;
	case ADMIT_FINISH: on_finish(a, e); break;
	case ADMIT_DRAIN: on_drain(a, out); break;
	case ADMIT_CAPACITY: on_capacity(a, e, out); break;
	case ADMIT_TICK: case ADMIT_KINDS: break;
	}
	serve(a, out);
}

uint64_t admit_deadline(const struct admit *a)
{
	uint64_t first = a->queued && open_slots(a) < a->capacity ? a->short_until_ms : UINT64_MAX;

	for (unsigned i = 0; i < a->held; i++)
		if (!a->busy[i].running && a->busy[i].lapses_ms < first)
			first = a->busy[i].lapses_ms;
	return first;
}

struct admit_counts admit_counts(const struct admit *a)
{
	struct admit_counts c = { .slots = a->config.slots, .capacity = a->capacity, .running = a->running,
				  .granted = a->held - a->running, .queued = (unsigned)a->queued, .draining = a->draining };

	c.kept = a->held < a->capacity && for_short_only(a);
	return c;
}

struct admit_use admit_use(const struct admit *a, uint64_t identity)
{
	const struct share *who = shares_find(&a->shares, identity);
	double all_us = shares_used_us(&a->shares);

	if (!who)
		return (struct admit_use){ 0 };
	return (struct admit_use){ .share = all_us > 0 ? who->used_us / all_us : 0, .waiting = who->waiting,
				   .holding = who->holding };
}
