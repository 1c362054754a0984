/*
 * toolchain_data.c - files that are read because a variable or an argument
 * says so.
 *
 * Measured with strace: gcc 11 and 12, the gcc 12 for aarch64 and gas 2.40 set
 * LC_CTYPE and LC_MESSAGES and no other category; they read locale.alias, the
 * two files of the locale (or the archive), gconv-modules.cache, one catalogue
 * each, and the gconv module between the catalogue's character set and the
 * locale's. clang 14 sets no locale and reads nothing but its libraries: of its
 * resource directory a -cc1 of preprocessed text asks only whether it is there,
 * or reads a sanitizer's ignore list, which keeps the command here. Specs
 * are read by drivers, which stay with the caller. No zone is read but
 * for __DATE__ and __TIME__.
 *
 * Translations get into objects: `g++ -g` names the file <built-in>, in the
 * caller's language, in .debug_line_str. Without a catalogue of the compiler
 * nothing of a locale does: gcc 11, which had none, makes the same objects in C,
 * C.UTF-8, de_DE.UTF-8, de_DE.ISO-8859-1, tr_TR.UTF-8 and ja_JP.EUC-JP, of C and
 * C++, with debugging information, LTO and sanitizers; and gcc 12 with its
 * catalogues differs in that one name only, gas and clang in none. So
 * for outputs the locale counts only with such a catalogue, and a volunteer
 * needs neither en_US.UTF-8 nor a large archive for nothing.
 *
 * Directories are read from the programs and their libc themselves, which were
 * built with them.
 */
#include "toolchain_data.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "data_names.h"
#include "environment.h"

enum { ALIAS_MAX = 1 << 20, MODULES_MAX = 4 << 20 };

/* Catalogues, by program. A version is that of the compiler: Debian has gcc-12.mo, others gcc.mo. */
static const struct {
	const char *program, *domain;
	bool versioned;
	enum data_scope scope;
} catalogues[] = {
	{ "cc1", "gcc", true, DATA_OUTPUT },
	{ "cc1", "cpplib", true, DATA_OUTPUT },
	{ "as", "gas", false, DATA_ALL },
	{ "as", "bfd", false, DATA_ALL },
	{ "as", "opcodes", false, DATA_ALL },
	{ "", "libc", false, DATA_ALL },
};

static const struct {
	const char *need, *file;
} locale_files[] = {
	{ "ctype=", "LC_CTYPE" },
	{ "messages=", "LC_MESSAGES/SYS_LC_MESSAGES" },
};

/* Arguments that name a character set. */
static const char *const charset_options[] = { "-fexec-charset=", "-finput-charset=", "-fwide-exec-charset=" };

struct gathering {
	const struct elf_search *search;
	const struct argv *programs;
	const struct argv *needs;
	struct argv program_dirs;	/* the programs' own: /usr/share/locale */
	struct argv locale_dirs;	/* the C library's: that, and /usr/lib/locale */
	struct argv gconv_dirs;
	struct argv charsets;		/* to be converted from or to */
	struct buf aliases;
	enum data_scope scope;
	bool translated;		/* a catalogue was found */
	bool aliased;			/* a locale goes by a name of locale.alias */
};

/* Needs */

/* The locale of a category as setlocale() finds it; NULL: C, whose data is in the C library. */
static const char *locale_of(const struct argv *env, const char *category)
{
	const char *const names[] = { "LC_ALL", category, "LANG" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = environment_get(env, names[i]);

		if (value && *value)
			return str_eq(value, "C") || str_eq(value, "POSIX") || strchr(value, '/') ? NULL : value;
	}
	return NULL;
}

static void need_charsets(const struct job *job, struct argv *needs)
{
	for (size_t i = 0; i < job->step_count; i++)
		for (size_t k = 0; k < job->steps[i].argv.count; k++)
			for (size_t o = 0; o < ARRAY_LEN(charset_options); o++)
				if (str_starts(job->steps[i].argv.v[k], charset_options[o]))
					argv_pushf(needs, "charset=%s", strchr(job->steps[i].argv.v[k], '=') + 1);
}

