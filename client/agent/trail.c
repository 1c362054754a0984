/*
 * trail.c - paths followed one component at a time, and each answer kept.
 *
 * Of a directory only that it is one counts: what else appears in it matters
 * only where it was looked for, and that is a step of its own.
 */
#include "trail.h"

#include <errno.h>
#include <limits.h>

enum { LINKS_MAX = 40 };	/* as many as the kernel follows */

enum answer { ABSENT, DIRECTORY, OTHER };

struct trail_step {
	char *path;
	enum answer answer;
	struct file_id id;	/* of OTHER */
	bool settled;
};

static enum answer ask(const char *path, struct stat *st, struct file_id *id)
{
	if (lstat(path, st) < 0)
		return ABSENT;
	*id = file_id_of(st);
	return S_ISDIR(st->st_mode) ? DIRECTORY : OTHER;
}

static struct trail_step *step_of(struct trail *t, const char *path)
{
	for (size_t i = 0; i < t->count; i++)
		if (str_eq(t->steps[i].path, path))
			return &t->steps[i];
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->steps = xrealloc(t->steps, t->room * sizeof *t->steps);
	}
	t->steps[t->count] = (struct trail_step){ .path = xstrdup(path), .settled = true };
	return &t->steps[t->count++];
}

/* lstat() that is remembered. False when there is nothing; errno then says why. */
static bool look(struct trail *t, const char *path, struct stat *st)
{
	struct trail_step *s = step_of(t, path);

	s->answer = ask(path, st, &s->id);
	if (s->answer == OTHER && !file_id_settled(&s->id))
		s->settled = false;
	return s->answer != ABSENT;
}

/* The walk: where it is, and what is left of the way. */
struct walk {
	struct buf at;
	char *todo;	/* owned */
	char *next;	/* in todo */
	int links;
};

static void climb(struct buf *at)
{
	while (at->len && at->p[--at->len] != '/')
		;
}

/* Take the link at w->at: what it holds comes before the rest of the way. */
static int take_link(struct walk *w, struct tree *links, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlink(buf_str(&w->at), target, sizeof target - 1);
	char *todo;

	if (n < 0)
		return err_sys(err, "read link %s", buf_str(&w->at));
	if (++w->links > LINKS_MAX)
		return err_set(err, ERR_ABSENT, "%s: too many links", buf_str(&w->at));
	target[n] = 0;
	tree_add_link(links, buf_str(&w->at), target);
	todo = xasprintf("%s/%s", target, w->next);
	free(w->todo);
	w->todo = w->next = todo;
	if (target[0] == '/')
		w->at.len = 0;
	else
		climb(&w->at);
	return 0;
}

static int absent(const char *path, struct err *err)
{
	switch (errno) {
	case ENOENT: case ENOTDIR: case EACCES: case ENAMETOOLONG:
		return err_set(err, ERR_ABSENT, "%s: %s", path, strerror(errno));
	default:
		return err_sys(err, "%s", path);
	}
}

static int take_name(struct trail *t, struct walk *w, size_t len, struct tree *links, struct err *err)
{
	struct stat st;

	buf_puts(&w->at, "/");
	buf_add(&w->at, w->next, len);
	w->next += len;
	if (!look(t, buf_str(&w->at), &st))
		return absent(buf_str(&w->at), err);
	return S_ISLNK(st.st_mode) ? take_link(w, links, err) : 0;
}

int trail_follow(struct trail *t, const char *path, char **real, struct tree *links, struct err *err)
{
	struct walk w = { .todo = xstrdup(path) };
	int rc = 0;

	for (w.next = w.todo; rc == 0; ) {
		size_t len;

		w.next += strspn(w.next, "/");
		len = strcspn(w.next, "/");
		if (len == 0)
			break;
		if (len == 2 && str_starts(w.next, ".."))
			climb(&w.at);
		else if (len != 1 || *w.next != '.') {
			rc = take_name(t, &w, len, links, err);
			continue;
		}
		w.next += len;
	}
	if (rc == 0)
		*real = xstrdup(w.at.len ? buf_str(&w.at) : "/");
	free(w.todo);
	buf_free(&w.at);
	return rc;
}

bool trail_holds(const struct trail *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct trail_step *s = &t->steps[i];
		struct file_id id = { 0 };
		struct stat st;

		if (!s->settled || ask(s->path, &st, &id) != s->answer ||
		    (s->answer == OTHER && !file_id_eq(&id, &s->id)))
			return false;
	}
	return true;
}

void trail_free(struct trail *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->steps[i].path);
	free(t->steps);
	*t = (struct trail){ 0 };
}
