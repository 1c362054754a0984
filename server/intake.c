/*
 * intake.c - what comes on a store connection, in the order in which it was asked for.
 */
#include "intake.h"

#include "receipt.h"
#include "session.h"
#include "toolchains.h"

struct intake {
	struct session *session;
	struct server *server;
	bool supplying;			/* a toolchain was asked for, and its end not told yet */
	struct digest toolchain;
	struct wire_want want;
	size_t at;			/* how many of want have begun to come, or cannot */
	bool lacking;			/* BLOB_NONE was said */
	struct receipt *receipt;
};

static const struct receipt_ops receipt_ops;

struct intake *intake_new(struct session *x, struct server *s)
{
	struct intake *i = xcalloc(1, sizeof *i);

	*i = (struct intake){ .session = x, .server = s };
	i->receipt = receipt_new(s->loop, s->store, &receipt_ops, i);
	return i;
}

/* Once for each SUPPLY that was taken. */
static void tell_end(struct intake *i, enum supply_end how, const struct err *err)
{
	if (!i->supplying)
		return;
	i->supplying = false;
	toolchain_supplied(i->server, &i->toolchain, i, how, err ? err->text : "");
}

static void send_want(struct intake *i)
{
	autobuf struct buf b = { 0 };

	wire_want_put(&b, &i->want);
	conn_send(session_conn(i->session), WIRE_WANT, 0, &b);
}

/* What is still wanted of the toolchain; nothing when its caller has brought all it can. */
static void ask(struct intake *i)
{
	wire_want_free(&i->want);
	i->at = 0;
	if (i->lacking)
		tell_end(i, SUPPLY_NONE, NULL);
	else if (i->supplying && !toolchain_wanted(i->server, &i->toolchain, &i->want))
		tell_end(i, SUPPLY_WHOLE, NULL);
	send_want(i);
}

int intake_supply(struct intake *i, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct digest id;
	int rc = wire_digest_get(&r, &id, err);

	if (rc < 0)
		return rc;
	if (i->supplying || receipt_coming(i->receipt))
		return err_set(err, ERR_WIRE, "SUPPLY before the last one's end");
	i->lacking = false;
	i->toolchain = id;
	i->supplying = toolchain_supplier(i->server, &id, i);
	ask(i);
	return 0;
}

/* What was brought cannot be used. The session, and with it i, is gone afterwards. */
static void fail(struct intake *i, int rc, struct err *err)
{
	bool lie = rc == ERR_WIRE;

	tell_end(i, lie ? SUPPLY_LOST : SUPPLY_FULL, err);
	make_printable(err->text);
	session_bye(i->session, lie ? REFUSAL_PROTOCOL : REFUSAL_INTERNAL, err->text);
}

/* Nothing more of this WANT is to come, and all of it is written. */
static bool all_done(const struct intake *i)
{
	return i->want.count && i->at == i->want.count && receipt_idle(i->receipt);
}

static void on_written(void *arg, uint64_t bytes, size_t blobs UNUSED, int rc, struct err *err)
{
	struct intake *i = arg;

	toolchain_progress(i->server, &i->toolchain, bytes);
	if (rc < 0)
		fail(i, rc, err);
	else if (all_done(i))
		ask(i);
}

static void pause_caller(void *arg) { conn_pause(session_conn(((struct intake *)arg)->session)); }
static void resume_caller(void *arg) { conn_resume(session_conn(((struct intake *)arg)->session)); }

static const struct receipt_ops receipt_ops = { pause_caller, resume_caller, on_written };

int intake_blob(struct intake *i, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_blob m;
	int rc = wire_blob_get(&r, &m, err);

	if (rc < 0)
		return rc;
	if (receipt_coming(i->receipt) || i->at == i->want.count || !digest_eq(&m.digest, &i->want.digests[i->at]))
		return err_set(err, ERR_WIRE, "BLOB that was not the next to be wanted");
	if (m.size != toolchain_blob_size(i->server, &i->toolchain, &m.digest))
		return err_set(err, ERR_WIRE, "BLOB of %llu bytes, which the tree denies", (unsigned long long)m.size);
	i->at++;
	receipt_blob(i->receipt, &m);
	return 0;
}

int intake_data(struct intake *i, const struct frame *f, struct err *err)
{
	return receipt_data(i->receipt, f, err);
}

int intake_none(struct intake *i, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct digest d;
	int rc = wire_digest_get(&r, &d, err);

	if (rc < 0)
		return rc;
	if (receipt_coming(i->receipt) || i->at == i->want.count || !digest_eq(&d, &i->want.digests[i->at]))
		return err_set(err, ERR_WIRE, "BLOB_NONE of what was not the next to be wanted");
	i->at++;
	i->lacking = true;
	if (all_done(i))
		ask(i);
	return 0;
}

uint64_t intake_caller(const struct intake *i) { return session_caller(i->session); }

void intake_give_up(struct intake *i) { session_bye(i->session, REFUSAL_PROTOCOL, "too slow to supply a toolchain"); }

void intake_end(struct intake *i)
{
	if (!i)
		return;
	tell_end(i, SUPPLY_LOST, NULL);
	receipt_end(i->receipt);
	wire_want_free(&i->want);
	free(i);
}
