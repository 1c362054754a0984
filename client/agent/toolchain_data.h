/*
 * toolchain_data.h - what the programs of a toolchain read besides programs
 * and libraries: locales, message catalogues, character sets, the time zone.
 */
#ifndef RCC_TOOLCHAIN_DATA_H
#define RCC_TOOLCHAIN_DATA_H

#include "elf_closure.h"
#include "job.h"

enum data_scope {
	DATA_OUTPUT,	/* what may get into an output; messages do not count */
	DATA_ALL,	/* messages and the clock's zone as well */
};

/*
 * What a job with these variables and arguments may read, as words of this
 * module's own: equal needs, equal data. Empty: nothing. Pure.
 */
void data_needs(const struct job *job, const struct argv *env, enum data_scope scope, struct argv *needs);

/*
 * Add to the search's tree, which has the programs' closures, the files that
 * these programs would read. ERR_UNSUPPORTED when that cannot be told,
 * ERR_IO when a file cannot be read.
 */
int toolchain_data_add(const struct elf_search *search, const struct argv *programs, const struct argv *needs,
		       struct err *err);

/* Are there translations in it? Then a job must get the caller's locale as well. */
bool toolchain_data_translates(const struct tree *tree);

#endif
