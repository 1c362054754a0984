/*
 * view.c - nodes for the names a job has touched, found by (directory, name).
 *
 * A node's fact is in the manifest or its own. The manifest is sorted as a walk
 * meets its paths, so what it says below a directory is one range, and a name is
 * found in the range of its directory by what follows the directory's path.
 */
#include "view.h"

enum { BUCKETS_MIN = 1024, NODE_COST = 128 };

struct node {
	uint32_t parent;
	uint32_t next;		/* in its bucket; 0: the last */
	uint32_t next_file;	/* the same of files */
	uint32_t id;		/* the first node of the file that was used; 0: none yet */
	uint32_t from, to;	/* what the manifest says below it; what it says of itself is just before */
	uint32_t skip;		/* as many bytes of those paths lead to names in it */
	uint8_t used;		/* USED_... */
	bool in_manifest;	/* that is fact */
	bool owned;		/* fact is ours */
	bool hidden;		/* absent, whatever the caller says, and no use of it counts */
	const struct fact *fact;	/* NULL: nothing is known */
	char *name;
};

struct view {
	struct facts manifest;
	struct node *nodes;	/* [0] is none */
	size_t count, room, bytes;
	uint32_t *buckets, *files;	/* by directory and name; by inode */
	size_t bucket_count;	/* of each; a power of two */
};

static const struct fact absent = { .kind = FACT_ABSENT };

static size_t bucket_of_name(const struct view *v, uint32_t parent, const char *name)
{
	uint64_t h = 14695981039346656037u ^ parent * 2654435761u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return (size_t)(h ^ h >> 32) & (v->bucket_count - 1);
}

static size_t bucket_of_file(const struct view *v, uint64_t inode)
{
	return (size_t)(inode * 11400714819323198485u >> 32) & (v->bucket_count - 1);
}

static void link_name(struct view *v, uint32_t at)
{
	uint32_t *bucket = &v->buckets[bucket_of_name(v, v->nodes[at].parent, v->nodes[at].name)];

	v->nodes[at].next = *bucket;
	*bucket = at;
}

static void link_file(struct view *v, uint32_t at)
{
	uint32_t *bucket = &v->files[bucket_of_file(v, v->nodes[at].fact->inode)];

	v->nodes[at].next_file = *bucket;
	*bucket = at;
}

static void grow_buckets(struct view *v, size_t count)
{
	free(v->buckets);
	free(v->files);
	v->bucket_count = count;
	v->buckets = xcalloc(count, sizeof *v->buckets);
	v->files = xcalloc(count, sizeof *v->files);
	for (uint32_t i = 1; i < v->count; i++) {
		link_name(v, i);
		if (v->nodes[i].id == i && v->nodes[i].fact && v->nodes[i].fact->kind == FACT_FILE)
			link_file(v, i);
	}
}

