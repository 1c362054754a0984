/*
 * plan_cache.c - templates of plans.
 *
 * The names of a command are its input, -o, -MF, -MT and -MQ. What a driver
 * makes of them is a short list of functions (parts[]). Which of these give
 * equal strings is part of the key, so where two functions explain a word,
 * either will do for every command with that key. And the two answers that
 * make a template must differ in every one of them, so that a word which did
 * not change cannot depend on a name; nor on a directory or an extension, as
 * these are in the key.
 */
#include "plan_cache.h"

#include <ctype.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { ENDINGS = 9, NAMES_MAX = 6, PARTS_MAX = 1 + ENDINGS + (2 + ENDINGS) * NAMES_MAX, BUCKETS = 1024, MADE_UP = 6 };

/* The names in a command, in their order. */
struct name {
	size_t at;		/* in user_argv */
	const char *value;	/* borrowed */
	bool is_output;
};

struct names {
	struct name v[NAMES_MAX];
	size_t count;
	const char *input;	/* one of them */
};

/* Every string that a word may come to be. */
struct parts {
	char *v[PARTS_MAX];
	size_t count;
};

/* One word of a template. */
struct word {
	char *literal;		/* NULL: a part */
	size_t part;
};

struct line {
	struct word *words;
	size_t count;
};

struct entry {
	struct entry *next;
	char *key;
	char *stamp;
	struct argv directories;
	/* the first answer, while there is no template */
	struct parts first;
	struct line *lines;
	size_t line_count;
	bool ready;		/* two answers have agreed: lines are a template, else just words */
};

struct plan_cache {
	struct entry *buckets[BUCKETS];
	size_t count, max;
};

/* Options whose next word is their value: it is not an input. */
static const char *const with_value[] = {
	"--param", "--serialize-diagnostics", "--sysroot", "-B", "-D", "-F", "-I", "-L", "-T", "-U", "-Xanalyzer",
	"-Xassembler", "-Xclang", "-Xlinker", "-Xpreprocessor", "-arch", "-gcc-toolchain", "-idirafter", "-iframework",
	"-imacros", "-include", "-include-pch", "-iprefix", "-iquote", "-isysroot", "-isystem", "-iwithprefix",
	"-iwithprefixbefore", "-iwithsysroot", "-l", "-mllvm", "-target", "-u", "-x", "-z",
};

static bool is_listed(const char *s, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(s, list[i]))
			return true;
	return false;
}

/* Only names that no one would quote, and that lie in ordinary places. */
static bool is_tame(const char *s)
{
	if (!*s || *s == '-' || path_base(s)[0] == '.' || !*path_base(s) || str_starts(s, "/dev/"))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_./+-", *s))
			return false;
	return true;
}

static bool add_name(struct names *n, const struct argv *argv, size_t at, bool is_output)
{
	if (at >= argv->count || n->count == NAMES_MAX || !is_tame(argv->v[at]))
		return false;
	n->v[n->count++] = (struct name){ .at = at, .value = argv->v[at], .is_output = is_output };
	return true;
}

static bool add_input(struct names *n, const struct argv *argv, size_t at)
{
	if (n->input)
		return false;
	n->input = argv->v[at];
	return add_name(n, argv, at, false);
}

/* False: a command of this form has no template. */
static bool find_names(struct names *n, const struct argv *argv)
{
	static const char *const named[] = { "-MF", "-MQ", "-MT", "-o" };

	for (size_t i = 1; i < argv->count; i++) {
		const char *s = argv->v[i];

		if (is_listed(s, named, ARRAY_LEN(named))) {
			if (!add_name(n, argv, ++i, str_eq(s, "-o")))
				return false;
		} else if (str_starts(s, "-o") || str_starts(s, "-MF") || str_starts(s, "-MT") ||
			   str_starts(s, "-MQ") || str_eq(s, "--") || str_starts(s, "--output")) {
			return false;
		} else if (is_listed(s, with_value, ARRAY_LEN(with_value))) {
			i++;
		} else if (*s != '-' && !add_input(n, argv, i)) {
			return false;
		}
	}
	return n->input != NULL;
}

static const char *extension(const char *name)
{
	const char *dot = strrchr(path_base(name), '.');

	return dot ? dot : "";
}

static void add_part(struct parts *p, char *s)
{
	p->v[p->count++] = s;
}

static void add_with_extension(struct parts *p, const char *name, const char *ext)
{
	add_part(p, xasprintf("%.*s%s", (int)(strlen(name) - strlen(extension(name))), name, ext));
}

/* Names that drivers give to what is written beside the object, and on the way to it. */
static void add_endings(struct parts *p, const char *name)
{
	static const char *const endings[ENDINGS] = {
		".d", ".o", ".s", ".bc", ".dwo", ".i", ".ii", ".opt.yaml", ".su",
	};

	for (size_t i = 0; i < ENDINGS; i++)
		add_with_extension(p, name, endings[i]);
}

