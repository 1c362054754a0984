/*
 * owner.c - the clock hand: reads the signals, asks the policy, acts.
 *
 * The same timer notices when the machine slept, or rccd was stopped.
 */
#include "owner.h"

#include <sys/resource.h>

#include "clock.h"
#include "cores.h"
#include "gap.h"
#include "log.h"
#include "logind.h"
#include "policy.h"
#include "run.h"
#include "session.h"
#include "signals.h"
#include "slots.h"

enum {
	POWER_TICKS = 12,
	CALLERS_WAIT_MS = 10000,	/* after that each agent has given us up, and each job */
};

struct owner {
	struct server *server;
	uv_timer_t timer;
	uv_work_t power;
	bool power_busy;
	enum known on_battery, battery_found;	/* the second is the worker thread's */
	unsigned ticks;
	struct gap gap;
	struct logind *logind;
	struct policy_state state;
	bool stopped;
};

static enum policy policy_of(const struct options *o)
{
	enum policy p = POLICY_DEDICATED;

	while (policy_names[p] && !str_eq(policy_names[p], o->policy))
		p++;
	return p;
}

static const char *root_of(const struct server *s) { return s->options->owner_root ? s->options->owner_root : ""; }

unsigned owner_processors(const struct server *s)
{
	struct owner_signals played = { 0 };

	if (s->options->owner_root)
		signals_read(root_of(s), &played);
	return played.cores ? played.cores : cores_usable();
}

static void on_power_work(uv_work_t *work)
{
	struct owner *o = work->data;

	o->battery_found = signals_on_battery(root_of(o->server));
}

static void on_power_done(uv_work_t *work, int status UNUSED)
{
	struct owner *o = work->data;

	o->power_busy = false;
	o->on_battery = o->battery_found;
	if (o->stopped)
		free(o);
}

static void look_at_power(struct owner *o)
{
	if (o->power_busy || o->ticks++ % POWER_TICKS)
		return;
	o->power.data = o;
	o->power_busy = uv_queue_work(o->server->loop, &o->power, on_power_work, on_power_done) == 0;
}

/* rccd's own work is for its jobs. */
static uint64_t own_cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void take_signals(struct owner *o, struct owner_signals *out)
{
	struct server *s = o->server;

	signals_read(root_of(s), out);
	out->jobs = admit_counts(s->admit).running;
	out->jobs_us = jobs_cpu_us(s) + own_cpu_us();
	out->on_battery = o->on_battery;
	out->session_idle = logind_idle(o->logind);
}

static void apply(struct server *s, const struct policy_decision *d)
{
	struct policy_decision before = s->decision;

	s->decision = *d;
	if (d->phase != before.phase)
		log_info("policy", "phase=%s capacity=%u why=\"%s\"", phase_text(d->phase), d->capacity, d->why);
	if (d->capacity != before.capacity || d->hold != before.hold)
		slots_capacity(s, d->capacity);
	jobs_preempt(s, d->keep);
}

/* Who waited for us does so no more; what is still open leads nowhere, or to an agent that has forgotten it. */
static void look_for_gap(struct owner *o)
{
	uint64_t gap_ms = gap_look(&o->gap, gap_clock_ms(), POLICY_MS);

	if (gap_ms < CALLERS_WAIT_MS)
		return;
	log_warn("stood-still", "ms=%llu", (unsigned long long)gap_ms);
	sessions_drop(o->server);
}

static void on_tick(uv_timer_t *timer)
{
	struct owner *o = timer->data;
	struct server *s = o->server;
	struct owner_signals signals;
	struct policy_decision d;

	look_for_gap(o);
	if (s->policy == POLICY_DEDICATED)
		return;
	look_at_power(o);
	if (o->logind)
		logind_tick(o->logind, s->runs != NULL);
	take_signals(o, &signals);
	policy_step(s->policy, (unsigned)s->options->jobs, &o->state, &signals, clock_ms(), &d);
	apply(s, &d);
}

void owner_start(struct server *s)
{
	struct owner *o = xcalloc(1, sizeof *o);

	o->server = s;
	s->owner = o;
	s->policy = policy_of(s->options);
	s->decision = (struct policy_decision){ .capacity = (unsigned)s->options->jobs };
	if (s->policy == POLICY_IDLE)
		o->logind = logind_new(s->loop, root_of(s));
	uv_timer_init(s->loop, &o->timer);
	o->timer.data = o;
	uv_timer_start(&o->timer, on_tick, 0, POLICY_MS);
}

static void on_closed(uv_handle_t *handle)
{
	struct owner *o = handle->data;

	o->stopped = true;
	if (!o->power_busy)
		free(o);
}

void owner_stop(struct server *s)
{
	logind_stop(s->owner->logind);
	uv_close((uv_handle_t *)&s->owner->timer, on_closed);
	s->owner = NULL;
}
