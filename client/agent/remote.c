/*
 * remote.c - the life of an attempt, as steps that each handle one event.
 *
 *	HELD       the text is read first, to compare it with one that is known
 *	RESERVED   asked for slots, waiting for the first grant
 *	SENDING    granted: the job and what there is of its text are on the way
 *	RUNNING    all is sent
 *	STORING    the result is being checked and written
 */
#include "remote.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "clock.h"
#include "log.h"
#include "place.h"
#include "result.h"

enum {
	STALL_MS = 10000,	/* PROGRESS comes each second while a job runs */
	JOB_MS = 1300000,	/* rccd ends a job after 1200 s; one that says it goes on lies */
	TICK_MS = 1000,
	SHORT_MS = 500,		/* some volunteers keep a slot for such jobs (server/admit.h) */
	UNKNOWN_US = 1000000,	/* what a job takes, as long as none has ended */
	RESERVED_MAX = 8,	/* that many are asked for one job, as volunteers that first had no room say they have */
};

enum attempt_state { HELD, RESERVED, SENDING, RUNNING, STORING };

struct candidate {
	struct peer *peer;
	unsigned cap;
	bool reserved;
	uint64_t asked_ms;	/* when it was made */
	uint32_t id;		/* what its reservation is known by there: new at each, and its holder may change */
	bool refused;	/* said no to this attempt */
};

struct attempt {
	TAILQ_ENTRY(attempt) link;
	struct remotes *all;
	const struct attempt_events *events;
	void *arg;
	uint32_t id;
	enum attempt_state state;
	struct buf job;			/* encoded */
	const struct toolchain *toolchain;
	struct candidate *candidates;
	size_t candidate_count;
	struct wire_reserve reserve;
	struct finish_job finish;
	bool guessed;			/* from others, if from any */
	struct place_waiting waiting;	/* when it is its turn */
	bool alone;			/* it goes where it asks, and nobody in its place: a second copy */
	double share;			/* of the job that each reservation stands for */
	uint64_t known_text;
	uint64_t text_hash;		/* of the whole text, once it is known */
	uint32_t result_stream;
	size_t step_count;

	struct filejob *files;		/* file mode */
	struct feed *feed;
	bool preprocessed;		/* and clean */
	int output_fd;
	struct peer *peer;		/* that granted */
	struct conn *conn;
	struct result *result;
	struct job_result said;
	uint64_t granted_us, took_us, heard_ms;
	double load;			/* of the volunteer, besides it, between grant and result */
	uint64_t sent_before, received_before, sent, received;
};

struct remotes {
	uv_loop_t *loop;
	uv_timer_t tick;
	const struct history *history;
	uint32_t next_id;
	uint64_t seed;
	TAILQ_HEAD(, attempt) attempts;
};

