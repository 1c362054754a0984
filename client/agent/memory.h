/*
 * memory.h - what the agent remembers of earlier requests: which programs
 * are compilers, which texts made a compiler speak, and which commands file mode cannot do.
 */
#ifndef RCC_MEMORY_H
#define RCC_MEMORY_H

#include <sys/stat.h>

#include "argv.h"
#include "plan.h"

struct memory;

struct memory *memory_new(void);

/* What a program said to -v, known by its file's identity. */
enum driver_kind { DRIVER_UNKNOWN, DRIVER_NOT_ONE, DRIVER_GCC, DRIVER_CLANG };
enum driver_kind memory_driver(const struct memory *m, const struct stat *st);
void memory_set_driver(struct memory *m, const struct stat *st, enum driver_kind kind);
/* The pure part: what `driver -v` printed. */
enum driver_kind driver_kind_of(const char *text);

/* A command in a directory, as a key. */
uint64_t command_key(const char *cwd, const struct argv *argv);
/* The hash of the text for which this command had diagnostics last; 0: none. */
uint64_t memory_diagnosed(const struct memory *m, uint64_t key);
/* This command does not go in file mode. */
bool memory_unfit(const struct memory *m, uint64_t key);
void memory_set_unfit(struct memory *m, uint64_t key);
void memory_set_diagnosed(struct memory *m, uint64_t key, uint64_t text_hash);

#endif
