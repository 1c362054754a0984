/*
 * argv.c - the vector of strings behind command lines and environments.
 */
#include "argv.h"

#include <stdarg.h>
#include <stdio.h>

void argv_take(struct argv *a, char *s)
{
	if (a->count + 1 >= a->room) {
		a->room = a->room ? a->room * 2 : 16;
		a->v = xrealloc(a->v, a->room * sizeof *a->v);
	}
	a->v[a->count++] = s;
	a->v[a->count] = NULL;
}

void argv_push(struct argv *a, const char *s)
{
	argv_take(a, xstrdup(s));
}

void argv_pushf(struct argv *a, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	argv_take(a, s);
}

void argv_extend(struct argv *a, char *const *v)
{
	for (; v && *v; v++)
		argv_push(a, *v);
}

void argv_insert(struct argv *a, size_t at, const char *s)
{
	char *copy = xstrdup(s);

	argv_take(a, copy);
	memmove(a->v + at + 1, a->v + at, (a->count - 1 - at) * sizeof *a->v);
	a->v[at] = copy;
}

void argv_remove(struct argv *a, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(a->v[at + i]);
	memmove(a->v + at, a->v + at + n, (a->count - at - n + 1) * sizeof *a->v);
	a->count -= n;
}

void argv_set(struct argv *a, size_t at, const char *s)
{
	char *copy = xstrdup(s);

	free(a->v[at]);
	a->v[at] = copy;
}

bool argv_has(const struct argv *a, const char *s)
{
	for (size_t i = 0; i < a->count; i++)
		if (str_eq(a->v[i], s))
			return true;
	return false;
}

struct argv argv_copy(const struct argv *a)
{
	struct argv copy = { 0 };

	argv_extend(&copy, a->v);
	return copy;
}

void argv_free(struct argv *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->v[i]);
	free(a->v);
	*a = (struct argv){ 0 };
}
