/*
 * argv.h - a growing vector of strings, always NULL-terminated, that owns them.
 */
#ifndef RCC_ARGV_H
#define RCC_ARGV_H

#include "base.h"

/* All zero is an empty vector; v is then NULL: pass it to exec only after a push. */
struct argv {
	char **v;	/* v[count] is NULL */
	size_t count;
	size_t room;
};

void argv_push(struct argv *a, const char *s);			/* copies */
void argv_take(struct argv *a, char *s);			/* takes ownership of s */
void argv_pushf(struct argv *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
void argv_extend(struct argv *a, char *const *v);		/* copies each up to NULL */
void argv_insert(struct argv *a, size_t at, const char *s);	/* copies; at <= count */
void argv_remove(struct argv *a, size_t at, size_t n);
void argv_set(struct argv *a, size_t at, const char *s);	/* replaces one, copies */
bool argv_has(const struct argv *a, const char *s);
struct argv argv_copy(const struct argv *a);
void argv_free(struct argv *a);					/* a is empty again */

static inline void cleanup_argv(struct argv *a) { argv_free(a); }
#define autoargv __attribute__((cleanup(cleanup_argv)))

#endif
