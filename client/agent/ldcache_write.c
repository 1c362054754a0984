/*
 * ldcache_write.c - an ld.so.cache of a few chosen libraries.
 *
 * Every row comes from the cache of this machine and keeps its place among the
 * others, so nothing needs to be known of how the loader compares names.
 * Neither processors nor kernels are named: only the baseline is ever listed,
 * and a library says itself which kernel it needs.
 */
#include "ldcache.h"

#include "ldcache_format.h"

void ldcache_add(struct ldcache_rows *l, const char *name, const char *path, uint32_t flags, size_t at)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->rows[i].flags == flags && str_eq(l->rows[i].name, name) && str_eq(l->rows[i].path, path))
			return;
	l->rows = xrealloc(l->rows, (l->count + 1) * sizeof *l->rows);
	l->rows[l->count++] = (struct ldcache_row){ .name = xstrdup(name), .path = xstrdup(path), .flags = flags,
						    .at = at };
}

static int by_place(const void *a, const void *b)
{
	const struct ldcache_row *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* A string, and the place it will have in the file. */
static uint32_t add_string(struct buf *strings, size_t before, const char *s)
{
	uint32_t at = (uint32_t)(before + strings->len);

	buf_add(strings, s, strlen(s) + 1);
	return at;
}

static void put_header(struct buf *out, size_t count, size_t strings)
{
	static const unsigned char unused[LDCACHE_HEADER - LDCACHE_MAGIC_LEN - 3 * 4];

	put_raw(out, LDCACHE_MAGIC, LDCACHE_MAGIC_LEN);
	put_u32(out, (uint32_t)count);
	put_u32(out, (uint32_t)strings);
	put_u32(out, LDCACHE_LITTLE_ENDIAN);
	put_raw(out, unused, sizeof unused);
}

void ldcache_write(struct ldcache_rows *l, struct buf *out)
{
	autobuf struct buf entries = { 0 }, strings = { 0 };
	size_t before = LDCACHE_HEADER + l->count * LDCACHE_ENTRY;

	if (l->count)
		qsort(l->rows, l->count, sizeof *l->rows, by_place);
	for (size_t i = 0; i < l->count; i++) {
		put_u32(&entries, l->rows[i].flags);
		put_u32(&entries, add_string(&strings, before, l->rows[i].name));
		put_u32(&entries, add_string(&strings, before, l->rows[i].path));
		put_u32(&entries, 0);	/* oldest kernel */
		put_u64(&entries, 0);	/* processors */
	}
	put_header(out, l->count, strings.len);
	put_raw(out, entries.p, entries.len);
	put_raw(out, strings.p, strings.len);
}

void ldcache_rows_free(struct ldcache_rows *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->rows[i].name);
		free(l->rows[i].path);
	}
	free(l->rows);
	*l = (struct ldcache_rows){ 0 };
}
