/*
 * files.c - walks through the caller's directories, one fact at a time.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "dir_read.h"
#include "file.h"
#include "file_look.h"
#include "recent.h"

enum { TRIES = 4, LOOKUPS_FIRST = 8, NAMES_PER_LOOKUP = 16 };

struct files {
	struct look look;
	struct dir_names *names;
	struct recent *recent;
};

static int64_t real_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct files *files_new(const struct files_options *o)
{
	struct files *f = xcalloc(1, sizeof *f);
	autofree char *log = o->cache_dir ? xasprintf("%s/digests-1", o->cache_dir) : NULL;

	if (o->cache_dir)
		make_dirs(o->cache_dir, 0700, NULL);	/* without it nothing is kept: no more than that */
	f->look.now_ns = o->now_ns ? o->now_ns : real_now_ns;
	f->look.max_file = o->max_file ? o->max_file : 512 << 20;
	f->look.user = geteuid();
	f->look.digests = digest_cache_new(log, o->max_known ? o->max_known : 65536);
	f->names = dir_names_new(f->look.now_ns);
	f->recent = recent_new();
	return f;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	digest_cache_free(f->look.digests);
	dir_names_free(f->names);
	recent_free(f->recent);
	free(f);
}

void files_flush(struct files *f)
{
	digest_cache_flush(f->look.digests, true);
}

/* The last name of a path; of the root, the directory itself. */
static const char *name_of(const char *path)
{
	return path[1] ? path_base(path) : ".";
}

/*
 * The path of *out is mostly lent. When a part of the path could not be entered, that part is looked at instead; if
 * it is a directory by now, we try again. What cannot be entered for other reasons
 * (too many levels, no descriptors) is other.
 */
static void look(struct files *f, struct walk *w, const char *path, bool contents, struct fact *out)
{
	size_t stopped;
	int rc;

	for (int i = 0; i < TRIES; i++) {
		rc = walk_to(w, path, &stopped);
		if (rc == 0) {
			file_look(&f->look, walk_top(w), name_of(path), contents, out);
			out->path = (char *)path;
			out->lent = LENT_PATH;
			return;
		}
		if (rc != ENOENT && rc != ENOTDIR && rc != EACCES && rc != ELOOP)
			break;
		autofree char *part = xstrndup(path, stopped);
		file_look(&f->look, walk_top(w), name_of(part), contents, out);
		if (out->kind != FACT_DIR) {
			out->path = ptr_steal(&part);
			return;
		}
	}
	*out = (struct fact){ .path = (char *)path, .kind = FACT_OTHER, .lent = LENT_PATH };
}

void files_fact(struct files *f, const char *path, struct fact *out)
{
	struct walk w;

	walk_begin(&w);
	look(f, &w, path, true, out);
	fact_own(out);
	walk_end(&w);
	digest_cache_flush(f->look.digests, false);
}

static void add_name(void *arg, const char *name)
{
	argv_push(arg, name);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(int dir, const char *name, struct fact *out)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	out->listed = dir_read(fd, FACT_NAMES_MAX, add_name, &out->names) == 0;
	if (!out->listed)
		argv_free(&out->names);
	else if (out->names.count)
		qsort(out->names.v, out->names.count, sizeof *out->names.v, by_bytes);
}

static void look_listed(struct files *f, struct walk *w, const char *path, struct fact *out)
{
	look(f, w, path, true, out);
	if (out->kind == FACT_DIR)
		list(walk_top(w)->fd, name_of(path), out);
}

void files_listing(struct files *f, const char *path, struct fact *out)
{
	struct walk w;

	walk_begin(&w);
	look_listed(f, &w, path, out);
	fact_own(out);
	walk_end(&w);
}

/*
 * A look costs what reading some names costs: a directory is read when enough
 * absences in it have been looked up to pay for it.
 */
static bool worth_reading(struct walk_level *top, size_t last)
{
	return ++top->absences > LOOKUPS_FIRST + last / NAMES_PER_LOOKUP;
}

/* Without a look at the name itself. */
static bool absence_proven(struct files *f, struct walk *w, const char *path)
{
	struct walk_level *top;
	size_t stopped, last;

	if (walk_to(w, path, &stopped) != 0)
		return false;
	top = walk_top(w);
	if (!top->fs->names)
		return false;
	if (!top->names)
		top->names = dir_names_known(f->names, &top->id, &last);
	if (!top->names && worth_reading(top, last))
		top->names = dir_names_read(f->names, top->fd, &top->id);
	return top->names && names_lack(top->names, name_of(path));
}

