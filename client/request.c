/*
 * request.c - the messages between wrapper and agent, to bytes and back.
 */
#include "request.h"

#include "output_kind.h"

static const struct frame_rule rules[REQUEST_TYPES] = {
	[REQUEST_ASK] = { .name = "ASK", .max = REQUEST_BYTES_MAX, .max_fds = 1 },
	[REQUEST_DESCRIBE] = { .name = "DESCRIBE", .max = 8192 },
	[REQUEST_DESCRIPTION] = { .name = "DESCRIPTION", .max = REQUEST_BYTES_MAX },
	[REQUEST_PREPARE] = { .name = "PREPARE", .max = REQUEST_BYTES_MAX },
	[REQUEST_STARTED] = { .name = "STARTED", .max = 4, .max_fds = 3 },
	[REQUEST_DECLINED] = { .name = "DECLINED", .max = 16 },
	[REQUEST_PREPROCESSED] = { .name = "PREPROCESSED", .max = 16 },
	[REQUEST_FINISHED] = { .name = "FINISHED", .max = 0 },
	[REQUEST_COMMITTED] = { .name = "COMMITTED", .max = 0 },
	[REQUEST_DONE] = { .name = "DONE", .max = 0 },
	[REQUEST_LOCAL] = { .name = "LOCAL", .max = 1024 },
	[REQUEST_FATAL] = { .name = "FATAL", .max = 4096 },
	[REQUEST_QUERY] = { .name = "QUERY", .max = REQUEST_BYTES_MAX },
	[REQUEST_OUTCOME] = { .name = "OUTCOME", .max = CHANGES_BYTES_MAX + 8192, .max_fds = 1 },
	[REQUEST_ANSWER] = { .name = "ANSWER", .max = REQUEST_PAGE_MAX },
};

const struct protocol request_protocol = { "request", rules, ARRAY_LEN(rules) };

static int end(const struct reader *r, const char *what, struct err *err)
{
	return reader_done(r) ? 0 : err_set(err, ERR_WIRE, "%s: wrong length or value", what);
}

void ask_put(struct buf *b, const struct ask *m)
{
	put_str(b, m->program);
	put_argv(b, &m->argv);
	put_argv(b, &m->expanded);
	put_str(b, m->cwd);
	put_argv(b, &m->env);
	put_u8(b, (uint8_t)m->niceness);
	put_u8(b, m->cores);
	put_u8(b, m->explain);
	put_u8(b, m->quick);
	put_u8(b, m->after);
	put_u8(b, m->stderr_tty);
	put_u16(b, m->columns);
	put_u16(b, m->lines);
	put_u16(b, m->umask);
}

int ask_get(struct reader *r, struct ask *m, struct err *err)
{
	*m = (struct ask){ .program = get_str(r) };
	get_argv(r, &m->argv, REQUEST_ARGS_MAX);
	get_argv(r, &m->expanded, REQUEST_ARGS_MAX);
	m->cwd = get_str(r);
	get_argv(r, &m->env, REQUEST_ARGS_MAX);
	m->niceness = (int8_t)get_u8(r);
	m->cores = get_u8(r);
	m->explain = get_u8(r);
	m->quick = get_u8(r);
	m->after = get_u8(r);
	m->stderr_tty = get_u8(r);
	m->columns = get_u16(r);
	m->lines = get_u16(r);
	m->umask = get_u16(r);
	if (!m->argv.count || m->quick >= REASON_COUNT || m->after >= REASON_COUNT)
		r->bad = true;
	return end(r, "ASK", err);
}

void ask_free(struct ask *m)
{
	free(m->program);
	argv_free(&m->argv);
	argv_free(&m->expanded);
	free(m->cwd);
	argv_free(&m->env);
	*m = (struct ask){ 0 };
}

void describe_put(struct buf *b, const struct describe *m)
{
	put_u8(b, m->kind);
	put_str(b, m->temp_dir);
}

int describe_get(struct reader *r, struct describe *m, struct err *err)
{
	m->kind = get_u8(r);
	m->temp_dir = get_str(r);
	if (m->kind >= DESCRIBE_KINDS)
		r->bad = true;
	return end(r, "DESCRIBE", err);
}

void description_put(struct buf *b, const struct description *m)
{
	put_u32(b, (uint32_t)m->status);
	put_str(b, m->text);
}

int description_get(struct reader *r, struct description *m, struct err *err)
{
	m->status = (int32_t)get_u32(r);
	m->text = get_str(r);
	return end(r, "DESCRIPTION", err);
}

