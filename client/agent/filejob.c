/*
 * filejob.c - one job's dealings with its caller's files, step by step.
 *
 *	load      what its last run, or a relative's, relied on
 *	refresh   which of that is no longer so: FACTS. At once, where a place is likely to be had at once
 *	answer    what it asks besides
 *	judge     its output whole, its changes where they may be, what it relied on still so
 */
#include "filejob.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "clock.h"
#include "closed.h"
#include "contents.h"
#include "forecast.h"
#include "log.h"
#include "plan_files.h"
#include "private.h"
#include "recent.h"
#include "told.h"
#include "wire.h"

enum {
	OPEN_MAX_QUESTIONS = 256,	/* that wait for our disk; more of them wait in the connection */
	QUESTIONS_MAX = 1 << 15,	/* of a job, as a box has it too */
	CONTENTS_MAX = 1 << 17,		/* the same, as rccd asks for */
};

struct filejob {
	struct filejob_spec spec;
	char *cwd;
	bool freed;
	bool other_toolchain;
	void (*on_ready)(void *arg);
	const struct filejob_events *events;	/* NULL: not begun, or it had its last call */
	void *arg;
	unsigned busy;			/* pieces of work under way, which use this memory */

	struct manifest_key key;
	char *source;
	struct digest manifest;		/* as it was when loaded */
	struct buf manifest_bytes;
	enum manifest_of manifest_of;
	struct facts early;		/* as refresh() found them, early_ms ago; 0: not yet */
	bool early_unfit;
	uint64_t early_ms;
	bool refreshed;
	struct argv named;		/* directories */
	struct told told;		/* its start is the worker's before it is refreshed */
	size_t stale;			/* facts of the start that were no longer so, but for files that were not read */

	struct conn *conn;
	struct contents *contents;
	bool misled;
	unsigned questions_open;
	struct filejob_counts counts;

	bool changes_came, used_came;
	struct changes changes;
	struct used used;
	struct result *result;
	struct job_result said;
	uint64_t stream_bytes[STREAM_FILE];	/* of stdout and stderr */
	int output;			/* memfd */
	bool clock_agrees;
	enum reason verdict;
};

/* One piece of work off the loop. */
struct task {
	uv_work_t work;
	struct filejob *job;
	void (*run)(struct task *t);
	void (*done)(struct task *t);
	uint32_t id;			/* a question's */
	char *path;
	bool listing, with_parent;
	struct facts facts;
	bool unfit;			/* they may not be told */
	struct result *held;
};

static void release(struct filejob *j)
{
	if (j->busy || !j->freed)
		return;
	plan_free(j->spec.plan);
	told_free(&j->told);
	facts_free(&j->early);
	toolchain_question_free(&j->spec.question);
	argv_free(&j->named);
	changes_free(&j->changes);
	used_free(&j->used);
	buf_free(&j->manifest_bytes);
	if (j->output >= 0)
		close(j->output);
	free(j->source);
	free(j->cwd);
	free(j);
}

void filejob_free(struct filejob *j)
{
	if (!j)
		return;
	contents_stop(ptr_steal(&j->contents));
	j->conn = NULL;
	j->events = NULL;
	j->freed = true;
	release(j);
}

static void on_work(uv_work_t *work)
{
	struct task *t = work->data;

	t->run(t);
}

static void on_done(uv_work_t *work, int status)
{
	struct task *t = work->data;
	struct filejob *j = t->job;

	(void)status;
	if (!j->freed)
		t->done(t);
	if (t->held)
		result_release(t->held);
	facts_free(&t->facts);
	free(t->path);
	free(t);
	j->busy--;
	release(j);
}

static struct task *task_new(struct filejob *j, void (*run)(struct task *), void (*done)(struct task *))
{
	struct task *t = xcalloc(1, sizeof *t);

	*t = (struct task){ .work.data = t, .job = j, .run = run, .done = done };
	j->busy++;
	return t;
}

static void start(struct task *t)
{
	uv_queue_work(t->job->spec.loop, &t->work, on_work, on_done);
}

static void fail(struct filejob *j, enum reason why)
{
	const struct filejob_events *events = ptr_steal(&j->events);

	j->conn = NULL;
	if (why == REASON_FILES_CHANGED)
		files_doubt(j->spec.files);
	if (events)
		events->failed(why, j->arg);
}

/* Load */

/* A cousin's is a guess: most of it is the system's, but it may come from another project, so it is not named. */
static bool has_manifest(const struct filejob *j)
{
	return j->manifest_of != MANIFEST_NONE && j->manifest_of != MANIFEST_COUSIN;
}