/* Whoever looks at what is below goes there anyway, and sees the directory itself on the way. */
static bool look_from_below(struct files *f, struct walk *w, const char *path, struct fact *out)
{
	if (walk_into(w, path) != 0 || w->depth < 2 ||
	    !file_look_dir(&f->look, walk_top(w) - 1, walk_top(w), name_of(path), out))
		return false;
	out->path = (char *)path;
	out->lent = LENT_PATH;
	return true;
}

/* True when it is as it was; else out is what it is now. next: the fact that follows, or NULL. */
static bool unchanged(struct files *f, struct walk *w, const struct fact *was, const struct fact *next, struct fact *out)
{
	bool on_way = was->kind == FACT_DIR && next && path_below(next->path, was->path);

	if (was->kind == FACT_ABSENT && absence_proven(f, w, was->path))
		return true;
	if (was->listed)
		look_listed(f, w, was->path, out);
	else if (!on_way || !look_from_below(f, w, was->path, out))
		look(f, w, was->path, !was->unread, out);
	if (!fact_eq(was, out))
		return false;
	fact_free(out);
	return true;
}

/* How find_changes() goes about it. */
struct pass {
	size_t max;		/* changes, no more */
	bool trust;		/* what was seen a moment ago is so */
	bool trusted;		/* out: that made a difference */
	int64_t now_ns;		/* when it began */
};

/* When the names around path last changed; never, if the walk did not come by. */
static int64_t names_changed_ns(struct walk *w, const char *path)
{
	const struct walk_level *top = w->depth ? walk_top(w) : NULL;

	if (!top || (size_t)(path_base(path) - path) != top->len + 1)
		return INT64_MAX;
	return top->id.mtime_ns > top->id.ctime_ns ? top->id.mtime_ns : top->id.ctime_ns;
}

static bool still_so(struct files *f, struct walk *w, struct pass *p, const struct fact *was, const struct fact *next,
		     struct fact *now)
{
	if (p->trust && recent_has(f->recent, was, p->now_ns)) {
		p->trusted = true;
		return true;
	}
	if (!unchanged(f, w, was, next, now))
		return false;
	recent_note(f->recent, was, names_changed_ns(w, was->path), p->now_ns);
	return true;
}

static size_t find_changes(struct files *f, struct pass *p, const struct facts *all, struct facts *changed)
{
	struct walk w;
	const char *gone = NULL;	/* no directory any more */
	size_t count = 0;

	p->now_ns = f->look.now_ns();
	walk_begin(&w);
	for (size_t i = 0; i < all->count && count < p->max; i++) {
		const struct fact *was = &all->v[i], *next = i + 1 < all->count ? was + 1 : NULL;
		struct fact now = { 0 };

		if ((gone && path_below(was->path, gone)) || still_so(f, &w, p, was, next, &now))
			continue;
		now.unread = was->unread && now.kind == FACT_FILE;
		facts_set(changed, &now);
		gone = changed->v[changed->count - 1].kind == FACT_DIR ? NULL : changed->v[changed->count - 1].path;
		count++;
	}
	walk_end(&w);
	digest_cache_flush(f->look.digests, false);
	return count;
}

size_t files_changes(struct files *f, const struct facts *all, struct facts *changed)
{
	return find_changes(f, &(struct pass){ .max = SIZE_MAX }, all, changed);
}

static bool all_unread(const struct facts *changed)
{
	for (size_t i = 0; i < changed->count; i++)
		if (!changed->v[i].unread)
			return false;
	return true;
}

/* Where something changed that is read, other things will have: then all is looked at. */
static size_t find_what_changed(struct files *f, const struct facts *all, struct facts *changed)
{
	struct pass quick = { .max = SIZE_MAX, .trust = true };
	size_t count = find_changes(f, &quick, all, changed);

	if (!quick.trusted || all_unread(changed))
		return count;
	facts_free(changed);
	recent_forget(f->recent);
	return files_changes(f, all, changed);
}

size_t files_refresh(struct files *f, struct facts *all, struct facts *changed)
{
	autofacts struct facts own = { 0 };
	struct facts *now = changed ? changed : &own;
	size_t count = find_what_changed(f, all, now);

	for (size_t i = 0; i < now->count; i++) {
		struct fact copy = fact_copy(&now->v[i]);

		facts_set(all, &copy);
	}
	return count;
}

bool files_hold(struct files *f, const struct facts *used, char **why)
{
	autofacts struct facts changed = { 0 };

	if (find_changes(f, &(struct pass){ .max = 1 }, used, &changed) == 0)
		return true;
	recent_forget(f->recent);
	if (why)
		*why = xstrdup(changed.v[0].path);
	return false;
}

void files_doubt(struct files *f) { recent_forget(f->recent); }

bool files_has_clock(struct files *f, const struct facts *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->v[i].kind == FACT_FILE && digest_cache_has_clock(f->look.digests, &all->v[i].digest))
			return true;
	return false;
}
