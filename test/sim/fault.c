/*
 * fault.c - what goes wrong, and when: drawn at the start, so that it does not depend on what is done about it.
 */
#include "world.h"

#include <math.h>

enum fault { DIE, REVIVE, FREEZE, CUT, SLOW_DOWN, WITHDRAW, COME_BACK, DRAIN, FAULTS };
enum { FOR_GOOD_S = HORIZON_S / 2 };

static void plan(struct world *w, double s, uint32_t volunteer, enum fault f, uint64_t for_us)
{
	at(w, (uint64_t)(s * 1e6), (struct event){ .kind = FAULT, .volunteer = volunteer, .attempt = f, .took_us = for_us });
}

/* Something of everything, for a third of the volunteers. */
static void plan_any(struct world *w)
{
	struct dice *d = &w->dice;

	w->loss = dice_chance(d, 0.5) ? 0.002 : 0;
	for (uint32_t i = 0; i < w->volunteer_count; i++) {
		double when = dice_exponential(d, 4), lasts = dice_exponential(d, 12);

		w->volunteers[i].liar = dice_chance(d, 0.06);
		if (!dice_chance(d, 0.35))
			continue;
		switch ((enum fault)dice_below(d, FAULTS)) {
		case DIE: case REVIVE:
			plan(w, when, i, DIE, 0);
			if (dice_chance(d, 0.7))
				plan(w, when + lasts, i, REVIVE, 0);
			break;
		case WITHDRAW: case COME_BACK:
			plan(w, when, i, WITHDRAW, 0);
			plan(w, when + lasts, i, COME_BACK, 0);
			break;
		case FREEZE: plan(w, when, i, FREEZE, (uint64_t)(lasts * 1e6)); break;
		case CUT: plan(w, when, i, CUT, (uint64_t)(lasts * 1e6)); break;
		case SLOW_DOWN: plan(w, when, i, SLOW_DOWN, 0); break;
		case DRAIN: plan(w, when, i, DRAIN, 0); break;
		case FAULTS: break;
		}
	}
}

void faults_plan(struct world *w)
{
	const struct scenario *s = w->s;

	if (s->faults)
		plan_any(w);
	for (unsigned i = 0; i < s->losses; i++)
		plan(w, 10 + 8 * i, (uint32_t)(i * 7 + w->seed) % s->volunteers, DIE, 0);
	for (unsigned i = 0; i < 2 * s->losses / 3; i++)
		plan(w, 15 + 8 * i, (uint32_t)(i * 7 + 3 + w->seed) % s->volunteers, FREEZE, FOR_GOOD_S * 1000000ull);
}

/* Whoever hears nothing for long enough gives the connection up. */
static void silence(struct world *w, uint32_t agent, uint32_t view, uint64_t until_us)
{
	if (until_us > w->now_us + STALL_US)
		at(w, w->now_us + STALL_US, (struct event){ .kind = LOST, .agent = agent, .view = view,
			.epoch = w->agents[agent].views[view].epoch });
}

static void freeze(struct world *w, uint32_t n, uint64_t until_us)
{
	struct volunteer *v = &w->volunteers[n];

	v->frozen_until_us = until_us;
	for (size_t i = 0; i < v->watcher_count; i++)
		silence(w, v->watchers[i].agent, v->watchers[i].view, until_us);
}

/* Each of its callers with even odds. */
static void cut(struct world *w, uint32_t n, uint64_t until_us)
{
	struct volunteer *v = &w->volunteers[n];

	for (size_t i = 0; i < v->watcher_count; i++) {
		if (dice_chance(&w->dice, 0.5))
			continue;
		w->agents[v->watchers[i].agent].views[v->watchers[i].view].cut_until_us = until_us;
		silence(w, v->watchers[i].agent, v->watchers[i].view, until_us);
	}
}

void fault_event(struct world *w, const struct event *e)
{
	struct volunteer *v = &w->volunteers[e->volunteer];

	switch ((enum fault)e->attempt) {
	case DIE: volunteer_die(w, e->volunteer); break;
	case REVIVE: volunteer_start(w, e->volunteer); break;
	case FREEZE: freeze(w, e->volunteer, w->now_us + e->took_us); break;
	case CUT: cut(w, e->volunteer, w->now_us + e->took_us); break;
	case SLOW_DOWN: v->speed /= 5; break;
	case WITHDRAW: volunteer_capacity(w, e->volunteer, 0); break;
	case COME_BACK: volunteer_capacity(w, e->volunteer, v->slots); break;
	case DRAIN: volunteer_drain(w, e->volunteer); break;
	case FAULTS: break;
	}
}
