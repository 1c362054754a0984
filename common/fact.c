/*
 * fact.c - lists of facts: kept in the order of a walk, encoded compactly.
 *
 * Layout of a list: u32 count, then each fact:
 *	u16 shared	bytes that its path has in common with the path before, as many as there are
 *	text rest	what follows them; a text is a u16 length and that many bytes
 *	u8 kind
 *	FILE, DIR	u16 mode, u8 access | own << 3 | unread << 4
 *	FILE, LINK, DIR	u64 mtime
 *	FILE		u64 inode, u64 size, digest
 *	LINK		text target
 *	DIR		u8 listed; if it is: u16 count, and each name as u8 length and bytes
 */
#include "fact.h"

enum {
	FACT_BYTES_MIN = 2 + 2 + 1 + 1,	/* an absent name of one byte */
	FACT_FIELDS_MAX = 64,		/* a file, without its path */
	TEXTS_SIZE = 16 << 10,		/* more than the longest */
};

/* Paths and targets, one after the other: a list that is read has some hundred of them, which all go at once. */
struct fact_texts {
	struct fact_texts *next;
	size_t used;
	char bytes[TEXTS_SIZE];
};

void fact_free(struct fact *f)
{
	if (!(f->lent & LENT_PATH))
		free(f->path);
	if (!(f->lent & LENT_TARGET))
		free(f->target);
	argv_free(&f->names);
	*f = (struct fact){ 0 };
}

struct fact fact_copy(const struct fact *f)
{
	struct fact copy = *f;

	copy.path = xstrdup(f->path);
	copy.target = f->target ? xstrdup(f->target) : NULL;
	copy.names = argv_copy(&f->names);
	copy.lent = 0;
	return copy;
}

void fact_own(struct fact *f)
{
	if (f->lent & LENT_PATH)
		f->path = xstrdup(f->path);
	if (f->lent & LENT_TARGET && f->target)
		f->target = xstrdup(f->target);
	f->lent = 0;
}

static bool names_eq(const struct argv *a, const struct argv *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!str_eq(a->v[i], b->v[i]))
			return false;
	return true;
}

bool fact_eq(const struct fact *a, const struct fact *b)
{
	return a->kind == b->kind && a->mode == b->mode && a->access == b->access && a->own == b->own &&
	       (a->kind == FACT_DIR || a->mtime_ns == b->mtime_ns) && a->inode == b->inode && a->size == b->size &&
	       a->listed == b->listed && digest_eq(&a->digest, &b->digest) && (a->path == b->path || str_eq(a->path, b->path)) &&
	       (a->kind != FACT_LINK || str_eq(a->target, b->target)) && names_eq(&a->names, &b->names);
}

