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

enum { UNABLE = 99, ARGS_MAX = 8 };

static char dir[PATH_MAX];
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
		int in = open("/dev/null", O_RDONLY), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

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
	assert_int_equal(shell("mkdir root"), 0);
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
	struct buf list = { 0 };
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
	if (toolchain_find(ts, &programs, &tc, &err) < 0)
		fail_msg("%s", err.text);
	return &tc->tree;
}

/* In both places alike, and it must be something. */
static void assert_alike(const struct tree *tree, char *const *argv)
{
	char *env[] = { (char *)"LD_DEBUG=libs", NULL };
	int here = run(NULL, argv, env, "here"), there = run(tree, argv, env, "there");
	autofree char *before = loaded("here"), *after = loaded("there");

	assert_int_equal(here, 0);
	assert_int_equal(there, 0);
#ifdef __GLIBC__
	assert_true(strlen(before) > 0);
#endif
	assert_string_equal(before, after);
}

static void compilers_run_with_their_toolchain_alone(void **state UNUSED)
{
	static const struct {
		const char *by, *args[ARGS_MAX];
	} programs[] = {
		{ "gcc -print-prog-name=cc1", { "--version" } },
		{ "g++ -print-prog-name=cc1plus", { "--version" } },
		{ "command -v as", { "--version" } },
		{ "command -v clang", { "-cc1", "-version" } },
		{ "aarch64-linux-gnu-gcc -print-prog-name=cc1", { "--version" } },
		{ "command -v aarch64-linux-gnu-as", { "--version" } },
	};
	struct toolchains *ts;
	size_t ran = 0;

	if (!able)
		skip();
	ts = toolchains_new();
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
	search.digests = digest_memo_new(64);
	snprintf(program, sizeof program, "%s/main", dir);
	snprintf(cache, sizeof cache, "%s/cache", dir);
	assert_int_equal(elf_closure_add(&search, program, NULL), 0);
	/* without a cache in its root it does not start, so it is the cache that does it */
	assert_int_equal(WEXITSTATUS(run(&tree, argv, env, "there")), 127);
	ldcache_write(&cached, &bytes);
	tree_add_data(&tree, "/etc/ld.so.cache", 0644, bytes.p, bytes.len);
	assert_int_equal(WEXITSTATUS(run(&tree, argv, env, "there")), 7);
	tree_free(&tree);
	trail_free(&trail);
	ldcache_rows_free(&cached);
	digest_memo_free(search.digests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compilers_run_with_their_toolchain_alone),
		cmocka_unit_test(a_library_that_only_the_cache_names_is_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