void data_needs(const struct job *job, const struct argv *env, enum data_scope scope, struct argv *needs)
{
	const char *ctype = locale_of(env, "LC_CTYPE"), *messages = locale_of(env, "LC_MESSAGES");
	const char *language = environment_get(env, "LANGUAGE"), *zone = environment_get(env, "TZ");

	if (ctype && (messages || scope == DATA_ALL))
		argv_pushf(needs, "ctype=%s", ctype);
	if (messages)
		argv_pushf(needs, "messages=%s", messages);
	if (messages && language && *language)
		argv_pushf(needs, "language=%s", language);
	need_charsets(job, needs);
	if (scope == DATA_ALL)
		argv_pushf(needs, "zone=%s", zone ? zone : "/etc/localtime");
}

/* The value of one need, or NULL. */
static const char *need(const struct argv *needs, const char *key)
{
	for (size_t i = 0; i < needs->count; i++)
		if (str_starts(needs->v[i], key))
			return needs->v[i] + strlen(key);
	return NULL;
}

/* Directories */

/* Strings in a program that are absolute paths with this end. */
static void paths_ending(const char *p, size_t len, const char *end, struct argv *out)
{
	size_t end_len = strlen(end) + 1;
	const char *at = p, *limit = p + len;

	while ((at = memmem(at, (size_t)(limit - at), end, end_len))) {
		const char *start = at;

		while (start > p && start[-1])
			start--;
		if (*start == '/' && !argv_has(out, start))
			argv_push(out, start);
		at += end_len;
	}
}

static int scan(const char *path, struct argv *locale_dirs, struct argv *gconv_dirs, struct err *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "%s", path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(err, "%s", path);
	paths_ending(p, (size_t)st.st_size, "/locale", locale_dirs);
	if (gconv_dirs)
		paths_ending(p, (size_t)st.st_size, "/gconv", gconv_dirs);
	munmap(p, (size_t)st.st_size);
	return 0;
}

static int find_directories(struct gathering *g, struct err *err)
{
	const struct tree *t = g->search->tree;
	int rc = 0;

	for (size_t i = 0; i < g->programs->count && rc == 0; i++)
		rc = scan(g->programs->v[i], &g->program_dirs, NULL, err);
	for (size_t i = 0; i < t->count && rc == 0; i++)
		if (t->entries[i].type == TREE_FILE && str_starts(path_base(t->entries[i].path), "libc.so"))
			rc = scan(t->entries[i].path, &g->locale_dirs, &g->gconv_dirs, err);
	return rc;
}

/* Files */

/* 1: it is there. to_tree false: it is only looked for, so that its coming is noticed. */
static int take(struct gathering *g, const char *path, bool to_tree, struct buf *text, size_t max, struct err *err)
{
	int rc = elf_search_file(g->search, path, to_tree, text, max, err);

	return rc == ERR_ABSENT ? 0 : rc < 0 ? rc : 1;
}

static int take_aliases(struct gathering *g, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < g->locale_dirs.count && rc >= 0; i++) {
		autofree char *path = xasprintf("%s/locale.alias", g->locale_dirs.v[i]);

		rc = take(g, path, false, &g->aliases, ALIAS_MAX, err);
	}
	return rc < 0 ? rc : 0;
}

static void variants(struct gathering *g, const char *locale, struct argv *names)
{
	autofree char *alias = locale_alias(buf_str(&g->aliases), locale);

	locale_variants(alias ? alias : locale, names);
	if (alias)
		g->aliased = true;
}

static bool in_force(const char *locale)
{
	locale_t l = newlocale(LC_MESSAGES_MASK, locale, (locale_t)0);

	if (l)
		freelocale(l);
	return l;
}

/* Catalogues */

/* "-12" of .../12.2.0/cc1; caller frees. */
static char *version_of(const char *program)
{
	autofree char *dir = xstrndup(program, (size_t)(path_base(program) - program));
	const char *version;

	dir[strlen(dir) - (strlen(dir) > 0)] = 0;
	version = path_base(dir);
	return xasprintf("-%.*s", (int)strspn(version, "0123456789"), version);
}

/* The row's catalogues for one program. */
static void domains_of(size_t row, const char *program, struct argv *domains)
{
	const char *base = path_base(program), *name = catalogues[row].program;
	autofree char *version = version_of(program);

	if (!str_starts(base, name) && !str_ends(base, name))
		return;
	argv_push(domains, catalogues[row].domain);
	if (catalogues[row].versioned)
		argv_pushf(domains, "%s%s", catalogues[row].domain, version);
}

