/*
 * tree.c - trees: kept sorted, named by the digest of their encoding.
 */
#include "tree.h"

#include <limits.h>

/* The place of path, or where it would go. */
static size_t place(const struct tree *t, const char *path, bool *found)
{
	size_t lo = 0, hi = t->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(t->entries[mid].path, path);

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

/* A new entry at its place, or NULL if the path is there already. */
static struct tree_entry *insert(struct tree *t, const char *path)
{
	bool found;
	size_t at = place(t, path, &found);
	struct tree_entry *e;

	if (found)
		return NULL;
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 32;
		t->entries = xrealloc(t->entries, t->room * sizeof *t->entries);
	}
	e = &t->entries[at];
	memmove(e + 1, e, (t->count++ - at) * sizeof *e);
	*e = (struct tree_entry){ .path = xstrdup(path) };
	return e;
}

void tree_add_file(struct tree *t, const char *path, uint16_t mode, uint64_t size, const struct digest *d)
{
	struct tree_entry *e = insert(t, path);

	if (!e)
		return;
	e->type = TREE_FILE;
	e->mode = mode;
	e->size = size;
	e->digest = *d;
}

void tree_add_link(struct tree *t, const char *path, const char *target)
{
	struct tree_entry *e = insert(t, path);

	if (!e)
		return;
	e->type = TREE_LINK;
	e->target = xstrdup(target);
}

void tree_add_data(struct tree *t, const char *path, uint16_t mode, const void *p, size_t size)
{
	struct tree_entry *e = insert(t, path);

	if (!e)
		return;
	e->type = TREE_DATA;
	e->mode = mode;
	e->size = size;
	e->data = xmalloc(size + 1);
	if (size)
		memcpy(e->data, p, size);
}

const struct tree_entry *tree_find(const struct tree *t, const char *path)
{
	bool found;
	size_t at = place(t, path, &found);

	return found ? &t->entries[at] : NULL;
}

void tree_digest(const struct tree *t, struct digest *out)
{
	autobuf struct buf b = { 0 };

	tree_put(&b, t);
	digest_of(b.p, b.len, out);
}

uint64_t tree_size(const struct tree *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->count; i++)
		sum += t->entries[i].size;
	return sum;
}

void tree_free(struct tree *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->entries[i].path);
		free(t->entries[i].target);
		free(t->entries[i].data);
	}
	free(t->entries);
	*t = (struct tree){ 0 };
}

void tree_put(struct buf *b, const struct tree *t)
{
	put_u32(b, (uint32_t)t->count);
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *e = &t->entries[i];

		put_str(b, e->path);
		put_u8(b, e->type);
		put_u16(b, e->mode);
		put_u64(b, e->size);
		if (e->type == TREE_FILE)
			put_digest(b, &e->digest);
		else if (e->type == TREE_LINK)
			put_str(b, e->target);
		else
			put_blob(b, e->data, e->size);
	}
}

/* Absolute, without empty, "." or ".." components: it means the same everywhere. */
static bool canonical(const char *path)
{
	if (*path != '/' || !path[1] || strlen(path) >= PATH_MAX)
		return false;
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		if (n == 0 || (n == 1 && *path == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
	}
	return true;
}

/* Is path below an entry? Files and links have nothing below: a link there would lead out of the tree. */
static bool below_entry(const struct tree *t, char *path)
{
	bool below = false;

	for (char *slash = strchr(path + 1, '/'); slash && !below; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		below = tree_find(t, path) != NULL;
		*slash = '/';
	}
	return below;
}

static int get_entry(struct reader *r, struct tree *t, struct err *err)
{
	autofree char *path = get_str(r), *target = NULL;
	const void *data = NULL;
	size_t data_size = 0;
	uint8_t type = get_u8(r);
	uint16_t mode = get_u16(r);
	uint64_t size = get_u64(r);
	struct digest d = { { 0 } };

	if (type == TREE_FILE)
		get_digest(r, &d);
	else if (type == TREE_LINK)
		target = get_str(r);
	else if (type == TREE_DATA)
		data = get_blob(r, &data_size);
	if (r->bad || (type == TREE_DATA && (data_size != size || size > TREE_DATA_MAX)) || type >= TREE_TYPES || !canonical(path))
		return err_set(err, ERR_WIRE, "tree: bad entry %.64s", path);
	if ((mode & ~07777) || (type == TREE_LINK && (mode || size)))
		return err_set(err, ERR_WIRE, "tree: %.64s: mode %o, %llu bytes", path, mode, (unsigned long long)size);
	if (below_entry(t, path))
		return err_set(err, ERR_WIRE, "tree: %.64s is below a file or link", path);
	if (t->count && strcmp(t->entries[t->count - 1].path, path) >= 0)
		return err_set(err, ERR_WIRE, "tree: %.64s out of order", path);
	if (type == TREE_FILE)
		tree_add_file(t, path, mode, size, &d);
	else if (type == TREE_LINK)
		tree_add_link(t, path, target);
	else
		tree_add_data(t, path, mode, data, size);
	return 0;
}

int tree_get(struct reader *r, struct tree *t, struct err *err)
{
	size_t count = get_u32(r);
	int rc = 0;

	*t = (struct tree){ 0 };
	if (count > TREE_ENTRIES_MAX || r->left > TREE_BYTES_MAX)
		return err_set(err, ERR_WIRE, "tree: %zu entries, %zu bytes", count, r->left);
	while (rc == 0 && count--)
		rc = get_entry(r, t, err);
	if (rc == 0 && r->bad)
		rc = err_set(err, ERR_WIRE, "tree: wrong length");
	if (rc < 0)
		tree_free(t);
	return rc;
}
