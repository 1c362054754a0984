/*
 * request_rounds.h - every message of request.h: decoded, and encoded again.
 * For the unit test and the fuzzer.
 */
#ifndef RCC_REQUEST_ROUNDS_H
#define RCC_REQUEST_ROUNDS_H

#include "request.h"

/* Decodes p; encodes what was found into out. 0 or ERR_WIRE. */
typedef int request_round(const void *p, size_t len, struct buf *out);

#define ROUND(message, type, release) \
static int round_##message(const void *p, size_t len, struct buf *out) \
{ \
	struct reader r = reader_of(p, len); \
	type m = { 0 }; \
	int rc = message##_get(&r, &m, NULL); \
\
	if (rc == 0) \
		message##_put(out, &m); \
	release; \
	return rc; \
}
ROUND(ask, struct ask, ask_free(&m))
ROUND(describe, struct describe, free(m.temp_dir))
ROUND(description, struct description, free(m.text))
ROUND(prepare, struct prepare, prepare_free(&m))
ROUND(outcome, struct outcome, outcome_free(&m))
ROUND(local_go, struct local_go, free(m.lease))
ROUND(fatal, struct fatal, free(m.text))
ROUND(query, struct query, query_free(&m))
#undef ROUND

static int round_declined(const void *p, size_t len, struct buf *out)
{
	uint32_t round;
	struct reader r = reader_of(p, len);
	enum reason reason;
	int rc = declined_get(&r, &round, &reason, NULL);

	if (rc == 0)
		declined_put(out, round, reason);
	return rc;
}

static int round_preprocessed(const void *p, size_t len, struct buf *out)
{
	uint32_t round;
	struct reader r = reader_of(p, len);
	bool clean;
	int rc = preprocessed_get(&r, &round, &clean, NULL);

	if (rc == 0)
		preprocessed_put(out, round, clean);
	return rc;
}

static request_round *const request_rounds[] = {
	round_ask, round_describe, round_description, round_prepare, round_local_go, round_fatal, round_query,
	round_declined, round_preprocessed, round_outcome,
};

#endif