/* Is any of them nobody's business? fresh: the directories among them are as they were just found. */
static bool has_private(const struct filejob *j, const struct facts *facts, bool fresh)
{
	autoclosed struct closed closed = { 0 };

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *f = &facts->v[i];

		if (fresh && f->kind == FACT_DIR)
			closed_enter(&closed, f);
		if (f->kind != FACT_FILE || !private_file(f, closed_on_way(&closed, f->path), &j->named))
			continue;
		log_info("private", "path=\"%s\" text=\"not everybody may read it, and the command does not name its directory\"",
			 f->path);
		return true;
	}
	return false;
}

static bool toolchain_holds(const struct filejob *j)
{
	const struct toolchain_question *q = &j->spec.question;
	const struct toolchain *now;

	return !q->programs.count ||
	       (toolchain_find(j->spec.toolchains, &q->programs, &q->needs, &now, NULL) == 0 && now == j->spec.toolchain);
}

/* What another needed may be private to where that one looked: then it says nothing of what this one needs. */
static void find_past(struct filejob *j)
{
	j->manifest_of = manifests_get(j->spec.manifests, &j->key, &j->told.start, &j->manifest, &j->manifest_bytes);
	if (j->manifest_of != MANIFEST_OWN && has_private(j, &j->told.start, false)) {
		facts_free(&j->told.start);
		j->manifest_of = MANIFEST_NONE;
	}
}

void filejob_caller(const struct filejob *j, struct job_caller *out)
{
	if (!has_manifest(j))
		return;
	out->manifest = j->manifest;
	out->manifest_size = j->manifest_bytes.len;
}

/* Refresh */

/* Its outputs of last time are there to be replaced, not to be read. */
static void mark_outputs(const struct filejob *j, struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		struct fact *f = &facts->v[i];

		f->unread |= f->kind == FACT_FILE && !str_eq(f->path, j->key.source) &&
			    plan_may_change(j->spec.unit, j->cwd, f->path);
	}
}

static void copy_facts(const struct facts *from, struct facts *to)
{
	for (size_t i = 0; i < from->count; i++) {
		struct fact copy = fact_copy(&from->v[i]);

		facts_set(to, &copy);
	}
}

/* Of what a cousin needed only the names are told at once. */
static void guess(struct filejob *j)
{
	struct facts *start = &j->told.start;

	files_refresh(j->spec.files, start, NULL);
	for (size_t i = 0; i < start->count; i++)
		start->v[i].unread = start->v[i].kind == FACT_FILE;
	forecast_start(j->spec.files, &j->spec.unit->job, j->cwd, j->spec.unit->input, start);
	mark_outputs(j, start);
}

/* To facts: what the volunteer is to be told. True: it may be told. */
static bool find_facts(struct filejob *j, struct facts *facts)
{
	if (has_manifest(j)) {
		autofacts struct facts changed = { 0 };

		files_refresh(j->spec.files, &j->told.start, &changed);
		for (size_t i = 0; i < changed.count; i++)
			j->stale += !changed.v[i].unread;
		mark_outputs(j, &changed);
		copy_facts(&changed, &j->told.start);
		copy_facts(&changed, facts);
	} else {
		guess(j);
		copy_facts(&j->told.start, facts);
	}
	return !has_private(j, &j->told.start, true) && facts_fit(&j->told.start) && facts_fit(facts);
}

static void load(struct task *t)
{
	struct filejob *j = t->job;

	j->other_toolchain = !toolchain_holds(j);
	if (j->other_toolchain)
		return;
	find_past(j);
	if (!j->spec.at_once || !has_manifest(j))
		return;
	j->early_ms = clock_ms();
	j->early_unfit = !find_facts(j, &j->early);
}

static void loaded(struct task *t)
{
	t->job->on_ready(t->job->arg);
}

/* FACTS are what differs from the manifest, which is what the volunteer has. */
static void start_over(struct filejob *j)
{
	struct reader r = reader_of(j->manifest_bytes.p, j->manifest_bytes.len);

	facts_free(&j->told.start);
	facts_get(&r, &j->told.start, NULL);	/* they were read from there before */
	j->stale = 0;
}

static void refresh(struct task *t)
{
	struct filejob *j = t->job;

	if (j->early_ms)
		start_over(j);
	t->unfit = !find_facts(j, &t->facts);
}

static void send_facts(struct filejob *j, enum wire_type type, uint32_t id, const struct facts *facts)
{
	autobuf struct buf b = { 0 };

	facts_put(&b, facts);
	conn_send(j->conn, (uint8_t)type, id, &b);
}

