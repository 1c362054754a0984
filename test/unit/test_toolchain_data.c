/*
 * test_toolchain_data.c - which files a locale or a character set means.
 */
#include "unit.h"

#include <stdio.h>

#include "data_names.h"
#include "elf_closure.h"
#include "toolchain_data.h"

/* Words of text, as a list. */
static struct argv words(const char *text)
{
	autofree char *copy = xstrdup(text);
	struct argv a = { 0 };
	char *save = NULL;

	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
		argv_push(&a, s);
	return a;
}

static void assert_words(const struct argv *a, const char *want)
{
	autobuf struct buf all = { 0 };

	for (size_t i = 0; i < a->count; i++)
		buf_printf(&all, "%s%s", i ? " " : "", a->v[i]);
	assert_string_equal(buf_str(&all), want);
}

/* As strace showed for a locale that is nowhere. */
static void a_locale_is_looked_for_under_these_names(void **state UNUSED)
{
	static const struct {
		const char *locale, *names;
	} rows[] = {
		{ "xx_YY.UTF-8@foo", "xx_YY.UTF-8@foo xx_YY.utf8@foo xx_YY@foo xx.UTF-8@foo xx.utf8@foo xx@foo "
		  "xx_YY.UTF-8 xx_YY.utf8 xx_YY xx.UTF-8 xx.utf8 xx" },
		{ "C.UTF-8", "C.UTF-8 C.utf8 C" },
		{ "de_DE.8859-1", "de_DE.8859-1 de_DE.iso88591 de_DE de.8859-1 de.iso88591 de" },
		{ "de_DE@euro", "de_DE@euro de@euro de_DE de" },
		{ "fr", "fr" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoargv struct argv names = { 0 };

		locale_variants(rows[i].locale, &names);
		assert_words(&names, rows[i].names);
	}
}

static void aliases_are_words_of_a_line(void **state UNUSED)
{
	static const char text[] = "# a comment\n\ngerman\t\tde_DE.ISO-8859-1\nfrench fr_FR\nodd";
	autofree char *german = locale_alias(text, "German"), *french = locale_alias(text, "french");

	assert_string_equal(german, "de_DE.ISO-8859-1");
	assert_string_equal(french, "fr_FR");
	assert_null(locale_alias(text, "odd"));
	assert_null(locale_alias(text, "de_DE"));
	assert_null(locale_alias("", "german"));
}

static void modules_are_found_by_alias_and_by_name(void **state UNUSED)
{
	static const char text[] = "# x\nalias\tL1//\tISO-8859-1//\nmodule\tISO-8859-1//\tINTERNAL\tISO8859-1\t1\n"
				   "module\tINTERNAL\tISO-8859-1//\tISO8859-1\t1\nmodule A// INTERNAL A.so 1\n"
				   "alias LATE// A//\nmodule B//";
	static const struct {
		const char *charset, *modules;
	} rows[] = {
		{ "l1", "ISO8859-1.so" }, { "ISO-8859-1//TRANSLIT", "ISO8859-1.so" }, { "late", "A.so" },
		{ "UTF-8", "" }, { "b", "" }, { "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoargv struct argv modules = { 0 };

		gconv_modules(text, rows[i].charset, &modules);
		assert_words(&modules, rows[i].modules);
	}
}

static void a_catalogue_names_its_character_set(void **state UNUSED)
{
	static const char text[] = "\0\1Content-Type: text/plain; charset=EUC-JP\nX";
	autofree char *charset = catalogue_charset(text, sizeof text), *cut = catalogue_charset(text, 40);

	assert_string_equal(charset, "EUC-JP");
	assert_string_equal(cut, "EUC-");
	assert_null(catalogue_charset(text, 20));
	assert_null(catalogue_charset("charset=", 8));
}

static void needs_follow_variables_and_arguments(void **state UNUSED)
{
	static const struct {
		const char *env, *args;
		enum data_scope scope;
		const char *needs;
	} rows[] = {
		{ "", "cc1", DATA_OUTPUT, "" },
		{ "LANG=C", "cc1", DATA_OUTPUT, "" },
		{ "LANG=de_DE LC_ALL=POSIX LANGUAGE=fr", "cc1", DATA_OUTPUT, "" },
		{ "LANG=a LC_CTYPE=b LC_MESSAGES=c", "cc1", DATA_OUTPUT, "ctype=b messages=c" },
		{ "LANG=a LC_CTYPE=b LC_ALL=d", "cc1", DATA_OUTPUT, "ctype=d messages=d" },
		{ "LC_ALL= LANG=a", "cc1", DATA_OUTPUT, "ctype=a messages=a" },
		{ "LANG=C.UTF-8 LANGUAGE=fr:de TZ=CET", "cc1", DATA_OUTPUT, "ctype=C.UTF-8 messages=C.UTF-8 language=fr:de" },
		{ "LC_CTYPE=b", "cc1", DATA_OUTPUT, "" },	/* spelling of messages only */
		{ "LC_CTYPE=b TZ=CET", "cc1", DATA_ALL, "ctype=b zone=CET" },
		{ "LANG=/etc/passwd", "cc1", DATA_ALL, "zone=/etc/localtime" },
		{ "", "cc1 -fexec-charset=latin1 -O2 -fwide-exec-charset=UTF-16", DATA_OUTPUT, "charset=latin1 charset=UTF-16" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoargv struct argv env = words(rows[i].env), needs = { 0 };
		autojob struct job job = { .step_count = 1, .steps = { { .argv = words(rows[i].args) } } };

		data_needs(&job, &env, rows[i].scope, &needs);
		assert_words(&needs, rows[i].needs);
	}
}

/* What a running program with these needs would read here, by the tree it gets. */
static int gather(const char *program, const char *needs_text, struct tree *tree, struct err *err)
{
	autoargv struct argv programs = words(program), needs = words(needs_text);
	struct ldcache_rows cached = { 0 };
	struct trail trail = { 0 };
	struct elf_search search = { .tree = tree, .cached = &cached, .trail = &trail, .digests = digest_cache_new(NULL, 64),
				     .ldcache = "/etc/ld.so.cache" };
	int rc = elf_closure_add(&search, program, NULL, err);

	if (rc == 0)
		rc = toolchain_data_add(&search, &programs, &needs, err);
	digest_cache_free(search.digests);
	ldcache_rows_free(&cached);
	trail_free(&trail);
	return rc;
}

static void a_character_set_brings_its_module_and_what_that_loads(void **state UNUSED)
{
	struct tree tree = { 0 };
	size_t modules = 0, helpers = 0;

	assert_int_equal(gather("/bin/sh", "charset=euc-jp", &tree, NULL), 0);
	for (size_t i = 0; i < tree.count; i++) {
		modules += str_ends(tree.entries[i].path, "/gconv/EUC-JP.so");
		helpers += str_ends(tree.entries[i].path, "/gconv/libJIS.so");
	}
	assert_int_equal(modules, helpers);
	if (system("iconv -f EUC-JP </dev/null >/dev/null 2>&1 && ldconfig -p >/dev/null 2>&1") == 0)
		assert_int_equal(modules, 1);
	tree_free(&tree);
}

static void a_zone_is_a_file_or_a_rule(void **state UNUSED)
{
	struct tree named = { 0 }, rule = { 0 }, plain = { 0 }, out = { 0 };
	struct err err = { 0 };

	assert_int_equal(gather("/bin/sh", "zone=CET-1CEST", &rule, NULL), 0);
	assert_int_equal(gather("/bin/sh", "", &plain, NULL), 0);
	assert_int_equal(rule.count, plain.count);
	assert_int_equal(gather("/bin/sh", "zone=:/proc/version", &named, NULL), 0);
	assert_non_null(tree_find(&named, "/proc/version"));
	assert_int_equal(gather("/bin/sh", "zone=../../../etc/passwd", &out, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "TZ="));
	tree_free(&named);
	tree_free(&rule);
	tree_free(&plain);
	tree_free(&out);
}

static void a_language_that_is_a_path_is_refused(void **state UNUSED)
{
	struct tree tree = { 0 };
	struct err err = { 0 };

	assert_int_equal(gather("/bin/sh", "messages=C.UTF-8 language=../x", &tree, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "LANGUAGE=../x"));
	tree_free(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_locale_is_looked_for_under_these_names),
		cmocka_unit_test(aliases_are_words_of_a_line),
		cmocka_unit_test(modules_are_found_by_alias_and_by_name),
		cmocka_unit_test(a_catalogue_names_its_character_set),
		cmocka_unit_test(needs_follow_variables_and_arguments),
		cmocka_unit_test(a_character_set_brings_its_module_and_what_that_loads),
		cmocka_unit_test(a_zone_is_a_file_or_a_rule),
		cmocka_unit_test(a_language_that_is_a_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
