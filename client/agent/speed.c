/*
 * speed.c - a mean of logarithms that fades towards 0, the logarithm of 1.
 *
 * Of logarithms, since a machine is so many times slower, and since it keeps the one job in a hundred that met a full
 * disk from counting for all the others.
 */
#include "speed.h"

#include <math.h>

enum { HALF_LIFE_MS = 10 * 60 * 1000 };
static const double kept = 15.0 / 16;	/* of what is known, at each new job */
static const double prior = 0.25;	/* the weight of knowing nothing: a quarter of a job */
static const double guess_weight = 0.25;

static double faded(const struct speed *s, uint64_t now_ms)
{
	return now_ms > s->at_ms ? exp2(-(double)(now_ms - s->at_ms) / HALF_LIFE_MS) : 1;
}

static double clamp(double v)
{
	return v < SPEED_MIN ? SPEED_MIN : v > SPEED_MAX ? SPEED_MAX : v;
}

void speed_learn(struct speed *s, uint64_t predicted_us, uint64_t took_us, bool guessed, uint64_t now_ms)
{
	double keep = kept * faded(s, now_ms), weight = guessed ? guess_weight : 1;
	double seen;

	if (!predicted_us || !took_us)
		return;
	/* twice the bounds: a mean of clamped values would never reach them */
	seen = log((double)predicted_us / (double)took_us);
	seen = fmax(log(SPEED_MIN / 2), fmin(log(SPEED_MAX * 2), seen));
	s->sum = s->sum * keep + seen * weight;
	s->weight = s->weight * keep + weight;
	s->at_ms = now_ms;
}

double speed_now(const struct speed *s, uint64_t now_ms)
{
	double keep = faded(s, now_ms);

	return clamp(exp(s->sum * keep / (s->weight * keep + prior)));
}
