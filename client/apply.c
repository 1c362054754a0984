/*
 * apply.c - first all is prepared, then all is made.
 *
 * A file is whole, without a name, before the first change is made; so what
 * can be refused (a directory that may not be written, a full disk, a FIFO
 * where the job found nothing) is refused while nothing has changed. Only
 * directories are made at once, as files may lie in them, and are removed
 * again if it comes to nothing.
 *
 * What the job did says how to do it: nothing is asked about a file that it
 * wrote to or replaced but whether that can be done to what is there now.
 * Times are those of this machine's clock, as make compares them with those
 * of files that were made here.
 */
#include "apply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "output.h"

enum { COPY_MAX = 1 << 30 };

/* One change. */
struct step {
	const struct change *change;
	struct output output;
	bool made;		/* DIR: it is there because of us */
	bool directory;		/* GONE: of that kind */
};

static bool copy(int to, int from, off_t at, uint64_t left)
{
	while (left) {
		ssize_t n = sendfile(to, from, &at, left < COPY_MAX ? left : COPY_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		left -= (uint64_t)n;
	}
	return true;
}

/* --- to prepare ------------------------------------------------------------ */

static enum reason prepare_file(struct step *s, int contents, off_t at)
{
	const struct change *c = s->change;
	enum reason why;

	if (c->mode & ~0777)	/* nothing that a volunteer made runs with its owner's rights */
		return REASON_SERVER_GARBAGE;
	why = output_prepare_made(&s->output, c->path, c->kept, c->mode);
	if (why != REASON_NONE)
		return why;
	return copy(s->output.fd, contents, at, c->size) ? REASON_NONE : REASON_OUTPUT_FAILED;
}

/* Another compile may have made it meanwhile: that is as good. */
static enum reason prepare_dir(struct step *s)
{
	const struct change *c = s->change;
	struct stat st;

	if (c->mode & ~0777)	/* it may have that of the directory around it, which mkdir() gives by itself */
		return REASON_OUTPUT_ODD;
	s->made = mkdir(c->path, 0777) == 0;
	if (s->made)
		return c->mode == (0777 & ~output_umask()) || chmod(c->path, c->mode) == 0 ? REASON_NONE : REASON_OUTPUT_ODD;
	return errno == EEXIST && stat(c->path, &st) == 0 && S_ISDIR(st.st_mode) ? REASON_NONE : REASON_OUTPUT_ODD;
}

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e = NULL;

	while (d && (e = readdir(d)) && (str_eq(e->d_name, ".") || str_eq(e->d_name, "..")))
		;
	if (d)
		closedir(d);
	return d && !e;
}

/* The job emptied a directory before it removed it; the list does not say of what. */
static enum reason prepare_gone(struct step *s)
{
	const char *path = s->change->path;
	struct stat st;

	s->directory = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
	if (s->directory)
		return is_empty(path) ? REASON_NONE : REASON_OUTPUT_ODD;
	return output_prepare_gone(&s->output, path);
}

static enum reason prepare_step(struct step *s, int contents, off_t at)
{
	switch (s->change->kind) {
	case CHANGE_FILE:
		return prepare_file(s, contents, at);
	case CHANGE_DIR:
		return prepare_dir(s);
	case CHANGE_LINK:
		return output_prepare_gone(&s->output, s->change->path);
	default:
		return prepare_gone(s);
	}
}

static enum reason prepare_all(struct step *steps, const struct outcome *m, int contents)
{
	off_t at = (off_t)(m->out_bytes + m->err_bytes);
	enum reason why = REASON_NONE;

	for (size_t i = 0; i < m->changes.count && why == REASON_NONE; i++) {
		steps[i].change = &m->changes.v[i];
		why = prepare_step(&steps[i], contents, at);
		at += (off_t)steps[i].change->size;
	}
	return why;
}

/* --- to make ---------------------------------------------------------------- */

static bool commit_file(struct step *s)
{
	const struct change *c = s->change;
	struct stat st;

	if (output_commit(&s->output, NULL) < 0)
		return false;
	if (!c->kept || (stat(c->path, &st) == 0 && (st.st_mode & 0777) == c->mode))
		return true;
	return chmod(c->path, c->mode) == 0;
}

static bool commit_link(const struct step *s)
{
	return output_unlink(&s->output) == 0 && symlinkat(s->change->target, s->output.dir, s->output.name) == 0;
}

static bool commit_step(struct step *s)
{
	switch (s->change->kind) {
	case CHANGE_FILE:
		return commit_file(s);
	case CHANGE_DIR:
		return true;
	case CHANGE_LINK:
		return commit_link(s);
	default:
		return s->directory ? rmdir(s->change->path) == 0 : output_unlink(&s->output) == 0;
	}
}

static enum reason commit_all(struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!commit_step(&steps[i]))
			return REASON_OUTPUT_FAILED;
	return REASON_NONE;
}

/* As a driver whose compiler failed removes the output that it had named. */
static void remove_output(const struct outcome *m)
{
	struct stat st;

	if (m->status && *m->removed && lstat(m->removed, &st) == 0 && S_ISREG(st.st_mode))
		unlink(m->removed);
}

/* --- all ---------------------------------------------------------------------- */

static void undo(struct step *steps, size_t count)
{
	while (count--)
		if (steps[count].made)
			rmdir(steps[count].change->path);
}

static bool is_whole(const struct outcome *m, int contents)
{
	uint64_t said = m->out_bytes + m->err_bytes, bytes = changes_bytes(&m->changes);
	struct stat st;

	if (said < m->out_bytes || said + bytes < said)
		return false;
	if (said + bytes == 0)
		return true;
	return fstat(contents, &st) == 0 && (uint64_t)st.st_size == said + bytes;
}

enum reason apply_outcome(const struct outcome *m, int contents)
{
	size_t count = m->changes.count;
	autofree struct step *steps = NULL;
	enum reason why;

	if (!is_whole(m, contents))
		return REASON_SERVER_GARBAGE;
	steps = xmalloc((count + 1) * sizeof *steps);
	for (size_t i = 0; i < count; i++)
		steps[i] = (struct step){ .output = NO_OUTPUT };
	why = prepare_all(steps, m, contents);
	if (why != REASON_NONE)
		undo(steps, count);
	else
		why = commit_all(steps, count);
	for (size_t i = 0; i < count; i++)
		output_drop(&steps[i].output);
	if (why == REASON_NONE)
		remove_output(m);
	return why;
}
