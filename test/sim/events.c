/*
 * events.c - a binary heap.
 */
#include "events.h"

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->number < b->number;
}

void events_add(struct events *e, struct event event)
{
	size_t i = e->count++;

	if (e->count > e->room) {
		e->room = e->room ? 2 * e->room : 256;
		e->heap = xrealloc(e->heap, e->room * sizeof *e->heap);
	}
	event.number = e->number++;
	for (; i && before(&event, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
		e->heap[i] = e->heap[(i - 1) / 2];
	e->heap[i] = event;
}

bool events_next(struct events *e, struct event *out)
{
	struct event last;
	size_t i = 0, child;

	if (!e->count)
		return false;
	*out = e->heap[0];
	last = e->heap[--e->count];
	while ((child = 2 * i + 1) < e->count) {
		if (child + 1 < e->count && before(&e->heap[child + 1], &e->heap[child]))
			child++;
		if (!before(&e->heap[child], &last))
			break;
		e->heap[i] = e->heap[child];
		i = child;
	}
	if (e->count)
		e->heap[i] = last;
	return true;
}

void events_free(struct events *e) { free(e->heap); }
