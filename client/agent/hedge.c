/*
 * hedge.c - late is beyond three times what was predicted, and beyond a second.
 */
#include "hedge.h"

uint64_t hedge_after_us(const struct hedge_view *v)
{
	/* of a guess one thing is sure: on a slow machine there is more to be gained */
	double late = 3 * (double)v->predicted_us / (v->guessed ? 1 : v->speed);

	return late > HEDGE_MIN_US ? (uint64_t)late : HEDGE_MIN_US;
}

/*
 * What runs for so long without a prediction is more likely a long job than a volunteer in trouble: it has, as lengths
 * of jobs go, about as much before it as behind it. Then a copy is of use only on a faster machine.
 */
static double expected_copy(const struct hedge_view *v)
{
	return (v->guessed ? 2 * (double)v->elapsed_us * v->speed : (double)v->predicted_us) / v->other;
}

bool hedge_due(const struct hedge_budget *b, const struct hedge_view *v)
{
	if (v->other <= 0 || v->waiting || v->elapsed_us <= hedge_after_us(v))
		return false;
	if ((b->copies + 1) * HEDGE_SHARE > b->jobs)
		return false;
	return expected_copy(v) < (double)v->elapsed_us;
}
