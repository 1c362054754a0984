/*
 * toolchain.c - closures of programs, remembered while the disk agrees.
 *
 * A closure is kept with the trail of what was looked at to find it. The next
 * caller pays for one lstat() per step of the trail. Toolchains are never
 * freed: a job may still use one that the disk no longer has.
 */
#include "toolchain.h"

#include <limits.h>
#include <pthread.h>
#include <sys/utsname.h>

#include "elf_closure.h"
#include "toolchain_data.h"

#define LDCACHE "/etc/ld.so.cache"
enum { FILES_REMEMBERED = 16384 };

/* What a list of programs came to, and why that still holds. */
struct memo {
	struct argv programs;
	struct argv needs;
	struct trail trail;
	const struct toolchain *toolchain;
};

struct toolchains {
	pthread_mutex_t lock;
	struct digest_cache *digests;
	struct memo *memos;
	size_t memo_count;
	struct toolchain **all;
	size_t count;
};

struct toolchains *toolchains_new(const char *log)
{
	struct toolchains *ts = xcalloc(1, sizeof *ts);

	pthread_mutex_init(&ts->lock, NULL);
	ts->digests = digest_cache_new(log, FILES_REMEMBERED);
	return ts;
}

static void toolchain_free(struct toolchain *t)
{
	tree_free(&t->tree);
	argv_free(&t->programs);
	free(t->label);
	free(t);
}

