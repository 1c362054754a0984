/*
 * metrics.c - the status as Prometheus reads it (text format 0.0.4).
 */
#include <stdio.h>

#include "status.h"

/* A label's value: backslash, quote and newline are escaped. */
static void put_label(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_printf(out, "\\%c", *value);
		else if (*value == '\n')
			buf_puts(out, "\\n");
		else
			buf_add(out, value, 1);
	}
}

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP rccd_%s %s\n# TYPE rccd_%s %s\n", name, help, name, type);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	family(out, name, type, help);
	buf_printf(out, "rccd_%s %.17g\n", name, value);
}

static void labelled(struct buf *out, const char *name, const char *label, const char *label_value, double value)
{
	buf_printf(out, "rccd_%s{%s=\"", name, label);
	put_label(out, label_value);
	buf_printf(out, "\"} %.17g\n", value);
}

static void put_totals(const struct ledger *l, struct buf *out)
{
	family(out, "jobs_total", "counter", "Jobs that have ended, by how.");
	for (int i = 0; i < ENDING_COUNT; i++)
		labelled(out, "jobs_total", "ending", ending_text((enum ending)i), (double)l->ended[i]);
	family(out, "refusals_total", "counter", "Reservations and jobs refused, by reason.");
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
		labelled(out, "refusals_total", "reason", refusal_text((enum refusal)i), (double)l->refused[i]);
	one(out, "grants_total", "counter", "Grants given.", (double)l->grants);
	one(out, "cpu_seconds_total", "counter", "Processor time of all ended jobs.", (double)l->cpu_us / 1e6);
	one(out, "received_bytes_total", "counter", "Input of ended jobs, as sent.", (double)l->bytes_in);
	one(out, "sent_bytes_total", "counter", "Output of ended jobs, as sent.", (double)l->bytes_out);
}

static void put_toolchains(const struct status *st, struct buf *out)
{
	static const char *const states[] = { "checking", "ready", "lacking", "wanted", "fetching" };

	family(out, "toolchains", "gauge", "Toolchains that agents asked for, by state.");
	for (size_t k = 0; k < ARRAY_LEN(states); k++) {
		uint64_t n = 0;

		for (size_t i = 0; i < st->toolchain_count; i++)
			n += str_eq(st->toolchains[i].state, states[k]);
		labelled(out, "toolchains", "state", states[k], (double)n);
	}
}

static void put_phase(const struct status *st, struct buf *out)
{
	family(out, "phase", "gauge", "1 for the phase that the policy is in.");
	for (int i = 0; i < PHASES; i++)
		labelled(out, "phase", "phase", phase_text((enum phase)i), st->decision->phase == (enum phase)i);
}

static void put_callers(const struct status *st, struct buf *out)
{
	family(out, "caller_share", "gauge", "Of what was used of late, by caller, 0 to 1.");
	for (size_t i = 0; i < st->caller_count; i++)
		labelled(out, "caller_share", "caller", st->callers[i].who, st->callers[i].use.share);
	family(out, "caller_waiting", "gauge", "Reservations that wait, by caller.");
	for (size_t i = 0; i < st->caller_count; i++)
		labelled(out, "caller_waiting", "caller", st->callers[i].who, st->callers[i].use.waiting);
	family(out, "caller_slots", "gauge", "Slots promised or with a job, by caller.");
	for (size_t i = 0; i < st->caller_count; i++)
		labelled(out, "caller_slots", "caller", st->callers[i].who, st->callers[i].use.holding);
}

void status_metrics(const struct status *st, struct buf *out)
{
	const struct admit_counts *c = &st->slots;

	family(out, "build_info", "gauge", "Always 1; the version is a label.");
	labelled(out, "build_info", "version", st->version, 1);
	one(out, "start_time_seconds", "gauge", "When rccd started, since 1970.", (double)st->ledger->started);
	one(out, "slots", "gauge", "Jobs that may run at once.", c->slots);
	one(out, "slots_open", "gauge", "Of them, those that the owner leaves us now.", c->capacity);
	one(out, "slots_running", "gauge", "Slots with a job.", c->running);
	one(out, "slots_granted", "gauge", "Slots promised to a job on its way.", c->granted);
	one(out, "reservations_queued", "gauge", "Reservations waiting for a slot.", c->queued);
	one(out, "draining", "gauge", "1 while leaving.", c->draining);
	put_phase(st, out);
	one(out, "agents", "gauge", "Agents connected.", st->agents);
	put_callers(st, out);
	one(out, "connections", "gauge", "Connections of agents, of every kind.", st->connections);
	one(out, "warnings", "gauge", "Warnings shown on the status page.", (double)st->warning_count);
	put_toolchains(st, out);
	one(out, "store_bytes", "gauge", "Bytes that the store takes of the disk.", (double)st->store.bytes);
	one(out, "store_max_bytes", "gauge", "What it may take.", (double)st->store.max_bytes);
	one(out, "store_evicted_total", "counter", "Toolchains given up for others.", (double)st->store.evicted);
	one(out, "file_mode", "gauge", "1 when jobs in file mode are taken.", !st->no_files);
	one(out, "questions_total", "counter", "Questions of jobs about their callers' files.", (double)st->ledger->questions);
	one(out, "blobs_brought_total", "counter", "Files' contents that callers brought for jobs.", (double)st->fetched.brought);
	one(out, "blobs_brought_bytes_total", "counter", "Bytes of them.", (double)st->fetched.brought_bytes);
	one(out, "blobs_own_total", "counter", "Files' contents found on this machine's own disk instead.", (double)st->fetched.own);
	one(out, "blobs_own_bytes_total", "counter", "Bytes of them.", (double)st->fetched.own_bytes);
	put_totals(st->ledger, out);
}