static int take_catalogue(struct gathering *g, const char *dir, const char *name, const char *domain, struct err *err)
{
	autofree char *path = xasprintf("%s/%s/LC_MESSAGES/%s.mo", dir, name, domain), *charset = NULL;
	autobuf struct buf text = { 0 };
	int rc = take(g, path, true, &text, SIZE_MAX, err);

	if (rc <= 0)
		return rc;
	g->translated = true;
	charset = catalogue_charset(text.p, text.len);
	if (charset)
		argv_push(&g->charsets, charset);
	return 0;
}

/* LANGUAGE is a list, and comes before the locale. */
static void languages(struct gathering *g, struct argv *names)
{
	const char *list = need(g->needs, "language=");

	while (list && *list) {
		autofree char *one = xstrndup(list, strcspn(list, ":"));

		if (*one)
			variants(g, one, names);
		list += strlen(one) + (list[strlen(one)] != 0);
	}
	variants(g, need(g->needs, "messages="), names);
}

static int take_row(struct gathering *g, size_t row, const struct argv *names, struct err *err)
{
	const struct argv *dirs = *catalogues[row].program ? &g->program_dirs : &g->locale_dirs;
	autoargv struct argv domains = { 0 };
	int rc = 0;

	for (size_t i = 0; i < g->programs->count; i++)
		domains_of(row, g->programs->v[i], &domains);
	for (size_t d = 0; d < dirs->count; d++)
		for (size_t n = 0; n < names->count; n++)
			for (size_t i = 0; i < domains.count && rc == 0; i++)
				rc = take_catalogue(g, dirs->v[d], names->v[n], domains.v[i], err);
	return rc;
}

static int take_catalogues(struct gathering *g, struct err *err)
{
	autoargv struct argv names = { 0 };
	int rc = 0;

	languages(g, &names);
	for (size_t i = 0; i < ARRAY_LEN(catalogues) && rc == 0; i++)
		if (catalogues[i].scope <= g->scope)
			rc = take_row(g, i, &names, err);
	return rc;
}

/* Locales */

static int take_locale(struct gathering *g, const char *dir, size_t row, bool to_tree, struct err *err)
{
	const char *locale = need(g->needs, locale_files[row].need);
	autoargv struct argv names = { 0 };
	int rc = 0;

	if (locale)
		variants(g, locale, &names);
	for (size_t i = 0; i < names.count && rc >= 0; i++) {
		autofree char *path = xasprintf("%s/%s/%s", dir, names.v[i], locale_files[row].file);

		rc = take(g, path, to_tree, NULL, 0, err);
	}
	return rc < 0 ? rc : 0;
}

/* What is one file for all locales. */
static int take_shared(struct gathering *g, const char *dir, bool to_tree, struct err *err)
{
	autofree char *archive = xasprintf("%s/locale-archive", dir), *aliases = xasprintf("%s/locale.alias", dir);
	int rc = take(g, archive, to_tree, NULL, 0, err);

	return rc < 0 ? rc : take(g, aliases, to_tree && g->aliased, NULL, 0, err);
}

static int take_locales(struct gathering *g, bool to_tree, struct err *err)
{
	int rc = 0;

	for (size_t d = 0; d < g->locale_dirs.count && rc >= 0; d++) {
		for (size_t i = 0; i < ARRAY_LEN(locale_files) && rc >= 0; i++)
			rc = take_locale(g, g->locale_dirs.v[d], i, to_tree, err);
		if (rc >= 0)
			rc = take_shared(g, g->locale_dirs.v[d], to_tree, err);
	}
	return rc < 0 ? rc : 0;
}

static void need_codeset(struct gathering *g)
{
	const char *ctype = need(g->needs, "ctype=");
	locale_t l = ctype ? newlocale(LC_CTYPE_MASK, ctype, (locale_t)0) : (locale_t)0;

	if (!l)
		return;
	argv_push(&g->charsets, nl_langinfo_l(CODESET, l));
	freelocale(l);
}

