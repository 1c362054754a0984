/*
 * local.h - run the compiler here, in rcc's place.
 */
#ifndef RCC_LOCAL_H
#define RCC_LOCAL_H

#include "compiler.h"

/*
 * Becomes the compiler; argv[0] is replaced by what c says. spool: a file to
 * be its standard input, -1 for the caller's. Returns only on failure, with
 * the exit status to use; the complaint has been printed.
 */
int local_exec(const struct compiler *c, char **argv, int spool);

/* How many processors this process may use, at most 255. */
uint8_t local_cores(void);

#endif
