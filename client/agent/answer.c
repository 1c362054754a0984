/*
 * answer.c - the agent's knowledge, as text and as JSON.
 */
#include "answer.h"

#include <stdio.h>

#include "clock.h"
#include "json.h"
#include "lease.h"
#include "members.h"
#include "progress.h"
#include "session.h"
#include "settings.h"
#include "watch.h"

enum { SETTLE_MS = 3500, LOOK_MS = 20 };

static void send_last(struct conn *c, enum request_type type, int status, const char *text)
{
	struct fatal m = { .status = (uint8_t)status, .text = (char *)text };
	autobuf struct buf b = { 0 };

	fatal_put(&b, &m);
	conn_send(c, (uint8_t)type, 0, &b);
	conn_finish(c);
}

void answer_send(struct conn *c, const char *text)
{
	send_last(c, REQUEST_ANSWER, 0, text);
}

/* --stats */

static json_t *file_mode_json(const struct stats *s)
{
	const uint64_t *c = s->counters;

	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "jobs", (json_int_t)c[COUNT_JOBS_FILES],
			 "new_units", (json_int_t)c[COUNT_NEW_UNITS], "questions", (json_int_t)c[COUNT_QUESTIONS],
			 "contents", (json_int_t)c[COUNT_CONTENTS], "content_bytes", (json_int_t)c[COUNT_CONTENT_BYTES],
			 "run_again", (json_int_t)c[COUNT_RUN_AGAIN]);
}

static char *stats_json(const struct stats *s)
{
	uint64_t total = s->counters[COUNT_JOBS_LOCAL] + s->counters[COUNT_JOBS_REMOTE] +
			 s->counters[COUNT_JOBS_CACHED] + s->counters[COUNT_JOBS_FALLBACK];
	json_t *reasons = json_object(), *seconds = json_object();

	for (int i = 0; i < REASON_COUNT; i++) {
		if (!s->reasons[i])
			continue;
		json_object_set_new(reasons, reason_key(i), json_integer((json_int_t)s->reasons[i]));
		json_object_set_new(seconds, reason_key(i), json_real((double)s->reason_us[i] / 1e6));
	}
	return json_text(json_pack("{s:{s:I,s:I,s:I,s:I,s:I},s:o,s:o,s:{s:I,s:I},s:o,s:I}",
		"jobs", "total", (json_int_t)total,
		"local", (json_int_t)s->counters[COUNT_JOBS_LOCAL],
		"remote", (json_int_t)s->counters[COUNT_JOBS_REMOTE],
		"cached", (json_int_t)s->counters[COUNT_JOBS_CACHED],
		"fallback", (json_int_t)s->counters[COUNT_JOBS_FALLBACK],
		"reasons", reasons, "seconds", seconds,
		"bytes", "sent", (json_int_t)s->counters[COUNT_BYTES_SENT],
		"received", (json_int_t)s->counters[COUNT_BYTES_RECEIVED], "file_mode", file_mode_json(s),
		"copies", (json_int_t)s->counters[COUNT_COPIES]));
}

static char *stats_text(const struct stats *s)
{
	struct buf b = { 0 };

	buf_printf(&b, "jobs       remote %llu, local %llu, fallback %llu, cached %llu\n",
		   (unsigned long long)s->counters[COUNT_JOBS_REMOTE], (unsigned long long)s->counters[COUNT_JOBS_LOCAL],
		   (unsigned long long)s->counters[COUNT_JOBS_FALLBACK], (unsigned long long)s->counters[COUNT_JOBS_CACHED]);
	buf_printf(&b, "bytes      sent %llu, received %llu\n", (unsigned long long)s->counters[COUNT_BYTES_SENT],
		   (unsigned long long)s->counters[COUNT_BYTES_RECEIVED]);
	buf_printf(&b, "file mode  %llu jobs, %llu of them new; asked for %llu paths and %llu files of %llu bytes; run again %llu\n",
		   (unsigned long long)s->counters[COUNT_JOBS_FILES], (unsigned long long)s->counters[COUNT_NEW_UNITS],
		   (unsigned long long)s->counters[COUNT_QUESTIONS], (unsigned long long)s->counters[COUNT_CONTENTS],
		   (unsigned long long)s->counters[COUNT_CONTENT_BYTES], (unsigned long long)s->counters[COUNT_RUN_AGAIN]);
	if (s->counters[COUNT_COPIES])
		buf_printf(&b, "late       %llu jobs were begun a second time, as they took too long\n",
			   (unsigned long long)s->counters[COUNT_COPIES]);
	for (int i = 0; i < REASON_COUNT; i++)
		if (s->reasons[i])
			buf_printf(&b, "%s  %6llu x  %9.1f s  %s: %s\n", reason_is_fallback(i) ? "fallback" : "local   ",
				   (unsigned long long)s->reasons[i], (double)s->reason_us[i] / 1e6,
				   reason_key(i), reason_text(i));
	return buf_str(&b);
}

