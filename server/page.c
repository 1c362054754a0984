/*
 * page.c - the status as a page: one file, no scripts, readable on a phone
 * and in the dark. It reloads itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "status.h"

static const char head[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	"<meta http-equiv=\"refresh\" content=\"5\"><meta name=\"color-scheme\" content=\"light dark\">\n<style>\n"
	":root{--ink:#1c2024;--soft:#60646c;--line:#dcdfe4;--paper:#fff;--card:#f6f7f9;--busy:#2f6feb;--held:#e0a030;"
	"--good:#1a7f4b;--bad:#b3261e;--alarm:#b3261e}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#9ba1a9;--line:#33383f;--paper:#15181c;"
	"--card:#1d2126;--busy:#5b93ff;--held:#d9a441;--good:#4cc38a;--bad:#ff8078;--alarm:#c9372c}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);"
	"font:15px/1.5 system-ui,sans-serif}main{max-width:70rem;margin:0 auto;padding:1.2rem 1rem 3rem}\n"
	"h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}h2{font-size:1rem;margin:2rem 0 .5rem}p{margin:.2rem 0;overflow-wrap:anywhere}.soft{color:var(--soft)}\n"
	".alarm{background:var(--alarm);color:#fff;padding:.7rem 1rem;border-radius:.5rem;margin:0 0 1rem;font-weight:600}\n"
	".bar{display:flex;gap:2px;height:1.6rem;margin:1rem 0 .3rem;border-radius:.4rem;overflow:hidden;"
	"background:var(--line)}.bar i{display:block}.busy{background:var(--busy)}.held{background:var(--held)}\n"
	".shut{margin-left:auto;background:repeating-linear-gradient(45deg,var(--line) 0 4px,var(--card) 4px 8px)}\n"
	".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.4rem,1fr));gap:.6rem;margin:1.2rem 0 .6rem}\n"
	".cards div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .7rem}\n"
	".cards b{display:block;font-size:1.2rem;white-space:nowrap;font-variant-numeric:tabular-nums}.cards span{color:var(--soft);"
	"font-size:.85rem}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
	"th{text-align:left;font-weight:600;color:var(--soft);font-size:.85rem}th,td{padding:.35rem .8rem .35rem 0;"
	"border-bottom:1px solid var(--line);white-space:nowrap}th:last-child,td:last-child{padding-right:0}"
	"td.n,th.n{text-align:right}td.long{white-space:normal;overflow-wrap:anywhere;min-width:10rem}"
	"td.name{max-width:15rem;overflow:hidden;text-overflow:ellipsis}"
	"@media(max-width:40rem){td.name{max-width:6rem}th,td{padding-right:.6rem}}\n"
	".good{color:var(--good)}.bad{color:var(--bad)}a{color:var(--busy)}footer{margin-top:2.5rem;color:var(--soft);"
	"font-size:.85rem}\n</style>\n";

static void put_text(struct buf *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<': buf_puts(out, "&lt;"); break;
		case '>': buf_puts(out, "&gt;"); break;
		case '&': buf_puts(out, "&amp;"); break;
		case '"': buf_puts(out, "&quot;"); break;
		default: buf_add(out, s, 1);
		}
}

/* What others chose: cut by the page where it is too long, whole under the pointer. */
static void put_name(struct buf *out, const char *s)
{
	buf_puts(out, "<td class=name title=\"");
	put_text(out, s);
	buf_puts(out, "\">");
	put_text(out, s);
	buf_puts(out, "</td>");
}

/* 1.5 ms, 12 s, 3 min: two digits that matter. */
static void put_duration(struct buf *out, uint64_t us)
{
	if (us < 10000)
		buf_printf(out, "%.1f ms", (double)us / 1e3);
	else if (us < 1000000)
		buf_printf(out, "%" PRIu64 " ms", us / 1000);
	else if (us < 120000000)
		buf_printf(out, "%.1f s", (double)us / 1e6);
	else if (us < (uint64_t)7200000000)
		buf_printf(out, "%" PRIu64 " min", us / 60000000);
	else
		buf_printf(out, "%" PRIu64 " h", us / 3600000000u);
}

