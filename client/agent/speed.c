/*
 * speed.c - lines through logarithms over load, that fade towards 0, the logarithm of 1.
 *
 * Of logarithms, since a machine is so many times slower, and since it keeps the one job in a hundred that met a full
 * disk from counting for all the others. A slope is a ridge regression towards what is to be expected: as long as all jobs met the
 * same load they tell of the machine, and nothing of the load.
 *
 * What company costs is told best by the share of a processor that jobs had, which needs no prediction: those are flattened by what
 * was learned before, as a job that always had company is remembered as long. Predictions tell of it what
 * processor time cannot: jobs that sleep, and processors that are slower when all are busy.
 */
#include "speed.h"

#include <math.h>

enum { HALF_LIFE_MS = 10 * 60 * 1000, LONG_US = 1000000, METER_US = 100000 /* less is as much noise */ };
static const double kept = 15.0 / 16;	/* of what is known, at each new job */
static const double prior = 0.25;	/* the weight of knowing nothing: a quarter of a job */
static const double load_prior = 0.2;	/* the weight of what is expected of the load; a job at 0 and one at 1 weigh 0.5 */
static const double guess_weight = 0.25;
static const double share_prior = 2;	/* the weight of shares of a processor, where speeds say that company costs more */
static const double share_least = 0.02;	/* a job that has less of a processor does something else */
static const double common_known = 2;	/* eight jobs, half of them alone */
static const double suspect_prior = 0.25;	/* the weight of a suspicion against jobs that were alone, and of what is expected against it */

static double faded(const struct speed *s, uint64_t now_ms)
{
	return now_ms > s->at_ms ? exp2(-(double)(now_ms - s->at_ms) / HALF_LIFE_MS) : 1;
}

static double clamp(double v)
{
	return v < SPEED_MIN ? SPEED_MIN : v > SPEED_MAX ? SPEED_MAX : v;
}

static void add(struct speed_sums *s, double weight, double load, double seen)
{
	*s = (struct speed_sums){
		.w = s->w * kept + weight, .load = s->load * kept + weight * load, .load2 = s->load2 * kept + weight * load * load,
		.seen = s->seen * kept + weight * seen, .load_seen = s->load_seen * kept + weight * load * seen,
	};
}

static void fade(struct speed_sums *s, double keep)
{
	*s = (struct speed_sums){ s->w * keep, s->load * keep, s->load2 * keep, s->seen * keep, s->load_seen * keep };
}

/* Within twice the bounds: a mean of clamped values would never reach them. */
static double log_of(double ratio) { return fmax(log(SPEED_MIN / 2), fmin(log(SPEED_MAX * 2), log(ratio))); }

/*
 * A job that nobody knows has to ask for its files first, or their contents to be brought, and a first build does so with all slots
 * in use: its share would tell of that, unless it computes for long. More than one processor tells nothing of sharing one.
 */
static void learn_share(struct speed *s, const struct speed_seen *j)
{
	double share = fmin(1, (double)j->cpu_us / (double)j->took_us);

	if ((!j->guessed || j->cpu_us > LONG_US) && share >= share_least)
		add(&s->share, 1, j->load, log(share));
}

void speed_learn(struct speed *s, const struct speed_seen *j, uint64_t now_ms)
{
	double keep = faded(s, now_ms), load = j->load;

	if (!j->predicted_us || !j->took_us)
		return;
	fade(&s->took, keep);
	fade(&s->share, keep);
	s->at_ms = now_ms;
	learn_share(s, j);
	/* a guess is about as wrong as loads differ: it must not tell of them */
	if (j->guessed && s->took.w > 0)
		load = s->took.load / s->took.w;
	add(&s->took, j->guessed ? guess_weight : 1, load, log_of((double)j->predicted_us / (double)j->took_us));
}

