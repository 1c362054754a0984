/*
 * policy.c - what the owner leaves us, reading by reading.
 *
 * Each reading says, for itself, how many slots it would allow. What is
 * granted is the least that any of the last few allowed; what may go on
 * running is the most that any of them allowed.
 *
 * The owner's CPU is what was used less what our jobs used. What jobs used
 * is known a little late, so some of it is taken for the owner's:
 * SLACK_PER_CORE of theirs makes up for it.
 */
#include "policy.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	SHORTEST_MS = 250,	/* less is no time to measure use in */
	GAP_MS = 5000,		/* longer, and the machine or we slept: what was before says nothing */
	KEEP_READINGS = 6,	/* in a row, before a job is given up: 4.0 to 5.6 s after the owner came */
	AWAY_S = 300,		/* nobody used a terminal for so long */
	QUIET_MS = 60000,	/* nor the processor */
	SLOT_KB = 256 << 10,	/* memory that a job is expected to want */
	RESERVE_MAX_KB = 1 << 20,	/* what is left to the owner */
};

#define SLACK 0.25		/* of a core: every machine has something to do */
#define SLACK_PER_CORE 0.05
#define FALL_CORES 0.1		/* so much less than a whole core, before it counts as free again */
#define QUIET_CORES 0.3		/* the owner is away: less than this, to begin with */
#define ACTIVE_CORES 0.8	/* and is back: more than this */

/* Percent of time in which something waited, to stop at and to go on at. */
#define MEMORY_STALL 10.0
#define MEMORY_FLOWS 3.0
#define IO_STALL 40.0
#define IO_FLOWS 15.0

const char *const policy_names[POLICIES + 1] = {
	[POLICY_DEDICATED] = "dedicated", [POLICY_POLITE] = "polite", [POLICY_IDLE] = "idle",
};