/* --hosts */

static const char *state_word(const struct peer_info *i)
{
	static const char *const words[] = {
		[PEER_IDLE] = "unknown", [PEER_RESOLVING] = "resolving", [PEER_CONNECTING] = "connecting",
		[PEER_READY] = "ready", [PEER_BACKOFF] = "unreachable",
	};

	if (i->state == PEER_READY && (i->draining || !i->slots))
		return i->draining ? "draining" : "paused";
	return words[i->state];
}

/* The first thing it lacks of any toolchain. */
static const char *first_lack(const struct peer *p)
{
	struct peer_toolchain t;

	for (size_t n = 0; peer_toolchain(p, n, &t); n++)
		if (t.known && t.state == TOOLCHAIN_LACKING)
			return t.lack;
	return "";
}

static const char *why_not(const struct peer *p, const struct peer_info *i)
{
	if (i->state != PEER_READY)
		return i->trouble;
	return i->draining ? "it is leaving" : !i->slots ? hold_text(i->hold) : first_lack(p);
}

static bool on_its_way(const struct peer_toolchain *t)
{
	return t->known && (t->state == TOOLCHAIN_WANTED || t->state == TOOLCHAIN_FETCHING);
}

static void fetching_text(struct buf *b, const struct peer *p)
{
	struct peer_toolchain t;

	for (size_t n = 0; peer_toolchain(p, n, &t); n++)
		if (on_its_way(&t)) {
			buf_puts(b, "; ");
			progress_put(b, &t);
		}
}

static json_t *fetching_json(const struct peer *p)
{
	json_t *list = json_array();
	struct peer_toolchain t;

	for (size_t n = 0; peer_toolchain(p, n, &t); n++)
		if (on_its_way(&t))
			json_array_append_new(list, json_pack("{s:o,s:s,s:I,s:I,s:b}", "toolchain", json_name(t.label),
				"state", t.state == TOOLCHAIN_WANTED ? "wanted" : "fetching", "done", (json_int_t)t.done,
				"total", (json_int_t)t.total, "by_us", t.by_us));
	return list;
}

static void host_text(struct buf *b, const struct peer *p)
{
	struct peer_info i;

	peer_describe(p, &i);
	if (i.state != PEER_READY) {
		buf_printf(b, "%-28s %-12s %s\n", i.key, state_word(&i), i.trouble);
		return;
	}
	buf_printf(b, "%-28s %-12s %3u slots, %3u free, %7.2f ms, %llu jobs done, %llu failed", i.key, state_word(&i),
		   i.slots, i.free, (double)i.rtt_us / 1000, (unsigned long long)i.jobs, (unsigned long long)i.failures);
	if (i.speed < 0.9 || i.speed > 1.1)
		buf_printf(b, ", speed %.1f", i.speed);
	if (i.preempted)
		buf_printf(b, ", %llu preempted", (unsigned long long)i.preempted);
	if (i.slots && i.slots < i.slots_all)
		buf_printf(b, "; %u of %u slots: %s", i.slots, i.slots_all, hold_text(i.hold));
	fetching_text(b, p);
	buf_printf(b, *why_not(p, &i) ? "; %s\n" : "%s\n", why_not(p, &i));
}

static json_t *host_json(const struct peer *p)
{
	struct peer_info i;

	peer_describe(p, &i);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:f,s:I,s:I,s:I,s:f,s:s,s:s,s:i,s:I,s:o,s:f}",
		"host", i.key, "state", state_word(&i), "name", i.name, "version", i.build, "machine", i.machine,
		"kernel", i.kernel, "slots", (int)i.slots, "free", (int)i.free, "queued", (int)i.queued,
		"running", (int)i.running, "rtt_ms", (double)i.rtt_us / 1000, "bandwidth", (json_int_t)i.bandwidth,
		"jobs", (json_int_t)i.jobs, "failures", (json_int_t)i.failures, "cpu_seconds", (double)i.cpu_us / 1e6,
		"why_not", why_not(p, &i), "hold", hold_text(i.hold), "slots_all", (int)i.slots_all,
		"preempted", (json_int_t)i.preempted, "fetching", fetching_json(p), "speed", i.speed);
}

