/*
 * wire.c - the messages between agent and volunteer, to bytes and back.
 */
#include "wire.h"

static const struct frame_rule rules[WIRE_TYPES] = {
	[WIRE_HELLO] = { "HELLO", 1024 },
	[WIRE_WELCOME] = { "WELCOME", 1024 },
	[WIRE_BYE] = { "BYE", 1024 },
	[WIRE_STATE] = { "STATE", 64 },
	[WIRE_TOOLCHAIN] = { "TOOLCHAIN", TREE_BYTES_MAX },
	[WIRE_TOOLCHAIN_STATE] = { "TOOLCHAIN_STATE", 8192 },
	[WIRE_RESERVE] = { "RESERVE", 64 },
	[WIRE_GRANT] = { "GRANT", 64 },
	[WIRE_REFUSE] = { "REFUSE", 1024 },
	[WIRE_CANCEL] = { "CANCEL", 0 },
	[WIRE_PING] = { "PING", 8 },
	[WIRE_PONG] = { "PONG", 16 },
	[WIRE_JOB] = { "JOB", JOB_BYTES_MAX },
	[WIRE_INPUT] = { "INPUT", FRAME_MAX, .bulk = true },
	[WIRE_INPUT_END] = { "INPUT_END", 16 },
	[WIRE_OUTPUT] = { "OUTPUT", FRAME_MAX, .bulk = true },
	[WIRE_RESULT] = { "RESULT", 512 },
	[WIRE_PROGRESS] = { "PROGRESS", 16 },
	[WIRE_SUPPLY] = { "SUPPLY", DIGEST_SIZE },
	[WIRE_WANT] = { "WANT", 4 + WANT_MAX * DIGEST_SIZE },
	[WIRE_BLOB] = { "BLOB", DIGEST_SIZE + 8 },
	[WIRE_BLOB_DATA] = { "BLOB_DATA", FRAME_MAX, .bulk = true },
	[WIRE_BLOB_NONE] = { "BLOB_NONE", DIGEST_SIZE },
	[WIRE_FACTS] = { "FACTS", FACTS_BYTES_MAX },
	[WIRE_QUESTION] = { "QUESTION", FACT_PATH_MAX + 8 },
	[WIRE_ANSWER] = { "ANSWER", FACTS_BYTES_MAX },
	[WIRE_CHANGES] = { "CHANGES", CHANGES_BYTES_MAX },
	[WIRE_USED] = { "USED", USED_BYTES_MAX },
	[WIRE_JOB_END] = { "JOB_END", 0 },
	[WIRE_NEED] = { "NEED", 4 + NEED_MAX * (DIGEST_SIZE + 12 + FACT_PATH_MAX) },
	[WIRE_HAVE] = { "HAVE", 4 + WANT_MAX * DIGEST_SIZE },
	[WIRE_KEEP] = { "KEEP", FACTS_BYTES_MAX },
	[WIRE_BOX] = { "BOX", JOB_BYTES_MAX + TREE_BYTES_MAX + 4096 },
};

const struct protocol wire_protocol = { "wire", rules, ARRAY_LEN(rules) };

static const char *const refusals[REFUSAL_COUNT] = {
#define X(id, text) [REFUSAL_##id] = text,
	REFUSALS(X)
#undef X
};

const char *refusal_text(enum refusal r)
{
	return r < REFUSAL_COUNT ? refusals[r] : "refused";
}

static const char *const holds[HOLD_COUNT] = {
#define X(id, text) [HOLD_##id] = text,
	HOLDS(X)
#undef X
};

const char *hold_text(enum hold h)
{
	return h < HOLD_COUNT ? holds[h] : "its owner says so";
}

/* Text that a volunteer wrote, for people: it goes to logs and terminals. */
static char *get_text(struct reader *r)
{
	char *s = get_str(r);

	make_printable(s);
	return s;
}

static int end(const struct reader *r, const char *what, struct err *err)
{
	return reader_done(r) ? 0 : err_set(err, ERR_WIRE, "%s: wrong length", what);
}

void wire_hello_put(struct buf *b, const struct wire_hello *m)
{
	put_u32(b, WIRE_MAGIC);
	put_u32(b, m->version);
	put_u8(b, m->role);
	put_str(b, m->name);
}

int wire_hello_get(struct reader *r, struct wire_hello *m, struct err *err)
{
	*m = (struct wire_hello){ 0 };
	if (get_u32(r) != WIRE_MAGIC)
		return err_set(err, ERR_WIRE, "HELLO: not rcc");
	m->version = get_u32(r);
	m->role = get_u8(r);
	m->name = get_str(r);
	if (reader_done(r) && m->role < ROLES)
		return 0;
	free(ptr_steal(&m->name));
	return err_set(err, ERR_WIRE, "HELLO: wrong length or role");
}

