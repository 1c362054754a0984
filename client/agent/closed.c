/*
 * closed.c - one stat for each directory that was not on the way before, and of which no fact tells.
 */
#include "closed.h"

#include <sys/stat.h>

static void take(struct closed *c, const char *dir, mode_t mode)
{
	if (!(mode & S_IXOTH))
		argv_push(&c->found, dir);
}

static void look_at(struct closed *c, const char *dir)
{
	struct stat st;

	take(c, dir, stat(dir, &st) == 0 ? st.st_mode : 0);
}

/* How much of dir led to the last path as well. */
static size_t known_part(const struct closed *c, const char *dir)
{
	size_t n = 0, whole = 0;

	for (; c->dir && dir[n] && dir[n] == c->dir[n]; n++)
		if (dir[n] == '/')
			whole = n;
	return c->dir && (!dir[n] || dir[n] == '/') && (!c->dir[n] || c->dir[n] == '/') ? n : whole;
}

static void forget_beyond(struct closed *c, size_t len)
{
	while (c->found.count && strlen(c->found.v[c->found.count - 1]) > len)
		free(ptr_steal(&c->found.v[--c->found.count]));
}

const struct argv *closed_on_way(struct closed *c, const char *path)
{
	size_t len = (size_t)(path_base(path) - path) - 1;
	char *dir;
	size_t at;

	if (c->dir && strlen(c->dir) == len && strncmp(c->dir, path, len) == 0)
		return &c->found;
	dir = xstrndup(path, len);
	at = known_part(c, dir);
	forget_beyond(c, at);
	while (dir[at]) {
		autofree char *part = NULL;

		at += 1 + strcspn(dir + at + 1, "/");
		part = xstrndup(dir, at);
		look_at(c, part);
	}
	free(c->dir);
	c->dir = dir;
	return &c->found;
}

void closed_enter(struct closed *c, const struct fact *dir)
{
	if (!dir->path[1])
		return;
	closed_on_way(c, dir->path);
	free(c->dir);
	c->dir = xstrdup(dir->path);
	take(c, dir->path, dir->mode);
}

void closed_free(struct closed *c)
{
	free(ptr_steal(&c->dir));
	argv_free(&c->found);
}
