/*
 * explain.c - where a command may go and why, and each of its subcommands.
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

/* Which of the modes, of those that the settings allow, the command may go in. */
struct ways {
	const struct verdict *files, *text;	/* NULL: the settings do not want it */
	bool by_files, by_text;
};

static struct ways ways_of(const struct plan *p, enum mode mode)
{
	struct ways w = {
		.files = mode == MODE_TEXT ? NULL : &p->files, .text = mode == MODE_FILE ? NULL : &p->verdict,
	};

	w.by_files = w.files && w.files->kind != VERDICT_LOCAL;
	w.by_text = w.text && w.text->kind != VERDICT_LOCAL;
	return w;
}

static bool says_same(const struct verdict *a, const struct verdict *b)
{
	return a->reason == b->reason && str_eq(a->detail, b->detail);
}

static char *why(const struct verdict *v)
{
	return xasprintf("%s%s%s%s", reason_text(v->reason), *v->detail ? " (" : "", v->detail, *v->detail ? ")" : "");
}

static char *where(const struct ways *w)
{
	const struct verdict *v = w->files ? w->files : w->text;
	autofree char *reason = why(v);

	if (w->by_files || w->by_text)
		return xasprintf("remote (%s)", !w->by_text ? "file" : w->by_files ? "file or text" : "text");
	return xasprintf("local: %s", reason);
}

/* Of a mode that the first line does not speak of. */
static void put_mode(struct buf *b, const char *name, const struct verdict *v)
{
	autofree char *reason = why(v);

	buf_printf(b, "%s mode: %s\n", name, reason);
}

static void put_modes(struct buf *b, const struct ways *w)
{
	if (!w->files || !w->text)
		return;
	if (!w->by_files && w->by_text)
		put_mode(b, "file", w->files);
	if (!w->by_text && (w->by_files || !says_same(w->files, w->text)))
		put_mode(b, "text", w->text);
}

static json_t *verdict_json(const struct verdict *v)
{
	static const char *const modes[] = { "", "text", "file" };
	bool local = v->kind == VERDICT_LOCAL;

	return json_pack("{s:s,s:s,s:s,s:o}", "verdict", local ? "local" : "remote", "mode", modes[v->kind],
			 "reason", local ? reason_key(v->reason) : "", "detail", json_name(local ? v->detail : ""));
}

static json_t *unit_json(const char *input, const char *output, size_t first, size_t count, const struct verdict *v)
{
	json_t *j = verdict_json(v);

	json_object_set_new(j, "input", json_name(input ? input : ""));
	json_object_set_new(j, "output", json_name(output ? output : ""));
	json_object_set_new(j, "first_command", json_integer((json_int_t)first));
	json_object_set_new(j, "commands", json_integer((json_int_t)count));
	return j;
}

static json_t *units_json(const struct plan *p, bool by_files)
{
	json_t *units = json_array();

	for (size_t i = 0; by_files && i < p->file_unit_count; i++) {
		const struct file_unit *u = &p->file_units[i];

		json_array_append_new(units, unit_json(u->input, u->output, u->first, u->count, &p->files));
	}
	for (size_t i = 0; !by_files && i < p->unit_count; i++) {
		const struct unit *u = &p->units[i];

		json_array_append_new(units, unit_json(u->input, u->output, u->first, u->count, &u->verdict));
	}
	return units;
}

static char *plan_json(const struct plan *p, const struct ask *ask, const struct ways *w)
{
	json_t *commands = json_array(), *j = verdict_json(w->by_files || !w->text ? w->files : w->text);

	for (size_t i = 0; i < p->command_count; i++)
		json_array_append_new(commands, argv_json(&p->commands[i].argv));
	if (w->files)
		json_object_set_new(j, "file_mode", verdict_json(w->files));
	if (w->text)
		json_object_set_new(j, "text_mode", verdict_json(w->text));
	json_object_set_new(j, "argv", argv_json(&ask->argv));
	json_object_set_new(j, "subcommands", commands);
	json_object_set_new(j, "units", units_json(p, w->by_files));
	return json_text(j);
}

static void put_command(struct buf *b, const struct argv *a)
{
	buf_puts(b, " ");
	for (size_t i = 0; i < a->count; i++)
		buf_printf(b, " %s", a->v[i]);
	buf_puts(b, "\n");
}

static void put_unit(struct buf *b, const struct plan *p, const char *input, const char *output, size_t first, size_t count)
{
	buf_printf(b, "%s -> %s:\n", input && *input ? input : "?", output && *output ? output : "?");
	for (size_t i = 0; i < count; i++)
		put_command(b, &p->commands[first + i].argv);
}

char *explain_plan(const struct plan *p, const struct ask *ask, enum mode mode)
{
	struct ways w = ways_of(p, mode);
	autofree char *first = where(&w);
	struct buf b = { 0 };

	if (ask->explain == 2)
		return plan_json(p, ask, &w);
	buf_printf(&b, "%s\n", first);
	put_modes(&b, &w);
	for (size_t i = 0; i < p->file_unit_count; i++) {
		const struct file_unit *u = &p->file_units[i];

		put_unit(&b, p, u->input, u->output, u->first, u->count);
	}
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