/* The first fact in from..to whose path, its first skip bytes left out, does not come before name. */
static uint32_t first_not_before(const struct facts *all, uint32_t from, uint32_t to, size_t skip, const char *name)
{
	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (path_order(all->v[mid].path + skip, name) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* And the first from there that is not below name. */
static uint32_t first_not_below(const struct facts *all, uint32_t from, uint32_t to, size_t skip, const char *name)
{
	size_t len = strlen(name);

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		const char *rest = all->v[mid].path + skip;

		if (strncmp(rest, name, len) == 0 && rest[len] == '/')
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* What the manifest says of a new node, and below it. */
static void consult_manifest(struct view *v, struct node *n)
{
	const struct node *dir = &v->nodes[n->parent];
	const struct facts *all = &v->manifest;

	n->from = first_not_before(all, dir->from, dir->to, dir->skip, n->name);
	n->skip = dir->skip + (uint32_t)strlen(n->name) + 1;
	if (n->from < dir->to && str_eq(all->v[n->from].path + dir->skip, n->name)) {
		n->fact = &all->v[n->from++];
		n->in_manifest = true;
	}
	n->to = first_not_below(all, n->from, dir->to, dir->skip, n->name);
}

static uint32_t add_node(struct view *v, uint32_t parent, const char *name)
{
	struct node *n;

	if (v->count >= VIEW_NODES_MAX)
		return 0;
	if (v->count == v->room) {
		v->room *= 2;
		v->nodes = xrealloc(v->nodes, v->room * sizeof *v->nodes);
	}
	n = &v->nodes[v->count];
	*n = (struct node){ .parent = parent, .name = xstrdup(name) };
	consult_manifest(v, n);
	if (++v->count > v->bucket_count)
		grow_buckets(v, v->bucket_count * 2);
	else
		link_name(v, (uint32_t)v->count - 1);
	return (uint32_t)v->count - 1;
}

static uint32_t find_node(const struct view *v, uint32_t parent, const char *name)
{
	uint32_t at = v->buckets[bucket_of_name(v, parent, name)];

	while (at && !(v->nodes[at].parent == parent && str_eq(v->nodes[at].name, name)))
		at = v->nodes[at].next;
	return at;
}

/* 0: there would be too many. */
static uint32_t node_of(struct view *v, uint32_t parent, const char *name)
{
	uint32_t at = find_node(v, parent, name);

	return at ? at : add_node(v, parent, name);
}

static void add_root(struct view *v)
{
	struct node *root = &v->nodes[VIEW_ROOT];
	bool known = v->manifest.count && str_eq(v->manifest.v[0].path, "/");

	v->count = VIEW_ROOT + 1;
	*root = (struct node){ .name = xstrdup(""), .id = VIEW_ROOT, .skip = 1, .from = known,
			       .to = (uint32_t)v->manifest.count, .in_manifest = known,
			       .fact = known ? &v->manifest.v[0] : NULL };
}

struct view *view_new(struct facts *manifest)
{
	struct view *v = xcalloc(1, sizeof *v);

	v->manifest = *manifest;
	*manifest = (struct facts){ 0 };
	v->room = BUCKETS_MIN;
	v->nodes = xcalloc(v->room, sizeof *v->nodes);
	add_root(v);
	grow_buckets(v, BUCKETS_MIN);
	return v;
}

static void drop_fact(struct node *n)
{
	if (n->owned) {
		fact_free((struct fact *)n->fact);
		free((struct fact *)n->fact);
	}
	n->fact = NULL;
	n->owned = n->in_manifest = false;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	for (size_t i = 1; i < v->count; i++) {
		drop_fact(&v->nodes[i]);
		free(v->nodes[i].name);
	}
	free(v->nodes);
	free(v->buckets);
	free(v->files);
	facts_free(&v->manifest);
	free(v);
}

/* A file has one id, whatever its names; a name of which the rest is told differently is another file. */
static uint32_t id_of_file(struct view *v, uint32_t at)
{
	const struct fact *f = v->nodes[at].fact;

	for (uint32_t i = v->files[bucket_of_file(v, f->inode)]; i; i = v->nodes[i].next_file) {
		const struct fact *g = v->nodes[i].fact;

		if (g->inode == f->inode && g->size == f->size && g->mtime_ns == f->mtime_ns && g->mode == f->mode &&
		    g->access == f->access && g->own == f->own && digest_eq(&g->digest, &f->digest))
			return i;
	}
	link_file(v, at);
	return at;
}

static bool has_name(const struct argv *names, const char *name)
{
	size_t from = 0, to = names->count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = strcmp(names->v[mid], name);

		if (c == 0)
			return true;
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return false;
}

/* Not in a listing that we have: then it is absent, a fact for itself, so that the rest of the listing need not hold. */
static void consult_listing(struct view *v, struct node *n)
{
	const struct fact *dir = v->nodes[n->parent].fact;

	if (!n->fact && dir && dir->kind == FACT_DIR && dir->listed && !has_name(&dir->names, n->name))
		n->fact = &absent;
}

static enum view_answer answer_of(const struct fact *f)
{
	static const enum view_answer answers[FACT_KINDS] = {
		[FACT_ABSENT] = VIEW_ABSENT, [FACT_FILE] = VIEW_HERE, [FACT_LINK] = VIEW_HERE,
		[FACT_DIR] = VIEW_HERE, [FACT_DENIED] = VIEW_DENIED, [FACT_OTHER] = VIEW_OTHER,
	};

	return f ? answers[f->kind] : VIEW_ASK;
}

static const struct node *node_at(const struct view *v, uint64_t id)
{
	return &v->nodes[id < v->count ? id : 0];
}

enum view_answer view_lookup(struct view *v, uint64_t dir, const char *name, uint64_t *id)
{
	uint32_t at = dir && dir < v->count ? node_of(v, (uint32_t)dir, name) : 0;
	struct node *n = &v->nodes[at];
	enum view_answer answer;

	if (!at)
		return VIEW_FULL;
	consult_listing(v, n);
	answer = answer_of(n->fact);
	*id = at;
	if (answer == VIEW_ASK)
		return answer;
	n->used |= USED_SEEN;
	if (!n->id)
		n->id = n->fact->kind == FACT_FILE ? id_of_file(v, at) : at;
	*id = n->id;
	return answer;
}

const struct fact *view_fact(const struct view *v, uint64_t id)
{
	return node_at(v, id)->fact;
}

const struct fact *view_read(struct view *v, uint64_t id)
{
	struct node *n = &v->nodes[id < v->count ? id : 0];

	if (n->fact && !fact_lacks_contents(n->fact))
		n->used |= USED_READ;
	return n->fact;
}

enum view_answer view_list(struct view *v, uint64_t id, const struct argv **names)
{
	struct node *n = &v->nodes[id < v->count ? id : 0];

	if (!n->fact || !n->fact->listed)
		return VIEW_ASK;
	n->used |= USED_SEEN | USED_LISTED;
	*names = &n->fact->names;
	return VIEW_HERE;
}

char *view_path(const struct view *v, uint64_t id)
{
	size_t len = node_at(v, id)->skip - 1;
	char *path = xmalloc(len + 2), *end = path + len;

	strcpy(path, "/");
	if (len)
		*end = 0;
	for (const struct node *n = node_at(v, id); n->parent; n = &v->nodes[n->parent]) {
		size_t part = strlen(n->name);

		end -= part;
		memcpy(end, n->name, part);
		*--end = '/';
	}
	return path;
}

/* The node of a path; 0: there would be too many, or, unless it may be added, there is none. */
static uint32_t node_of_path(struct view *v, const char *path, bool add)
{
	uint32_t at = VIEW_ROOT;

	while (at && *path && *++path) {
		size_t len = strcspn(path, "/");
		char name[FACT_NAME_MAX + 1];

		if (len > FACT_NAME_MAX)
			return 0;
		memcpy(name, path, len);
		name[len] = 0;
		at = add ? node_of(v, at, name) : find_node(v, at, name);
		path += len;
	}
	return at;
}

static size_t cost(const struct fact *f)
{
	size_t n = NODE_COST + sizeof *f + strlen(f->path) + (f->target ? strlen(f->target) : 0);

	for (size_t i = 0; i < f->names.count; i++)
		n += sizeof(char *) + 16 + strlen(f->names.v[i]);
	return n;
}

/* The names of a directory that the job has seen: all else stays as it was seen. */
static struct fact *with_names(const struct fact *seen, struct fact *f)
{
	struct fact *both = xmalloc(sizeof *both);

	*both = fact_copy(seen);
	both->listed = true;
	both->names = f->names;
	f->names = (struct argv){ 0 };
	return both;
}

/* The contents of a file that the job has seen, and is about to read. */
static struct fact *with_contents(const struct fact *seen, const struct fact *f)
{
	struct fact *both = xmalloc(sizeof *both);

	*both = fact_copy(seen);
	both->digest = f->digest;
	return both;
}

/* The same file, but for contents that were not told before? */
static bool brings_contents(const struct fact *seen, const struct fact *f)
{
	struct fact with = *seen;

	with.digest = f->digest;
	return fact_lacks_contents(seen) && fact_eq(&with, f);
}

static void learn(struct node *n, struct fact *f)
{
	struct fact *fact;

	if (n->hidden)
		return;
	if (!n->used) {
		fact = xmalloc(sizeof *fact);
		*fact = *f;
		*f = (struct fact){ 0 };
		fact_own(fact);
	} else if (n->fact->kind == FACT_DIR && !n->fact->listed && f->kind == FACT_DIR && f->listed) {
		fact = with_names(n->fact, f);
	} else if (brings_contents(n->fact, f)) {
		fact = with_contents(n->fact, f);
	} else {
		return;
	}
	drop_fact(n);
	n->fact = fact;
	n->owned = true;
}

int view_learn(struct view *v, struct facts *answer, struct err *err)
{
	bool full = false;

	for (size_t i = 0; i < answer->count && !full; i++) {
		struct fact *f = &answer->v[i];
		uint32_t at = node_of_path(v, f->path, true);

		v->bytes += cost(f);
		full = !at || v->bytes > VIEW_BYTES_MAX;
		if (!full)
			learn(&v->nodes[at], f);
	}
	facts_free(answer);
	return full ? err_set(err, ERR_LIMIT, "the job looks at more files than it may") : 0;
}

void view_hide(struct view *v, const char *path)
{
	struct node *n = &v->nodes[node_of_path(v, path, true)];

	drop_fact(n);
	n->fact = &absent;
	n->hidden = true;
}

const struct fact *view_told(const struct view *v, const char *path, unsigned *how)
{
	const struct node *n = &v->nodes[node_of_path((struct view *)v, path, false)];

	*how = n->used;
	return n->used && !n->hidden ? n->fact : NULL;
}

void view_each_use(const struct view *v, void (*each)(void *arg, const struct view_use *u), void *arg)
{
	for (size_t i = VIEW_ROOT; i < v->count; i++) {
		const struct node *n = &v->nodes[i];
		autofree char *path = n->used && !n->hidden ? view_path(v, i) : NULL;

		if (path)
			each(arg, &(struct view_use){ path, n->fact, n->in_manifest ? n->from - 1 : 0, n->in_manifest, n->used });
	}
}