static void tell(struct filejob *j, const struct facts *facts, bool unfit)
{
	j->refreshed = true;
	if (!j->conn)
		return;
	if (unfit)
		fail(j, REASON_FILES_UNFIT);
	else
		send_facts(j, WIRE_FACTS, 0, facts);
}

static void refreshed(struct task *t)
{
	tell(t->job, &t->facts, t->unfit);
}

static void make_key(struct filejob *j)
{
	autobuf struct buf text = { 0 };

	plan_files_key(j->spec.unit, &text);
	digest_of(text.p, text.len, &j->key.args);
	j->key.toolchain = j->spec.toolchain->id;
	j->source = path_settle(j->cwd, j->spec.unit->input);
	j->key.source = j->source ? j->source : "/";
}

struct filejob *filejob_new(const struct filejob_spec *spec, void (*ready)(void *arg), void *arg)
{
	struct filejob *j = xcalloc(1, sizeof *j);

	*j = (struct filejob){ .spec = *spec, .cwd = xstrdup(spec->cwd), .on_ready = ready, .arg = arg, .output = -1 };
	plan_share(spec->plan);
	make_key(j);
	private_named(&spec->unit->job, j->cwd, spec->unit->input, &j->named);
	start(task_new(j, load, loaded));
	return j;
}

bool filejob_toolchain_holds(const struct filejob *j) { return !j->other_toolchain; }

/* Contents */

static bool find_content(const struct digest *d, struct content *out, void *arg)
{
	struct filejob *j = arg;
	const struct fact *f;

	if (has_manifest(j) && digest_eq(d, &j->manifest)) {
		*out = (struct content){ .digest = *d, .size = j->manifest_bytes.len, .bytes = j->manifest_bytes.p };
		return true;
	}
	f = j->refreshed ? told_contents(&j->told, d) : NULL;
	if (f)
		*out = (struct content){ .digest = *d, .size = f->size, .path = f->path, .mode = f->mode };
	return f;
}

static enum codec codec_now(void *arg)
{
	struct filejob *j = arg;

	return j->events->codec(j->arg);
}

static void on_content_gone(const char *path UNUSED, void *arg)
{
	struct filejob *j = arg;

	j->misled = true;
	files_doubt(j->spec.files);
}

static void on_content_changed(const struct err *err, void *arg)
{
	struct filejob *j = arg;

	log_info("contents", "text=\"%s\"", err->text);
	fail(j, REASON_FILES_CHANGED);
}

static const struct contents_events contents_events = {
	.find = find_content, .codec = codec_now, .gone = on_content_gone, .failed = on_content_changed,
	.max_count = CONTENTS_MAX, .max_bytes = TOLD_CONTENTS_MAX,
};

void filejob_begin(struct filejob *j, struct conn *c, const struct filejob_events *events, void *arg)
{
	j->conn = c;
	j->events = events;
	j->arg = arg;
	j->contents = contents_new(j->spec.loop, c, &contents_events, j);
	if (j->early_ms && !j->early_unfit && clock_ms() - j->early_ms < RECENT_MS)
		tell(j, &j->early, false);
	else
		start(task_new(j, refresh, refreshed));
}

void filejob_drained(struct filejob *j) { contents_go_on(j->contents); }

/* Questions */

static void find_answer(struct task *t)
{
	forecast_answer(t->job->spec.files, t->path, t->listing, t->with_parent, &t->facts);
	t->unfit = has_private(t->job, &t->facts, true) || !facts_fit(&t->facts);
}

static void answer(struct task *t)
{
	struct filejob *j = t->job;

	if (j->questions_open-- == OPEN_MAX_QUESTIONS && j->conn)
		conn_resume(j->conn);
	if (!j->conn)
		return;
	mark_outputs(j, &t->facts);
	if (t->unfit || told_full(&j->told))
		fail(j, REASON_FILES_UNFIT);
	else if (!told_add(&j->told, &t->facts))
		fail(j, REASON_FILES_CHANGED);
	else
		send_facts(j, WIRE_ANSWER, t->id, &t->facts);
}

static bool parent_told(const struct told *told, const char *path)
{
	size_t n = (size_t)(path_base(path) - path);
	autofree char *parent = xstrndup(path, n > 1 ? n - 1 : 1);
	const struct fact *f = facts_find(&told->answers, parent), *first = facts_find(&told->start, parent);

	return (f && f->listed) || (first && first->listed);
}

