/*
 * test_toolchain_alone.c - programs in a root that holds their toolchain and
 * nothing else.
 *
 * The tree is laid out below a directory by binding each file, in a mount
 * namespace of the child that then makes it its root. The loader's own account
 * (LD_DEBUG, which musl's has not) of what it loaded must be the same there
 * as here. Needs root.
 */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "elf_closure.h"
#include "toolchain.h"
#include "toolchain_data.h"

enum { UNABLE = 99, ARGS_MAX = 8 };

static char dir[PATH_MAX];
static char source[PATH_MAX + 8];	/* what every program gets on stdin */
static bool able;	/* to make such a root */

static PRINTF_LIKE(1, 2) int shell(const char *fmt, ...)
{
	autofree char *whole = NULL;
	char *command = NULL;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&command, fmt, ap) >= 0);
	va_end(ap);
	whole = xasprintf("cd '%s' && { %s; } >out 2>&1", dir, command);
	free(command);
	return system(whole);
}

static void make_parents(char *path)
{
	for (char *s = strchr(path + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = 0;
		if (mkdir(path, 0755) < 0 && access(path, F_OK) < 0)
			_exit(UNABLE);
		*s = '/';
	}
}

static bool place(const struct tree_entry *e)
{
	autofree char *path = xasprintf("%s/root%s", dir, e->path);
	autoclose int fd = -1;

	make_parents(path);
	if (e->type == TREE_LINK)
		return symlink(e->target, path) == 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	return e->type == TREE_DATA ? write(fd, e->data, e->size) == (ssize_t)e->size
				    : mount(e->path, path, NULL, MS_BIND, NULL) == 0;
}

/* In a child: from here on there is nothing but the tree, in memory. */
static void enter(const struct tree *t)
{
	autofree char *root = xasprintf("%s/root", dir);

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", root, "tmpfs", 0, NULL) < 0)
		_exit(UNABLE);
	for (size_t i = 0; i < t->count; i++)
		if (!place(&t->entries[i]))
			_exit(UNABLE);
	if (chroot(root) < 0 || chdir("/") < 0)
		_exit(UNABLE);
}

/* What the program says, here or with nothing but the tree; its wait status. */
static int run(const struct tree *t, char *const *argv, char *const *env, const char *out)
{
	autofree char *path = xasprintf("%s/%s", dir, out);
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int in = open(source, O_RDONLY), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		if (in < 0 || fd < 0)
			_exit(UNABLE);
		if (t)
			enter(t);
		dup2(in, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execve(argv[0], argv, env);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int setup(void **state UNUSED)
{
	char template[] = "/tmp/rcc-test-XXXXXX", *argv[] = { (char *)"/none", NULL }, *env[] = { NULL };
	struct tree none = { 0 };

	assert_non_null(mkdtemp(template));
	assert_non_null(realpath(template, dir));
	snprintf(source, sizeof source, "%s/source", dir);
	assert_int_equal(shell("mkdir root && echo 'int f(int a) { return 3 * a; }' >source"), 0);
	able = WEXITSTATUS(run(&none, argv, env, "probe")) == 127;
	return 0;
}

static int teardown(void **state UNUSED)
{
	autofree char *command = xasprintf("rm -r '%s'", dir);

	return system(command);
}

/* The libraries that the loader says it loaded, in its order. */
static char *loaded(const char *out)
{
	autofree char *path = xasprintf("%s/%s", dir, out);
	autobuf struct buf list = { 0 };
	char line[PATH_MAX];
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		char *s = strstr(line, "calling init: ");

		if (s)
			buf_puts(&list, s);
	}
	fclose(f);
	return xstrdup(buf_str(&list));
}

/* A program of this machine by its name or by what its driver says; NULL: it has none. */
static char *program_named(const char *by)
{
	char line[PATH_MAX] = "", *real;
	FILE *p = popen(by, "re");

	assert_non_null(p);
	if (fgets(line, sizeof line, p))
		line[strcspn(line, "\n")] = 0;
	pclose(p);
	real = line[0] == '/' ? realpath(line, NULL) : NULL;
	return real;
}

static const struct tree *tree_of(struct toolchains *ts, const char *program)
{
	autoargv struct argv programs = { 0 };
	const struct toolchain *tc;
	struct err err = { 0 };

	argv_push(&programs, program);
	if (toolchain_find(ts, &programs, NULL, &tc, &err) < 0)
		fail_msg("%s", err.text);
	return &tc->tree;
}

/* The same bytes in both places, made by the same libraries. */
static void assert_alike(const struct tree *tree, char *const *argv)
{
	char *debug[] = { (char *)"LD_DEBUG=libs", NULL }, *none[] = { NULL };
	autofree char *before = NULL, *after = NULL;

	assert_int_equal(run(NULL, argv, none, "here"), 0);
	assert_int_equal(run(tree, argv, none, "there"), 0);
	assert_int_equal(shell("test -s here && cmp here there"), 0);
	assert_int_equal(run(NULL, argv, debug, "here"), 0);
	assert_int_equal(run(tree, argv, debug, "there"), 0);
	before = loaded("here");
	after = loaded("there");
#ifdef __GLIBC__
	assert_true(strlen(before) > 0);
#endif
	assert_string_equal(before, after);
}

#define GCC "-quiet", "-fpreprocessed", "-O2", "-", "-o", "-"

static void compilers_run_with_their_toolchain_alone(void **state UNUSED)
{
	static const struct {
		const char *by, *args[ARGS_MAX];
	} programs[] = {
		{ "gcc -print-prog-name=cc1", { GCC } },
		{ "g++ -print-prog-name=cc1plus", { GCC } },
		{ "gcc-11 -print-prog-name=cc1", { GCC } },
		{ "command -v as", { "--version" } },
		{ "command -v clang", { "-cc1", "-emit-obj", "-o", "-", "-x", "cpp-output", "-" } },
		{ "command -v clang++", { "-cc1", "-emit-obj", "-o", "-", "-x", "c++-cpp-output", "-" } },
		{ "aarch64-linux-gnu-gcc -print-prog-name=cc1", { GCC } },
		{ "aarch64-linux-gnu-g++ -print-prog-name=cc1plus", { GCC } },
		{ "command -v aarch64-linux-gnu-as", { "--version" } },
	};
	struct toolchains *ts;
	size_t ran = 0;

	if (!able)
		skip();
	ts = toolchains_new(NULL);
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		autofree char *program = program_named(programs[i].by);
		char *argv[ARGS_MAX + 2] = { program };

		memcpy(argv + 1, programs[i].args, sizeof programs[i].args);
		if (!program)
			continue;
		assert_alike(tree_of(ts, program), argv);
		ran++;
	}
	assert_true(ran >= 3);
	toolchains_free(ts);
}

/* A program whose library only an ld.so.cache names, made by this machine's ldconfig. */
static bool make_cached(void)
{
	assert_int_equal(shell("mkdir -p lib only conf.d && echo '%s/only' >conf.d/only.conf && "
			       "echo 'include %s/conf.d/*.conf' >conf", dir, dir), 0);
	assert_int_equal(shell("echo 'int f(void) { return 7; }' >f.c && "
			       "cc -shared -fPIC -Wl,-soname,librcconly.so.1 -o only/librcconly.so.1 f.c && "
			       "echo 'int f(void); int main(void) { return f(); }' >main.c && "
			       "cc -o main main.c only/librcconly.so.1"), 0);
	return shell("PATH=$PATH:/sbin:/usr/sbin ldconfig -X -C '%s/cache' -f '%s/conf'", dir, dir) == 0;
}

static void a_library_that_only_the_cache_names_is_found(void **state UNUSED)
{
	char program[PATH_MAX + 8], cache[PATH_MAX + 8], *argv[] = { program, NULL }, *env[] = { NULL };
	struct ldcache_rows cached = { 0 };
	struct trail trail = { 0 };
	struct tree tree = { 0 };
	struct elf_search search = { .tree = &tree, .cached = &cached, .trail = &trail, .ldcache = cache };
	autobuf struct buf bytes = { 0 };

	if (!able || !make_cached())
		skip();
	search.digests = digest_cache_new(NULL, 64);
	snprintf(program, sizeof program, "%s/main", dir);
	snprintf(cache, sizeof cache, "%s/cache", dir);
	assert_int_equal(elf_closure_add(&search, program, NULL, NULL), 0);
	/* without a cache in its root it does not start, so it is the cache that does it */
	assert_int_equal(WEXITSTATUS(run(&tree, argv, env, "there")), 127);
	ldcache_write(&cached, &bytes);
	tree_add_data(&tree, "/etc/ld.so.cache", 0644, bytes.p, bytes.len);
	assert_int_equal(WEXITSTATUS(run(&tree, argv, env, "there")), 7);
	tree_free(&tree);
	trail_free(&trail);
	ldcache_rows_free(&cached);
	digest_cache_free(search.digests);
}

/* A program that is taken for a compiler, and says one word in the caller's language. */
static const char speaker[] =
	"#include <libintl.h>\n#include <locale.h>\n#include <stdio.h>\n"
	"int main(void)\n{\n"
	"	setlocale(LC_CTYPE, \"\");\n	setlocale(LC_MESSAGES, \"\");\n"
	"	bindtextdomain(\"gcc-12\", LOCALES);\n	textdomain(\"gcc-12\");\n"
	"	return puts(gettext(\"built-in\")) < 0;\n}\n";

static void put_message(struct buf *table, struct buf *strings, size_t before, const char *s)
{
	put_u32(table, (uint32_t)strlen(s));
	put_u32(table, (uint32_t)(before + strings->len));
	buf_add(strings, s, strlen(s) + 1);
}

/* A catalogue of one word, in a character set that needs a module of the C library. */
static void write_catalogue(const char *name)
{
	static const char *const ids[] = { "", "built-in" };
	static const char *const words[] = { "Content-Type: text/plain; charset=ISO-8859-1\n", "eingeb\344ut" };
	enum { HEADER = 28, TABLE = 2 * 8 };
	autofree char *path = xasprintf("%s/%s", dir, name);
	autobuf struct buf all = { 0 }, table = { 0 }, strings = { 0 };
	uint32_t header[] = { 0x950412de, 0, 2, HEADER, HEADER + TABLE, 0, HEADER + 2 * TABLE };
	FILE *f = fopen(path, "we");

	for (size_t i = 0; i < ARRAY_LEN(header); i++)
		put_u32(&all, header[i]);
	for (size_t i = 0; i < 2; i++)
		put_message(&table, &strings, HEADER + 2 * TABLE, ids[i]);
	for (size_t i = 0; i < 2; i++)
		put_message(&table, &strings, HEADER + 2 * TABLE, words[i]);
	put_raw(&all, table.p, table.len);
	put_raw(&all, strings.p, strings.len);
	assert_non_null(f);
	assert_int_equal(fwrite(all.p, 1, all.len, f), all.len);
	assert_int_equal(fclose(f), 0);
}

static void make_speaker(void)
{
	autofree char *path = xasprintf("%s/speaker.c", dir);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(speaker, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(shell("mkdir -p share/locale/de/LC_MESSAGES gcc/t/12.2 && "
			       "cc -DLOCALES='\"%s/share/locale\"' -o gcc/t/12.2/cc1 speaker.c", dir), 0);
}

static void assert_says(const struct tree *t, char *const *argv, char *const *env, const char *want)
{
	autofree char *path = xasprintf("%s/said", dir);
	char line[80] = "";
	FILE *f;

	assert_int_equal(run(t, argv, env, "said"), 0);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	assert_string_equal(line, want);
}

static const struct toolchain *speaking(struct toolchains *ts, const char *program, char *const *env)
{
	autoargv struct argv programs = { 0 }, needs = { 0 }, variables = { 0 };
	const struct toolchain *tc;
	struct job job = { 0 };
	struct err err = { 0 };

	argv_push(&programs, program);
	argv_extend(&variables, env);
	data_needs(&job, &variables, DATA_OUTPUT, &needs);
	if (toolchain_find(ts, &programs, &needs, &tc, &err) < 0)
		fail_msg("%s", err.text);
	return tc;
}

static bool has_locale(void)
{
	return shell("locale -a | grep -qi '^C.utf-*8$' && ldconfig -p") == 0;
}

static void the_callers_language_comes_along(void **state UNUSED)
{
	char program[PATH_MAX + 16], *argv[] = { program, NULL };
	char *german[] = { (char *)"LANG=C.UTF-8", (char *)"LANGUAGE=de_AT:fr", NULL }, *c[] = { (char *)"LANGUAGE=de", NULL };
	const struct toolchain *with, *without, *before;
	struct toolchains *ts;

	if (!able || !has_locale())
		skip();
	ts = toolchains_new(NULL);
	snprintf(program, sizeof program, "%s/gcc/t/12.2/cc1", dir);
	make_speaker();
	before = speaking(ts, program, german);
	assert_false(before->translates);
	write_catalogue("share/locale/de/LC_MESSAGES/gcc-12.mo");
	with = speaking(ts, program, german);
	without = speaking(ts, program, c);
	assert_true(with->translates);
	assert_false(without->translates);
	assert_ptr_equal(before, without);	/* no locale at all where none can matter */
	assert_says(NULL, argv, german, "eingeb\303\244ut\n");
	assert_says(&with->tree, argv, german, "eingeb\303\244ut\n");
	assert_says(&without->tree, argv, german, "built-in\n");
	toolchains_free(ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compilers_run_with_their_toolchain_alone),
		cmocka_unit_test(a_library_that_only_the_cache_names_is_found),
		cmocka_unit_test(the_callers_language_comes_along),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
