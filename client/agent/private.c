/*
 * private.c - a file's mode, and where it is.
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

bool private_file(const struct fact *f, const struct argv *dirs)
{
	if (f->kind != FACT_FILE || f->mode & ALL_READ)
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
