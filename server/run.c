/*
 * run.c - the life of one job: checked, boxed, relayed, written down.
 *
 * The agent's connection and the box's socket push back on each other, so a
 * job holds little more than a megabyte of either direction.
 */
#include "run.h"

#define XXH_INLINE_ALL
#include <stdio.h>
#include <xxhash.h>

#include "args.h"
#include "cgroup.h"
#include "clock.h"
#include "codec.h"
#include "fetch.h"
#include "log.h"
#include "sandbox.h"
#include "slots.h"
#include "toolchains.h"
#include "wire.h"
#include "worker.h"

/* What a box may use: generous bounds that only a runaway meets. */
enum { CPU_SECONDS = 600, WALL_SECONDS = 1200 };
/* A caller that does not take what it asked for holds a slot. */
enum { IDLE_MS = 30 * 1000, SENDING_MS = 600 * 1000 };
#define FILE_BYTES ((uint64_t)512 << 20)
#define SCRATCH_BYTES ((uint64_t)1 << 30)
#define INPUT_BYTES ((uint64_t)1 << 30)

struct job_run {
	struct job_run *next, **link;	/* in server->runs */
	struct server *server;
	struct session *session;	/* NULL: it is gone, or has its answer */
	struct worker *worker;
	uint64_t token;			/* of its slot */
	struct digest toolchain;	/* taken, until the box is gone */
	enum job_mode mode;
	size_t streams;			/* that its output may have */
	struct fetch *fetch;		/* of a job in file mode, until it has its answer */
	uint64_t asked;			/* of its caller, and not answered: the facts at first, then questions */
	unsigned place;			/* of its box, among those alive */
	bool reaped;			/* the place is free again */
	bool ran_out;			/* of memory: the kernel ended it */
	bool preempted;			/* and not gone yet */
	uint64_t started_ms;
	uint64_t moved, moved_ms;	/* bytes of its caller's connection that went where its turn is, and when they last did */
	struct wire_progress used;	/* as its box last said */
	struct ledger_job entry;
	bool counted;			/* in the ledger */
};

static uint64_t job_numbers;

static void describe(struct ledger_job *entry, const struct session *x, const struct job *job)
{
	size_t n = 0;

	snprintf(entry->caller, sizeof entry->caller, "%s", session_name(x));
	for (size_t i = 0; i < job->step_count && n < sizeof entry->programs; i++)
		n += (size_t)snprintf(entry->programs + n, sizeof entry->programs - n, "%s%s", i ? " " : "",
				      path_base(job->steps[i].program));
	make_printable(entry->programs);
	entry->started = (int64_t)time(NULL);
}

