/*
 * slots.c - admit.c's decisions, carried out.
 */
#include "slots.h"

#include <sys/random.h>

#include "clock.h"
#include "session.h"

static void on_grant_timer(uv_timer_t *timer);

static void tell(const struct admit_action *a)
{
	struct session *owner = (struct session *)(uintptr_t)a->owner;

	if (a->verdict == ADMIT_GRANT)
		session_grant(owner, a->id, a->token);
	else if (a->verdict == ADMIT_REFUSE)
		session_refuse(owner, a->id, a->refusal, NULL);
}

static void set_timer(struct server *s, uint64_t now_ms)
{
	uint64_t at = admit_deadline(s->admit);

	if (at == UINT64_MAX)
		uv_timer_stop(&s->grant_timer);
	else
		uv_timer_start(&s->grant_timer, on_grant_timer, at > now_ms ? at - now_ms : 0, 0);
}

static void on_state_timer(uv_timer_t *timer)
{
	struct server *s = timer->data;

	sessions_push_state(s);
}

/* Agents hear of changes soon, but not of each one. */
static void state_changed(struct server *s)
{
	if (!uv_is_active((uv_handle_t *)&s->state_timer))
		uv_timer_start(&s->state_timer, on_state_timer, STATE_MS, 0);
}

static bool idle(const struct server *s)
{
	struct admit_counts c = admit_counts(s->admit);

	return c.running == 0 && c.granted == 0;
}

/* The actions of one event. With first, REDEEM's own answer is returned there instead of told. */
static void step(struct server *s, struct admit_event e, struct admit_action *first)
{
	uint64_t now_ms = clock_ms();

	s->actions.count = 0;
	admit_step(s->admit, &e, now_ms, &s->actions);
	for (size_t i = 0; i < s->actions.count; i++) {
		if (first && i == 0)
			*first = s->actions.v[i];
		else
			tell(&s->actions.v[i]);
	}
	set_timer(s, now_ms);
	state_changed(s);
	if (s->draining && idle(s))
		s->on_idle(s);
}

static void on_grant_timer(uv_timer_t *timer)
{
	step(timer->data, (struct admit_event){ .kind = ADMIT_TICK }, NULL);
}

/* The kernel's own numbers: without them there is no granting. */
static uint64_t random_token(void)
{
	uint64_t token;

	if (getrandom(&token, sizeof token, 0) != sizeof token)
		abort();
	return token;
}

void slots_start(struct server *s)
{
	struct admit_config config = { .slots = (unsigned)s->options->jobs, .queue_max = QUEUE_MAX,
				       .identity_max = CALLER_QUEUE_MAX, .memory_mb = (uint32_t)(options_machine_bytes() >> 20),
				       .grant_ms = GRANT_MS, .new_token = random_token };

	s->admit = admit_new(&config);
	uv_timer_init(s->loop, &s->grant_timer);
	uv_timer_init(s->loop, &s->state_timer);
	s->grant_timer.data = s->state_timer.data = s;
}

void slots_stop(struct server *s)
{
	uv_timer_stop(&s->grant_timer);
	uv_timer_stop(&s->state_timer);
}

/* A session's address names it while it lives; slots_leave() comes before that ends. */
static uint64_t number_of(const struct session *owner) { return (uintptr_t)owner; }

void slots_reserve(struct server *s, struct session *owner, uint32_t id, const struct wire_reserve *m)
{
	step(s, (struct admit_event){ .kind = ADMIT_RESERVE, .owner = number_of(owner), .id = id,
				      .identity = session_caller(owner), .predicted_ms = m->predicted_ms,
				      .predicted_mb = m->predicted_mb, .niceness = m->niceness }, NULL);
}

void slots_cancel(struct server *s, struct session *owner, uint32_t id)
{
	step(s, (struct admit_event){ .kind = ADMIT_CANCEL, .owner = number_of(owner), .id = id }, NULL);
}

void slots_leave(struct server *s, struct session *owner)
{
	step(s, (struct admit_event){ .kind = ADMIT_LEAVE, .owner = number_of(owner) }, NULL);
}

void slots_finish(struct server *s, uint64_t token, uint64_t cpu_us)
{
	step(s, (struct admit_event){ .kind = ADMIT_FINISH, .token = token, .cpu_us = cpu_us }, NULL);
}

void slots_drain(struct server *s)
{
	step(s, (struct admit_event){ .kind = ADMIT_DRAIN }, NULL);
}

void slots_capacity(struct server *s, unsigned capacity)
{
	step(s, (struct admit_event){ .kind = ADMIT_CAPACITY, .capacity = capacity }, NULL);
}

enum refusal slots_redeem(struct server *s, uint64_t token, int8_t *niceness)
{
	struct admit_action a;

	step(s, (struct admit_event){ .kind = ADMIT_REDEEM, .token = token }, &a);
	if (a.verdict == ADMIT_REFUSE)
		return a.refusal;
	*niceness = a.niceness;
	return REFUSAL_NONE;
}

struct wire_state slots_state(const struct server *s)
{
	struct admit_counts c = admit_counts(s->admit);

	return (struct wire_state){ .slots = c.capacity, .free = admit_free_slots(&c), .queued = c.queued,
				    .draining = c.draining, .hold = (uint8_t)s->decision.hold };
}
