/*
 * toolchains.c - trees that agents offer, compared with this machine's disk.
 *
 * The comparing is done in worker threads; the digests are remembered, so
 * that the second agent with the same compiler costs a few stats.
 */
#include "toolchains.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "digest_memo.h"
#include "log.h"
#include "session.h"

enum { TOOLCHAINS_MAX = 256, MEMO_FILES = 16384, LINKS_MAX = 40 };
enum state { CHECKING, READY, LACKING };

struct entry {
	struct digest id;
	struct tree tree;	/* never changes: worker threads read it */
	struct file_id *files;	/* as they were when it was found ready; one for each tree entry */
	enum state state;
	bool checking;		/* a worker thread has it */
	uint64_t used;		/* when, by the table's count of uses */
	char *programs;
	char *text;		/* what is lacking */
};

struct toolchain_table {
	struct entry *entries[TOOLCHAINS_MAX];
	size_t count;
	uint64_t uses;
	struct digest_memo *memo;
};

/* One run of the comparison. */
struct check {
	uv_work_t work;
	struct server *server;
	struct entry *entry;
	struct file_id *files;
	struct err err;
	int rc;
};

/* GNU names its programs after the target, Debian after the version too: x86_64-linux-gnu-as, clang-14. */
static const struct {
	const char *name;
	bool prefixed, versioned;
} programs[] = {
	{ "cc1", false, false },
	{ "cc1plus", false, false },
	{ "as", true, false },
	{ "clang", false, true },
	{ "clang++", false, true },
};

static bool name_fits(const char *base, const char *name, bool prefixed, bool versioned)
{
	size_t len = strlen(name);

	if (prefixed && strlen(base) > len + 1 && base[strlen(base) - len - 1] == '-')
		base += strlen(base) - len;
	if (!str_starts(base, name))
		return false;
	base += len;
	return !*base || (versioned && *base == '-' && base[1] && strspn(base + 1, "0123456789.") == strlen(base + 1));
}

const char *toolchain_program_name(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		if (name_fits(path_base(path), programs[i].name, programs[i].prefixed, programs[i].versioned))
			return programs[i].name;
	return NULL;
}

bool toolchain_program_known(const char *path) { return toolchain_program_name(path) != NULL; }

bool toolchain_step_known(const struct job_step *step)
{
	const char *first = step->argv.count > 1 ? step->argv.v[1] : "";

	if (!toolchain_program_known(step->program))
		return false;
	return !str_starts(path_base(step->program), "clang") || str_eq(first, "-cc1") || str_eq(first, "-cc1as");
}

/* path with the link at its first `upto` bytes replaced by where it points. Caller frees. */
static char *through_link(const char *path, size_t upto, const char *target)
{
	size_t dir = upto;

	if (*target == '/')
		return xasprintf("%s%s", target, path + upto);
	while (dir && path[dir - 1] != '/')
		dir--;
	/* Debian's links are of the forms "name", "dir/name" and "../dir/name" */
	while (str_starts(target, "../") && dir > 1) {
		target += 3;
		for (dir--; dir && path[dir - 1] != '/'; dir--)
			;
	}
	return xasprintf("%.*s%s%s", (int)dir, path, target, path + upto);
}

/* The path with its first link followed; NULL when no part of it is a link of the tree. */
static char *follow_one(const struct tree *t, const char *path)
{
	for (size_t i = 1;; i++) {
		autofree char *part = NULL;
		const struct tree_entry *e;

		i += strcspn(path + i, "/");
		part = xstrndup(path, i);
		e = tree_find(t, part);
		if (e && e->type == TREE_LINK)
			return through_link(path, i, e->target);
		if (!path[i])
			return NULL;
	}
}

const struct tree_entry *toolchain_resolve(const struct tree *t, const char *path)
{
	autofree char *at = xstrdup(path);
	const struct tree_entry *e;

	for (int links = 0; links < LINKS_MAX; links++) {
		char *next = *at ? follow_one(t, at) : NULL;

		if (!next)
			break;
		free(at);
		at = next;
	}
	e = tree_find(t, at);
	return e && e->type == TREE_FILE ? e : NULL;
}