static uint64_t next_random(void *arg)
{
	uint64_t *s = arg;	/* splitmix64 (Steele, Lea, Flood 2014) */
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void count_bytes(struct attempt *a)
{
	if (!a->conn)
		return;
	a->sent = conn_bytes_out(a->conn) - a->sent_before;
	a->received = conn_bytes_in(a->conn) - a->received_before;
}

static uint64_t mean_us(const struct remotes *rs)
{
	uint64_t mean = history_mean_us(rs->history);

	return mean ? mean : UNKNOWN_US;
}

/* It was granted, refused, lost, or is about to be cancelled. */
static void unreserve(struct attempt *a, struct candidate *c)
{
	if (c->reserved)
		outlook_unreserved(peer_outlook(c->peer), a->share);
	c->reserved = false;
}

static void cancel_reservations(struct attempt *a)
{
	for (size_t i = 0; i < a->candidate_count; i++)
		if (a->candidates[i].reserved) {
			unreserve(a, &a->candidates[i]);
			peer_cancel(a->candidates[i].peer, a->candidates[i].id);
		}
}

/* Out of the list, everything closed; the memory stays for whoever is told. */
static void detach(struct attempt *a, enum job_end how)
{
	TAILQ_REMOVE(&a->all->attempts, a, link);
	cancel_reservations(a);
	count_bytes(a);
	conn_close(ptr_steal(&a->conn));
	feed_stop(ptr_steal(&a->feed));
	result_free(ptr_steal(&a->result));
	if (a->output_fd >= 0)
		close(fd_steal(&a->output_fd));
	if (!a->peer)
		return;
	peer_job_ended(a->peer, a->id, a->toolchain, a->said.cpu_us, how);
	/* where slots are of no use as long as others run, it has room now, and need not say so */
	remotes_changed(a->all, a->peer);
}

static void dispose(struct attempt *a)
{
	filejob_free(a->files);
	buf_free(&a->job);
	free(a->candidates);
	free(a);
}

enum job_end attempt_blame(enum reason why)
{
	static const enum job_end blame[REASON_COUNT] = {
		[REASON_SERVER_LOST] = JOB_FAILED, [REASON_SERVER_STALLED] = JOB_FAILED, [REASON_SERVER_GARBAGE] = JOB_FAILED,
		[REASON_SERVER_REFUSED] = JOB_FAILED_SO, [REASON_JOB_KILLED] = JOB_FAILED_SO, [REASON_BOX_FAILED] = JOB_FAILED_SO,
		[REASON_JOB_LIMIT] = JOB_FAILED_ALONE, [REASON_OUTPUT_FAILED] = JOB_FAILED_ALONE,
		[REASON_PREEMPTED] = JOB_TAKEN_BACK,
	};

	return blame[why];
}

static void finish(struct attempt *a, enum reason why)
{
	enum reason unsound;

	if (reason_is_fallback(why))
		log_warn("attempt-failed", "peer=%s reason=%s", attempt_peer(a), reason_key(why));
	if (a->feed && feed_ended(a->feed, &unsound))
		a->text_hash = feed_hash(a->feed);
	detach(a, attempt_blame(why));
	a->events->ended(a, why, a->arg);
	dispose(a);
}

void attempt_cancel(struct attempt *a)
{
	if (!a)
		return;
	detach(a, JOB_GIVEN_UP);
	dispose(a);
}

/* Reservations */

static bool below_cap(const struct candidate *c)
{
	struct peer_info info;

	peer_describe(c->peer, &info);
	return !c->cap || info.running < c->cap;
}

static bool offers(const struct attempt *a, const struct peer *p)
{
	return peer_offers(p, a->files ? JOB_FILES : JOB_TEXT);
}

static bool can_take(const struct candidate *c, const struct attempt *a)
{
	return !c->refused && offers(a, c->peer) && peer_can_run(c->peer, a->toolchain) == PEER_CAN && below_cap(c);
}

/* For how long a job that runs is still expected to; 0: unknown. */
static uint64_t left_us(const struct attempt *a)
{
	uint64_t now = clock_us();

	if ((a->state != SENDING && a->state != RUNNING) || !a->reserve.predicted_ms)
		return 0;
	return finish_left_us((uint64_t)((double)a->finish.occupancy_us / outlook_speed(peer_outlook(a->peer), now)), now - a->granted_us);
}

/* The one that is expected to end last of those that run. */
static const struct attempt *last_to_end(const struct remotes *rs, uint64_t *left)
{
	const struct attempt *a, *last = NULL;

	*left = 0;
	TAILQ_FOREACH(a, &rs->attempts, link)
		if (left_us(a) > *left) {
			last = a;
			*left = left_us(a);
		}
	return last;
}

uint64_t remotes_left_us(const struct remotes *rs)
{
	uint64_t left;

	last_to_end(rs, &left);
	return left;
}

/* It would itself be the last. */
static bool is_lasting(const struct attempt *a)
{
	return a->reserve.predicted_ms && a->finish.occupancy_us > remotes_left_us(a->all);
}

/*
 * The end of a build waits for its last job: where that runs, no other joins it to share a processor, if it would be
 * done elsewhere before.
 */
static bool would_spoil(const struct attempt *a, struct peer *p)
{
	const struct attempt *last;
	uint64_t left;

	if (!outlook_does_most(peer_outlook(p), clock_us()) || !(last = last_to_end(a->all, &left)) || last->peer != p)
		return false;
	for (size_t i = 0; i < a->candidate_count; i++) {
		struct finish_peer f;

		if (a->candidates[i].peer == p || !can_take(&a->candidates[i], a))
			continue;
		f = peer_finish(a->candidates[i].peer, mean_us(a->all), false);
		if (f.slots && finish_us(&a->finish, &f) < left)
			return true;
	}
	return false;
}

/* Fewer jobs wait than there are volunteers, so all of them may have one to themselves. */
static bool few_wait(const struct attempt *a)
{
	const struct attempt *other;
	size_t waiting = 0;

	TAILQ_FOREACH(other, &a->all->attempts, link)
		if (!attempt_granted(other) && ++waiting >= a->candidate_count)
			return false;
	return true;
}

/*
 * Of those that are left at the end of a build of which nothing was known, none can be told to be the last: so none joins
 * another to share a processor.
 */
static bool would_crowd(const struct attempt *a, struct peer *p)
{
	return a->guessed && outlook_does_most(peer_outlook(p), clock_us()) && few_wait(a);
}

static bool usable(const struct candidate *c, const struct attempt *a)
{
	return can_take(c, a) && outlook_worth_asking(peer_outlook(c->peer), clock_us()) && !would_spoil(a, c->peer) && !would_crowd(a, c->peer);
}

static void reserve_at(struct attempt *a, struct candidate *c)
{
	c->reserved = true;
	c->asked_ms = clock_ms();
	c->id = a->all->next_id++;
	outlook_reserved(peer_outlook(c->peer), a->share);
	peer_reserve(c->peer, c->id, &a->reserve);
}

static size_t reserved(const struct attempt *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->candidate_count; i++)
		n += a->candidates[i].reserved;
	return n;
}

