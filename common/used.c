/*
 * used.c - the use of facts, encoded: runs of equal uses, then paths.
 */
#include "used.h"

void used_init(struct used *u, size_t count)
{
	*u = (struct used){ .how = xcalloc(count + 1, 1), .count = count };
}

void used_add(struct used *u, char *path, unsigned how)
{
	if (u->other_count == u->other_room) {
		u->other_room = u->other_room ? u->other_room * 2 : 64;
		u->others = xrealloc(u->others, u->other_room * sizeof *u->others);
	}
	u->others[u->other_count++] = (struct used_path){ path, (uint8_t)how };
}

void used_free(struct used *u)
{
	for (size_t i = 0; i < u->other_count; i++)
		free(u->others[i].path);
	free(u->others);
	free(u->how);
	*u = (struct used){ 0 };
}

static int by_path(const void *a, const void *b)
{
	return path_order(((const struct used_path *)a)->path, ((const struct used_path *)b)->path);
}

static size_t shared(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

void used_put(struct buf *b, struct used *u)
{
	const char *before = "";

	for (size_t i = 0, run; i < u->count; i += run) {
		for (run = 1; i + run < u->count && u->how[i + run] == u->how[i];)
			run++;
		put_u8(b, u->how[i]);
		put_u32(b, (uint32_t)run);
	}
	if (u->other_count)
		qsort(u->others, u->other_count, sizeof *u->others, by_path);
	put_u32(b, (uint32_t)u->other_count);
	for (size_t i = 0; i < u->other_count; i++) {
		const char *path = u->others[i].path;
		size_t same = shared(before, path);

		put_u8(b, u->others[i].how);
		put_u16(b, (uint16_t)same);
		put_u16(b, (uint16_t)strlen(path + same));
		put_raw(b, path + same, strlen(path + same));
		before = path;
	}
}

static void get_runs(struct reader *r, struct used *u)
{
	for (size_t i = 0, run; i < u->count && !r->bad; i += run) {
		uint8_t how = get_u8(r);

		run = get_u32(r);
		r->bad |= !run || run > u->count - i || how > USED_ALL;
		if (!r->bad)
			memset(u->how + i, how, run);
	}
}

/* The next path, sharing its start with the one before. Caller frees. */
static char *get_path(struct reader *r, const char *before)
{
	size_t same = get_u16(r), rest = get_u16(r);
	char *path;

	r->bad |= same > strlen(before) || rest > r->left || same + rest > FACT_PATH_MAX;
	if (r->bad)
		return xstrdup("");
	path = xmalloc(same + rest + 1);
	memcpy(path, before, same);
	get_raw(r, path + same, rest);
	path[same + rest] = 0;
	r->bad |= strlen(path) != same + rest || !path_canonical(path);
	return path;
}

bool used_fit(const struct used *u)
{
	size_t bytes = 0;

	for (size_t i = 0; i < u->other_count; i++)
		bytes += strlen(u->others[i].path) + 1;
	return u->other_count <= FACTS_MAX && bytes <= USED_PATHS_MAX;
}

static void get_others(struct reader *r, struct used *u)
{
	size_t count = get_u32(r), bytes = 0;
	const char *before = "";

	r->bad |= count > r->left / 5 || count > FACTS_MAX;
	for (size_t i = 0; i < count && !r->bad; i++) {
		uint8_t how = get_u8(r);
		char *path = get_path(r, before);

		bytes += strlen(path) + 1;
		r->bad |= !how || how > USED_ALL || (i && path_order(before, path) >= 0) || bytes > USED_PATHS_MAX;
		used_add(u, path, how);
		before = path;
	}
}

int used_get(struct reader *r, size_t count, struct used *u, struct err *err)
{
	used_init(u, count);
	get_runs(r, u);
	get_others(r, u);
	if (reader_done(r))
		return 0;
	used_free(u);
	return err_set(err, ERR_WIRE, "USED: wrong length, order or bound");
}

struct fact fact_used(const struct fact *f, const char *path, unsigned how)
{
	struct fact kept;

	if (!f || !f->path)
		return (struct fact){ .path = (char *)path, .kind = f ? f->kind : FACT_ABSENT, .lent = LENT_PATH };
	kept = *f;
	kept.lent = LENT_PATH | LENT_TARGET;
	kept.unread = f->kind == FACT_FILE && !(how & USED_READ);
	if (kept.unread)
		kept.digest = (struct digest){ 0 };
	kept.listed = f->listed && how & USED_LISTED;
	kept.names = kept.listed ? argv_copy(&f->names) : (struct argv){ 0 };
	return kept;
}

void facts_next(struct facts *used)
{
	for (size_t i = 0; i < used->count; i++) {
		struct fact *f = &used->v[i];

		if (f->unread) {
			f->mtime_ns = 0;
			f->inode = f->size = 0;
		}
	}
}