static bool below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len && dir[len - 1] == '/')
		len--;
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* Where the descriptor's file really is: below one of the directories we may use. */
static int check_place(const struct server *s, const char *path, int fd, struct err *err)
{
	autofree char *proc = xasprintf("/proc/self/fd/%d", fd);
	char real[PATH_MAX];
	ssize_t n = readlink(proc, real, sizeof real - 1);

	if (n < 0)
		return err_sys(err, "%s", path);
	real[n] = 0;
	for (size_t i = 0; i < s->options->toolchain_dirs.count; i++)
		if (below(real, s->options->toolchain_dirs.v[i]))
			return 0;
	return err_set(err, ERR_ABSENT, "%s: not in a directory that counts", path);
}

static int check_file(const struct check *k, const struct tree_entry *e, struct file_id *id, struct err *err)
{
	autoclose int fd = open(e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct digest found;
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "%s", e->path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_ABSENT, "%s: not a regular file here", e->path);
	if (st.st_uid != 0 || !(st.st_mode & S_IROTH))
		return err_set(err, ERR_ABSENT, "%s: not root's, or not readable by all", e->path);
	if ((e->mode & 0111) && !(st.st_mode & S_IXOTH))
		return err_set(err, ERR_ABSENT, "%s: not executable by all here", e->path);
	if ((uint64_t)st.st_size != e->size)
		return err_set(err, ERR_ABSENT, "%s: %lld bytes here, not %llu", e->path, (long long)st.st_size,
			       (unsigned long long)e->size);
	rc = check_place(k->server, e->path, fd, err);
	if (rc == 0)
		rc = digest_memo_fd(k->server->toolchains->memo, fd, id, &found, err);
	if (rc == 0 && !digest_eq(&found, &e->digest))
		rc = err_set(err, ERR_ABSENT, "%s: other contents here", e->path);
	return rc;
}

static int check_link(const struct tree_entry *e, struct file_id *id, struct err *err)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (lstat(e->path, &st) < 0)
		return err_sys(err, "%s", e->path);
	n = S_ISLNK(st.st_mode) ? readlink(e->path, target, sizeof target - 1) : 0;
	if (n <= 0 || st.st_uid != 0)
		return err_set(err, ERR_ABSENT, "%s: not a link of root's here", e->path);
	target[n] = 0;
	if (!str_eq(target, e->target))
		return err_set(err, ERR_ABSENT, "%s: leads to %.100s here, not %.100s", e->path, target, e->target);
	*id = file_id_of(&st);
	return 0;
}

static void compare(uv_work_t *work)
{
	struct check *k = work->data;
	const struct tree *t = &k->entry->tree;

	for (size_t i = 0; i < t->count && k->rc == 0; i++) {
		const struct tree_entry *e = &t->entries[i];

		k->rc = e->type == TREE_FILE ? check_file(k, e, &k->files[i], &k->err)
					     : check_link(e, &k->files[i], &k->err);
	}
}

static void push_state(struct server *s, const struct entry *e)
{
	struct wire_toolchain_state m = { .id = e->id, .text = e->text,
					  .state = e->state == READY ? TOOLCHAIN_READY : TOOLCHAIN_LACKING };

	sessions_push_toolchain(s, &m);
}

static void on_compared(uv_work_t *work, int status UNUSED)
{
	struct check *k = work->data;
	struct entry *e = k->entry;

	e->checking = false;
	e->state = k->rc == 0 ? READY : LACKING;
	free(e->text);
	e->text = xstrdup(k->rc == 0 ? "" : k->err.text);
	make_printable(e->text);
	free(e->files);
	e->files = k->files;
	log_info("toolchain", "state=%s programs=\"%s\" why=\"%s\"", e->state == READY ? "ready" : "lacking",
		 e->programs, e->text);
	push_state(k->server, e);
	free(k);
}

static void check_entry(struct server *s, struct entry *e)
{
	struct check *k;

	if (e->checking)
		return;
	k = xcalloc(1, sizeof *k);
	*k = (struct check){ .server = s, .entry = e, .files = xcalloc(e->tree.count, sizeof *k->files) };
	e->checking = true;
	k->work.data = k;
	uv_queue_work(s->loop, &k->work, compare, on_compared);
}

static struct entry *entry_of(const struct server *s, const struct digest *id)
{
	struct toolchain_table *t = s->toolchains;

	for (size_t i = 0; i < t->count; i++)
		if (digest_eq(&t->entries[i]->id, id)) {
			t->entries[i]->used = ++t->uses;
			return t->entries[i];
		}
	return NULL;
}