static int gather_locale(struct gathering *g, struct err *err)
{
	const char *messages = need(g->needs, "messages="), *language = need(g->needs, "language=");
	bool wanted;
	int rc = take_aliases(g, err);

	/* a way through directories, which a tree would have to hold */
	if (language && strchr(language, '/'))
		return err_set(err, ERR_UNSUPPORTED, "LANGUAGE=%s names a path", language);
	if (rc == 0 && messages && in_force(messages))
		rc = take_catalogues(g, err);
	wanted = g->translated || g->scope == DATA_ALL;
	if (rc == 0)
		rc = take_locales(g, wanted, err);
	if (wanted)
		need_codeset(g);
	return rc;
}

/* Character sets */

/*
 * What describes the modules of a directory. With the cache the C library reads
 * neither of the others, which say the same.
 */
static int take_descriptions(struct gathering *g, const char *dir, bool to_tree, struct buf *text, struct err *err)
{
	static const char *const files[] = { "gconv-modules.cache", "gconv-modules",
					     "gconv-modules.d/gconv-modules-extra.conf" };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(files) && rc >= 0; i++) {
		autofree char *path = xasprintf("%s/%s", dir, files[i]);

		rc = take(g, path, to_tree, i ? text : NULL, MODULES_MAX, err);
	}
	return rc < 0 ? rc : 0;
}

/* What the C library converts by itself needs nothing. */
static int take_modules(struct gathering *g, const char *dir, struct err *err)
{
	autoargv struct argv modules = { 0 }, paths = { 0 };
	autobuf struct buf text = { 0 };
	int rc = take_descriptions(g, dir, false, &text, err);

	for (size_t i = 0; i < g->charsets.count; i++)
		gconv_modules(buf_str(&text), g->charsets.v[i], &modules);
	for (size_t i = 0; i < modules.count; i++)
		argv_pushf(&paths, "%s/%s", dir, modules.v[i]);
	if (rc == 0 && paths.count)
		rc = take_descriptions(g, dir, true, NULL, err);
	if (rc == 0 && paths.count)
		rc = elf_closure_add(g->search, g->programs->v[0], &paths, err);
	return rc;
}

static int gather_charsets(struct gathering *g, struct err *err)
{
	int rc = 0;

	for (size_t d = 0; d < g->gconv_dirs.count && rc == 0; d++)
		rc = take_modules(g, g->gconv_dirs.v[d], err);
	return rc;
}

/* Zone */

/* A name of a file, or a rule such as CET-1CEST, for which there is none. */
static int gather_zone(struct gathering *g, const char *zone, struct err *err)
{
	autofree char *path = NULL;
	int rc;

	zone += *zone == ':';
	if (strstr(zone, ".."))
		return err_set(err, ERR_UNSUPPORTED, "TZ=%s leaves its directory", zone);
	path = *zone == '/' ? xstrdup(zone) : xasprintf("/usr/share/zoneinfo/%s", *zone ? zone : "Universal");
	rc = take(g, path, true, NULL, 0, err);
	return rc < 0 ? rc : 0;
}

static int gather(struct gathering *g, struct err *err)
{
	const char *zone = need(g->needs, "zone=");
	int rc = find_directories(g, err);

	for (size_t i = 0; i < g->needs->count; i++)
		if (str_starts(g->needs->v[i], "charset="))
			argv_push(&g->charsets, strchr(g->needs->v[i], '=') + 1);
	if (rc == 0 && (need(g->needs, "ctype=") || need(g->needs, "messages=")))
		rc = gather_locale(g, err);
	if (rc == 0 && g->charsets.count)
		rc = gather_charsets(g, err);
	if (rc == 0 && zone)
		rc = gather_zone(g, zone, err);
	return rc;
}

int toolchain_data_add(const struct elf_search *search, const struct argv *programs, const struct argv *needs,
		       struct err *err)
{
	struct gathering g = { .search = search, .programs = programs, .needs = needs,
			       .scope = need(needs, "zone=") ? DATA_ALL : DATA_OUTPUT };
	/* only for all that may be read is the zone a need */
	int rc = needs->count ? gather(&g, err) : 0;

	argv_free(&g.program_dirs);
	argv_free(&g.locale_dirs);
	argv_free(&g.gconv_dirs);
	argv_free(&g.charsets);
	buf_free(&g.aliases);
	return rc;
}

bool toolchain_data_translates(const struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->entries[i].type == TREE_FILE && str_ends(tree->entries[i].path, ".mo"))
			return true;
	return false;
}