void wire_welcome_put(struct buf *b, const struct wire_welcome *m)
{
	put_u32(b, m->version);
	put_u32(b, m->slots);
	put_u32(b, m->processors);
	put_str(b, m->name);
	put_str(b, m->machine);
	put_str(b, m->kernel);
	put_str(b, m->build);
	put_u8(b, m->modes);
}

int wire_welcome_get(struct reader *r, struct wire_welcome *m, struct err *err)
{
	m->version = get_u32(r);
	m->slots = get_u32(r);
	m->processors = get_u32(r);
	m->name = get_text(r);
	m->machine = get_text(r);
	m->kernel = get_text(r);
	m->build = get_text(r);
	m->modes = get_u8(r);
	if (reader_done(r))
		return 0;
	wire_welcome_free(m);
	return err_set(err, ERR_WIRE, "WELCOME: wrong length");
}

void wire_welcome_free(struct wire_welcome *m)
{
	free(m->name);
	free(m->machine);
	free(m->kernel);
	free(m->build);
	*m = (struct wire_welcome){ 0 };
}

void wire_bye_put(struct buf *b, const struct wire_bye *m)
{
	put_u8(b, m->refusal);
	put_str(b, m->text);
}

int wire_bye_get(struct reader *r, struct wire_bye *m, struct err *err)
{
	m->refusal = get_u8(r);
	m->text = get_text(r);
	if (reader_done(r))
		return 0;
	free(ptr_steal(&m->text));
	return err_set(err, ERR_WIRE, "BYE: wrong length");
}

void wire_state_put(struct buf *b, const struct wire_state *m)
{
	put_u32(b, m->slots);
	put_u32(b, m->free);
	put_u32(b, m->queued);
	put_u8(b, m->draining);
	put_u8(b, m->hold);
}

int wire_state_get(struct reader *r, struct wire_state *m, struct err *err)
{
	m->slots = get_u32(r);
	m->free = get_u32(r);
	m->queued = get_u32(r);
	m->draining = get_u8(r);
	m->hold = get_u8(r);
	return end(r, "STATE", err);
}

void wire_toolchain_state_put(struct buf *b, const struct wire_toolchain_state *m)
{
	put_digest(b, &m->id);
	put_u8(b, m->state);
	put_u64(b, m->done);
	put_u64(b, m->total);
	put_str(b, m->text);
}

int wire_toolchain_state_get(struct reader *r, struct wire_toolchain_state *m, struct err *err)
{
	get_digest(r, &m->id);
	m->state = get_u8(r);
	m->done = get_u64(r);
	m->total = get_u64(r);
	m->text = get_text(r);
	if (reader_done(r) && m->state < TOOLCHAIN_STATES)
		return 0;
	free(ptr_steal(&m->text));
	return err_set(err, ERR_WIRE, "TOOLCHAIN_STATE: wrong length or state");
}

void wire_reserve_put(struct buf *b, const struct wire_reserve *m)
{
	put_digest(b, &m->toolchain);
	put_u32(b, m->predicted_ms);
	put_u32(b, m->predicted_mb);
	put_u8(b, (uint8_t)m->niceness);
}

int wire_reserve_get(struct reader *r, struct wire_reserve *m, struct err *err)
{
	get_digest(r, &m->toolchain);
	m->predicted_ms = get_u32(r);
	m->predicted_mb = get_u32(r);
	m->niceness = (int8_t)get_u8(r);
	return end(r, "RESERVE", err);
}

void wire_grant_put(struct buf *b, const struct wire_grant *m)
{
	put_u64(b, m->token);
}

int wire_grant_get(struct reader *r, struct wire_grant *m, struct err *err)
{
	m->token = get_u64(r);
	return end(r, "GRANT", err);
}

void wire_refuse_put(struct buf *b, const struct wire_refuse *m)
{
	put_u8(b, m->refusal);
	put_str(b, m->text);
}

int wire_refuse_get(struct reader *r, struct wire_refuse *m, struct err *err)
{
	m->refusal = get_u8(r);
	m->text = get_text(r);
	if (reader_done(r))
		return 0;
	free(ptr_steal(&m->text));
	return err_set(err, ERR_WIRE, "REFUSE: wrong length");
}

void wire_job_put(struct buf *b, uint64_t token, const struct job *job)
{
	put_u64(b, token);
	job_put(b, job);
}

int wire_job_get(struct reader *r, uint64_t *token, struct job *job, struct err *err)
{
	*token = get_u64(r);
	return job_get(r, job, err);
}

void wire_input_end_put(struct buf *b, const struct wire_input_end *m)
{
	put_u64(b, m->bytes);
	put_u64(b, m->hash);
}

