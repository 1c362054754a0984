/*
 * status.c - takes the snapshot, and tells it as JSON.
 */
#include "status.h"

#include <jansson.h>

#include "callers.h"

static void warn(struct status *st, bool when, const char *text)
{
	if (when && st->warning_count < STATUS_WARNINGS_MAX)
		st->warnings[st->warning_count++] = text;
}

static void add_warnings(const struct server *s, struct status *st)
{
	const struct options *o = s->options;

	warn(st, o->insecure_no_sandbox, "No sandbox: jobs run unconfined, as the user of rccd (--insecure-no-sandbox).");
	warn(st, o->insecure_no_auth, "No authentication: whoever reaches this address is served (--insecure-no-auth).");
	warn(st, s->exposed && !s->keys, "Other machines can connect, without a key.");
	warn(st, s->fault != FAULT_NONE, "A fault is being injected (--fault).");
}

static size_t view_callers(const struct server *s, struct caller_view *views, size_t max)
{
	size_t n = 0;

	for (const struct caller *c = s->callers; c && n < max; c = c->next)
		if (c->share.connections)
			views[n++] = (struct caller_view){ .who = c->who, .use = admit_use(s->admit, c->number) };
	return n;
}

void status_take(const struct server *s, struct status *out)
{
	*out = (struct status){
		.name = s->options->name, .version = VERSION, .policy = s->options->policy, .decision = &s->decision,
		.now = (int64_t)time(NULL),
		.slots = admit_counts(s->admit), .connections = s->session_count, .agents = sessions_agents(s),
		.callers = xcalloc(STATUS_CALLERS_MAX, sizeof *out->callers),
		.running = xcalloc(STATUS_RUNNING_MAX, sizeof *out->running), .ledger = &s->ledger,
		.toolchains = xcalloc(STATUS_TOOLCHAINS_MAX, sizeof *out->toolchains),
		.no_files = s->no_files, .fetched = fetches_view(s->fetches), .store = store_view(s->store), .accept_any = s->accept_any, .listen = &s->listening, .http = s->http_address ? s->http_address : "off",
	};
	out->caller_count = view_callers(s, out->callers, STATUS_CALLERS_MAX);
	out->running_count = jobs_view(s, out->running, STATUS_RUNNING_MAX);
	out->toolchain_count = toolchains_view(s, out->toolchains, STATUS_TOOLCHAINS_MAX);
	add_warnings(s, out);
}

void status_free(struct status *st)
{
	free(st->callers);
	free(st->running);
	free(st->toolchains);
}

static json_t *number(uint64_t n) { return json_integer((json_int_t)n); }

static json_t *callers_json(const struct status *st)
{
	json_t *all = json_array();

	for (size_t i = 0; i < st->caller_count; i++) {
		const struct caller_view *v = &st->callers[i];

		json_array_append_new(all, json_pack("{ss sf si si}", "caller", v->who, "share", v->use.share,
						     "waiting", (int)v->use.waiting, "slots", (int)v->use.holding));
	}
	return all;
}

static json_t *running_json(const struct status *st)
{
	json_t *all = json_array();

	for (size_t i = 0; i < st->running_count; i++) {
		const struct job_view *v = &st->running[i];

		json_array_append_new(all, json_pack("{so ss ss sI so}",
			"number", number(v->job.number), "caller", v->job.caller, "programs", v->job.programs,
			"since", (json_int_t)v->job.started, "running_ms", number(v->running_ms)));
	}
	return all;
}

static json_t *last_json(const struct status *st)
{
	json_t *all = json_array();
	const struct ledger_job *j;

	for (size_t i = 0; (j = ledger_last(st->ledger, i)); i++)
		json_array_append_new(all, json_pack("{so ss ss sI ss si si so so so so ss}",
			"number", number(j->number), "caller", j->caller, "programs", j->programs,
			"since", (json_int_t)j->started, "ending", ending_text(j->ending),
			"exit_status", j->exit_status, "signal", j->signal, "cpu_us", number(j->cpu_us),
			"wall_us", number(j->wall_us), "bytes_in", number(j->bytes_in),
			"bytes_out", number(j->bytes_out), "text", j->text));
	return all;
}