static int check(const struct server *s, const struct job *job, struct err *err)
{
	if (job->mode == JOB_FILES && s->no_files)
		return err_set(err, ERR_REFUSED, "file mode is not offered here: %.200s", s->no_files);
	for (size_t i = 0; i < job->step_count; i++) {
		const struct job_step *step = &job->steps[i];
		int rc = toolchain_allows(s, &job->toolchain, step) ? 0 :
			 err_set(err, ERR_REFUSED, "%.200s is not a program of that toolchain that runs here", step->program);

		if (rc == 0)
			rc = args_check(job->mode, program_name(step->program), &step->argv, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Once for each job, when it is known how it ended. */
static void write_down(struct job_run *r, enum ending ending)
{
	if (r->counted)
		return;
	r->counted = true;
	r->entry.ending = ending;
	if (r->entry.cpu_us < r->used.cpu_us)	/* it ended without a word, or was not waited for */
		r->entry.cpu_us = r->used.cpu_us;
	r->server->ended_cpu_us += r->entry.cpu_us;
	r->entry.wall_us = (clock_ms() - r->started_ms) * 1000;
	ledger_add(&r->server->ledger, &r->entry);
	log_info("job", "number=%llu caller=%s programs=\"%s\" ending=%s status=%u signal=%u cpu_ms=%llu wall_ms=%llu "
		 "in=%llu out=%llu why=\"%s\"", (unsigned long long)r->entry.number, r->entry.caller, r->entry.programs,
		 ending_text(ending), r->entry.exit_status, r->entry.signal,
		 (unsigned long long)r->entry.cpu_us / 1000, (unsigned long long)r->entry.wall_us / 1000,
		 (unsigned long long)r->entry.bytes_in, (unsigned long long)r->entry.bytes_out, r->entry.text);
}

static enum ending ending_of(const struct job_result *m)
{
	static const enum ending endings[JOB_OUTCOMES] = {
		[JOB_RAN] = ENDING_DONE,
		[JOB_LIMIT] = ENDING_LIMIT,
		[JOB_BOX_FAILED] = ENDING_FAILED,
		[JOB_BAD_INPUT] = ENDING_FAILED,
		[JOB_PREEMPTED] = ENDING_PREEMPTED,
		[JOB_UNFIT] = ENDING_LIMIT,
	};

	return endings[m->outcome];
}

static void answer(struct job_run *r, const struct job_result *m)
{
	struct session *x = ptr_steal(&r->session);
	autobuf struct buf b = { 0 };

	r->entry.exit_status = m->exit_status;
	r->entry.signal = m->signal;
	r->entry.cpu_us = m->cpu_us;
	snprintf(r->entry.text, sizeof r->entry.text, "%s", m->text);
	write_down(r, ending_of(m));
	fetch_end(ptr_steal(&r->fetch));
	job_result_put(&b, m);
	conn_send(session_conn(x), WIRE_RESULT, 0, &b);
	session_job_over(x);
}

/* --fault flip: what only the receiver's hash can find. */
static void send_flipped(struct conn *c, const struct frame *f)
{
	autobuf struct buf raw = { 0 };

	if (codec_unpack(f->codec, f->payload, f->length, f->raw, &raw, NULL) < 0 || !raw.len)
		return;
	raw.p[raw.len / 2] ^= 1;
	conn_send_bulk(c, f->type, f->id, CODEC_NONE, (uint32_t)raw.len, raw.p, raw.len);
}

static int relay_output(struct job_run *r, const struct frame *f, struct err *err)
{
	struct conn *c = session_conn(r->session);

	if (f->id >= r->streams)
		return err_set(err, ERR_WIRE, "output of stream %u", f->id);
	if (r->server->fault == FAULT_EMPTY)
		return 0;
	r->entry.bytes_out += FRAME_HEADER + f->length;
	if (r->server->fault == FAULT_FLIP && f->length)
		send_flipped(c, f);
	else
		conn_send_bulk(c, f->type, f->id, f->codec, f->raw, f->payload, f->length);
	if (r->server->fault == FAULT_EXIT_SENDING)
		_exit(1);
	if (conn_full(c))
		worker_pause(r->worker);
	return 0;
}

static struct buf borrow(const struct frame *f) { return (struct buf){ .p = (unsigned char *)f->payload, .len = f->length }; }

/* What the box tells the caller, which we do not read. */
static int relay(struct job_run *r, const struct frame *f, struct err *err UNUSED)
{
	struct conn *c = session_conn(r->session);
	const struct buf b = borrow(f);

	r->entry.bytes_out += FRAME_HEADER + f->length;
	conn_send(c, f->type, f->id, &b);
	if (conn_full(c))
		worker_pause(r->worker);
	return 0;
}

static int relay_question(struct job_run *r, const struct frame *f, struct err *err)
{
	r->asked++;
	r->server->ledger.questions++;
	return relay(r, f, err);
}

/* --fault empty: a lie without a contradiction in it. */
static void claim_nothing(struct job_result *m)
{
	m->output_bytes = 0;
	m->output_hash = XXH3_64bits("", 0);
}

static int take_progress(struct job_run *r, const struct frame *f, struct err *err)
{
	struct reader reader = reader_of(f->payload, f->length);
	struct wire_progress m;
	int rc = wire_progress_get(&reader, &m, err);

	if (rc < 0)
		return rc;
	r->used.memory_kb = m.memory_kb;
	if (m.cpu_us > r->used.cpu_us)
		r->used.cpu_us = m.cpu_us;
	return 0;
}

static int take_result(struct job_run *r, const struct frame *f, struct err *err)
{
	struct reader reader = reader_of(f->payload, f->length);
	struct job_result m;
	int rc = job_result_get(&reader, &m, err);

	if (rc == 0 && r->server->fault == FAULT_EMPTY)
		claim_nothing(&m);
	if (rc == 0)
		answer(r, &m);
	return rc;
}

static int take_need(struct job_run *r, const struct frame *f, struct err *err) { return fetch_need(r->fetch, f, err); }
static int take_keep(struct job_run *r, const struct frame *f, struct err *err) { return fetch_keep(r->fetch, f, err); }

/* What a box may say, by the mode of its job. */
static int (*const box_says[JOB_MODES][WIRE_TYPES])(struct job_run *r, const struct frame *f, struct err *err) = {
	[JOB_TEXT] = { [WIRE_PROGRESS] = take_progress, [WIRE_OUTPUT] = relay_output, [WIRE_RESULT] = take_result },
	[JOB_FILES] = { [WIRE_PROGRESS] = take_progress, [WIRE_OUTPUT] = relay_output, [WIRE_RESULT] = take_result,
			[WIRE_QUESTION] = relay_question, [WIRE_CHANGES] = relay, [WIRE_USED] = relay,
			[WIRE_NEED] = take_need, [WIRE_KEEP] = take_keep },
};

static int on_frame(const struct frame *f, void *arg, struct err *err)
{
	struct job_run *r = arg;

	if (!r->session)
		return err_set(err, ERR_WIRE, "a frame after RESULT");
	if (!box_says[r->mode][f->type])
		return err_set(err, ERR_WIRE, "%s from a box", wire_protocol.rules[f->type].name);
	return box_says[r->mode][f->type](r, f, err);
}

static void on_room(void *arg)
{
	struct job_run *r = arg;

	if (r->session)
		conn_resume(session_conn(r->session));
}

static void on_reaped(void *arg)
{
	struct job_run *r = arg;

	r->reaped = true;
	r->ran_out = cgroup_ran_out(r->server->cgroups, r->place);
	cgroup_clear(r->server->cgroups, r->place);
	slots_finish(r->server, r->token, r->entry.cpu_us > r->used.cpu_us ? r->entry.cpu_us : r->used.cpu_us);
}

/* A box that the kernel ended with its job, for the job's memory, could not say so itself. */
static void explain_end(const struct job_run *r, const char *why, struct job_result *m)
{
	*m = (struct job_result){ .outcome = JOB_BOX_FAILED };
	snprintf(m->text, sizeof m->text, "%s", *why ? why : "the box ended without a result");
	if (!r->ran_out)
		return;
	m->outcome = JOB_LIMIT;
	snprintf(m->text, sizeof m->text, "memory: more than %llu MB",
		 (unsigned long long)r->server->options->job_memory >> 20);
}

/* What is to end does so slowly when it gives way to everybody: not while there is any. */
static void set_weight(struct server *s)
{
	bool ending = false;

	if (s->policy == POLICY_DEDICATED || s->ending)
		return;
	for (const struct job_run *r = s->runs; r; r = r->next)
		ending |= r->preempted;
	spawner_give_way(s->spawner, !ending);
}

static void on_worker_end(void *arg, const char *why)
{
	struct job_run *r = arg;
	struct job_result m;

	explain_end(r, why, &m);
	if (r->session)
		answer(r, &m);
	toolchain_give_back(r->server, &r->toolchain);
	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	set_weight(r->server);
	free(r);
}

static const struct worker_ops worker_ops = { on_frame, on_room, on_reaped, on_worker_end };

static uint8_t nice_of(int8_t niceness)
{
	return niceness < 0 ? 0 : niceness > 19 ? 19 : (uint8_t)niceness;
}

/* Something is on its way to the caller, or is to come from it. */
static bool is_callers_turn(const struct job_run *r, const struct conn *c)
{
	return conn_queued(c) || (r->fetch && !worker_full(r->worker) && (r->asked || fetch_waits(r->fetch)));
}

/* It is its turn and it has done nothing for long, or the whole takes longer than any job can. */
static bool waits_for_caller(struct job_run *r, uint64_t now_ms)
{
	const struct conn *c = session_conn(r->session);
	uint64_t moved = conn_queued(c) ? conn_bytes_out(c) : conn_bytes_in(c);

	if (moved != r->moved || !is_callers_turn(r, c)) {
		r->moved = moved;
		r->moved_ms = now_ms;
	}
	return now_ms - r->moved_ms >= IDLE_MS || now_ms - r->started_ms >= WALL_SECONDS * 1000 + SENDING_MS;
}

static void give_up(struct job_run *r)
{
	snprintf(r->entry.text, sizeof r->entry.text, "its caller %s",
		 conn_queued(session_conn(r->session)) ? "does not take the output" : "does not bring what its job asked for");
	write_down(r, ENDING_LIMIT);
	session_bye(r->session, REFUSAL_LIMIT, r->entry.text);	/* cancels it */
}

/* An agent that hears nothing of its job takes us for stalled, and compiles it itself. */
static void on_progress(uv_timer_t *timer)
{
	struct server *s = timer->data;
	uint64_t now_ms = clock_ms();

	for (struct job_run *r = s->runs, *next; r; r = next) {
		next = r->next;
		if (!r->session)
			continue;
		if (waits_for_caller(r, now_ms))
			give_up(r);
		else
			conn_send(session_conn(r->session), WIRE_PROGRESS, 0, NULL);
	}
	fetches_tick(s->fetches, now_ms);
	if (!s->runs)
		uv_timer_stop(timer);
}

/* The lowest that no box has: each has a user of its own. */
static unsigned free_place(const struct server *s)
{
	unsigned place = 0;

	for (const struct job_run *r = s->runs; r;) {
		bool taken = r->place == place && !r->reaped;

		place += taken;
		r = taken ? s->runs : r->next;
	}
	return place;
}

/* clang takes a pipe by the input's name for its input, and gives the same object: so it starts before the text is there. */
static bool takes_pipe(const struct job *job)
{
	const char *name = program_name(job->steps[0].program);

	return *job->input_name && job->step_count == 1 && !job->steps[0].stdin_input && str_starts(name, "clang");
}

/* What is in its root, and whom it becomes. */
static void confine(struct box_request *q, const struct server *s, unsigned place, char *root)
{
	q->confined = s->confined;
	if (!s->confined)
		return;
	q->uid = sandbox_uid(s, place);
	q->scratch_bytes = SCRATCH_BYTES;
	q->root = root;
}

static void link_run(struct job_run *r)
{
	if (!r->server->runs)
		uv_timer_start(&r->server->progress_timer, on_progress, PROGRESS_MS, PROGRESS_MS);
	r->next = r->server->runs;
	r->link = &r->server->runs;
	if (r->next)
		r->next->link = &r->next;
	r->server->runs = r;
}

static void box_to(void *arg, uint8_t type, const struct buf *b) { worker_message(((struct job_run *)arg)->worker, type, 0, b); }

static void caller_to(void *arg, uint8_t type, const struct buf *b)
{
	struct job_run *r = arg;

	conn_send(session_conn(r->session), type, 0, b);
}

static void pause_caller(void *arg) { conn_pause(session_conn(((struct job_run *)arg)->session)); }
static void resume_caller(void *arg) { conn_resume(session_conn(((struct job_run *)arg)->session)); }

static void violation(void *arg, const struct err *err)
{
	struct job_run *r = arg;

	session_violation(r->session, err);
}

static const struct fetch_ops fetch_ops = { box_to, caller_to, pause_caller, resume_caller, violation };

static struct job_run *run_new(struct session *x, struct server *s, const struct job *job)
{
	struct job_run *r = xcalloc(1, sizeof *r);

	*r = (struct job_run){ .server = s, .session = x, .started_ms = clock_ms(), .moved_ms = clock_ms(),
			       .token = session_token(x), .toolchain = job->toolchain, .mode = job->mode,
			       .streams = STREAM_FILE + (job->mode == JOB_FILES ? 1 : job->outputs.count) };
	describe(&r->entry, x, job);
	r->entry.number = ++job_numbers;
	r->place = free_place(s);
	if (job->mode == JOB_FILES) {
		r->fetch = fetch_new(s->fetches, &fetch_ops, r);
		r->asked = 1;
	}
	return r;
}

static int start_box(struct job_run *r, struct box_request *q, struct err *err)
{
	struct server *s = r->server;
	struct worker_place where = { .spawner = s->spawner };
	int rc;

	where.cgroup_fd = cgroup_prepare(s->cgroups, r->place, q->memory_bytes, q->idle);
	rc = worker_start(s->loop, &where, q, &worker_ops, r, &r->worker, err);
	if (rc == 0)
		return 0;
	toolchain_give_back(s, &r->toolchain);
	fetch_end(r->fetch);
	free(r);
	return rc;
}

int job_start(struct session *x, struct server *s, struct job *job, int8_t niceness, enum codec codec,
	      struct job_run **out, struct err *err)
{
	autofree char *root = NULL, *blobs = store_blobs(s->store);
	autofree char *directory = xasprintf("%s/%llu", s->jobs_dir, (unsigned long long)job_numbers + 1);
	struct box_request q = { .directory = directory, .niceness = nice_of(niceness), .codec = (uint8_t)codec,
				 .cpu_seconds = CPU_SECONDS, .wall_seconds = WALL_SECONDS, .file_bytes = FILE_BYTES,
				 .memory_bytes = s->options->job_memory, .input_bytes = INPUT_BYTES, .blobs = blobs, .job = *job };
	struct job_run *r;
	int rc = check(s, job, err);

	if (rc < 0)
		return rc;
	if (!toolchain_take(s, &job->toolchain, &root))
		return err_set(err, ERR_ABSENT, "%s", refusal_text(REFUSAL_TOOLCHAIN));
	q.input_pipe = takes_pipe(job);
	q.idle = s->policy != POLICY_DEDICATED;
	r = run_new(x, s, job);
	confine(&q, s, r->place, root);
	rc = start_box(r, &q, err);
	if (rc < 0)
		return rc;
	link_run(r);
	*out = r;
	return 0;
}

void job_input(struct job_run *r, const struct frame *f)
{
	r->entry.bytes_in += FRAME_HEADER + f->length;
	worker_send(r->worker, f);
	if (worker_full(r->worker))
		conn_pause(session_conn(r->session));
}

void job_facts(struct job_run *r, const struct frame *f)
{
	const struct buf b = borrow(f);

	r->entry.bytes_in += FRAME_HEADER + f->length;
	r->asked -= r->asked > 0;
	worker_message(r->worker, f->type, f->id, &b);
	if (worker_full(r->worker))
		conn_pause(session_conn(r->session));
}

int job_contents(struct job_run *r, const struct frame *f, struct err *err)
{
	r->entry.bytes_in += FRAME_HEADER + f->length;
	switch (f->type) {
	case WIRE_BLOB: return fetch_blob(r->fetch, f, err);
	case WIRE_BLOB_DATA: return fetch_data(r->fetch, f, err);
	default: return fetch_none(r->fetch, f, err);
	}
}

void job_resume_output(struct job_run *r) { worker_resume(r->worker); }

void job_cancel(struct job_run *r)
{
	r->session = NULL;
	fetch_end(ptr_steal(&r->fetch));
	write_down(r, ENDING_CANCELLED);
	worker_cancel(r->worker);
}

static void preempt(struct job_run *r)
{
	struct job_result m = { .outcome = JOB_PREEMPTED };

	snprintf(m.text, sizeof m.text, "%s", hold_text(r->server->decision.hold));
	r->preempted = true;
	cgroup_hurry(r->server->cgroups, r->place);
	answer(r, &m);
	worker_cancel(r->worker);
}

/* The list has the newest first. */
void jobs_preempt(struct server *s, unsigned keep)
{
	unsigned alive = 0;

	for (const struct job_run *r = s->runs; r; r = r->next)
		alive += r->session != NULL;
	for (struct job_run *r = s->runs, *next; r && alive > keep; r = next) {
		next = r->next;
		if (!r->session)
			continue;
		preempt(r);
		alive--;
	}
	set_weight(s);
}

size_t jobs_view(const struct server *s, struct job_view *views, size_t max)
{
	uint64_t now_ms = clock_ms();
	size_t n = 0;

	for (const struct job_run *r = s->runs; r && n < max; r = r->next)
		if (!r->counted)
			views[n++] = (struct job_view){ .job = r->entry, .running_ms = now_ms - r->started_ms,
							.cpu_us = r->used.cpu_us, .memory_kb = r->used.memory_kb };
	return n;
}

uint64_t jobs_cpu_us(const struct server *s)
{
	uint64_t sum_us = s->ended_cpu_us;

	for (const struct job_run *r = s->runs; r; r = r->next)
		if (!r->counted)
			sum_us += r->used.cpu_us;
	return sum_us;
}
