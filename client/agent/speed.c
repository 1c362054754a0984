/*
 * speed.c - a line through logarithms of speed over load, that fades towards 0, the logarithm of 1.
 *
 * Of logarithms, since a machine is so many times slower, and since it keeps the one job in a hundred that met a full
 * disk from counting for all the others. The slope is a ridge regression towards what is to be expected: as long as all jobs met the
 * same load they tell of the machine, and nothing of the load.
 */
#include "speed.h"

#include <math.h>

enum { HALF_LIFE_MS = 10 * 60 * 1000 };
static const double kept = 15.0 / 16;	/* of what is known, at each new job */
static const double prior = 0.25;	/* the weight of knowing nothing: a quarter of a job */
static const double load_prior = 0.2;	/* the weight of what is expected of the load; a job at 0 and one at 1 weigh 0.5 */
static const double guess_weight = 0.25;
static const double common_known = 2;	/* eight jobs, half of them alone */

static double faded(const struct speed *s, uint64_t now_ms)
{
	return now_ms > s->at_ms ? exp2(-(double)(now_ms - s->at_ms) / HALF_LIFE_MS) : 1;
}

static double clamp(double v)
{
	return v < SPEED_MIN ? SPEED_MIN : v > SPEED_MAX ? SPEED_MAX : v;
}

void speed_learn(struct speed *s, uint64_t predicted_us, uint64_t took_us, double load, bool guessed, uint64_t now_ms)
{
	double keep = kept * faded(s, now_ms), weight = guessed ? guess_weight : 1;
	double seen;

	if (!predicted_us || !took_us)
		return;
	/* twice the bounds: a mean of clamped values would never reach them */
	seen = log((double)predicted_us / (double)took_us);
	seen = fmax(log(SPEED_MIN / 2), fmin(log(SPEED_MAX * 2), seen));
	/* a guess is about as wrong as loads differ: it must not tell of them */
	if (guessed && s->w > 0)
		load = s->load / s->w;
	*s = (struct speed){
		.w = s->w * keep + weight, .load = s->load * keep + weight * load, .load2 = s->load2 * keep + weight * load * load,
		.company = s->company, .seen = s->seen * keep + weight * seen, .load_seen = s->load_seen * keep + weight * load * seen, .at_ms = now_ms,
	};
}

/* How much the loads differed, and the speeds with them. */
static double spread_of(const struct speed *s) { return s->w > 0 ? s->load2 - s->load * s->load / s->w : 0; }
static double together_of(const struct speed *s) { return s->w > 0 ? s->load_seen - s->load * s->seen / s->w : 0; }

double speed_common_company(const struct speed *const *all, size_t count, double otherwise)
{
	double spread = 0, together = 0;

	for (size_t i = 0; i < count; i++) {
		spread += spread_of(all[i]);
		together += together_of(all[i]);
	}
	return spread < common_known ? otherwise : fmin(0, together / spread);
}

/* The height at no load, and the slope, which is never above 0: company makes no job faster. */
static void line(const struct speed *s, uint64_t now_ms, double *height, double *slope)
{
	double keep = faded(s, now_ms), spread = spread_of(s) * keep;

	*slope = fmin(0, (together_of(s) * keep + s->company * load_prior) / (spread + load_prior));
	*height = (s->seen - *slope * s->load) * keep / (s->w * keep + prior);
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