static void free_entry(struct entry *e)
{
	tree_free(&e->tree);
	free(e->files);
	free(e->programs);
	free(e->text);
	free(e);
}

/* A place for one more: the one not used for longest goes. -1: all are being checked. */
static int make_room(struct toolchain_table *t)
{
	int oldest = -1;

	if (t->count < TOOLCHAINS_MAX)
		return (int)t->count++;
	for (int i = 0; i < TOOLCHAINS_MAX; i++)
		if (!t->entries[i]->checking && (oldest < 0 || t->entries[i]->used < t->entries[oldest]->used))
			oldest = i;
	if (oldest >= 0)
		free_entry(t->entries[oldest]);
	return oldest;
}

/* For people: the base names of the programs in it. */
static char *program_names(const struct tree *t)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < t->count && b.len < 64; i++)
		if (t->entries[i].type == TREE_FILE && toolchain_program_known(t->entries[i].path))
			buf_printf(&b, "%s%.40s", b.len ? " " : "", path_base(t->entries[i].path));
	make_printable(buf_str(&b));
	return buf_str(&b);
}

void toolchain_offer(struct server *s, const struct digest *id, struct tree *tree)
{
	struct entry *e = entry_of(s, id);
	int at = e ? 0 : make_room(s->toolchains);

	if (!e && at >= 0) {
		e = s->toolchains->entries[at] = xcalloc(1, sizeof *e);
		*e = (struct entry){ .id = *id, .tree = *tree, .state = CHECKING, .used = ++s->toolchains->uses,
				     .programs = program_names(tree), .text = xstrdup("") };
		*tree = (struct tree){ 0 };
	}
	tree_free(tree);
	if (e)
		check_entry(s, e);
	else
		sessions_push_toolchain(s, &(struct wire_toolchain_state){
			.id = *id, .state = TOOLCHAIN_LACKING, .text = (char *)"too many toolchains at once" });
}

bool toolchain_known(const struct server *s, const struct digest *id) { return entry_of(s, id) != NULL; }

bool toolchain_ready(const struct server *s, const struct digest *id)
{
	const struct entry *e = entry_of(s, id);

	return e && e->state == READY;
}

bool toolchain_unchanged(struct server *s, const struct digest *id)
{
	struct entry *e = entry_of(s, id);

	if (!e || e->state != READY)
		return false;
	for (size_t i = 0; i < e->tree.count; i++) {
		struct stat st;
		struct file_id now;

		if (lstat(e->tree.entries[i].path, &st) == 0 &&
		    (now = file_id_of(&st), file_id_eq(&now, &e->files[i])))
			continue;
		e->state = LACKING;
		free(e->text);
		e->text = xasprintf("%s: has changed", e->tree.entries[i].path);
		make_printable(e->text);
		push_state(s, e);
		check_entry(s, e);
		return false;
	}
	return true;
}

bool toolchain_allows(const struct server *s, const struct digest *id, const struct job_step *step)
{
	const struct entry *e = entry_of(s, id);

	return e && toolchain_step_known(step) && toolchain_resolve(&e->tree, step->program);
}

void toolchain_contents(const struct server *s, const struct digest *id, struct argv *files, struct argv *links)
{
	const struct entry *e = entry_of(s, id);

	for (size_t i = 0; e && i < e->tree.count; i++) {
		const struct tree_entry *t = &e->tree.entries[i];

		argv_push(t->type == TREE_FILE ? files : links, t->path);
		if (t->type == TREE_LINK)
			argv_push(links, t->target);
	}
}

size_t toolchains_view(const struct server *s, struct toolchain_view *views, size_t max)
{
	static const char *const names[] = { [CHECKING] = "checking", [READY] = "ready", [LACKING] = "lacking" };
	size_t n = size_min(max, s->toolchains->count);

	for (size_t i = 0; i < n; i++) {
		const struct entry *e = s->toolchains->entries[i];

		views[i] = (struct toolchain_view){ .id = e->id, .state = names[e->state], .programs = e->programs,
						    .text = e->text };
	}
	return n;
}

void toolchains_start(struct server *s)
{
	s->toolchains = xcalloc(1, sizeof *s->toolchains);
	s->toolchains->memo = digest_memo_new(MEMO_FILES);
}

void toolchains_free(struct toolchain_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free_entry(t->entries[i]);
	digest_memo_free(t->memo);
	free(t);
}