/* The components from a slash of path on. */
static bool components_ok(const char *slash)
{
	while (*slash == '/') {
		const char *name = slash + 1, *end = strchrnul(name, '/');
		size_t n = (size_t)(end - name);

		if (n == 0 || (n == 1 && *name == '.') || (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		slash = end;
	}
	return true;
}

bool path_canonical(const char *path)
{
	if (*path != '/' || strnlen(path, FACT_PATH_MAX + 1) > FACT_PATH_MAX)
		return false;
	return !path[1] || components_ok(path);
}

/* The end of a path, then '/', then the other bytes. */
static int rank(char c)
{
	return c == '/' ? 1 : c ? (unsigned char)c + 1 : 0;
}

int path_order(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return rank(*a) - rank(*b);
}

bool path_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1)
		return path[1];
	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* The place of path, or where it would go. */
static size_t place(const struct facts *all, const char *path, bool *found)
{
	size_t lo = 0, hi = all->count, mid = hi ? hi - 1 : 0;	/* first the last: lists are mostly made in order */

	for (; lo < hi; mid = (lo + hi) / 2) {
		int c = path_order(all->v[mid].path, path);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*found = false;
	return lo;
}

static bool within(const struct facts_extent *e)
{
	return e->bytes <= FACTS_BYTES_MAX && e->names <= FACTS_NAMES_MAX;
}

/* A path that is lent was looked at by whoever read it. */
static struct facts_extent extent_of(const struct fact *f)
{
	struct facts_extent e = {
		.bytes = FACT_FIELDS_MAX + strlen(f->path) + (f->target ? strlen(f->target) : 0),
		.names = f->names.count,
		.odd = (!(f->lent & LENT_PATH) && !path_canonical(f->path)) || f->names.count > FACT_NAMES_MAX,
	};

	for (size_t i = 0; i < f->names.count; i++)
		e.bytes += 1 + strlen(f->names.v[i]);
	return e;
}

/* Its extent goes with it. */
static void drop(struct facts *all, struct fact *f)
{
	struct facts_extent e = extent_of(f);

	all->extent.bytes -= e.bytes;
	all->extent.names -= e.names;
	all->extent.odd -= e.odd;
	fact_free(f);
}

static void charge(struct facts *all, const struct fact *f)
{
	struct facts_extent e = extent_of(f);

	all->extent.bytes += e.bytes;
	all->extent.names += e.names;
	all->extent.odd += e.odd;
}

static void remove_range(struct facts *all, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		drop(all, &all->v[i]);
	if (to > from)
		memmove(all->v + from, all->v + to, (all->count - to) * sizeof *all->v);
	all->count -= to - from;
}

static void insert_at(struct facts *all, size_t at, const struct fact *f)
{
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 32;
		all->v = xrealloc(all->v, all->room * sizeof *all->v);
	}
	memmove(all->v + at + 1, all->v + at, (all->count++ - at) * sizeof *all->v);
	all->v[at] = *f;
}

void facts_lend(struct facts *all, struct fact *f)
{
	bool found;
	size_t at = place(all, f->path, &found), end;

	if (!found && at && all->v[at - 1].kind != FACT_DIR && path_below(f->path, all->v[at - 1].path)) {
		remove_range(all, at - 1, at);
		at--;
	}
	charge(all, f);
	if (found) {
		drop(all, &all->v[at]);
		all->v[at] = *f;
	} else {
		insert_at(all, at, f);
	}
	if (f->kind != FACT_DIR) {
		for (end = at + 1; end < all->count && path_below(all->v[end].path, f->path);)
			end++;
		remove_range(all, at + 1, end);
	}
	*f = (struct fact){ 0 };
}

void facts_append(struct facts *all, struct fact *f)
{
	charge(all, f);
	insert_at(all, all->count, f);
	*f = (struct fact){ 0 };
}

void facts_set(struct facts *all, struct fact *f)
{
	fact_own(f);
	facts_lend(all, f);
}

const struct fact *facts_find(const struct facts *all, const char *path)
{
	bool found;
	size_t at = place(all, path, &found);

	return found ? &all->v[at] : NULL;
}

void facts_free(struct facts *all)
{
	for (size_t i = 0; i < all->count; i++)
		fact_free(&all->v[i]);
	free(all->v);
	while (all->texts) {
		struct fact_texts *t = all->texts;

		all->texts = t->next;
		free(t);
	}
	*all = (struct facts){ 0 };
}

bool facts_fit(const struct facts *all)
{
	return all->count <= FACTS_MAX && !all->extent.odd && within(&all->extent);
}

static void put_text(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	put_u16(b, (uint16_t)n);
	put_raw(b, s, n);
}

static void put_names(struct buf *b, const struct fact *f)
{
	put_u8(b, f->listed);
	if (!f->listed)
		return;
	put_u16(b, (uint16_t)f->names.count);
	for (size_t i = 0; i < f->names.count; i++) {
		size_t n = strlen(f->names.v[i]);

		put_u8(b, (uint8_t)n);
		put_raw(b, f->names.v[i], n);
	}
}

static void put_fields(struct buf *b, const struct fact *f)
{
	put_u8(b, f->kind);
	if (f->kind == FACT_FILE || f->kind == FACT_DIR) {
		put_u16(b, f->mode);
		put_u8(b, (uint8_t)(f->access | f->own << 3 | f->unread << 4));
	}
	if (f->kind == FACT_FILE || f->kind == FACT_LINK || f->kind == FACT_DIR)
		put_u64(b, (uint64_t)f->mtime_ns);
	if (f->kind == FACT_FILE) {
		put_u64(b, f->inode);
		put_u64(b, f->size);
		put_digest(b, &f->digest);
	}
	if (f->kind == FACT_LINK)
		put_text(b, f->target);
	if (f->kind == FACT_DIR)
		put_names(b, f);
}

static size_t shared_bytes(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

void facts_put(struct buf *b, const struct facts *all)
{
	const char *before = "";

	put_u32(b, (uint32_t)all->count);
	for (size_t i = 0; i < all->count; i++) {
		size_t n = shared_bytes(before, all->v[i].path);

		put_u16(b, (uint16_t)n);
		put_text(b, all->v[i].path + n);
		put_fields(b, &all->v[i]);
		before = all->v[i].path;
	}
}

/* len bytes without a NUL among them, borrowed; NULL and a bad reader otherwise. */
static const char *take(struct reader *r, size_t len)
{
	const char *p = (const char *)r->p;

	if (r->bad || r->left < len || memchr(p, 0, len)) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

/* Room for a text of len bytes, and its NUL. */
static char *text_room(struct facts *all, size_t len)
{
	struct fact_texts *t = all->texts;
	char *room;

	if (!t || TEXTS_SIZE - t->used <= len) {
		t = xmalloc(sizeof *t);
		t->next = all->texts;
		t->used = 0;
		all->texts = t;
	}
	room = t->bytes + t->used;
	t->used += len + 1;
	room[len] = 0;
	return room;
}

/*
 * The path of the next fact; NULL when none may follow before with these bytes. What
 * both share needs no second look, and where they part decides the order.
 */
static char *get_path(struct reader *r, struct facts *all, const struct fact *before)
{
	const char *last = before ? before->path : "";
	size_t shared = get_u16(r), len = get_u16(r), whole = strlen(last);
	const char *rest = take(r, len), *slash;
	char *path;

	/* the shortest rest only: one path has one encoding */
	if (!rest || !len || shared > whole || shared + len > FACT_PATH_MAX || rank(last[shared]) >= rank(*rest))
		return NULL;
	if (before && before->kind != FACT_DIR && shared == whole && (*rest == '/' || whole == 1))
		return NULL;
	path = text_room(all, shared + len);
	memcpy(path, last, shared);
	memcpy(path + shared, rest, len);
	slash = shared ? memrchr(path, '/', shared) : path;
	return *path == '/' && (!path[1] || components_ok(slash)) ? path : NULL;
}

static bool name_ok(const char *p, size_t len)
{
	return len && !memchr(p, '/', len) && !(len == 1 && *p == '.') && !(len == 2 && p[0] == '.' && p[1] == '.');
}

static void get_names(struct reader *r, struct fact *f, struct facts_extent *e)
{
	uint8_t listed = get_u8(r);
	size_t count = listed ? get_u16(r) : 0;

	r->bad |= listed > 1 || count > FACT_NAMES_MAX || count > r->left / 2;
	f->listed = listed;
	e->names += count;
	while (!r->bad && count--) {
		size_t len = get_u8(r);
		const char *p = take(r, len);

		if (!p || !name_ok(p, len) || !within(e)) {
			r->bad = true;
			return;
		}
		argv_take(&f->names, xstrndup(p, len));
		e->bytes += 1 + len;
		if (f->names.count > 1)
			r->bad |= strcmp(f->names.v[f->names.count - 2], f->names.v[f->names.count - 1]) >= 0;
	}
}

static void get_target(struct reader *r, struct facts *all, struct fact *f, struct facts_extent *e)
{
	size_t len = get_u16(r);
	const char *p = len && len <= FACT_PATH_MAX ? take(r, len) : NULL;

	if (!p) {
		r->bad = true;
		return;
	}
	f->target = memcpy(text_room(all, len), p, len);
	f->lent |= LENT_TARGET;
	e->bytes += len;
}

static void get_fields(struct reader *r, struct facts *all, struct fact *f, struct facts_extent *e)
{
	f->kind = get_u8(r);
	if (f->kind == FACT_FILE || f->kind == FACT_DIR) {
		uint8_t rights;

		f->mode = get_u16(r);
		rights = get_u8(r);
		f->access = rights & 7;
		f->own = rights >> 3 & 1;
		f->unread = rights >> 4;
		r->bad |= (f->mode & ~07777) || f->unread > (f->kind == FACT_FILE);
	}
	if (f->kind == FACT_FILE || f->kind == FACT_LINK || f->kind == FACT_DIR)
		f->mtime_ns = (int64_t)get_u64(r);
	if (f->kind == FACT_FILE) {
		f->inode = get_u64(r);
		f->size = get_u64(r);
		get_digest(r, &f->digest);
	}
	if (f->kind == FACT_LINK)
		get_target(r, all, f, e);
	if (f->kind == FACT_DIR)
		get_names(r, f, e);
	r->bad |= f->kind >= FACT_KINDS;
}

static int get_fact(struct reader *r, struct facts *all, struct facts_extent *e, struct err *err)
{
	const struct fact *before = all->count ? &all->v[all->count - 1] : NULL;
	struct fact f = { .path = get_path(r, all, before), .lent = LENT_PATH };

	if (!f.path)
		return err_set(err, ERR_WIRE, "facts: the path of fact %zu cannot be there", all->count);
	e->bytes += FACT_FIELDS_MAX + strlen(f.path);
	get_fields(r, all, &f, e);
	if (r->bad || !within(e)) {
		err_set(err, ERR_WIRE, "facts: bad fact of %.64s", f.path);
		fact_free(&f);
		return ERR_WIRE;
	}
	insert_at(all, all->count, &f);
	return 0;
}

int facts_get(struct reader *r, struct facts *all, struct err *err)
{
	size_t count = get_u32(r);
	struct facts_extent *e = &all->extent;
	int rc = 0;

	*all = (struct facts){ 0 };
	if (r->bad || count > FACTS_MAX || count > r->left / FACT_BYTES_MIN)
		return err_set(err, ERR_WIRE, "facts: %zu in %zu bytes", count, r->left);
	all->v = xmalloc((count + 1) * sizeof *all->v);
	all->room = count + 1;
	while (rc == 0 && count--)
		rc = get_fact(r, all, e, err);
	if (rc < 0)
		facts_free(all);
	return rc;
}