/* Ask up to three of those that would end it soonest. False if there is nobody to ask. */
static bool reserve(struct attempt *a)
{
	autofree struct finish_peer *peers = xcalloc(a->candidate_count + 1, sizeof *peers);
	uint64_t mean = mean_us(a->all);
	bool lasting = is_lasting(a);
	size_t chosen[RESERVATIONS], n;

	for (size_t i = 0; i < a->candidate_count; i++)
		if (!a->candidates[i].reserved && usable(&a->candidates[i], a))
			peers[i] = peer_finish(a->candidates[i].peer, mean, lasting);
	n = finish_choose(&a->finish, peers, a->candidate_count, next_random, &a->all->seed, chosen);
	a->state = RESERVED;
	a->share = n ? 1.0 / (double)n : 1;
	for (size_t i = 0; i < n; i++)
		reserve_at(a, &a->candidates[chosen[i]]);
	return reserved(a) > 0;
}

/* Job connection */

static void send_parcels(struct attempt *a)
{
	autobuf struct buf b = { 0 };
	struct wire_input_end end;
	enum reason why;
	struct parcel *p;

	if (a->state != SENDING || a->files)
		return;
	while (a->feed && conn_queued(a->conn) < CONN_HIGH_WATER && (p = feed_take(a->feed))) {
		conn_send_bulk(a->conn, WIRE_INPUT, 0, p->codec, p->raw, p->data, p->len);
		free(p);
	}
	if (!a->feed || !a->preprocessed || !feed_ended(a->feed, &why) || conn_queued(a->conn) >= CONN_HIGH_WATER)
		return;
	end = (struct wire_input_end){ .bytes = feed_bytes(a->feed), .hash = feed_hash(a->feed) };
	wire_input_end_put(&b, &end);
	conn_send(a->conn, WIRE_INPUT_END, 0, &b);
	a->state = RUNNING;
}

/* What the outcome on the volunteer means here. */
static enum reason judge(const struct attempt *a)
{
	static const enum reason outcomes[JOB_OUTCOMES] = {
		[JOB_LIMIT] = REASON_JOB_LIMIT, [JOB_BOX_FAILED] = REASON_BOX_FAILED,
		[JOB_BAD_INPUT] = REASON_SERVER_GARBAGE, [JOB_PREEMPTED] = REASON_PREEMPTED,
		[JOB_UNFIT] = REASON_FILES_UNFIT,
	};

