/*
 * told.c - two lists of facts: the start's, whose order counts, and the answers'.
 */
#include "told.h"

static void forget_digests(struct told *t)
{
	free(t->by_digest);
	t->by_digest = NULL;
	t->digest_count = 0;
}

void told_free(struct told *t)
{
	facts_free(&t->start);
	facts_free(&t->answers);
	forget_digests(t);
}

/* The same, but that one of them may have the names as well, and the later one the contents. */
static bool agree(const struct fact *before, const struct fact *now)
{
	struct fact a = *before, b = *now;

	if (a.listed != b.listed) {
		a.listed = b.listed = false;
		a.names = b.names = (struct argv){ 0 };
	}
	if (fact_lacks_contents(&a))
		a.digest = b.digest;
	return fact_eq(&a, &b);
}

static void count(struct told *t, const struct fact *f)
{
	t->bytes += sizeof *f + strlen(f->path) + (f->target ? strlen(f->target) : 0);
	for (size_t i = 0; i < f->names.count; i++)
		t->bytes += sizeof(char *) + strlen(f->names.v[i]) + 1;
	t->content_bytes += f->size;
}

bool told_full(const struct told *t) { return t->bytes > TOLD_BYTES_MAX || t->content_bytes > TOLD_CONTENTS_MAX; }

bool told_add(struct told *t, struct facts *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		struct fact *now = &answer->v[i];
		const struct fact *before[] = { facts_find(&t->start, now->path), facts_find(&t->answers, now->path) };
		struct fact copy;

		for (size_t j = 0; j < ARRAY_LEN(before); j++) {
			if (before[j] && !agree(before[j], now))
				return false;
			if (before[j])
				now->mtime_ns = before[j]->mtime_ns;
		}
		if (before[1] && (before[1]->listed || !now->listed))
			continue;
		forget_digests(t);
		count(t, now);
		copy = fact_copy(now);
		facts_set(&t->answers, &copy);
	}
	return true;
}

static int by_digest(const void *a, const void *b)
{
	return memcmp((*(const struct fact *const *)a)->digest.b, (*(const struct fact *const *)b)->digest.b, DIGEST_SIZE);
}

static void collect(struct told *t, const struct facts *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->v[i].kind == FACT_FILE)
			t->by_digest[t->digest_count++] = &all->v[i];
}

static void index_digests(struct told *t)
{
	if (t->by_digest)
		return;
	t->by_digest = xcalloc(t->start.count + t->answers.count + 1, sizeof(*t->by_digest));
	collect(t, &t->start);
	collect(t, &t->answers);
	qsort(t->by_digest, t->digest_count, sizeof(*t->by_digest), by_digest);
}

const struct fact *told_contents(struct told *t, const struct digest *d)
{
	const struct fact key = { .digest = *d }, *wanted = &key, **found;

	index_digests(t);
	found = bsearch(&wanted, t->by_digest, t->digest_count, sizeof(*t->by_digest), by_digest);
	return found ? *found : NULL;
}

/* By a list of names that the job has been told. */
static bool not_listed(const struct facts *all, const char *path)
{
	const char *name = path_base(path);
	autofree char *dir = xstrndup(path, name - path > 1 ? (size_t)(name - path) - 1 : 1);
	const struct fact *f = facts_find(all, dir);

	return f && f->listed && !argv_has(&f->names, name);
}

static void keep(struct facts *out, const struct fact *f, const char *path, unsigned how)
{
	struct fact used = fact_used(f, path, how);

	facts_lend(out, &used);
}

/* The next one of the start: those are in order. */
static void keep_next(struct facts *out, const struct fact *f, unsigned how)
{
	struct fact used = fact_used(f, f->path, how);

	facts_append(out, &used);
}

/* The directory's names came later than the directory. */
static const struct fact *listed(const struct told *t, const struct fact *f, unsigned how)
{
	const struct fact *later = how & USED_LISTED && !f->listed ? facts_find(&t->answers, f->path) : NULL;

	return later ? later : f;
}

static int keep_other(const struct told *t, const struct used_path *u, struct facts *out, struct err *err)
{
	const struct fact *f = facts_find(&t->answers, u->path);

	if (!f && !not_listed(&t->answers, u->path) && !not_listed(&t->start, u->path))
		return err_set(err, ERR_WIRE, "USED: %.200s, of which it was not told", u->path);
	if (u->how & USED_LISTED && !(f && f->listed))
		return err_set(err, ERR_WIRE, "USED: names in %.200s, which it was not told", u->path);
	if (u->how & USED_READ && f && fact_lacks_contents(f))
		return err_set(err, ERR_WIRE, "USED: contents of %.200s, which it was not told", u->path);
	keep(out, f, u->path, u->how);
	return 0;
}

int told_used(const struct told *t, const struct used *u, struct facts *out, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < u->count && rc == 0; i++) {
		const struct fact *f = &t->start.v[i];

		if (!u->how[i])
			continue;
		f = listed(t, f, u->how[i]);
		if (u->how[i] & USED_LISTED && !f->listed)
			rc = err_set(err, ERR_WIRE, "USED: names in %.200s, which it was not told", f->path);
		else if (u->how[i] & USED_READ && fact_lacks_contents(f))
			rc = err_set(err, ERR_WIRE, "USED: contents of %.200s, which it was not told", f->path);
		else
			keep_next(out, f, u->how[i]);
	}
	for (size_t i = 0; i < u->other_count && rc == 0; i++)
		rc = keep_other(t, &u->others[i], out, err);
	return rc;
}