void prepare_put(struct buf *b, const struct prepare *m)
{
	put_str(b, m->input);
	put_u8(b, m->stdin_input);
	put_str(b, m->output);
	put_u8(b, m->output_kind);
	put_argv(b, &m->preprocess);
	put_u32(b, m->round);
	put_u32(b, m->dependencies_at);
}

int prepare_get(struct reader *r, struct prepare *m, struct err *err)
{
	*m = (struct prepare){ .input = get_str(r) };
	m->stdin_input = get_u8(r);
	m->output = get_str(r);
	m->output_kind = get_u8(r);
	get_argv(r, &m->preprocess, REQUEST_ARGS_MAX);
	m->round = get_u32(r);
	m->dependencies_at = get_u32(r);
	if (m->dependencies_at && m->dependencies_at >= m->preprocess.count)
		r->bad = true;
	if (!m->preprocess.count || m->output_kind > OUTPUT_THROUGH)
		r->bad = true;
	return end(r, "PREPARE", err);
}

void prepare_free(struct prepare *m)
{
	free(m->input);
	free(m->output);
	argv_free(&m->preprocess);
	*m = (struct prepare){ 0 };
}

void started_put(struct buf *b, uint32_t round)
{
	put_u32(b, round);
}

int started_get(struct reader *r, uint32_t *round, struct err *err)
{
	*round = get_u32(r);
	return end(r, "STARTED", err);
}

void declined_put(struct buf *b, uint32_t round, enum reason reason)
{
	put_u32(b, round);
	put_u8(b, (uint8_t)reason);
}

int declined_get(struct reader *r, uint32_t *round, enum reason *reason, struct err *err)
{
	uint8_t v;

	*round = get_u32(r);
	v = get_u8(r);
	if (v >= REASON_COUNT)
		r->bad = true;
	*reason = v;
	return end(r, "DECLINED", err);
}

void preprocessed_put(struct buf *b, uint32_t round, bool clean)
{
	put_u32(b, round);
	put_u8(b, clean);
}

int preprocessed_get(struct reader *r, uint32_t *round, bool *clean, struct err *err)
{
	uint8_t v;

	*round = get_u32(r);
	v = get_u8(r);
	if (v > 1)
		r->bad = true;
	*clean = v == 1;
	return end(r, "PREPROCESSED", err);
}

void outcome_put(struct buf *b, const struct outcome *m)
{
	put_u32(b, m->round);
	put_u8(b, m->status);
	put_u64(b, m->out_bytes);
	put_u64(b, m->err_bytes);
	changes_put(b, &m->changes);
	put_str(b, m->removed);
}

int outcome_get(struct reader *r, struct outcome *m, struct err *err)
{
	int rc;

	*m = (struct outcome){ .round = get_u32(r), .status = get_u8(r) };
	m->out_bytes = get_u64(r);
	m->err_bytes = get_u64(r);
	rc = changes_get(r, &m->changes, err);
	m->removed = get_str(r);
	return rc < 0 ? rc : end(r, "OUTCOME", err);
}

void outcome_free(struct outcome *m)
{
	changes_free(&m->changes);
	free(m->removed);
	*m = (struct outcome){ 0 };
}

void local_go_put(struct buf *b, const struct local_go *m)
{
	put_u8(b, m->reason);
	put_str(b, m->lease);
}

int local_go_get(struct reader *r, struct local_go *m, struct err *err)
{
	m->reason = get_u8(r);
	m->lease = get_str(r);
	if (m->reason >= REASON_COUNT)
		r->bad = true;
	return end(r, "LOCAL", err);
}

void fatal_put(struct buf *b, const struct fatal *m)
{
	put_u8(b, m->status);
	put_str(b, m->text);
}

int fatal_get(struct reader *r, struct fatal *m, struct err *err)
{
	m->status = get_u8(r);
	m->text = get_str(r);
	return end(r, "FATAL", err);
}

void query_put(struct buf *b, const struct query *m)
{
	put_u8(b, m->kind);
	put_u8(b, m->json);
	put_u8(b, m->cores);
	put_u16(b, m->columns);
	put_u16(b, m->lines);
	put_argv(b, &m->env);
}

int query_get(struct reader *r, struct query *m, struct err *err)
{
	*m = (struct query){ .kind = get_u8(r) };
	m->json = get_u8(r);
	m->cores = get_u8(r);
	m->columns = get_u16(r);
	m->lines = get_u16(r);
	get_argv(r, &m->env, REQUEST_ARGS_MAX);
	if (m->kind >= QUERY_KINDS)
		r->bad = true;
	return end(r, "QUERY", err);
}

void query_free(struct query *m)
{
	argv_free(&m->env);
}
