/*
 * data_names.h - how the C library gets from a locale or a character set to
 * names of files. Pure.
 */
#ifndef RCC_DATA_NAMES_H
#define RCC_DATA_NAMES_H

#include "argv.h"

/*
 * Every name under which data for a locale may be kept: de_DE.UTF-8@euro,
 * de_DE.utf8@euro, ... de. Appends those that names does not have.
 */
void locale_variants(const char *locale, struct argv *names);

/* What a locale.alias file has for this name: caller frees; NULL: nothing. */
char *locale_alias(const char *text, const char *name);

/*
 * File names of the modules that convert from or to a character set, by a
 * gconv-modules file. None for those that the C library has built in.
 */
void gconv_modules(const char *text, const char *charset, struct argv *modules);

/* The character set that a message catalogue says it is in: caller frees; NULL: it does not say. */
char *catalogue_charset(const void *p, size_t len);

#endif