static int on_question(struct filejob *j, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct wire_question m = { 0 };
	struct task *t;

	if (!j->refreshed || j->counts.questions >= QUESTIONS_MAX)
		return err_set(err, ERR_WIRE, "QUESTION out of turn, or one too many");
	if (wire_question_get(&r, &m, err) < 0)
		return err->code;
	t = task_new(j, find_answer, answer);
	t->id = f->id;
	t->path = m.path;
	t->listing = m.listing;
	t->with_parent = !m.listing && !parent_told(&j->told, m.path);
	j->counts.questions++;
	if (++j->questions_open == OPEN_MAX_QUESTIONS)
		conn_pause(j->conn);
	start(t);
	return 0;
}

/* What it did */

static int on_changes(struct filejob *j, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);

	if (j->changes_came || !j->refreshed)
		return err_set(err, ERR_WIRE, "CHANGES out of turn");
	j->changes_came = true;
	if (changes_get(&r, &j->changes, err) < 0)
		return err->code;
	return reader_done(&r) ? 0 : err_set(err, ERR_WIRE, "CHANGES: wrong length");
}

static int on_used(struct filejob *j, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);

	if (j->used_came || !j->refreshed)
		return err_set(err, ERR_WIRE, "USED out of turn");
	j->used_came = true;
	return used_get(&r, j->told.start.count, &j->used, err);
}

static int on_want(struct filejob *j, const struct frame *f, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);

	return contents_want(j->contents, &r, err);
}

int filejob_message(struct filejob *j, const struct frame *f, struct err *err)
{
	switch (f->type) {
	case WIRE_QUESTION: return on_question(j, f, err);
	case WIRE_WANT: return on_want(j, f, err);
	case WIRE_CHANGES: return on_changes(j, f, err);
	case WIRE_USED: return on_used(j, f, err);
	default: return err_set(err, ERR_WIRE, "unexpected %s", wire_protocol.rules[f->type].name);
	}
}

/* Judge */

static void judged(struct filejob *j, enum reason why)
{
	const struct filejob_events *events = ptr_steal(&j->events);

	if (events)
		events->judged(why, j->arg);
}

/* The next run starts where this one ended; as it did, if that was the same. */
static bool worth_keeping(const struct filejob *j)
{
	bool all = j->manifest_of == MANIFEST_OWN && !j->stale && !j->used.other_count;

	for (size_t i = 0; i < j->used.count; i++)
		all &= j->used.how[i] != 0;
	return !all;
}

/* Compilers make files; directories only in those that they fill, and links nowhere. */
static bool may_change(const struct filejob *j, const struct change *c, const char *path)
{
	bool made = c->kind == CHANGE_DIR || c->kind == CHANGE_LINK;

	return made ? c->kind == CHANGE_DIR && plan_may_fill(j->spec.unit, j->cwd, path) :
		      plan_may_change(j->spec.unit, j->cwd, path);
}

/* The command may have named its place by way of a link. */
static bool in_place(const struct filejob *j, const struct change *c)
{
	const char *path = c->path;

	if (may_change(j, c, path))
		return true;
	for (size_t i = 0; i < j->named.count; i++) {
		autofree char *real = realpath(j->named.v[i], NULL), *as_named = NULL;

		if (!real || str_eq(real, j->named.v[i]) || !path_below(path, real))
			continue;
		as_named = xasprintf("%s%s", j->named.v[i], path + (real[1] ? strlen(real) : 0));
		if (may_change(j, c, as_named))
			return true;
	}
	return false;
}

static bool changes_in_place(const struct filejob *j)
{
	for (size_t i = 0; i < j->changes.count; i++)
		if (!in_place(j, &j->changes.v[i])) {
			log_info("change", "path=\"%s\" text=\"not a name of this command's outputs\"", j->changes.v[i].path);
			return false;
		}
	return true;
}

/* In what it makes: by its files, or as gcc's modules have it. */
static bool shows_time(const struct filejob *j, const struct facts *used)
{
	for (size_t i = 0; i < j->spec.unit->job.step_count; i++)
		if (argv_has(&j->spec.unit->job.steps[i].argv, "-fmodules-ts"))
			return true;
	return files_has_clock(j->spec.files, used);
}

/* What it said names a file that only it had: the local one has another name for that. */
static bool speaks_of_scratch(const struct filejob *j)
{
	size_t len = j->stream_bytes[STREAM_STDOUT] + j->stream_bytes[STREAM_STDERR];
	void *said = len ? mmap(NULL, len, PROT_READ, MAP_SHARED, j->output, 0) : MAP_FAILED;
	bool found;

	if (said == MAP_FAILED)
		return len;
	found = memmem(said, len, JOB_SCRATCH "/", strlen(JOB_SCRATCH "/"));
	munmap(said, len);
	return found;
}

