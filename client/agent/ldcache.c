/*
 * ldcache.c - the table in /etc/ld.so.cache, read with bounds.
 *
 * Glibc 2.2 and later; before 2.32 ldconfig puts the table behind one in an
 * older format, whose entries are skipped. The loader searches by halves;
 * the order of equal names, which matters, is that of the file.
 */
#include "ldcache.h"

#include "ldcache_format.h"

static const char old_magic[] = "ld.so-1.7.0";

enum {
	OLD_HEADER = 16,	/* magic and its NUL, count */
	OLD_ENTRY = 12,
};

/* The table that counts: moves to its start, which its offsets count from. */
static bool skip_old(struct reader *r)
{
	uint64_t skip;
	struct reader head = *r;

	if (r->left < OLD_HEADER || memcmp(r->p, old_magic, sizeof old_magic) != 0)
		return true;
	head.p += sizeof old_magic;
	skip = OLD_HEADER + (uint64_t)get_u32(&head) * OLD_ENTRY;
	skip = (skip + 7) & ~(uint64_t)7;
	if (skip > r->left)
		return false;
	r->p += skip;
	r->left -= (size_t)skip;
	return true;
}

/* A string at an offset into the table, or NULL. */
static const char *string_at(const struct reader *table, uint32_t offset)
{
	if (offset >= table->left || !memchr(table->p + offset, 0, table->left - offset))
		return NULL;
	return (const char *)table->p + offset;
}

/* One entry's path if it is of that name. */
static const char *match(const struct reader *table, size_t index, const char *name, uint32_t *flags)
{
	struct reader r = reader_of(table->p + LDCACHE_HEADER + index * LDCACHE_ENTRY, LDCACHE_ENTRY);
	uint32_t kind = get_u32(&r), key, value;
	const char *s;

	key = get_u32(&r);
	value = get_u32(&r);
	get_u32(&r);	/* oldest kernel */
	if (get_u64(&r) != 0)
		return NULL;
	s = string_at(table, key);
	if (flags)
		*flags = kind;
	return s && str_eq(s, name) ? string_at(table, value) : NULL;
}

const char *ldcache_next(const void *cache, size_t len, const char *name, size_t *at, uint32_t *flags)
{
	struct reader table = reader_of(cache, len), head;
	size_t count;

	if (!skip_old(&table) || table.left < LDCACHE_HEADER || memcmp(table.p, LDCACHE_MAGIC, LDCACHE_MAGIC_LEN) != 0)
		return NULL;
	head = reader_of(table.p + LDCACHE_MAGIC_LEN, 4);
	count = size_min(get_u32(&head), (table.left - LDCACHE_HEADER) / LDCACHE_ENTRY);
	while (*at < count) {
		const char *path = match(&table, (*at)++, name, flags);

		if (path)
			return path;
	}
	return NULL;
}