/* What entries that are looked up came to, where that needs a word. */
static void entry_text(struct buf *b, const struct volunteer_entry *e)
{
	if (e->pending)
		buf_printf(b, "%-28s %-12s\n", e->name, "resolving");
	else if (*e->trouble)
		buf_printf(b, "%-28s %-12s %s%s\n", e->name, "unresolved", e->trouble,
			   e->found ? "; those that it named before are used on" : "");
	else if (e->found > MEMBERS_MAX)
		buf_printf(b, "%-28s %-12s %zu volunteers; a part of them is used, which changes with time\n", e->name,
			   "resolved", e->found);
}

static char *hosts_text(struct agent *a, const struct settings *set, const struct volunteer *v, size_t count)
{
	struct volunteer_entry e;
	struct buf b = { 0 };

	for (size_t i = 0; i < count; i++)
		host_text(&b, v[i].peer);
	for (size_t i = 0; i < set->host_count; i++)
		if (volunteers_entry(a->volunteers, &set->hosts[i], &e))
			entry_text(&b, &e);
	if (!set->host_count)
		buf_puts(&b, "no volunteers: set RCC_HOSTS, or hosts in rcc.conf\n");
	return buf_str(&b);
}

static char *hosts_json(struct agent *a, const struct settings *set, const struct volunteer *v, size_t count)
{
	json_t *list = json_array(), *entries = json_array();
	struct volunteer_entry e;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, host_json(v[i].peer));
	for (size_t i = 0; i < set->host_count; i++)
		if (volunteers_entry(a->volunteers, &set->hosts[i], &e))
			json_array_append_new(entries, json_pack("{s:o,s:I,s:s}", "entry", json_name(e.name),
				"found", (json_int_t)e.found, "trouble", e.trouble));
	return json_text(json_pack("{s:o,s:o}", "hosts", list, "entries", entries));
}

static char *hosts_answer(struct agent *a, const struct settings *set, bool json)
{
	autofree struct volunteer *v = NULL;
	bool awaited;
	size_t count = volunteers_of(a->volunteers, set, &v, &awaited);

	return json ? hosts_json(a, set, v, count) : hosts_text(a, set, v, count);
}

/* --jobs: what fills the local cores and every slot there, with as many again waiting, so that the longest can go first. */
static char *jobs_answer(struct agent *a, const struct settings *set, bool json)
{
	autofree struct volunteer *v = NULL;
	unsigned slots = 0, jobs;
	struct peer_info i;
	bool awaited;
	size_t count = volunteers_of(a->volunteers, set, &v, &awaited);

	for (size_t n = 0; n < count; n++) {
		peer_describe(v[n].peer, &i);
		if (i.state == PEER_READY && !i.draining)
			slots += v[n].slots && v[n].slots < i.slots ? v[n].slots : i.slots;
	}
	jobs = slots ? a->cores + 2 * slots : a->cores;
	return xasprintf(json ? "{\"jobs\": %u}\n" : "%u\n", jobs);
}

/* --watch */

/* What is on its way to p; the caller frees it. */
static size_t list_fetching(const struct peer *p, struct peer_toolchain **out)
{
	struct peer_toolchain t;
	size_t count = 0;

	*out = NULL;
	for (size_t n = 0; peer_toolchain(p, n, &t); n++)
		if (on_its_way(&t)) {
			*out = xrealloc(*out, (count + 1) * sizeof t);
			(*out)[count++] = t;
		}
	return count;
}

static struct watch_host watch_volunteer(const struct peer *p)
{
	struct watch_host h = { 0 };
	struct peer_toolchain *fetching;

	peer_describe(p, &h.info);
	h.state = state_word(&h.info);
	h.why_not = why_not(p, &h.info);
	h.fetching_count = list_fetching(p, &fetching);
	h.fetching = fetching;
	return h;
}

/* Entries that could not be looked up, in the place of those that they would name. names has room for each entry. */
static size_t watch_unresolved(struct agent *a, const struct settings *set, struct volunteer_entry *names,
			       struct watch_host *out)
{
	size_t n = 0;

	for (size_t i = 0; i < set->host_count; i++)
		if (volunteers_entry(a->volunteers, &set->hosts[i], &names[n]) && !names[n].found) {
			out[n] = (struct watch_host){ .info = { .key = names[n].name }, .why_not = names[n].trouble,
						      .state = names[n].pending ? "resolving" : "unresolved" };
			n++;
		}
	return n;
}

