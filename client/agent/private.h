/*
 * private.h - which files a volunteer is not told of, whatever a job asks for.
 *
 * A compile may include any file that its user can read, so the names it may ask for
 * cannot be known. But what not everybody on this machine may read, and lies where the
 * command does not look by itself, is more likely a secret than a source. Pure.
 */
#ifndef RCC_PRIVATE_H
#define RCC_PRIVATE_H

#include "fact.h"
#include "job.h"

/* The directories that a command names, settled: where it starts, its source's, those it searches. */
void private_named(const struct job *job, const char *cwd, const char *input, struct argv *dirs);

/*
 * A file that not everybody may read, and that is not below one of dirs, or is hidden there: below a name that begins with a dot.
 * closed: the directories on its way that not everybody may search (closed.h). What is behind one not everybody may read
 * either, unless the way to one of dirs leads through it as well; and then not what is hidden beyond where both ways part.
 */
bool private_file(const struct fact *f, const struct argv *closed, const struct argv *dirs);

#endif
