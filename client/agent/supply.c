/*
 * supply.c - one toolchain on its way to one volunteer: its side of what they say.
 */
#include "supply.h"

#include "clock.h"
#include "contents.h"
#include "wire.h"

struct supply {
	struct conn *conn;
	const struct toolchain *toolchain;
	const struct supply_events *events;
	void *arg;
	struct contents *contents;
	bool welcomed;
	bool some_gone;			/* the volunteer was told of a file that changed */
	uint64_t moved_ms;		/* when something was last heard, or taken by the socket */
	uint64_t moved_bytes;
};

const struct tree_entry *supply_find(const struct tree *t, const struct digest *d)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].type == TREE_FILE && digest_eq(&t->entries[i].digest, d))
			return &t->entries[i];
	return NULL;
}

void supply_stop(struct supply *s)
{
	if (!s)
		return;
	contents_stop(s->contents);
	conn_close(ptr_steal(&s->conn));
	free(s);
}

static void finish(struct supply *s, const struct err *err)
{
	s->events->ended(s, err, s->arg);
	supply_stop(s);
}

/* What is sent */

static bool find(const struct digest *d, struct content *out, void *arg)
{
	const struct supply *s = arg;
	const struct tree_entry *e = supply_find(&s->toolchain->tree, d);

	if (e)
		*out = (struct content){ .digest = e->digest, .size = e->size, .path = e->path, .mode = ANY_MODE };
	return e;
}

static enum codec codec_now(void *arg)
{
	struct supply *s = arg;

	return s->events->codec(s->conn, s->arg);
}

static void on_gone(const char *path, void *arg)
{
	(void)path;
	((struct supply *)arg)->some_gone = true;
}

static void on_failed(const struct err *err, void *arg) { finish(arg, err); }

static const struct contents_events contents_events = { find, codec_now, on_gone, on_failed };

/* What is heard */

static int on_want(struct supply *s, struct reader *r, struct err *err)
{
	static const struct err gone = { .code = ERR_ABSENT, .text = "some files have changed" };
	int rc;

	if (!contents_idle(s->contents))
		return err_set(err, ERR_WIRE, "WANT: the last one is not answered");
	rc = contents_want(s->contents, r, err);
	if (rc == 0 && contents_idle(s->contents))
		finish(s, s->some_gone ? &gone : NULL);
	return rc;
}

static int on_welcome(struct supply *s, struct reader *r, struct err *err)
{
	struct wire_welcome m = { 0 };
	int rc = s->welcomed ? err_set(err, ERR_WIRE, "WELCOME: twice") : wire_welcome_get(r, &m, err);

	s->welcomed = true;
	wire_welcome_free(&m);
	return rc;
}

static int on_bye(struct reader *r, struct err *err)
{
	struct wire_bye m = { 0 };
	int rc = wire_bye_get(r, &m, err);

	if (rc == 0)
		rc = err_set(err, ERR_REFUSED, "%s%s%s", refusal_text(m.refusal), *m.text ? ": " : "", m.text);
	free(m.text);
	return rc;
}

static int on_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct supply *s = arg;

	(void)c;
	s->moved_ms = clock_ms();
	switch (f->type) {
	case WIRE_WELCOME: return on_welcome(s, &r, err);
	case WIRE_BYE: return on_bye(&r, err);
	case WIRE_WANT: return on_want(s, &r, err);
	default: return err_set(err, ERR_WIRE, "unexpected %s", wire_protocol.rules[f->type].name);
	}
}

static void on_drained(struct conn *c, void *arg)
{
	(void)c;
	contents_go_on(((struct supply *)arg)->contents);
}

static void on_end(struct conn *c, void *arg, const struct err *err)
{
	struct supply *s = arg;

	(void)c;
	s->conn = NULL;
	finish(s, err);
}

static const struct conn_ops conn_ops = { .on_message = on_message, .on_drained = on_drained, .on_end = on_end };

struct supply *supply_start(uv_loop_t *loop, struct conn *c, const struct toolchain *tc,
			    const struct supply_events *events, void *arg)
{
	struct supply *s = xcalloc(1, sizeof *s);
	autobuf struct buf b = { 0 };

	*s = (struct supply){ .conn = c, .toolchain = tc, .events = events, .arg = arg,
			      .contents = contents_new(loop, c, &contents_events, s), .moved_ms = clock_ms() };
	conn_set_arg(c, &conn_ops, s);
	wire_digest_put(&b, &tc->id);
	conn_send(c, WIRE_SUPPLY, 0, &b);
	return s;
}

void supply_check(struct supply *s, uint64_t now_ms)
{
	struct err err = { 0 };

	if (conn_bytes_out(s->conn) != s->moved_bytes) {
		s->moved_bytes = conn_bytes_out(s->conn);
		s->moved_ms = now_ms;
	}
	if (now_ms < s->moved_ms + SUPPLY_STALL_MS || contents_busy(s->contents))
		return;
	err_set(&err, ERR_IO, "nothing moved for %d s", SUPPLY_STALL_MS / 1000);
	finish(s, &err);
}