/* All that came is what was said, and in our memory. */
static enum reason store(const struct filejob *j, const struct result *r)
{
	struct err err = { 0 };
	int rc = result_write(r, j->output, &j->said, &err);

	if (rc == 0)
		return REASON_NONE;
	log_warn("result", "text=\"%s\"", err.text);
	return rc == ERR_OUTPUT ? REASON_OUTPUT_FAILED : REASON_SERVER_GARBAGE;
}

/* used is what it relied on. */
static enum reason check(const struct filejob *j, struct facts *used)
{
	autofree char *why = NULL;
	struct err err = { 0 };

	if (told_used(&j->told, &j->used, used, &err) < 0) {
		log_warn("used", "text=\"%s\"", err.text);
		return REASON_SERVER_GARBAGE;
	}
	if (!changes_in_place(j))
		return REASON_FILES_UNFIT;
	if (!j->clock_agrees && !j->spec.has_date && shows_time(j, used)) {
		log_info("clock", "text=\"the date or time is in its files, and the volunteer has another\"");
		return REASON_FILES_UNFIT;
	}
	if (!files_hold(j->spec.files, used, &why)) {
		log_info("changed", "path=\"%s\"", why);
		return REASON_FILES_CHANGED;
	}
	return speaks_of_scratch(j) ? REASON_DIAGNOSTICS : REASON_NONE;
}

static void finish(struct task *t)
{
	struct filejob *j = t->job;
	struct digest id;

	j->verdict = store(j, t->held);
	if (j->verdict == REASON_NONE)
		j->verdict = check(j, &t->facts);
	if (j->verdict != REASON_NONE || !worth_keeping(j))
		return;
	facts_next(&t->facts);
	if (facts_fit(&t->facts))
		manifests_put(j->spec.manifests, &j->key, &t->facts, &id);
}

static void finished(struct task *t) { judged(t->job, t->job->verdict); }

/* What the outcome there means here; NONE: so far it is good. */
static enum reason verdict_of(const struct filejob *j, const struct job_result *said)
{
	bool failed = said->exit_status != 0;

	if (said->signal)
		return REASON_JOB_KILLED;
	if (!j->changes_came || !j->used_came || result_bytes(j->result, STREAM_FILE) != changes_bytes(&j->changes))
		return REASON_SERVER_GARBAGE;
	if (!failed && said->step + 1u != j->spec.unit->job.step_count)
		return REASON_SERVER_GARBAGE;
	/* with another status, compilers and their drivers say and do more */
	if (failed && (said->exit_status != 1 || !j->spec.may_fail))
		return REASON_DIAGNOSTICS;
	if (result_bytes(j->result, STREAM_STDERR) && !j->spec.may_speak)
		return REASON_DIAGNOSTICS;
	if (result_bytes(j->result, STREAM_STDOUT) && !j->spec.may_print)
		return REASON_DIAGNOSTICS;
	return REASON_NONE;
}

void filejob_leave(struct filejob *j)
{
	contents_sent(j->contents, &j->counts.contents, &j->counts.content_bytes);
	if (j->questions_open >= OPEN_MAX_QUESTIONS)
		conn_resume(j->conn);
	contents_stop(ptr_steal(&j->contents));
	j->conn = NULL;
}

void filejob_judge(struct filejob *j, struct result *r, const struct job_result *said)
{
	enum reason why;
	struct task *t;

	j->result = r;
	j->said = *said;
	j->stream_bytes[STREAM_STDOUT] = result_bytes(r, STREAM_STDOUT);
	j->stream_bytes[STREAM_STDERR] = result_bytes(r, STREAM_STDERR);
	j->clock_agrees = j->events->clock_agrees(j->arg);
	why = verdict_of(j, said);
	j->output = why == REASON_NONE ? memfd_create("rcc-outcome", MFD_CLOEXEC) : -1;
	if (why == REASON_NONE && j->output < 0)
		why = REASON_OUTPUT_FAILED;
	if (why != REASON_NONE) {
		judged(j, why);
		return;
	}
	t = task_new(j, finish, finished);
	t->held = r;
	result_hold(r);
	start(t);
}

bool filejob_misled(const struct filejob *j) { return j->misled; }

void filejob_said(const struct filejob *j, uint64_t *out, uint64_t *err)
{
	*out = j->stream_bytes[STREAM_STDOUT];
	*err = j->stream_bytes[STREAM_STDERR];
}

const struct changes *filejob_changes(const struct filejob *j) { return &j->changes; }
int filejob_contents(const struct filejob *j) { return j->output; }

struct filejob_counts filejob_counts(const struct filejob *j)
{
	struct filejob_counts c = j->counts;

	c.manifest = j->manifest_of;
	return c;
}
