/*
 * base.h - what every file may use without asking: sizes, cleanup, memory.
 *
 * Out of memory aborts: a process that cannot have a few kilobytes cannot
 * recover, and the parts that must survive it (the user's build) run the
 * compiler in another process anyway. Bounds are checked before allocating,
 * so no peer can make us ask for more than its limit.
 */
#ifndef RCC_BASE_H
#define RCC_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))

static inline size_t size_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t size_max(size_t a, size_t b) { return a > b ? a : b; }

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

static inline bool str_eq(const char *a, const char *b) { return strcmp(a, b) == 0; }
static inline bool str_starts(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }
bool str_ends(const char *s, const char *suffix);

/* The part of path after its last slash; path itself if there is none. */
const char *path_base(const char *path);

/*
 * For what a stranger says, before logs, pages and terminals get it: each
 * byte of a control character, or of what is not UTF-8, becomes '?', and '"'
 * becomes '\'', so that it stays within the quotes of a log line.
 */
void make_printable(char *s);

/* autofree char *p = ...; autoclose int fd = ...; released when they go out of scope. */
static inline void cleanup_free(void *p) { free(*(void **)p); }
static inline void cleanup_close(int *fd) { if (*fd >= 0) close(*fd); }
#define autofree __attribute__((cleanup(cleanup_free)))
#define autoclose __attribute__((cleanup(cleanup_close)))

/* Hand an automatic descriptor over: the variable no longer owns it. */
static inline int fd_steal(int *fd) { int f = *fd; *fd = -1; return f; }
static inline void *ptr_steal_(void **p) { void *q = *p; *p = NULL; return q; }
#define ptr_steal(pp) ((__typeof__(*(pp)))ptr_steal_((void **)(pp)))

#endif