static void put_bytes(struct buf *out, uint64_t n)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)n;
	size_t u = 0;

	for (; v >= 1000 && u + 1 < ARRAY_LEN(units); u++)
		v /= 1000;
	buf_printf(out, u && v < 100 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

/* Exact while it fits a card. */
static void put_count(struct buf *out, uint64_t n)
{
	if (n < 1000000)
		buf_printf(out, "%" PRIu64, n);
	else
		buf_printf(out, "%.1f M", (double)n / 1e6);
}

static void put_ago(struct buf *out, int64_t now, int64_t then)
{
	put_duration(out, (uint64_t)(now > then ? now - then : 0) * 1000000);
	buf_puts(out, " ago");
}

static void put_slots(const struct status *st, struct buf *out)
{
	const struct admit_counts *c = &st->slots;
	unsigned shut = c->slots - (c->running + c->granted) - c->kept - admit_free_slots(c);

	buf_printf(out, "<div class=bar role=img aria-label=\"%u of %u slots busy\">", c->running, c->slots);
	if (c->running)
		buf_printf(out, "<i class=busy style=\"width:%.2f%%\"></i>", 100.0 * c->running / c->slots);
	if (c->granted)
		buf_printf(out, "<i class=held style=\"width:%.2f%%\"></i>", 100.0 * c->granted / c->slots);
	if (shut)
		buf_printf(out, "<i class=shut style=\"width:%.2f%%\"></i>", 100.0 * shut / c->slots);
	buf_printf(out, "</div><p><b>%u of %u slots</b> busy", c->running, c->slots);
	if (c->granted)
		buf_printf(out, ", %u promised", c->granted);
	buf_printf(out, " <span class=soft>&middot; %u waiting &middot; %u agent%s connected</span></p>\n", c->queued,
		   st->agents, st->agents == 1 ? "" : "s");
}

/* What the owner leaves, and why; "working" goes without saying. */
static void put_policy(const struct status *st, struct buf *out)
{
	const struct policy_decision *d = st->decision;

	buf_puts(out, "<p>");
	if (d->phase != PHASE_WORKING)
		buf_printf(out, "<b>%s</b>: ", phase_text(d->phase));
	put_text(out, *d->why ? d->why : d->phase == PHASE_WORKING ? "all slots are open" : "");
	buf_puts(out, " <span class=soft>&middot; policy ");
	put_text(out, st->policy);
	buf_puts(out, "</span></p>\n");
}

static void card(struct buf *out, const char *what, uint64_t n, void (*put)(struct buf *, uint64_t))
{
	buf_puts(out, "<div><b>");
	put(out, n);
	buf_printf(out, "</b><span>%s</span></div>", what);
}

static void put_cards(const struct ledger *l, struct buf *out)
{
	buf_puts(out, "<div class=cards>");
	card(out, "jobs done", l->ended[ENDING_DONE], put_count);
	card(out, "cancelled", l->ended[ENDING_CANCELLED], put_count);
	card(out, "preempted", l->ended[ENDING_PREEMPTED], put_count);
	card(out, "failed", l->ended[ENDING_FAILED], put_count);
	card(out, "over a limit", l->ended[ENDING_LIMIT], put_count);
	card(out, "refused", ledger_refused(l), put_count);
	card(out, "CPU time", l->cpu_us, put_duration);
	card(out, "received", l->bytes_in, put_bytes);
	card(out, "sent", l->bytes_out, put_bytes);
	buf_puts(out, "</div>\n");
}

static void put_refusals(const struct ledger *l, struct buf *out)
{
	const char *before = "<p class=soft>Refused: ";

	if (!ledger_refused(l))
		return;
	for (int i = 0; i < REFUSAL_COUNT; i++)
		if (l->refused[i]) {
			buf_printf(out, "%s%s (%" PRIu64 ")", before, refusal_text((enum refusal)i), l->refused[i]);
			before = ", ";
		}
	buf_puts(out, "</p>\n");
}

static void put_callers(const struct status *st, struct buf *out)
{
	if (!st->caller_count)
		return;
	buf_puts(out, "<h2>Callers</h2>\n<div class=wide><table><tr><th>Who<th class=n>Used of late<th class=n>Slots"
		 "<th class=n>Waiting</tr>\n");
	for (size_t i = 0; i < st->caller_count; i++) {
		const struct caller_view *v = &st->callers[i];

		buf_puts(out, "<tr>");
		put_name(out, v->who);
		buf_printf(out, "<td class=n>%.0f%%</td><td class=n>%u</td><td class=n>%u</td></tr>\n", 100 * v->use.share,
			   v->use.holding, v->use.waiting);
	}
	buf_puts(out, "</table></div>\n");
}

static void put_running(const struct status *st, struct buf *out)
{
	buf_puts(out, "<h2>Running</h2>\n");
	if (!st->running_count) {
		buf_puts(out, "<p class=soft>Nothing at the moment.</p>\n");
		return;
	}
	buf_puts(out, "<div class=wide><table><tr><th>Job<th>For<th>Programs<th class=n>Running</tr>\n");
	for (size_t i = 0; i < st->running_count; i++) {
		const struct job_view *v = &st->running[i];

		buf_printf(out, "<tr><td>%" PRIu64 "</td>", v->job.number);
		put_name(out, v->job.caller);
		put_name(out, v->job.programs);
		buf_puts(out, "<td class=n>");
		put_duration(out, v->running_ms * 1000);
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</table></div>\n");
}

static void put_ending(const struct ledger_job *j, struct buf *out)
{
	bool good = j->ending == ENDING_DONE && !j->signal;

	buf_printf(out, "<td class=\"%s %s\">", *j->text ? "long" : "",
		   !good ? (j->ending == ENDING_CANCELLED || j->ending == ENDING_PREEMPTED ? "soft" : "bad") : j->exit_status ? "" : "good");
	buf_puts(out, ending_text(j->ending));
	if (j->signal)
		buf_printf(out, ", signal %u", j->signal);
	else if (j->exit_status)
		buf_printf(out, ", exit %u", j->exit_status);
	if (*j->text) {
		buf_puts(out, ": ");
		put_text(out, j->text);
	}
	buf_puts(out, "</td>");
}

static void put_last(const struct status *st, struct buf *out)
{
	const struct ledger_job *j = ledger_last(st->ledger, 0);

	buf_puts(out, "<h2>Last jobs</h2>\n");
	if (!j) {
		buf_puts(out, "<p class=soft>None so far.</p>\n");
		return;
	}
	buf_puts(out, "<div class=wide><table><tr><th>Job<th>For<th>Programs<th>Ended<th class=n>CPU"
		 "<th class=n>Wall<th class=n>In<th class=n>Out<th class=n>Started</tr>\n");
	for (size_t i = 0; (j = ledger_last(st->ledger, i)); i++) {
		buf_printf(out, "<tr><td>%" PRIu64 "</td>", j->number);
		put_name(out, j->caller);
		put_name(out, j->programs);
		put_ending(j, out);
		buf_puts(out, "<td class=n>");
		put_duration(out, j->cpu_us);
		buf_puts(out, "</td><td class=n>");
		put_duration(out, j->wall_us);
		buf_puts(out, "</td><td class=n>");
		put_bytes(out, j->bytes_in);
		buf_puts(out, "</td><td class=n>");
		put_bytes(out, j->bytes_out);
		buf_puts(out, "</td><td class=n>");
		put_ago(out, st->now, j->started);
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</table></div>\n");
}

static void put_file_mode(const struct status *st, struct buf *out)
{
	const struct fetch_view *v = &st->fetched;

	buf_puts(out, "<h2>File mode</h2>\n<p class=soft>");
	if (st->no_files) {
		buf_puts(out, "Not offered: ");
		put_text(out, st->no_files);
	} else {
		buf_printf(out, "Jobs asked their callers %llu questions. Callers brought %llu files, ",
			   (unsigned long long)st->ledger->questions, (unsigned long long)v->brought);
		put_bytes(out, v->brought_bytes);
		buf_printf(out, "; this machine had %llu itself, ", (unsigned long long)v->own);
		put_bytes(out, v->own_bytes);
	}
	buf_puts(out, ".</p>\n");
}

static void put_toolchains(const struct status *st, struct buf *out)
{
	buf_puts(out, "<h2>Toolchains</h2>\n<p class=soft>");
	put_bytes(out, st->store.bytes);
	buf_puts(out, " of ");
	put_bytes(out, st->store.max_bytes);
	buf_printf(out, " in the store; %s.</p>\n", st->accept_any ? "callers may bring their own" :
		   "only those that this machine has itself");
	if (!st->toolchain_count) {
		buf_puts(out, "<p class=soft>No agent has asked for one yet.</p>\n");
		return;
	}
	buf_puts(out, "<div class=wide><table><tr><th>Programs<th>State<th>Name</tr>\n");
	for (size_t i = 0; i < st->toolchain_count; i++) {
		const struct toolchain_view *v = &st->toolchains[i];
		char hex[2 * DIGEST_SIZE + 1];

		digest_hex(&v->id, hex);
		hex[12] = 0;
		buf_puts(out, "<tr>");
		put_name(out, *v->programs ? v->programs : "(none)");
		buf_printf(out, "<td class=\"long %s\">%s", str_eq(v->state, "ready") ? "good" :
			   str_eq(v->state, "lacking") ? "bad" : "soft", v->state);
		if (*v->text) {
			buf_puts(out, ": ");
			put_text(out, v->text);
		}
		if (v->done < v->total && !str_eq(v->state, "lacking")) {
			buf_puts(out, ": ");
			put_bytes(out, v->done);
			buf_puts(out, " of ");
			put_bytes(out, v->total);
		}
		buf_printf(out, "</td><td class=soft><code>%s</code></td></tr>\n", hex);
	}
	buf_puts(out, "</table></div>\n");
}

static void put_title(const struct status *st, struct buf *out)
{
	buf_puts(out, "<title>");
	put_text(out, st->name);
	buf_printf(out, ": %u/%u &middot; rccd</title></head><body><main>\n", st->slots.running, st->slots.slots);
	for (size_t i = 0; i < st->warning_count; i++) {
		buf_puts(out, "<p class=alarm role=alert>");
		put_text(out, st->warnings[i]);
		buf_puts(out, "</p>\n");
	}
	buf_puts(out, "<h1>");
	put_text(out, st->name);
	buf_puts(out, "</h1><p class=soft>rcc volunteer, version ");
	put_text(out, st->version);
	buf_puts(out, ", up for ");
	put_duration(out, (uint64_t)(st->now - st->ledger->started) * 1000000);
	buf_puts(out, ", listening on");
	for (size_t i = 0; i < st->listen->count; i++) {
		buf_puts(out, " ");
		put_text(out, st->listen->v[i]);
	}
	buf_puts(out, "</p>\n");
	if (st->slots.draining)
		buf_puts(out, "<p><b>Leaving: takes no new jobs.</b></p>\n");
}

void status_page(const struct status *st, struct buf *out)
{
	buf_puts(out, head);
	put_title(st, out);
	put_slots(st, out);
	put_policy(st, out);
	put_cards(st->ledger, out);
	put_refusals(st->ledger, out);
	put_callers(st, out);
	put_running(st, out);
	put_last(st, out);
	put_file_mode(st, out);
	put_toolchains(st, out);
	buf_puts(out, "<footer><a href=\"/status.json\">status.json</a> &middot; <a href=\"/metrics\">metrics</a> &middot; "
		 "<a href=\"/healthz\">healthz</a></footer>\n</main></body></html>\n");
}