	if (a->said.outcome == JOB_UNFIT && a->files && filejob_misled(a->files))
		return REASON_FILES_CHANGED;
	if (a->said.outcome != JOB_RAN)
		return outcomes[a->said.outcome];
	if (a->files)
		return REASON_NONE;	/* filejob_judge() goes on from here */
	if (a->said.signal)
		return REASON_JOB_KILLED;
	if (a->said.exit_status || result_bytes(a->result, STREAM_STDOUT) || result_bytes(a->result, STREAM_STDERR))
		return REASON_DIAGNOSTICS;
	/* no compiler makes an empty object, nor stops half way and calls it success */
	if (!result_bytes(a->result, a->result_stream) || a->said.step + 1u != a->step_count)
		return REASON_SERVER_GARBAGE;
	return REASON_NONE;
}

static void on_stored(int rc, const struct err *err, void *arg)
{
	struct attempt *a = arg;

	if (rc < 0)
		log_warn("result", "peer=%s text=\"%s\"", attempt_peer(a), err->text);
	finish(a, rc == 0 ? REASON_NONE : rc == ERR_OUTPUT ? REASON_OUTPUT_FAILED : REASON_SERVER_GARBAGE);
}

static int on_result(struct attempt *a, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	int rc = job_result_get(&r, &a->said, err);
	enum reason why;

	if (rc < 0)
		return rc;
	count_bytes(a);
	a->took_us = clock_us() - a->granted_us;
	a->load = outlook_load_of(peer_outlook(a->peer), a->id, clock_us());
	if (a->files) {
		filejob_leave(a->files);
		conn_send(a->conn, WIRE_JOB_END, 0, NULL);
	}
	if (a->state == RUNNING)
		peer_return_conn(a->peer, ptr_steal(&a->conn));
	why = judge(a);
	if (why == REASON_NONE && a->state != RUNNING)
		return err_set(err, ERR_WIRE, "RESULT before the input's end");
	if (why != REASON_NONE) {
		finish(a, why);
		return 0;
	}
	a->state = STORING;
	if (a->files) {
		filejob_judge(a->files, a->result, &a->said);
		return 0;
	}
	result_store(a->result, a->all->loop, a->result_stream, a->output_fd, &a->said, on_stored, a);
	return 0;
}

static int on_job_refuse(struct attempt *a, struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_refuse m = { 0 };
	int rc = wire_refuse_get(&r, &m, err);

	if (rc < 0)
		return rc;
	log_warn("job-refused", "peer=%s reason=\"%s\" text=\"%s\"", attempt_peer(a), refusal_text(m.refusal), m.text);
	free(m.text);
	if (m.refusal == REFUSAL_TOOLCHAIN)
		peer_ask_again(a->peer, a->toolchain);
	finish(a, REASON_SERVER_REFUSED);
	return 0;
}

static int on_welcome(struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_welcome m;
	int rc = wire_welcome_get(&r, &m, err);

	if (rc == 0)
		wire_welcome_free(&m);
	return rc;
}

static int on_job_bye(struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_bye m = { 0 };
	int rc = wire_bye_get(&r, &m, err);

	if (rc == 0)
		rc = err_set(err, ERR_REFUSED, "%s: %s", refusal_text(m.refusal), m.text);
	free(m.text);
	return rc;
}

static int on_job_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct attempt *a = arg;

	(void)c;
	a->heard_ms = clock_ms();
	switch (f->type) {
	case WIRE_WELCOME: return on_welcome(f, err);
	case WIRE_PROGRESS: return 0;
	case WIRE_OUTPUT: return result_add(a->result, f, err);
	case WIRE_RESULT: return on_result(a, f, err);
	case WIRE_REFUSE: return on_job_refuse(a, f, err);
	case WIRE_BYE: return on_job_bye(f, err);
	default:
		return a->files ? filejob_message(a->files, f, err) :
		       err_set(err, ERR_WIRE, "unexpected %s", wire_protocol.rules[f->type].name);
	}
}

static void on_job_drained(struct conn *c, void *arg)
{
	struct attempt *a = arg;

	(void)c;
	if (a->files)
		filejob_drained(a->files);
	else
		send_parcels(a);
}

