/*
 * change.c - lists of changes, kept and encoded.
 */
#include "change.h"

#include "fact.h"

static void free_change(struct change *c)
{
	free(c->path);
	free(c->target);
	*c = (struct change){ 0 };
}

void changes_free(struct changes *all)
{
	for (size_t i = 0; i < all->count; i++)
		free_change(&all->v[i]);
	free(all->v);
	*all = (struct changes){ 0 };
}

int changes_add(struct changes *all, struct change *c, struct err *err)
{
	if (all->count >= CHANGES_MAX) {
		free_change(c);
		return err_set(err, ERR_LIMIT, "more than %d files changed", CHANGES_MAX);
	}
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 16;
		all->v = xrealloc(all->v, all->room * sizeof *all->v);
	}
	all->v[all->count++] = *c;
	*c = (struct change){ 0 };
	return 0;
}

void changes_put(struct buf *b, const struct changes *all)
{
	put_u32(b, (uint32_t)all->count);
	for (size_t i = 0; i < all->count; i++) {
		const struct change *c = &all->v[i];

		put_str(b, c->path);
		put_u8(b, c->kind);
		put_u8(b, c->kept);
		put_u16(b, c->mode);
		put_u64(b, c->size);
		put_u64(b, (uint64_t)c->mtime_ns);
		put_str(b, c->target);
	}
}

/* A field that does not apply is 0, so that each list has one encoding. */
static bool fields_ok(const struct change *c)
{
	bool file = c->kind == CHANGE_FILE, has_mode = file || c->kind == CHANGE_DIR, link = c->kind == CHANGE_LINK;

	return (file || (!c->kept && !c->size)) && (has_mode || !c->mode) && (c->kind != CHANGE_GONE || !c->mtime_ns) &&
	       c->mode <= 07777 && (link ? *c->target && strlen(c->target) <= FACT_PATH_MAX : !*c->target);
}

static void get_change(struct reader *r, struct change *c)
{
	uint8_t kept;

	*c = (struct change){ .path = get_str(r), .kind = get_u8(r) };
	kept = get_u8(r);
	c->kept = kept == 1;
	c->mode = get_u16(r);
	c->size = get_u64(r);
	c->mtime_ns = (int64_t)get_u64(r);
	c->target = get_str(r);
	r->bad |= kept > 1 || c->kind >= CHANGE_KINDS || !path_canonical(c->path) || !c->path[1] || !fields_ok(c);
	if (c->kind != CHANGE_LINK)
		free(ptr_steal(&c->target));
}

int changes_get(struct reader *r, struct changes *all, struct err *err)
{
	size_t count = get_u32(r);

	*all = (struct changes){ 0 };
	r->bad |= count > CHANGES_MAX;
	for (size_t i = 0; i < count && !r->bad; i++) {
		struct change c;

		get_change(r, &c);
		r->bad |= all->count && path_order(all->v[all->count - 1].path, c.path) >= 0;
		changes_add(all, &c, NULL);
	}
	if (!r->bad)
		return 0;
	changes_free(all);
	return err_set(err, ERR_WIRE, "changes: out of order, or over a bound");
}

uint64_t changes_bytes(const struct changes *all)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < all->count; i++)
		sum = sum + all->v[i].size < sum ? UINT64_MAX : sum + all->v[i].size;
	return sum;
}
