/*
 * private.c - a file's mode, and where it is.
 *
 * The way to a file divides in two: as far as it is also the way to a directory that the command names, the
 * command works there itself, and a home that is closed to others closes nothing to it. What is closed beyond is secret.
 */
#include "private.h"

#include "forecast.h"

enum { ALL_READ = 04 };

static void add_dir(struct argv *dirs, const char *cwd, const char *dir)
{
	autofree char *path = path_settle(cwd, dir);

	if (path && !argv_has(dirs, path))
		argv_push(dirs, path);
}

/* Of a word that is, or ends in, a path: the directory that it is, or is in. */
static void add_word(struct argv *dirs, const char *cwd, const char *word)
{
	const char *path = *word == '-' ? strchr(word, '/') : word;
	const char *base = path ? strrchr(path, '/') : NULL;
	autofree char *dir = NULL;

	if (!base)
		return;
	add_dir(dirs, cwd, path);
	dir = xstrndup(path, (size_t)(base - path) + 1);
	add_dir(dirs, cwd, dir);
}

void private_named(const struct job *job, const char *cwd, const char *input, struct argv *dirs)
{
	add_dir(dirs, cwd, cwd);
	add_word(dirs, cwd, input);
	for (size_t i = 0; i < job->step_count; i++)
		for (size_t j = 1; j < job->steps[i].argv.count; j++) {
			const char *dir = forecast_searched(&job->steps[i].argv, j);

			if (dir)
				add_dir(dirs, cwd, dir);
			else
				add_word(dirs, cwd, job->steps[i].argv.v[j]);
		}
}

static bool hidden(const char *below)
{
	return strstr(below, "/.") != NULL;
}

/* How many bytes of path are a directory that leads to dir too, or is it. */
static size_t shared_way(const char *path, const char *dir)
{
	size_t n = 0, whole = 0;

	for (; path[n] && path[n] == dir[n]; n++)
		if (path[n] == '/')
			whole = n;
	return path[n] == '/' && !dir[n] && n > 1 ? n : whole;
}

/* Not everybody may read it where it is. */
static bool secret(const struct fact *f, const struct argv *closed, const struct argv *dirs)
{
	size_t way = 0;

	if (!(f->mode & ALL_READ))
		return true;
	for (size_t i = 0; i < dirs->count && closed->count; i++)
		way = size_max(way, shared_way(f->path, dirs->v[i]));
	for (size_t i = 0; i < closed->count; i++)
		if (strlen(closed->v[i]) > way)
			return true;
	return closed->count && hidden(f->path + way);
}

bool private_file(const struct fact *f, const struct argv *closed, const struct argv *dirs)
{
	if (f->kind != FACT_FILE || !secret(f, closed, dirs))
		return false;
	for (size_t i = 0; i < dirs->count; i++) {
		const char *dir = dirs->v[i];
		size_t len = dir[1] ? strlen(dir) : 0;

		/* "/" is named by too many words to mean all */
		if (len && path_below(f->path, dir) && !hidden(f->path + len))
			return false;
	}
	return true;
}