static void on_job_end(struct conn *c, void *arg, const struct err *err)
{
	struct attempt *a = arg;

	count_bytes(a);
	(void)c;
	a->conn = NULL;
	log_warn("job-connection", "peer=%s text=\"%s\"", attempt_peer(a), err->text);
	finish(a, err->code == ERR_WIRE ? REASON_SERVER_GARBAGE : err->code == ERR_LIMIT ? REASON_JOB_LIMIT :
	       err->code == ERR_REFUSED ? REASON_SERVER_REFUSED : REASON_SERVER_LOST);
}

static const struct conn_ops job_ops = {
	.on_message = on_job_message, .on_drained = on_job_drained, .on_end = on_job_end,
};

static enum codec codec_now(void *arg) { return peer_codec(((struct attempt *)arg)->peer); }
static bool clock_agrees(void *arg) { return peer_clock_agrees(((struct attempt *)arg)->peer); }
static void on_files_end(enum reason why, void *arg) { finish(arg, why); }

static const struct filejob_events filejob_events = {
	.codec = codec_now, .clock_agrees = clock_agrees, .failed = on_files_end, .judged = on_files_end,
};

static void send_job(struct attempt *a, struct peer *p, uint64_t token)
{
	autobuf struct buf b = { 0 };

	a->peer = p;
	a->granted_us = clock_us();
	peer_job_started(p, &(struct outlook_run){ .id = a->id, .predicted_us = a->finish.occupancy_us, .since_us = a->granted_us });
	a->conn = peer_take_conn(p, &job_ops, a);
	if (!a->conn) {
		finish(a, REASON_SERVER_LOST);
		return;
	}
	a->sent_before = conn_bytes_out(a->conn);
	a->received_before = conn_bytes_in(a->conn);
	a->heard_ms = clock_ms();
	a->state = SENDING;
	a->result = result_new();
	put_u64(&b, token);
	put_raw(&b, a->job.p, a->job.len);
	conn_hold(a->conn);
	conn_send(a->conn, WIRE_JOB, 0, &b);
	if (a->files) {
		a->state = RUNNING;
		filejob_begin(a->files, a->conn, &filejob_events, a);
	}
	conn_let_go(a->conn);
	send_parcels(a);
}

/* Events of peers */

static struct candidate *candidate_of(struct attempt *a, const struct peer *p)
{
	for (size_t i = 0; i < a->candidate_count; i++)
		if (a->candidates[i].peer == p)
			return &a->candidates[i];
	return NULL;
}

/* Its reservation at p, if it waits for one there. */
static struct candidate *reservation_of(struct attempt *a, const struct peer *p)
{
	struct candidate *c = a->state == RESERVED ? candidate_of(a, p) : NULL;

	return c && c->reserved ? c : NULL;
}

/* Who holds the reservation that p knows by this id; NULL: it was given up. */
static struct attempt *holder(struct remotes *rs, struct peer *p, uint32_t id)
{
	struct attempt *a;

	TAILQ_FOREACH(a, &rs->attempts, link) {
		struct candidate *c = reservation_of(a, p);

		if (c && c->id == id)
			return a;
	}
	return NULL;
}

/* The volunteer reckoned with what the one that asked would take: the other must be no less modest. */
static bool may_take(const struct attempt *a, const struct attempt *of)
{
	return digest_eq(&a->reserve.toolchain, &of->reserve.toolchain) && a->reserve.niceness == of->reserve.niceness &&
	       a->reserve.predicted_mb <= of->reserve.predicted_mb && !a->alone &&
	       (a->reserve.predicted_ms <= SHORT_MS || of->reserve.predicted_ms > SHORT_MS || !of->reserve.predicted_ms);
}

/* A grant is as good for any job that asked there: the one that is to go next takes it, and leaves its own reservation there. */
static struct attempt *exchange(struct attempt *granted, struct peer *p)
{
	struct attempt *a, *best = granted;
	struct candidate *mine, *theirs;
	uint32_t id;

	TAILQ_FOREACH(a, &granted->all->attempts, link)
		if (reservation_of(a, p) && place_before(&a->waiting, &best->waiting) && may_take(a, granted))
			best = a;
	mine = reservation_of(granted, p);
	theirs = reservation_of(best, p);
	id = mine->id;
	mine->id = theirs->id;
	theirs->id = id;
	return best;
}

