/*
 * data_names.c - names of locales and character sets, as glibc reads them.
 *
 * A locale is language[_territory][.codeset][@modifier]. Each part but the
 * first may be left out when files are looked for, and a codeset may be in its
 * normal form: letters and digits only, small, "iso" before a bare number.
 */
#include "data_names.h"

#include <ctype.h>
#include <stdio.h>

#include "buf.h"

enum { WORD = 255 };
#define WORD_FORMAT "%255s"

static void add(struct argv *names, const char *s)
{
	if (!argv_has(names, s))
		argv_push(names, s);
}

/* ".UTF-8" to ".utf8"; caller frees. */
static char *normal_codeset(const char *codeset, size_t len)
{
	autobuf struct buf out = { 0 };
	bool number = true;

	for (size_t i = 1; i < len; i++)
		if (isalpha((unsigned char)codeset[i]))
			number = false;
	buf_puts(&out, len ? number ? ".iso" : "." : "");
	for (size_t i = 1; i < len; i++)
		if (isalnum((unsigned char)codeset[i])) {
			char c = (char)tolower((unsigned char)codeset[i]);

			buf_add(&out, &c, 1);
		}
	return xstrdup(buf_str(&out));
}

void locale_variants(const char *locale, struct argv *names)
{
	size_t language = strcspn(locale, "_.@"), territory = strcspn(locale + language, ".@");
	const char *code = locale + language + territory;
	size_t code_len = strcspn(code, "@");
	autofree char *exact = xstrndup(code, code_len), *normal = normal_codeset(code, code_len);
	const char *const codes[] = { exact, normal, "" }, *const modifiers[] = { code + code_len, "" };

	for (size_t m = 0; m < ARRAY_LEN(modifiers); m++)
		for (size_t t = 0; t < 2; t++)
			for (size_t c = 0; c < ARRAY_LEN(codes); c++) {
				autofree char *name = xasprintf("%.*s%s%s", (int)(language + (t ? 0 : territory)), locale,
								codes[c], modifiers[m]);

				add(names, name);
			}
}

static const char *next_line(const char *s)
{
	s += strcspn(s, "\n");
	return *s ? s + 1 : NULL;
}

char *locale_alias(const char *text, const char *name)
{
	char alias[WORD + 1], value[WORD + 1];

	for (const char *s = text; s; s = next_line(s)) {
		autofree char *line = xstrndup(s, strcspn(s, "\n"));

		if (sscanf(line, WORD_FORMAT WORD_FORMAT, alias, value) == 2 && strcasecmp(alias, name) == 0)
			return xstrdup(value);
	}
	return NULL;
}

/* "latin1//TRANSLIT" to "LATIN1//", as gconv-modules has it. Caller frees. */
static char *charset_key(const char *charset)
{
	size_t len = strcspn(charset, "/");
	char *key = xasprintf("%.*s//", (int)len, charset);

	for (size_t i = 0; i < len; i++)
		key[i] = (char)toupper((unsigned char)key[i]);
	return key;
}

static void add_module(struct argv *modules, const char *name)
{
	autofree char *file = xasprintf("%s%s", name, str_ends(name, ".so") ? "" : ".so");

	add(modules, file);
}

void gconv_modules(const char *text, const char *charset, struct argv *modules)
{
	char kind[WORD + 1], from[WORD + 1], to[WORD + 1], name[WORD + 1];
	autofree char *key = charset_key(charset), *canonical = NULL;

	/* an alias may stand behind the module that it leads to */
	for (int pass = 0; pass < 2; pass++)
		for (const char *s = text; s; s = next_line(s)) {
			autofree char *line = xstrndup(s, strcspn(s, "\n"));
			int words = sscanf(line, WORD_FORMAT WORD_FORMAT WORD_FORMAT WORD_FORMAT, kind, from, to, name);

			if (pass == 0 && words >= 3 && str_eq(kind, "alias") && str_eq(from, key) && !canonical)
				canonical = xstrdup(to);
			if (pass == 1 && words == 4 && str_eq(kind, "module") &&
			    (str_eq(from, canonical ? canonical : key) || str_eq(to, canonical ? canonical : key)))
				add_module(modules, name);
		}
}

char *catalogue_charset(const void *p, size_t len)
{
	static const char mark[] = "charset=";
	const char *s = memmem(p, len, mark, sizeof mark - 1), *end;

	if (!s)
		return NULL;
	s += sizeof mark - 1;
	for (end = s; end < (const char *)p + len && (isalnum((unsigned char)*end) || strchr("-_.:+()", *end)) && *end; end++)
		;
	return end > s ? xstrndup(s, (size_t)(end - s)) : NULL;
}