const char *phase_text(enum phase p)
{
	static const char *const texts[PHASES] = {
		[PHASE_WORKING] = "working", [PHASE_SHRINKING] = "shrinking",
		[PHASE_LEAVING] = "leaving", [PHASE_PAUSED] = "paused",
	};

	return texts[p];
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

static double lesser(double a, double b) { return a < b ? a : b; }

/* Above stop it is set, below go it is not; between them it stays as it was. */
static bool latch(bool was, double value, double stop, double go)
{
	return value > stop || (was && value > go);
}

/* What this reading allows is at most so much; jobs that run may go on if spare. The first reason to give the least is told. */
static void bound(struct policy_reading *r, unsigned slots, bool spare, enum hold hold, const char *why)
{
	if (!spare)
		r->keep = least(r->keep, slots);
	if (slots >= r->slots)
		return;
	r->slots = slots;
	r->hold = hold;
	snprintf(r->why, sizeof r->why, "%s", why);
}

/* Cores that were used by our jobs, and by anything else. */
static void measure(struct policy_state *st, const struct owner_signals *s, uint64_t now_ms)
{
	double period_us = (double)(now_ms - st->at_ms) * 1000, busy, ours;

	st->owner_cores = st->our_cores = 0;
	if (!st->started || s->busy_us < st->busy_us)
		return;
	busy = (double)(s->busy_us - st->busy_us) / period_us;
	ours = (double)(s->jobs_us - st->jobs_us) / period_us;
	/* the counters move in ticks: for a moment more than all cores can seem to have been used */
	st->our_cores = lesser(lesser(ours, busy), s->cores);
	st->owner_cores = lesser(ours < busy ? busy - ours : 0, s->cores);
}

/* The owner's, for certain. */
static double surely_owners(const struct policy_state *st) { return st->owner_cores - SLACK_PER_CORE * st->our_cores; }

static unsigned whole_cores(double cores)
{
	unsigned whole = cores > 0 ? (unsigned)cores : 0;

	return whole + (cores > whole);
}

static void by_cpu(struct policy_state *st, const struct owner_signals *s, unsigned slots, struct policy_reading *r)
{
	double beyond = surely_owners(st) - SLACK;
	unsigned up = whole_cores(beyond), down = whole_cores(beyond + FALL_CORES), left;
	char why[sizeof r->why];

	if (!s->cores)
		return;
	st->taken = least(up > st->taken ? up : least(st->taken, down), s->cores);
	left = s->cores - st->taken;
	snprintf(why, sizeof why, "the owner uses %.1f cores", st->owner_cores);
	bound(r, slots > s->cores ? slots * left / s->cores : left, false, HOLD_CPU, why);
}

static void by_memory(struct policy_state *st, const struct owner_signals *s, struct policy_reading *r)
{
	uint64_t reserve = s->memory_kb / 16 < RESERVE_MAX_KB ? s->memory_kb / 16 : RESERVE_MAX_KB;
	uint64_t room = s->available_kb > reserve ? s->available_kb - reserve : 0, missing;
	char why[sizeof r->why];

	if (!s->memory_kb || !s->available_kb)
		return;
	st->low_memory = !room || (st->low_memory && room < reserve);
	snprintf(why, sizeof why, "%" PRIu64 " MB of memory are left", s->available_kb >> 10);
	missing = room ? 0 : (reserve - s->available_kb + SLOT_KB - 1) / SLOT_KB;
	if (!room)
		bound(r, s->jobs > missing ? s->jobs - (unsigned)missing : 0, false, HOLD_MEMORY, why);
	else
		bound(r, s->jobs + (st->low_memory ? 0 : (unsigned)(room / SLOT_KB)), true, HOLD_MEMORY, why);
}

/* Memory that is fought for makes everything slow. A slow disk, and a battery, only want no more of it. */
static void by_vetoes(struct policy_state *st, const struct owner_signals *s, struct policy_reading *r)
{
	char why[sizeof r->why];

	st->memory_stalls = latch(st->memory_stalls, s->memory_stall, MEMORY_STALL, MEMORY_FLOWS);
	st->io_stalls = latch(st->io_stalls, s->io_stall, IO_STALL, IO_FLOWS);
	if (s->on_battery == YES)
		bound(r, 0, true, HOLD_BATTERY, "on battery");
	snprintf(why, sizeof why, "programs wait for the disk %.0f %% of the time", s->io_stall);
	if (st->io_stalls)
		bound(r, 0, true, HOLD_PRESSURE, why);
	snprintf(why, sizeof why, "programs wait for memory %.0f %% of the time", s->memory_stall);
	if (st->memory_stalls)
		bound(r, 0, false, HOLD_PRESSURE, why);
}

/* To be away takes a while without work; to be back, more work than a machine has by itself. */
static void by_presence(struct policy_state *st, const struct owner_signals *s, uint64_t now_ms, struct policy_reading *r)
{
	bool away = now_ms - st->quiet_ms >= QUIET_MS;
	bool touched = s->untouched_s >= 0 && s->untouched_s < AWAY_S;
	char why[sizeof r->why];

	if (surely_owners(st) > (away ? ACTIVE_CORES : QUIET_CORES))
		st->quiet_ms = now_ms;
	if (touched || s->session_idle == NO)
		bound(r, 0, false, HOLD_PRESENT, "the owner is at the machine");
	snprintf(why, sizeof why, "quiet for %" PRIu64 " s; after %d the owner counts as away",
		 (now_ms - st->quiet_ms) / 1000, QUIET_MS / 1000);
	if (now_ms - st->quiet_ms < QUIET_MS)
		bound(r, 0, false, HOLD_PRESENT, why);
}

static void restart(struct policy_state *st, uint64_t now_ms)
{
	*st = (struct policy_state){ .quiet_ms = now_ms };
}

static void take_reading(enum policy policy, unsigned slots, struct policy_state *st, const struct owner_signals *s,
			 uint64_t now_ms)
{
	struct policy_reading *r = &st->window[0];

	memmove(st->window + 1, st->window, sizeof st->window - sizeof *r);
	st->readings += st->readings < POLICY_WINDOW;
	*r = (struct policy_reading){ .slots = slots, .keep = slots };
	measure(st, s, now_ms);
	if (policy == POLICY_IDLE)
		by_presence(st, s, now_ms, r);
	by_cpu(st, s, slots, r);
	by_memory(st, s, r);
	by_vetoes(st, s, r);
	st->started = true;
	st->at_ms = now_ms;
	st->busy_us = s->busy_us;
	st->jobs_us = s->jobs_us;
}

static enum phase phase_of(const struct policy_decision *d, unsigned keep, unsigned jobs)
{
	if (jobs > keep)
		return keep ? PHASE_SHRINKING : PHASE_LEAVING;
	return d->capacity || jobs ? PHASE_WORKING : PHASE_PAUSED;
}

static void decide(const struct policy_state *st, unsigned slots, unsigned jobs, struct policy_decision *out)
{
	const struct policy_reading *low = &st->window[0];

	*out = (struct policy_decision){ .keep = st->readings < KEEP_READINGS ? slots : 0 };
	for (size_t i = 0; i < st->readings; i++) {
		const struct policy_reading *r = &st->window[i];

		low = r->slots < low->slots ? r : low;
		if (i < KEEP_READINGS && r->keep > out->keep)
			out->keep = r->keep;
	}
	out->capacity = low->slots;
	out->hold = low->hold;
	out->phase = phase_of(out, st->window[0].keep, jobs);
	if (out->capacity && *low->why)
		snprintf(out->why, sizeof out->why, "%u of %u slots: %s", out->capacity, slots, low->why);
	else
		snprintf(out->why, sizeof out->why, "%s", low->why);
}

void policy_step(enum policy policy, unsigned slots, struct policy_state *st, const struct owner_signals *s,
		 uint64_t now_ms, struct policy_decision *out)
{
	if (policy == POLICY_DEDICATED) {
		*out = (struct policy_decision){ .capacity = slots, .keep = slots };
		return;
	}
	if (!st->started || now_ms - st->at_ms > GAP_MS)
		restart(st, now_ms);
	if (!st->started || now_ms - st->at_ms >= SHORTEST_MS)
		take_reading(policy, slots, st, s, now_ms);
	decide(st, slots, s->jobs, out);
}