/* When it would be done at the best of those that it has asked. */
static uint64_t best_asked_us(const struct attempt *a, uint64_t mean, bool lasting)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < a->candidate_count; i++)
		if (a->candidates[i].reserved) {
			struct finish_peer f = peer_finish(a->candidates[i].peer, mean, lasting);
			uint64_t us = finish_us(&a->finish, &f);

			best = us < best ? us : best;
		}
	return best;
}

/* It waits elsewhere, and would be done about as soon at p. */
static bool would_gain(const struct attempt *a, struct peer *p)
{
	uint64_t mean = mean_us(a->all);
	bool lasting = is_lasting(a);
	struct finish_peer f = peer_finish(p, mean, lasting);

	return finish_worth(finish_us(&a->finish, &f), best_asked_us(a, mean, lasting));
}

/* One that it asked has nothing of ours to do, and would end it sooner. */
static bool has_better(const struct attempt *a, struct peer *p)
{
	uint64_t mean = mean_us(a->all), here;
	struct finish_peer f = peer_finish(p, mean, true);

	here = finish_us(&a->finish, &f);
	for (size_t i = 0; i < a->candidate_count; i++) {
		if (!a->candidates[i].reserved)
			continue;
		f = peer_finish(a->candidates[i].peer, mean, true);
		if (!f.wait_us && finish_clearly_sooner(finish_us(&a->finish, &f), here))
			return true;
	}
	return false;
}

/* What is granted may have become worse than to wait: for itself, or for what runs there. */
static bool better_not(const struct attempt *a, struct peer *p)
{
	return !outlook_worth_taking(peer_outlook(p), clock_us()) || would_spoil(a, p) || would_crowd(a, p) ||
	       (is_lasting(a) && (!would_gain(a, p) || has_better(a, p)));
}

void remotes_granted(struct remotes *rs, struct peer *p, uint32_t id, uint64_t token)
{
	struct attempt *a = holder(rs, p, id);
	struct candidate *c;

	if (!a) {
		peer_cancel(p, id);	/* gives it back */
		return;
	}
	if (!a->alone)
		a = exchange(a, p);
	c = reservation_of(a, p);
	unreserve(a, c);
	if (!below_cap(c) || better_not(a, p)) {
		peer_cancel(p, id);	/* on_tick and remotes_changed ask again */
		if (!reserved(a))
			reserve(a);
		return;
	}
	cancel_reservations(a);
	a->events->granted(a, a->arg);
	send_job(a, p, token);
}

/* Nobody is asked, and nobody can be: not when a job of ours there ends, nor once one has looked at the toolchain. */
static bool hopeless(struct attempt *a)
{
	if (a->state != RESERVED || reserved(a) || reserve(a))
		return false;
	for (size_t i = 0; i < a->candidate_count; i++)
		if (!a->candidates[i].refused && offers(a, a->candidates[i].peer) &&
		    peer_can_run(a->candidates[i].peer, a->toolchain) != PEER_CANNOT)
			return false;
	return true;
}

/* c is out of the race for a; without another, the attempt is over. */
static void drop_candidate(struct attempt *a, struct candidate *c, enum reason why)
{
	unreserve(a, c);
	c->refused = true;
	if (hopeless(a))
		finish(a, why);
}

void remotes_refused(struct remotes *rs, struct peer *p, uint32_t id, enum refusal refusal)
{
	struct attempt *a = holder(rs, p, id);

	/* it was ready there once, and has been given up for others since */
	if (a && refusal == REFUSAL_TOOLCHAIN)
		peer_ask_again(p, a->toolchain);
	/* a volunteer whose owner is there is none, nor is one that leaves */
	if (a)
		drop_candidate(a, reservation_of(a, p), refusal == REFUSAL_OWNER || refusal == REFUSAL_DRAINING ? REASON_NO_CANDIDATE :
							       REASON_SERVER_REFUSED);
}

/* It lost p, or what it hoped of p. A result that has come whole is as good as ever. */
static bool lost_one(struct attempt *a, struct peer *p, enum reason why)
{
	struct candidate *c = candidate_of(a, p);

	if (a->peer == p && a->state != STORING)
		finish(a, why);
	else if (c && !c->refused)
		drop_candidate(a, c, why);
	else
		return false;
	return true;
}

