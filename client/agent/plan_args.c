/*
 * plan_args.c - reading a subcommand's arguments by its table.
 */
#include "plan_args.h"
#include "plan_parse.h"

static const struct arg input_row = { "", ARG_INPUT, REASON_NONE };

static bool row_fits(const struct arg *row, const char *s)
{
	return str_starts(s, row->name) && (!s[strlen(row->name)] || (row->flags & ARG_JOINED));
}

/* The first row that sorts behind s. */
static size_t upper_bound(const struct arg_table *t, const char *s)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(t->rows[mid].name, s) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Beginnings of s sort before s, the shorter before the longer: going down, the first that fits is the longest. */
const struct arg *arg_find(const struct arg_table *table, const char *s)
{
	for (size_t i = upper_bound(table, s); i-- > 0;) {
		const struct arg *row = &table->rows[i];

		if (strncmp(row->name, s, 2) < 0)
			return NULL;
		if (row_fits(row, s))
			return row;
	}
	return NULL;
}

/* How many words the argument takes; 0: its value is missing. */
static size_t arg_words(const struct arg *row, const struct argv *argv, size_t at)
{
	if (!(row->flags & ARG_SEPARATE) || strlen(argv->v[at]) > strlen(row->name))
		return 1;
	return at + 1 < argv->count ? 2 : 0;
}

static const char *use_value(const struct arg *row, const struct argv *argv, size_t at, size_t words)
{
	if (row == &input_row)
		return argv->v[at];
	return words == 2 ? argv->v[at + 1] : argv->v[at] + strlen(row->name);
}

static const struct arg *row_of(const struct arg_table *table, const char *s)
{
	return *s != '-' || !s[1] ? &input_row : arg_find(table, s);
}

/* A subcommand would read its arguments from the file that such a word names. */
static bool has_at_file(const struct argv *argv, size_t at, size_t words)
{
	for (size_t i = at; i < at + words; i++)
		if (argv->v[i][0] == '@')
			return true;
	return false;
}

void arg_uses_read(struct arg_uses *uses, const struct arg_table *table, const struct argv *argv, size_t first,
		   struct verdict *verdict)
{
	uses->v = xcalloc(argv->count + 1, sizeof *uses->v);
	for (size_t at = first, words; at < argv->count; at += size_max(words, 1)) {
		const struct arg *row = row_of(table, argv->v[at]);

		words = row ? arg_words(row, argv, at) : 0;
		if (!words)
			verdict_local(verdict, REASON_UNKNOWN_OPTION, argv->v[at]);
		else if (row->flags & ARG_LOCAL)
			verdict_local(verdict, row->reason, argv->v[at]);
		else if (has_at_file(argv, at, words))
			verdict_local(verdict, REASON_READS_FILES, argv->v[at]);
		if (words)
			uses->v[uses->count++] = (struct arg_use){
				.row = row, .at = at, .count = words, .value = use_value(row, argv, at, words),
			};
	}
}

void arg_uses_free(struct arg_uses *uses)
{
	free(uses->v);
	*uses = (struct arg_uses){ 0 };
}

const char *arg_value(const struct arg_uses *uses, unsigned flag)
{
	const char *value = NULL;

	for (size_t i = 0; i < uses->count; i++)
		if (uses->v[i].row->flags & flag)
			value = uses->v[i].value;
	return value;
}

size_t arg_count(const struct arg_uses *uses, unsigned flag)
{
	size_t n = 0;

	for (size_t i = 0; i < uses->count; i++)
		n += (uses->v[i].row->flags & flag) != 0;
	return n;
}

bool arg_debug(const struct arg_uses *uses)
{
	bool debug = false;

	for (size_t i = 0; i < uses->count; i++)
		if (uses->v[i].row->flags & (ARG_DEBUG | ARG_NO_DEBUG))
			debug = uses->v[i].row->flags & ARG_DEBUG;
	return debug;
}