static void make_parts(struct parts *p, const struct names *n)
{
	add_part(p, xstrdup(path_base(n->input)));
	add_endings(p, path_base(n->input));
	for (size_t i = 0; i < n->count; i++) {
		add_part(p, xstrdup(n->v[i].value));
		if (!n->v[i].is_output)
			continue;
		/* -MD beside -o names its file after the output, as do others; gcc's -dumpbase is the output as a source. */
		add_endings(p, n->v[i].value);
		add_with_extension(p, path_base(n->v[i].value), extension(n->input));
	}
}

static void free_parts(struct parts *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->v[i]);
	p->count = 0;
}

/* The first part with this string; count: none. */
static size_t find_part(const struct parts *p, const char *s)
{
	size_t i = 0;

	while (i < p->count && !str_eq(p->v[i], s))
		i++;
	return i;
}

/* Context, command with its names taken out but for directory and extension, and which parts are equal. */
static char *make_key(const char *context, const struct argv *argv, const struct names *n, const struct parts *p)
{
	struct buf b = { 0 };
	size_t next = 0;

	buf_decimal(&b, strlen(context));
	buf_puts(&b, ":");
	buf_puts(&b, context);
	for (size_t i = 0; i < argv->count; i++) {
		const char *s = argv->v[i];

		if (next < n->count && n->v[next].at == i && ++next) {
			buf_puts(&b, " ");
			buf_add(&b, s, (size_t)(path_base(s) - s));
			buf_puts(&b, "*");
			buf_puts(&b, extension(s));
		} else {
			buf_puts(&b, " ");
			buf_decimal(&b, strlen(s));
			buf_puts(&b, ":");
			buf_puts(&b, s);
		}
	}
	buf_puts(&b, " ");
	/* a byte each: PARTS_MAX is less than one holds, and no byte is NUL */
	for (size_t i = 0; i < p->count; i++)
		put_u8(&b, (uint8_t)(1 + find_part(p, p->v[i])));
	return buf_str(&b);
}

static size_t bucket_of(const char *key)
{
	return (size_t)(XXH3_64bits(key, strlen(key)) % BUCKETS);
}

static struct entry *find_entry(const struct plan_cache *c, const char *key)
{
	struct entry *e = c->buckets[bucket_of(key)];

	while (e && !str_eq(e->key, key))
		e = e->next;
	return e;
}

static void free_lines(struct entry *e)
{
	for (size_t i = 0; i < e->line_count; i++) {
		for (size_t j = 0; j < e->lines[i].count; j++)
			free(e->lines[i].words[j].literal);
		free(e->lines[i].words);
	}
	free(e->lines);
	e->lines = NULL;
	e->line_count = 0;
}

static void clear_entry(struct entry *e)
{
	free_lines(e);
	free_parts(&e->first);
	argv_free(&e->directories);
	free(e->stamp);
	e->stamp = NULL;
	e->ready = false;
}

static void forget_all(struct plan_cache *c)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (c->buckets[i]) {
			struct entry *e = c->buckets[i];

			c->buckets[i] = e->next;
			clear_entry(e);
			free(e->key);
			free(e);
		}
	}
	c->count = 0;
}

struct plan_cache *plan_cache_new(size_t max_entries)
{
	struct plan_cache *c = xcalloc(1, sizeof *c);

	c->max = max_entries;
	return c;
}

void plan_cache_free(struct plan_cache *c)
{
	if (!c)
		return;
	forget_all(c);
	free(c);
}

static struct entry *entry_of(struct plan_cache *c, const char *key)
{
	struct entry *e = find_entry(c, key);

	if (e)
		return e;
	if (c->count == c->max)
		forget_all(c);
	e = xcalloc(1, sizeof *e);
	e->key = xstrdup(key);
	e->next = c->buckets[bucket_of(key)];
	c->buckets[bucket_of(key)] = e;
	c->count++;
	return e;
}

/* The first answer: every word as it is. */
static void take_first(struct entry *e, struct parts *p, const struct plan *plan, const struct argv *directories,
		       const char *stamp)
{
	clear_entry(e);
	e->stamp = xstrdup(stamp);
	e->directories = argv_copy(directories);
	e->first = *p;
	*p = (struct parts){ 0 };
	e->lines = xcalloc(plan->command_count, sizeof *e->lines);
	e->line_count = plan->command_count;
	for (size_t i = 0; i < e->line_count; i++) {
		const struct argv *argv = &plan->commands[i].argv;

		e->lines[i].words = xcalloc(argv->count, sizeof *e->lines[i].words);
		e->lines[i].count = argv->count;
		for (size_t j = 0; j < argv->count; j++)
			e->lines[i].words[j].literal = xstrdup(argv->v[j]);
	}
}

static bool all_differ(const struct parts *a, const struct parts *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (str_eq(a->v[i], b->v[i]))
			return false;
	return true;
}

/* What explains this word in both answers. False: nothing. */
static bool merge_word(struct word *w, const struct parts *first, const char *second, const struct parts *p)
{
	if (str_eq(w->literal, second))
		return true;
	w->part = find_part(first, w->literal);
	if (w->part == first->count || !str_eq(p->v[w->part], second))
		return false;
	free(w->literal);
	w->literal = NULL;
	return true;
}

