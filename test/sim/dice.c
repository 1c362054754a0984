/*
 * dice.c - splitmix64 (Steele, Lea, Flood 2014) and what is made of it.
 */
#include "dice.h"

#include <math.h>

uint64_t dice_next(void *dice)
{
	struct dice *d = dice;
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

double dice_uniform(struct dice *d) { return (double)(dice_next(d) >> 11) * 0x1p-53; }
size_t dice_below(struct dice *d, size_t n) { return (size_t)(dice_next(d) % n); }
bool dice_chance(struct dice *d, double p) { return dice_uniform(d) < p; }
double dice_exponential(struct dice *d, double mean) { return -mean * log(1 - dice_uniform(d)); }

double dice_normal(struct dice *d)
{
	double r = sqrt(-2 * log(1 - dice_uniform(d)));

	return r * cos(2 * M_PI * dice_uniform(d));
}
