/*
 * forecast.c - the directories that a command names, and the names beside what is not there.
 */
#include "forecast.h"

enum { BESIDE_MAX = 2048, DIRS_MAX = 64 };	/* names of a directory; directories that are listed unasked */

/* Options of cc1 and clang -cc1 whose value is a directory to search; it may be joined. */
static const char *const searched[] = { "-I", "-isystem", "-iquote", "-idirafter", "-internal-isystem", "-internal-externc-isystem" };

static void drop_last(struct buf *b)
{
	while (b->len && b->p[b->len - 1] != '/')
		b->len--;
	if (b->len)
		b->len--;
}

/* Each component of path after what b has. */
static void add_components(struct buf *b, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			drop_last(b);
		} else if (n && !(n == 1 && path[0] == '.')) {
			buf_puts(b, "/");
			buf_add(b, path, n);
		}
		path += n + (path[n] == '/');
	}
}

char *path_settle(const char *cwd, const char *path)
{
	autobuf struct buf b = { 0 };

	if (*path != '/')
		add_components(&b, cwd);
	add_components(&b, path);
	if (!b.len)
		buf_puts(&b, "/");
	return path_canonical(buf_str(&b)) ? xstrdup(buf_str(&b)) : NULL;
}

static enum fact_kind add(struct files *f, const char *path, bool names, struct facts *out)
{
	const struct fact *known = facts_find(out, path);
	enum fact_kind kind;
	struct fact fact = { 0 };

	if (known && (known->listed || !names || known->kind != FACT_DIR))
		return known->kind;
	if (names)
		files_listing(f, path, &fact);
	else
		files_fact(f, path, &fact);
	kind = fact.kind;
	if (fact.listed && fact.names.count > BESIDE_MAX) {
		fact.listed = false;
		argv_free(&fact.names);
	}
	facts_set(out, &fact);
	return kind;
}

/* All directories on the way, then the path itself. */
static void add_way(struct files *f, const char *path, bool names, struct facts *out)
{
	enum fact_kind kind = add(f, "/", false, out);

	for (size_t i = 1; path[i] && kind == FACT_DIR; i++) {
		autofree char *part = NULL;

		i += strcspn(path + i, "/");
		part = xstrndup(path, i);
		kind = add(f, part, names && !path[i], out);
		if (!path[i])
			return;
	}
}

static void add_dir(struct files *f, const char *cwd, const char *dir, struct facts *out)
{
	autofree char *path = path_settle(cwd, dir);

	if (path)
		add_way(f, path, true, out);
}

const char *forecast_searched(const struct argv *argv, size_t i)
{
	for (size_t j = 0; j < ARRAY_LEN(searched); j++)
		if (str_eq(argv->v[i], searched[j]))
			return i + 1 < argv->count ? argv->v[i + 1] : NULL;
	return str_starts(argv->v[i], "-I") ? argv->v[i] + 2 : NULL;
}

void forecast_start(struct files *f, const struct job *job, const char *cwd, const char *input, struct facts *out)
{
	autofree char *source = path_settle(cwd, input), *dir = source ? xstrndup(source, (size_t)(path_base(source) - source)) : NULL;
	size_t dirs = 0;

	add_dir(f, cwd, cwd, out);
	if (dir)
		add_dir(f, cwd, dir, out);
	if (source)
		add_way(f, source, false, out);
	for (size_t i = 0; i < job->step_count; i++)
		for (size_t j = 1; j < job->steps[i].argv.count && dirs < DIRS_MAX; j++) {
			const char *searched_here = forecast_searched(&job->steps[i].argv, j);

			if (!searched_here)
				continue;
			add_dir(f, cwd, searched_here, out);
			dirs++;
		}
}

void forecast_answer(struct files *f, const char *path, bool listing, bool with_parent, struct facts *out)
{
	struct fact fact = { 0 };
	autofree char *parent = NULL;

	if (listing)
		files_listing(f, path, &fact);
	else
		files_fact(f, path, &fact);
	with_parent &= fact.kind == FACT_ABSENT && fact.path[1];
	if (with_parent) {
		size_t n = (size_t)(path_base(fact.path) - fact.path);

		parent = xstrndup(fact.path, n > 1 ? n - 1 : 1);
		add(f, parent, true, out);
	}
	facts_set(out, &fact);
}
