/*
 * place.c - local at once, remote, or wait.
 *
 * A job is preprocessed only when it is soon to be sent: at most as many
 * preprocessors as cores, and a few texts that wait for a grant, so that a
 * full farm does not fill the agent's memory. A job of which nothing is held
 * may be offered long before there is a slot for it: those that wait for a
 * fast machine must not keep others from the slow ones.
 */
#include "place.h"

enum {
	REMOTE_FIXED_US = 5000,	/* what going away costs here beside what was measured */
	RETRIES = 1,		/* on another volunteer */
};

/* What must be here is bounded by the caller's slots, or by the cores when it said 0. */
static unsigned local_bound(const struct place_view *v, const struct place_job *j)
{
	return j->local_slots ? j->local_slots : v->cores;
}

static enum place_action here(const struct place_view *v, const struct place_job *j)
{
	return v->local_running < local_bound(v, j) ? PLACE_LOCAL : PLACE_WAIT;
}

static bool may_offer(const struct place_view *v, const struct place_job *j)
{
	if (j->holds_nothing)
		return v->offered < OFFERED_MAX;
	return v->preprocessing < v->cores && v->ungranted < 2 * v->cores + 2;
}

enum place_action place_decide(const struct place_view *v, const struct place_job *j)
{
	unsigned free = v->local_running < j->local_slots ? j->local_slots - v->local_running : 0;

	if (!j->remote_able || j->candidates == CANDIDATES_NONE)
		return here(v, j);
	/* a volunteer that may answer is no reason to leave a core idle */
	if (!j->stay_remote && free && (j->candidates == CANDIDATES_UNKNOWN || v->waiting < free))
		return PLACE_LOCAL;
	if (j->candidates == CANDIDATES_UNKNOWN)
		return PLACE_WAIT;
	return may_offer(v, j) ? PLACE_REMOTE : PLACE_WAIT;
}

bool place_local_first(const struct place_view *v, const struct place_job *j)
{
	return !j->stay_remote && v->local_running < j->local_slots;
}

bool place_early_local(uint64_t predicted_us, uint64_t remote_cost_us)
{
	return predicted_us && predicted_us < 3 * (remote_cost_us + REMOTE_FIXED_US);
}

bool place_before(const struct place_waiting *a, const struct place_waiting *b)
{
	/* by predicted + (now - since), in which now cancels out */
	int64_t ahead = (int64_t)(a->predicted_us - b->predicted_us) - (int64_t)(a->since_us - b->since_us);

	return ahead > 0 || (ahead == 0 && a->since_us < b->since_us);
}

size_t place_next(const struct place_waiting *jobs, size_t count)
{
	size_t next = count;

	for (size_t i = 0; i < count; i++)
		if (next == count || place_before(&jobs[i], &jobs[next]))
			next = i;
	return next;
}

enum place_action place_again(unsigned failures)
{
	return failures <= RETRIES ? PLACE_REMOTE : PLACE_LOCAL;
}

/* One of the peers not yet taken, by weight; count if there is none of positive weight. */
static size_t draw(const struct place_peer *peers, const bool *taken, size_t count, bool need_free, uint64_t random)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		if (!taken[i] && (!need_free || peers[i].free))
			sum += peers[i].slots;
	if (!sum)
		return count;
	random %= sum;
	for (size_t i = 0; i < count; i++) {
		if (taken[i] || (need_free && !peers[i].free))
			continue;
		if (random < peers[i].slots)
			return i;
		random -= peers[i].slots;
	}
	return count;
}

size_t place_sample(const struct place_peer *peers, size_t count, uint64_t (*random)(void *arg), void *arg,
		    size_t chosen[RESERVATIONS])
{
	autofree bool *taken = xcalloc(count, sizeof *taken);
	size_t n = 0;

	for (int need_free = 1; need_free >= 0; need_free--)
		while (n < RESERVATIONS) {
			size_t i = draw(peers, taken, count, need_free, random(arg));

			if (i == count)
				break;
			taken[i] = true;
			chosen[n++] = i;
		}
	return n;
}