static char *watch_answer(struct agent *a, const struct settings *set, unsigned columns, unsigned lines)
{
	autofree struct volunteer *v = NULL;
	bool awaited;
	size_t count = volunteers_of(a->volunteers, set, &v, &awaited);
	autofree struct watch_host *hosts = xcalloc(count + set->host_count + 1, sizeof *hosts);
	autofree struct volunteer_entry *names = xcalloc(set->host_count + 1, sizeof *names);
	autofree struct watch_job *jobs = NULL;
	struct watch w = {
		.hosts = hosts, .job_count = sessions_jobs(a, &jobs), .local = leases_taken(a->leases), .cores = a->cores,
		.stats = a->stats, .columns = columns, .lines = lines,
	};
	char *text;

	w.jobs = jobs;
	for (size_t i = 0; i < count; i++)
		hosts[i] = watch_volunteer(v[i].peer);
	w.host_count = count + watch_unresolved(a, set, names, hosts + count);
	text = watch_text(&w);
	for (size_t i = 0; i < count; i++)
		free((void *)hosts[i].fetching);
	return text;
}

/* A query that waits until each volunteer has answered, or will not. */
struct waiting {
	uv_timer_t timer;
	struct agent *agent;
	struct conn *conn;
	struct settings settings;
	enum query_kind kind;
	bool json;
	unsigned columns, lines;
	uint64_t until_ms;
};

static void on_waiting_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void waiting_end(struct waiting *w)
{
	settings_free(&w->settings);
	uv_close((uv_handle_t *)&w->timer, on_waiting_closed);
}

/* Everyone has answered, or will not. Who is found meanwhile is woken. */
static bool settled(const struct waiting *w)
{
	autofree struct volunteer *v = NULL;
	struct peer_info i;
	bool awaited, all = true;
	size_t count = volunteers_of(w->agent->volunteers, &w->settings, &v, &awaited);

	for (size_t n = 0; n < count; n++) {
		peer_describe(v[n].peer, &i);
		if (i.state == PEER_IDLE)
			peer_wake(v[n].peer);
		all &= i.state == PEER_BACKOFF || (i.state == PEER_READY && i.rtt_us);
	}
	return all && !awaited;
}

static char *waited_answer(struct waiting *w)
{
	switch (w->kind) {
	case QUERY_HOSTS: return hosts_answer(w->agent, &w->settings, w->json);
	case QUERY_JOBS: return jobs_answer(w->agent, &w->settings, w->json);
	default: return watch_answer(w->agent, &w->settings, w->columns, w->lines);
	}
}

static void on_look(uv_timer_t *timer)
{
	struct waiting *w = timer->data;
	autofree char *text = NULL;

	if (!settled(w) && clock_ms() < w->until_ms)
		return;
	text = waited_answer(w);
	answer_send(w->conn, text);
	waiting_end(w);
}

static int on_asker_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	(void)c, (void)f, (void)arg;
	return err_set(err, ERR_WIRE, "speaks while it waits for an answer");
}

static void on_asker_end(struct conn *c, void *arg, const struct err *err)
{
	(void)c, (void)err;
	waiting_end(arg);
}

static const struct conn_ops asker_ops = { .on_message = on_asker_message, .on_end = on_asker_end };

static void answer_when_settled(struct agent *a, struct conn *c, const struct query *q, const struct settings *set)
{
	struct waiting *w = xcalloc(1, sizeof *w);
	autofree struct volunteer *v = NULL;
	bool awaited;
	size_t count;

	*w = (struct waiting){ .agent = a, .conn = c, .settings = *set, .kind = q->kind, .json = q->json,
			       .columns = q->columns, .lines = q->lines,
			       .until_ms = clock_ms() + (q->lines ? 0 : SETTLE_MS) };	/* who watches sees it come */
	conn_set_arg(c, &asker_ops, w);
	count = volunteers_of(a->volunteers, set, &v, &awaited);
	for (size_t i = 0; i < count; i++)
		peer_wake(v[i].peer);
	uv_timer_init(a->loop, &w->timer);
	w->timer.data = w;
	uv_timer_start(&w->timer, on_look, 0, LOOK_MS);
}

void answer_query(struct agent *a, struct conn *c, const struct query *q)
{
	autofree char *text = NULL;
	struct settings set;
	struct err err = { 0 };

	if (q->kind == QUERY_STATS) {
		text = q->json ? stats_json(a->stats) : stats_text(a->stats);
		answer_send(c, text);
	} else if (q->kind == QUERY_ZERO_STATS) {
		stats_zero(a->stats);
		answer_send(c, "");
	} else if (q->kind == QUERY_STOP) {
		a->stopping = true;
		agent_dispatch(a);
		answer_send(c, "");
	} else if (settings_load(&q->env, a->spare, &set, &err) < 0) {
		send_last(c, REQUEST_FATAL, EXIT_RCC_CONFIG, err.text);
	} else {
		answer_when_settled(a, c, q, &set);
	}
}