int wire_input_end_get(struct reader *r, struct wire_input_end *m, struct err *err)
{
	m->bytes = get_u64(r);
	m->hash = get_u64(r);
	return end(r, "INPUT_END", err);
}

void wire_digest_put(struct buf *b, const struct digest *d) { put_digest(b, d); }

int wire_digest_get(struct reader *r, struct digest *d, struct err *err)
{
	get_digest(r, d);
	return end(r, "digest", err);
}

void wire_want_put(struct buf *b, const struct wire_want *m)
{
	put_u32(b, (uint32_t)m->count);
	for (size_t i = 0; i < m->count; i++)
		put_digest(b, &m->digests[i]);
}

int wire_want_get(struct reader *r, struct wire_want *m, struct err *err)
{
	size_t count = get_u32(r);

	*m = (struct wire_want){ 0 };
	if (r->bad || count > WANT_MAX || r->left != count * DIGEST_SIZE)
		return err_set(err, ERR_WIRE, "WANT: wrong length");
	m->digests = count ? xcalloc(count, sizeof *m->digests) : NULL;
	m->count = count;
	for (size_t i = 0; i < count; i++)
		get_digest(r, &m->digests[i]);
	return 0;
}

void wire_want_free(struct wire_want *m)
{
	free(m->digests);
	*m = (struct wire_want){ 0 };
}

void wire_blob_put(struct buf *b, const struct wire_blob *m)
{
	put_digest(b, &m->digest);
	put_u64(b, m->size);
}

int wire_blob_get(struct reader *r, struct wire_blob *m, struct err *err)
{
	get_digest(r, &m->digest);
	m->size = get_u64(r);
	return end(r, "BLOB", err);
}

void wire_need_put(struct buf *b, const struct wire_need *m)
{
	put_u32(b, (uint32_t)m->count);
	for (size_t i = 0; i < m->count; i++) {
		put_digest(b, &m->v[i].digest);
		put_u64(b, m->v[i].size);
		put_str(b, m->v[i].path);
	}
}

int wire_need_get(struct reader *r, struct wire_need *m, struct err *err)
{
	size_t count = get_u32(r);

	*m = (struct wire_need){ 0 };
	r->bad |= !count || count > NEED_MAX || r->left / (DIGEST_SIZE + 12) < count;
	if (!r->bad)
		m->v = xcalloc(count, sizeof *m->v);
	for (size_t i = 0; i < count && !r->bad; i++) {
		struct wire_needed *n = &m->v[m->count++];

		get_digest(r, &n->digest);
		n->size = get_u64(r);
		n->path = get_str(r);
		r->bad |= strlen(n->path) > FACT_PATH_MAX || (*n->path && !path_canonical(n->path));
	}
	if (reader_done(r))
		return 0;
	wire_need_free(m);
	return err_set(err, ERR_WIRE, "NEED: wrong length or a bad path");
}

void wire_need_free(struct wire_need *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->v[i].path);
	free(m->v);
	*m = (struct wire_need){ 0 };
}

void wire_question_put(struct buf *b, const struct wire_question *m)
{
	put_u8(b, m->listing);
	put_str(b, m->path);
}

int wire_question_get(struct reader *r, struct wire_question *m, struct err *err)
{
	m->listing = get_u8(r);
	m->path = get_str(r);
	if (reader_done(r) && m->listing <= 1 && strlen(m->path) <= FACT_PATH_MAX && path_canonical(m->path))
		return 0;
	free(ptr_steal(&m->path));
	return err_set(err, ERR_WIRE, "QUESTION: wrong length or a bad path");
}

void wire_progress_put(struct buf *b, const struct wire_progress *m)
{
	put_u64(b, m->cpu_us);
	put_u64(b, m->memory_kb);
}

int wire_progress_get(struct reader *r, struct wire_progress *m, struct err *err)
{
	m->cpu_us = get_u64(r);
	m->memory_kb = get_u64(r);
	return end(r, "PROGRESS", err);
}

void wire_ping_put(struct buf *b, uint64_t stamp)
{
	put_u64(b, stamp);
}

int wire_ping_get(struct reader *r, uint64_t *stamp, struct err *err)
{
	*stamp = get_u64(r);
	return end(r, "PING", err);
}

void wire_pong_put(struct buf *b, uint64_t stamp, uint64_t time_us)
{
	put_u64(b, stamp);
	put_u64(b, time_us);
}

int wire_pong_get(struct reader *r, uint64_t *stamp, uint64_t *time_us, struct err *err)
{
	*stamp = get_u64(r);
	*time_us = get_u64(r);
	return end(r, "PONG", err);
}