static json_t *toolchains_json(const struct status *st)
{
	json_t *all = json_array();

	for (size_t i = 0; i < st->toolchain_count; i++) {
		const struct toolchain_view *v = &st->toolchains[i];
		char hex[2 * DIGEST_SIZE + 1];

		digest_hex(&v->id, hex);
		json_array_append_new(all, json_pack("{ss ss ss ss* so so}", "id", hex, "programs", v->programs,
						     "state", v->state, "text", *v->text ? v->text : NULL,
						     "done", number(v->done), "total", number(v->total)));
	}
	return all;
}

static json_t *strings_json(const char *const *v, size_t count)
{
	json_t *all = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(all, json_string(v[i]));
	return all;
}

static json_t *jobs_json(const struct ledger *l)
{
	json_t *jobs = json_object();

	for (int i = 0; i < ENDING_COUNT; i++)
		json_object_set_new(jobs, ending_text((enum ending)i), number(l->ended[i]));
	json_object_set_new(jobs, "refused", number(ledger_refused(l)));
	return jobs;
}

static json_t *refusals_json(const struct ledger *l)
{
	json_t *all = json_object();

	for (int i = 0; i < REFUSAL_COUNT; i++)
		if (l->refused[i])
			json_object_set_new(all, refusal_text((enum refusal)i), number(l->refused[i]));
	return all;
}

static json_t *files_json(const struct status *st)
{
	const struct fetch_view *v = &st->fetched;

	return json_pack("{sb ss so so so so so}", "offered", !st->no_files, "why", st->no_files ? st->no_files : "",
			 "questions", number(st->ledger->questions), "brought", number(v->brought),
			 "brought_bytes", number(v->brought_bytes), "own", number(v->own), "own_bytes", number(v->own_bytes));
}

void status_json(const struct status *st, struct buf *out)
{
	const struct ledger *l = st->ledger;
	const struct admit_counts *c = &st->slots;
	const struct { const char *key; json_t *value; } members[] = {
		{ "name", json_string(st->name) },
		{ "version", json_string(st->version) },
		{ "policy", json_string(st->policy) },
		{ "phase", json_string(phase_text(st->decision->phase)) },
		{ "why", json_string(st->decision->why) },
		{ "started", number((uint64_t)l->started) },
		{ "now", number((uint64_t)st->now) },
		{ "slots", number(c->slots) },
		{ "capacity", number(c->capacity) },
		{ "free", number(admit_free_slots(c)) },
		{ "granted", number(c->granted) },
		{ "queued", number(c->queued) },
		{ "draining", json_boolean(c->draining) },
		{ "agents", number(st->agents) },
		{ "connections", number(st->connections) },
		{ "jobs", jobs_json(l) },
		{ "refusals", refusals_json(l) },
		{ "cpu_us", number(l->cpu_us) },
		{ "bytes", json_pack("{soso}", "in", number(l->bytes_in), "out", number(l->bytes_out)) },
		{ "callers", callers_json(st) },
		{ "running", running_json(st) },
		{ "last", last_json(st) },
		{ "toolchains", toolchains_json(st) },
		{ "store", json_pack("{so so so so so so}", "bytes", number(st->store.bytes),
				     "max_bytes", number(st->store.max_bytes), "blobs", number(st->store.blobs),
				     "toolchains", number(st->store.toolchains), "evicted", number(st->store.evicted),
				     "accept_any", json_boolean(st->accept_any)) },
		{ "file_mode", files_json(st) },
		{ "listen", strings_json((const char *const *)st->listen->v, st->listen->count) },
		{ "http", json_string(st->http) },
		{ "warnings", strings_json(st->warnings, st->warning_count) },
	};
	json_t *root = json_object();
	char *text;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		json_object_set_new(root, members[i].key, members[i].value);
	text = json_dumps(root, JSON_INDENT(1));
	buf_printf(out, "%s\n", text ? text : "{}");
	free(text);
	json_decref(root);
}