void toolchains_free(struct toolchains *ts)
{
	if (!ts)
		return;
	for (size_t i = 0; i < ts->count; i++)
		toolchain_free(ts->all[i]);
	for (size_t i = 0; i < ts->memo_count; i++) {
		argv_free(&ts->memos[i].programs);
		argv_free(&ts->memos[i].needs);
		trail_free(&ts->memos[i].trail);
	}
	free(ts->all);
	free(ts->memos);
	digest_cache_free(ts->digests);
	pthread_mutex_destroy(&ts->lock);
	free(ts);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Order and repetition do not matter: cc1 and as are one toolchain in either order. */
static struct argv sorted(const struct argv *programs)
{
	struct argv a = argv_copy(programs);

	if (a.count)
		qsort(a.v, a.count, sizeof *a.v, compare);
	for (size_t i = 1; i < a.count; )
		if (str_eq(a.v[i - 1], a.v[i]))
			argv_remove(&a, i, 1);
		else
			i++;
	return a;
}

static bool same(const struct argv *a, const struct argv *b)
{
	size_t i = 0;

	if (a->count != b->count)
		return false;
	while (i < a->count && str_eq(a->v[i], b->v[i]))
		i++;
	return i == a->count;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Which compiler a program is part of, by the start of its name; the first row that fits any program. */
static const char *family_of(const struct argv *programs)
{
	static const struct {
		const char *start, *family;
	} families[] = {
		{ "cc1", "gcc" },
		{ "clang", "clang" },
		{ "as", "binutils" },
	};

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		for (size_t i = 0; i < programs->count; i++)
			if (str_starts(path_base(programs->v[i]), families[f].start))
				return families[f].family;
	return NULL;
}

/* " 12" of .../gcc/TARGET/12/cc1, and " TARGET" too if that is another machine. */
static void name_gcc(const char *real, struct buf *out)
{
	autofree char *dir = xstrndup(real, (size_t)(path_base(real) - real));
	char *version, *target;
	struct utsname machine;

	dir[strlen(dir) - 1] = 0;
	version = strrchr(dir, '/');
	if (!version || !is_digit(version[1]))
		return;
	buf_printf(out, " %s", version + 1);
	*version = 0;
	target = strrchr(dir, '/');
	if (target && strchr(target, '-') && uname(&machine) == 0 && !str_starts(target + 1, machine.machine))
		buf_printf(out, " %s", target + 1);
}

/* " 14" of .../llvm-14/bin/clang or .../clang-14. */
static void name_clang(const char *real, struct buf *out)
{
	static const char *const marks[] = { "/clang-", "/llvm-", "/llvm/" };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const char *at = strstr(real, marks[i]);

		if (at && is_digit(at[strlen(marks[i])])) {
			at += strlen(marks[i]);
			buf_printf(out, " %.*s", (int)strspn(at, "0123456789."), at);
			return;
		}
	}
}

/* "gcc 12 (cc1, as)": for people, so a wrong guess costs nothing. */
static char *label_of(const struct argv *programs)
{
	const char *family = family_of(programs);
	autobuf struct buf out = { 0 };

	buf_puts(&out, family ? family : "programs");
	for (size_t i = 0, before = out.len; family && i < programs->count && out.len == before; i++) {
		autofree char *real = realpath(programs->v[i], NULL);

		if (real && str_eq(family, "gcc") && str_starts(path_base(programs->v[i]), "cc1"))
			name_gcc(real, &out);
		else if (real && str_eq(family, "clang"))
			name_clang(real, &out);
	}
	for (size_t i = 0; i < programs->count; i++)
		buf_printf(&out, "%s%s", i ? ", " : " (", path_base(programs->v[i]));
	buf_puts(&out, ")");
	return xstrdup(buf_str(&out));
}

/* Takes the tree. The toolchain of that digest, new or known. */
static const struct toolchain *intern(struct toolchains *ts, struct tree *tree, const struct argv *programs)
{
	struct toolchain *t = xcalloc(1, sizeof *t);

	t->tree = *tree;
	*tree = (struct tree){ 0 };
	tree_digest(&t->tree, &t->id);
	t->programs = argv_copy(programs);
	for (size_t i = 0; i < ts->count; i++)
		if (digest_eq(&ts->all[i]->id, &t->id) && same(&ts->all[i]->programs, &t->programs)) {
			toolchain_free(t);
			return ts->all[i];
		}
	t->label = label_of(programs);
	t->translates = toolchain_data_translates(&t->tree);
	ts->all = xrealloc(ts->all, (ts->count + 1) * sizeof(*ts->all));
	ts->all[ts->count++] = t;
	return t;
}

static struct memo *known_memo(const struct toolchains *ts, const struct argv *programs, const struct argv *needs)
{
	for (size_t i = 0; i < ts->memo_count; i++)
		if (same(&ts->memos[i].programs, programs) && same(&ts->memos[i].needs, needs))
			return &ts->memos[i];
	return NULL;
}

static struct memo *memo_of(struct toolchains *ts, const struct argv *programs, const struct argv *needs)
{
	struct memo *known = known_memo(ts, programs, needs);

	if (known)
		return known;
	ts->memos = xrealloc(ts->memos, (ts->memo_count + 1) * sizeof(*ts->memos));
	ts->memos[ts->memo_count] = (struct memo){ .programs = argv_copy(programs), .needs = argv_copy(needs) };
	return &ts->memos[ts->memo_count++];
}

static int check(const struct argv *programs, struct err *err)
{
	for (size_t i = 0; i < programs->count; i++)
		if (programs->v[i][0] != '/')
			return err_set(err, ERR_UNSUPPORTED, "%s is not an absolute path", programs->v[i]);
	return programs->count ? 0 : err_set(err, ERR_UNSUPPORTED, "no programs");
}

/* The cache of this machine would name libraries that the tree has not, and differ from machine to machine. */
static int add_ldcache(struct tree *tree, struct ldcache_rows *rows, struct err *err)
{
	autobuf struct buf bytes = { 0 };

	if (!rows->count)
		return 0;
	ldcache_write(rows, &bytes);
	if (bytes.len > TREE_DATA_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%zu libraries are too many for one " LDCACHE, rows->count);
	tree_add_data(tree, LDCACHE, 0644, bytes.p, bytes.len);
	return 0;
}

static int build_tree(struct toolchains *ts, struct memo *m, struct tree *tree, struct err *err)
{
	struct ldcache_rows cached = { 0 };
	struct elf_search search = { .tree = tree, .cached = &cached, .trail = &m->trail, .digests = ts->digests,
				     .ldcache = LDCACHE };
	int rc = 0;

	for (size_t i = 0; i < m->programs.count && rc == 0; i++)
		rc = elf_closure_add(&search, m->programs.v[i], NULL, err);
	if (rc == 0)
		rc = toolchain_data_add(&search, &m->programs, &m->needs, err);
	if (rc == 0)
		rc = add_ldcache(tree, &cached, err);
	ldcache_rows_free(&cached);
	return rc;
}

/* Called with the lock held. */
static int refresh(struct toolchains *ts, struct memo *m, struct err *err)
{
	struct tree tree = { 0 };
	int rc = check(&m->programs, err);

	if (m->toolchain && trail_holds(&m->trail))
		return 0;
	trail_free(&m->trail);
	m->toolchain = NULL;
	if (rc == 0)
		rc = build_tree(ts, m, &tree, err);
	if (rc == 0)
		m->toolchain = intern(ts, &tree, &m->programs);
	digest_cache_flush(ts->digests, true);	/* the next agent's first jobs would all wait for them */
	tree_free(&tree);
	return rc;
}

int toolchain_find(struct toolchains *ts, const struct argv *programs, const struct argv *needs,
		   const struct toolchain **out, struct err *err)
{
	static const struct argv nothing;
	autoargv struct argv key = sorted(programs);
	struct memo *m;
	int rc;

	pthread_mutex_lock(&ts->lock);
	m = memo_of(ts, &key, needs ? needs : &nothing);
	rc = refresh(ts, m, err);
	if (rc == 0)
		*out = m->toolchain;
	pthread_mutex_unlock(&ts->lock);
	return rc;
}

const struct toolchain *toolchain_last(struct toolchains *ts, const struct argv *programs, const struct argv *needs)
{
	autoargv struct argv key = sorted(programs);
	const struct toolchain *last;
	struct memo *m;

	if (pthread_mutex_trylock(&ts->lock) != 0)
		return NULL;
	m = known_memo(ts, &key, needs);
	last = m ? m->toolchain : NULL;
	pthread_mutex_unlock(&ts->lock);
	return last;
}
