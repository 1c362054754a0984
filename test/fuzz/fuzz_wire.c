/*
 * fuzz_wire.c - every message between agent and volunteer: what decodes must
 * survive another round.
 */
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* once and twice hold the same message, encoded before and after another round. */
static void same(const struct buf *once, const struct buf *twice)
{
	if (once->len != twice->len || memcmp(once->p, twice->p, once->len))
		abort();
}

#define ROUND(name, type, release) \
	static void round_##name(struct reader *r) \
	{ \
		autobuf struct buf once = { 0 }, twice = { 0 }; \
		struct type m = { 0 }; \
		struct reader again; \
		if (type##_get(r, &m, NULL) < 0) \
			return; \
		type##_put(&once, &m); \
		release; \
		again = reader_of(once.p, once.len); \
		if (type##_get(&again, &m, NULL) < 0) \
			abort(); \
		type##_put(&twice, &m); \
		release; \
		same(&once, &twice); \
	}

ROUND(hello, wire_hello, free(m.name))
ROUND(welcome, wire_welcome, wire_welcome_free(&m))
ROUND(bye, wire_bye, free(m.text))
ROUND(state, wire_state, (void)0)
ROUND(toolchain_state, wire_toolchain_state, free(m.text))
ROUND(reserve, wire_reserve, (void)0)
ROUND(grant, wire_grant, (void)0)
ROUND(refuse, wire_refuse, free(m.text))
ROUND(input_end, wire_input_end, (void)0)
ROUND(want, wire_want, wire_want_free(&m))
ROUND(blob, wire_blob, (void)0)
ROUND(need, wire_need, wire_need_free(&m))
ROUND(question, wire_question, free(m.path))
ROUND(progress, wire_progress, (void)0)

/* Lists that end a message. */
#define ROUND_LIST(name, type, get, put, release) \
	static void round_##name(struct reader *r) \
	{ \
		autobuf struct buf once = { 0 }, twice = { 0 }; \
		struct type m; \
		struct reader again; \
		if ((get) < 0) \
			return; \
		put(&once, &m); \
		release(&m); \
		again = reader_of(once.p, once.len); \
		r = &again; \
		if ((get) < 0) \
			abort(); \
		put(&twice, &m); \
		release(&m); \
		same(&once, &twice); \
	}

enum { USED_FACTS = 3 };
ROUND_LIST(changes, changes, changes_get(r, &m, NULL), changes_put, changes_free)
ROUND_LIST(used, used, used_get(r, USED_FACTS, &m, NULL), used_put, used_free)

static void round_stamp(struct reader *r)
{
	uint64_t stamp;

	wire_ping_get(r, &stamp, NULL);
}

static void round_job(struct reader *r)
{
	autojob struct job job = { 0 };
	uint64_t token;

	wire_job_get(r, &token, &job, NULL);
}

static void (*const rounds[])(struct reader *r) = {
	round_hello, round_welcome, round_bye, round_state, round_toolchain_state, round_reserve, round_grant,
	round_refuse, round_input_end, round_want, round_blob, round_progress, round_stamp, round_job,
	round_need, round_question, round_changes, round_used,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r;

	if (!size)
		return 0;
	r = reader_of(data + 1, size - 1);
	rounds[data[0] % ARRAY_LEN(rounds)](&r);
	return 0;
}