/* The end of one may be that of others: so each time from the beginning. */
void remotes_lost(struct remotes *rs, struct peer *p, enum reason why)
{
	struct attempt *a;

again:
	TAILQ_FOREACH(a, &rs->attempts, link)
		if (lost_one(a, p, why))
			goto again;
}

/* Who waits elsewhere, would be done about as soon at p, and is to go next of such. */
static struct attempt *next_for(struct remotes *rs, struct peer *p)
{
	struct attempt *a, *next = NULL;

	TAILQ_FOREACH(a, &rs->attempts, link) {
		struct candidate *c = a->state == RESERVED ? candidate_of(a, p) : NULL;

		if (!c || c->reserved || (next && !place_before(&a->waiting, &next->waiting)))
			continue;
		if (reserved(a) < RESERVED_MAX && usable(c, a) && would_gain(a, p))
			next = a;
	}
	return next;
}

/* A volunteer has room: those who wait ask it too, beyond their first three. */
void remotes_changed(struct remotes *rs, struct peer *p)
{
	struct attempt *a;

	while (outlook_has_room(peer_outlook(p), clock_us()) && (a = next_for(rs, p)))
		reserve_at(a, candidate_of(a, p));
}

/* The text */

static void start_if_held(struct attempt *a)
{
	enum reason why;

	if (a->state != HELD || !a->preprocessed || !feed_ended(a->feed, &why))
		return;
	if (feed_hash(a->feed) == a->known_text)
		finish(a, REASON_DIAGNOSTICS);
	else
		reserve(a);
}

static void on_feed(struct feed *f, void *arg)
{
	struct attempt *a = arg;
	enum reason why;

	feed_ended(f, &why);
	if (why != REASON_NONE) {
		finish(a, why);
		return;
	}
	send_parcels(a);
	start_if_held(a);
}

static const struct feed_events feed_events = { .ready = on_feed };

static enum codec common_codec(const struct attempt *a)
{
	enum codec codec = CODEC_NONE;

	for (size_t i = 0; i < a->candidate_count; i++)
		if (peer_codec(a->candidates[i].peer) > codec)
			codec = peer_codec(a->candidates[i].peer);
	return codec;
}

void attempt_text(struct attempt *a, int text_fd, const struct feed_text *text, int output_fd)
{
	enum codec codec = a->peer ? peer_codec(a->peer) : common_codec(a);

	a->output_fd = fcntl(output_fd, F_DUPFD_CLOEXEC, 0);
	a->feed = feed_start(a->all->loop, text_fd, codec, text, a->state == HELD, &feed_events, a);
}

void attempt_preprocessed(struct attempt *a, bool clean)
{
	if (!clean) {
		finish(a, REASON_PREPROCESSOR);
		return;
	}
	a->preprocessed = true;
	feed_hurry(a->feed);
	send_parcels(a);
	start_if_held(a);
}

/* One that says it has free slots, and does not grant them, is asked in vain. */
static struct candidate *asked_in_vain(const struct attempt *a, uint64_t now)
{
	for (size_t i = 0; i < a->candidate_count; i++) {
		struct candidate *c = &a->candidates[i];

		if (c->reserved && now - c->asked_ms > STALL_MS && peer_outlook(c->peer)->free)
			return c;
	}
	return NULL;
}

/* True: it is over, or another candidate is out of the race for it. */
static bool ended_by_time(struct attempt *a, uint64_t now)
{
	struct candidate *vain = asked_in_vain(a, now);

	if ((a->state == SENDING || a->state == RUNNING) &&
	    (now - a->heard_ms > STALL_MS || now - a->granted_us / 1000 > JOB_MS)) {
		finish(a, REASON_SERVER_STALLED);
	} else if (vain) {
		log_warn("asked-in-vain", "attempt=%u slots=%u free=%u", a->id, peer_outlook(vain->peer)->slots, peer_outlook(vain->peer)->free);
		peer_leave_alone(vain->peer);
		peer_cancel(vain->peer, vain->id);
		drop_candidate(a, vain, REASON_NO_CANDIDATE);
	} else if (hopeless(a)) {
		finish(a, REASON_NO_CANDIDATE);
	} else {
		return false;
	}
	return true;
}

