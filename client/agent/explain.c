/*
 * explain.c - each subcommand, its verdict and why.
 */
#include "explain.h"

#include "json.h"

static json_t *argv_json(const struct argv *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->count; i++)
		json_array_append_new(list, json_name(a->v[i]));
	return list;
}

static const char *verdict_word(const struct verdict *v)
{
	return v->kind == VERDICT_TEXT ? "remote (text)" : "local";
}

/* ": why (what)", or nothing for a remote verdict. */
static char *why(const struct verdict *v)
{
	if (v->kind != VERDICT_LOCAL)
		return xstrdup("");
	return xasprintf(": %s%s%s%s", reason_text(v->reason), *v->detail ? " (" : "", v->detail, *v->detail ? ")" : "");
}

static json_t *verdict_json(const struct verdict *v)
{
	bool local = v->kind == VERDICT_LOCAL;

	return json_pack("{s:s,s:s,s:s,s:o}", "verdict", local ? "local" : "remote", "mode", local ? "" : "text",
			 "reason", local ? reason_key(v->reason) : "", "detail", json_name(local ? v->detail : ""));
}

static json_t *unit_json(const struct unit *u)
{
	json_t *j = verdict_json(&u->verdict);

	json_object_set_new(j, "input", json_name(u->input));
	json_object_set_new(j, "output", json_name(u->output));
	json_object_set_new(j, "first_command", json_integer((json_int_t)u->first));
	json_object_set_new(j, "commands", json_integer((json_int_t)u->count));
	return j;
}

static char *plan_json(const struct plan *p, const struct ask *ask)
{
	json_t *commands = json_array(), *units = json_array(), *j = verdict_json(&p->verdict);

	for (size_t i = 0; i < p->command_count; i++)
		json_array_append_new(commands, argv_json(&p->commands[i].argv));
	for (size_t i = 0; i < p->unit_count; i++)
		json_array_append_new(units, unit_json(&p->units[i]));
	json_object_set_new(j, "argv", argv_json(&ask->argv));
	json_object_set_new(j, "subcommands", commands);
	json_object_set_new(j, "units", units);
	return json_text(j);
}

static void put_command(struct buf *b, const struct argv *a)
{
	buf_puts(b, " ");
	for (size_t i = 0; i < a->count; i++)
		buf_printf(b, " %s", a->v[i]);
	buf_puts(b, "\n");
}

char *explain_plan(const struct plan *p, const struct ask *ask)
{
	autofree char *whole = why(&p->verdict);
	struct buf b = { 0 };

	if (ask->explain == 2)
		return plan_json(p, ask);
	buf_printf(&b, "%s%s\n", verdict_word(&p->verdict), whole);
	for (size_t i = 0; i < p->unit_count; i++) {
		const struct unit *u = &p->units[i];
		autofree char *own = why(&u->verdict);

		buf_printf(&b, "%s -> %s: %s%s\n", u->input ? u->input : "?", u->output ? u->output : "?",
			   verdict_word(&u->verdict), own);
		for (size_t n = 0; n < u->count; n++)
			put_command(&b, &p->commands[u->first + n].argv);
	}
	for (size_t i = 0; !p->unit_count && i < p->command_count; i++)
		put_command(&b, &p->commands[i].argv);
	return buf_str(&b);
}

char *explain_reason(const struct ask *ask, enum reason reason)
{
	struct verdict v = { .kind = VERDICT_LOCAL, .reason = reason };
	json_t *j;

	if (ask->explain != 2)
		return xasprintf("local: %s\n", reason_text(reason));
	j = verdict_json(&v);
	json_object_set_new(j, "argv", argv_json(&ask->argv));
	json_object_set_new(j, "subcommands", json_array());
	json_object_set_new(j, "units", json_array());
	return json_text(j);
}