static bool merge_line(struct line *l, const struct parts *first, const struct argv *second, const struct parts *p)
{
	if (l->count != second->count)
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (!merge_word(&l->words[i], first, second->v[i], p))
			return false;
	return true;
}

static bool merge(struct entry *e, const struct parts *p, const struct plan *plan)
{
	if (e->line_count != plan->command_count)
		return false;
	for (size_t i = 0; i < e->line_count; i++)
		if (!merge_line(&e->lines[i], &e->first, &plan->commands[i].argv, p))
			return false;
	return true;
}

static bool is_answer(const struct verdict *v)
{
	return v->reason != REASON_DRIVER_FAILED && v->reason != REASON_DRIVER_SPEAKS && v->reason != REASON_UNUSUAL_PLAN;
}

/* In one of the modes the plan is of the command's one input; and nothing but commands was printed. */
static bool teaches(const struct plan *p, const struct names *n)
{
	return (p->unit_count == 1 && str_eq(p->units[0].input, n->input) && is_answer(&p->verdict)) ||
	       (p->file_unit_count == 1 && str_eq(p->file_units[0].input, n->input) && is_answer(&p->files));
}

void plan_cache_learn(struct plan_cache *c, const char *context, const struct argv *user_argv,
		      const struct plan *plan, const struct argv *directories, const char *stamp)
{
	struct names n = { 0 };
	struct parts p = { 0 };
	autofree char *key = NULL;
	struct entry *e;

	if (!find_names(&n, user_argv) || !teaches(plan, &n))
		return;
	make_parts(&p, &n);
	key = make_key(context, user_argv, &n, &p);
	e = entry_of(c, key);
	if (!e->stamp || e->ready || !str_eq(e->stamp, stamp) || e->first.count != p.count) {
		take_first(e, &p, plan, directories, stamp);
	} else if (all_differ(&e->first, &p)) {
		e->ready = merge(e, &p, plan);
		if (!e->ready)
			take_first(e, &p, plan, directories, stamp);
	}
	free_parts(&p);
}

static bool all_same(const struct parts *a, const struct parts *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!str_eq(a->v[i], b->v[i]))
			return false;
	return a->count == b->count;
}

/* The entry for a command, and its parts; NULL: none with a template, nor the answer to this very command. */
static const struct entry *look_up(const struct plan_cache *c, const char *context, const struct argv *user_argv,
				   struct parts *p)
{
	struct names n = { 0 };
	autofree char *key = NULL;
	const struct entry *e;

	if (!find_names(&n, user_argv))
		return NULL;
	make_parts(p, &n);
	key = make_key(context, user_argv, &n, p);
	e = find_entry(c, key);
	return e && e->stamp && (e->ready || all_same(&e->first, p)) ? e : NULL;
}

static void print_word(struct buf *b, const char *s)
{
	buf_puts(b, " \"");
	for (;;) {
		size_t n = strcspn(s, "\"\\$");

		buf_add(b, s, n);
		s += n;
		if (!*s)
			break;
		buf_puts(b, "\\");
		buf_add(b, s++, 1);
	}
	buf_puts(b, "\"");
}

char *plan_cache_recall(const struct plan_cache *c, const char *context, const struct argv *user_argv,
			char *(*stamp_of)(const struct argv *directories))
{
	struct parts p = { 0 };
	struct buf b = { 0 };
	const struct entry *e = look_up(c, context, user_argv, &p);
	autofree char *stamp = e ? stamp_of(&e->directories) : NULL;
	bool found = e && str_eq(e->stamp, stamp);

	for (size_t i = 0; found && i < e->line_count; i++) {
		for (size_t j = 0; j < e->lines[i].count; j++) {
			const struct word *w = &e->lines[i].words[j];

			print_word(&b, w->literal ? w->literal : p.v[w->part]);
		}
		buf_puts(&b, "\n");
	}
	free_parts(&p);
	return found ? buf_str(&b) : NULL;
}

/* cc??????, as mkstemp fills it in. */
static bool is_made_up(const char *name)
{
	size_t n = 0;

	while (isalnum((unsigned char)name[n]))
		n++;
	return n == MADE_UP;
}

void plan_cache_settle(char *text, const char *temp_dir)
{
	autofree char *start = xasprintf("%s/cc", temp_dir);
	autoargv struct argv seen = { 0 };

	while ((text = strstr(text, start))) {
		autofree char *name = NULL;
		char number[24];
		size_t i = 0;

		text += strlen(start);
		if (!is_made_up(text))
			continue;
		name = xstrndup(text, MADE_UP);
		while (i < seen.count && !str_eq(seen.v[i], name))
			i++;
		if (i == seen.count)
			argv_push(&seen, name);
		snprintf(number, sizeof number, "%06zu", i);
		memcpy(text, number, MADE_UP);
	}
}