static void on_tick(uv_timer_t *timer)
{
	struct remotes *rs = timer->data;
	struct attempt *a;

again:
	TAILQ_FOREACH(a, &rs->attempts, link)
		if (ended_by_time(a, clock_ms()))
			goto again;
}

struct remotes *remotes_new(uv_loop_t *loop, const struct history *history)
{
	struct remotes *rs = xcalloc(1, sizeof *rs);

	*rs = (struct remotes){ .loop = loop, .history = history, .next_id = 1 };
	if (getrandom(&rs->seed, sizeof rs->seed, 0) < 0)
		rs->seed = clock_us();
	TAILQ_INIT(&rs->attempts);
	uv_timer_init(loop, &rs->tick);
	rs->tick.data = rs;
	uv_timer_start(&rs->tick, on_tick, TICK_MS, TICK_MS);
	return rs;
}

/* What a volunteer is told of it: the larger of its figures; zeros where nothing is known. */
static void set_prediction(struct attempt *a, const struct prediction *p, const struct place_waiting *waiting)
{
	const struct history_cost *c = &p->cost;
	uint64_t us = c->cpu_us > c->occupancy_us ? c->cpu_us : c->occupancy_us;

	a->reserve.predicted_ms = (uint32_t)((us + 999) / 1000);
	a->reserve.predicted_mb = (uint32_t)((c->memory_kb + 1023) / 1024);
	a->finish = (struct finish_job){ .occupancy_us = c->occupancy_us ? c->occupancy_us : mean_us(a->all), .bytes = c->bytes };
	a->guessed = !p->known;
	a->waiting = *waiting;
}

void attempt_foresee(struct attempt *a, const struct prediction *predicted, const struct place_waiting *waiting)
{
	set_prediction(a, predicted, waiting);
	if (a->peer)
		peer_job_foreseen(a->peer, a->id, a->finish.occupancy_us);
}

struct attempt *attempt_new(struct remotes *rs, const struct attempt_spec *spec,
			    const struct attempt_events *events, void *arg)
{
	struct attempt *a = xcalloc(1, sizeof *a);

	*a = (struct attempt){
		.all = rs, .events = events, .arg = arg, .id = rs->next_id++, .toolchain = spec->toolchain,
		.known_text = spec->known_text, .files = spec->files,
		.result_stream = spec->result_stream, .step_count = spec->job->step_count, .output_fd = -1,
		.reserve = { .toolchain = spec->toolchain->id, .niceness = spec->niceness }, .alone = spec->alone,
		.candidates = xcalloc(spec->candidate_count, sizeof *a->candidates),
		.candidate_count = spec->candidate_count,
	};
	set_prediction(a, &spec->predicted, &spec->waiting);
	for (size_t i = 0; i < spec->candidate_count; i++)
		a->candidates[i] = (struct candidate){ .peer = spec->candidates[i], .cap = spec->caps[i] };
	job_put(&a->job, spec->job);
	TAILQ_INSERT_TAIL(&rs->attempts, a, link);
	if (spec->known_text)
		a->state = HELD;
	else
		reserve(a);
	return a;
}

bool attempt_granted(const struct attempt *a) { return a->state >= SENDING; }
uint64_t attempt_granted_us(const struct attempt *a) { return a->granted_us; }
uint64_t attempt_took_us(const struct attempt *a) { return a->took_us; }
double attempt_load(const struct attempt *a) { return a->load; }

uint64_t attempt_text_hash(const struct attempt *a) { return a->text_hash; }
struct job_result attempt_result(const struct attempt *a) { return a->said; }

void attempt_bytes(const struct attempt *a, uint64_t *sent, uint64_t *received)
{
	*sent = a->sent;
	*received = a->received;
}

const struct filejob *attempt_files(const struct attempt *a) { return a->files; }

struct peer *attempt_where(const struct attempt *a) { return a->peer; }

const char *attempt_peer(const struct attempt *a)
{
	struct peer_info info;

	if (!a->peer)
		return "";
	peer_describe(a->peer, &info);
	return info.key;
}
