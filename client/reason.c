/*
 * reason.c - the words for each reason.
 */
#include "reason.h"

static const struct {
	const char *key;
	const char *text;
} reasons[REASON_COUNT] = {
#define X(id, key, text) [REASON_##id] = { key, text },
	REASONS(X)
#undef X
};

const char *reason_key(enum reason r)
{
	return r < REASON_COUNT ? reasons[r].key : "?";
}

const char *reason_text(enum reason r)
{
	return r < REASON_COUNT ? reasons[r].text : "?";
}

bool reason_is_fallback(enum reason r)
{
	return r >= REASON_AGENT_LOST && r < REASON_COUNT;
}