/* How much the loads differed, and what was seen with them. */
static double spread_of(const struct speed_sums *s) { return s->w > 0 ? s->load2 - s->load * s->load / s->w : 0; }
static double together_of(const struct speed_sums *s) { return s->w > 0 ? s->load_seen - s->load * s->seen / s->w : 0; }

static double slope_of(const struct speed_sums *s, double keep, double expected, double weight)
{
	return (together_of(s) * keep + expected * weight) / (spread_of(s) * keep + weight);
}

double speed_suspected_company(const struct speed *const *all, size_t count, unsigned slots, double expected)
{
	double w = 0, load = 0, seen = 0, spread = 0, together = 0, blamed;

	for (size_t i = 0; i < count; i++) {
		w += all[i]->share.w;
		load += all[i]->share.load;
		seen += all[i]->share.seen;
		spread += spread_of(&all[i]->share);
		together += together_of(&all[i]->share);
	}
	if (load <= 0 || slots < 2)
		return expected;
	blamed = (together + fmax(seen / load, -log(slots)) * suspect_prior) / (spread + suspect_prior);
	return fmin(expected, (expected * suspect_prior + blamed * w) / (suspect_prior + w));
}

bool speed_common_company(const struct speed *const *all, size_t count, double *company)
{
	double spread[2] = { 0 }, together[2] = { 0 };
	bool known = false;

	*company = 0;

	for (size_t i = 0; i < count; i++) {
		spread[0] += spread_of(&all[i]->share);
		together[0] += together_of(&all[i]->share);
		spread[1] += spread_of(&all[i]->took);
		together[1] += together_of(&all[i]->took);
	}
	for (unsigned i = 0; i < 2; i++) {
		if (spread[i] < common_known)
			continue;
		*company = fmin(*company, together[i] / spread[i]);
		known = true;
	}
	return known;
}

/* Never above 0: company makes no job faster. */
static double slope_now(const struct speed *s, double keep)
{
	double took = slope_of(&s->took, keep, s->company, load_prior), share;

	if (s->share.w == 0)
		return fmin(0, took);
	share = slope_of(&s->share, keep, took, load_prior);
	return fmin(0, fmin(share, slope_of(&s->took, keep, share, share_prior)));
}

/* The height at no load, and the slope. */
static void line(const struct speed *s, uint64_t now_ms, double *height, double *slope)
{
	double keep = faded(s, now_ms);

	*slope = slope_now(s, keep);
	*height = (s->took.seen - *slope * s->took.load) * keep / (s->took.w * keep + prior);
}

double speed_company(unsigned processors, unsigned slots)
{
	return processors && processors < slots ? log((double)processors / slots) : 0;
}

double speed_now(const struct speed *s, double load, uint64_t now_ms)
{
	double height, slope;

	line(s, now_ms, &height, &slope);
	return clamp(exp(height + slope * load));
}

double speed_met(const struct speed *s, const struct speed_seen *j, unsigned slots, uint64_t now_ms)
{
	double share = j->took_us ? fmin(1, (double)j->cpu_us / (double)j->took_us) : 0, height, slope, alone;
	double least = slots < 2 ? 1 : 1 / (1 + j->load * (slots - 1));

	if (share < share_least || j->cpu_us < METER_US || s->share.w == 0)
		return speed_now(s, j->load, now_ms);
	line(s, now_ms, &height, &slope);
	alone = fmin(1, exp((s->share.seen - slope * s->share.load) / s->share.w));
	return clamp(exp(height) * fmax(least, fmin(1, share / alone)));
}

unsigned speed_useful_slots(const struct speed *s, unsigned slots, double share, uint64_t now_ms)
{
	double height, slope, most = 0;

	line(s, now_ms, &height, &slope);
	if (slots < 2 || slope == 0)
		return slots;
	for (unsigned k = 1; k <= slots; k++)
		most = fmax(most, k * exp(slope * (k - 1) / (slots - 1)));
	for (unsigned k = 1; k < slots; k++)
		if (k * exp(slope * (k - 1) / (slots - 1)) >= share * most)
			return k;
	return slots;
}
