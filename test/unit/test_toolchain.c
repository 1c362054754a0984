/*
 * test_toolchain.c - closures, held against what the real loader does.
 *
 * The loader of this machine is the judge: for the running test itself it is
 * asked what it mapped; for programs made here the exit status says which of
 * two libraries of one name it took.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "toolchain.h"

static char dir[PATH_MAX];	/* real, as in the trees */

/* Options of the linker: which kind of search path, and its value behind. */
#define RUNPATH "-Wl,--allow-shlib-undefined,--enable-new-dtags,-rpath,"
#define RPATH "-Wl,--allow-shlib-undefined,--disable-new-dtags,-rpath,"

static int shell(const char *fmt, va_list ap)
{
	char *command = NULL;
	autofree char *whole = NULL;
	int status;

	assert_true(vasprintf(&command, fmt, ap) >= 0);
	whole = xasprintf("cd '%s' && { %s; } 2>err", dir, command);
	free(command);
	status = system(whole);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static PRINTF_LIKE(1, 2) int status_of(const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = shell(fmt, ap);
	va_end(ap);
	return status;
}

static PRINTF_LIKE(1, 2) void must(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	assert_int_equal(shell(fmt, ap), 0);
	va_end(ap);
}

/*
 * one/libw.so and two/libw.so differ in what which() returns; main returns
 * it; libmid.so asks libw.so in its turn; odd/libw.so is one/libw.so, marked as
 * for another machine; static does nothing.
 */
static int setup(void **state UNUSED)
{
	char template[] = "/tmp/rcc-test-XXXXXX";

	assert_non_null(mkdtemp(template));
	assert_non_null(realpath(template, dir));
	must("mkdir one two mid odd");
	must("echo 'int which(void) { return N; }' >w.c");
	must("echo 'int which(void); int main(void) { return which(); }' >main.c");
	must("echo 'int which(void); int mid(void) { return which(); }' >mid.c");
	must("echo 'int mid(void); int main(void) { return mid(); }' >main_mid.c");
	must("echo 'void _start(void) { for (;;) ; }' >static.c");
	must("cc -shared -fPIC -DN=1 -Wl,-soname,libw.so -o one/libw.so w.c");
	must("cc -shared -fPIC -DN=2 -Wl,-soname,libw.so -o two/libw.so w.c");
	must("cp one/libw.so odd/libw.so && printf '\\003' | dd of=odd/libw.so bs=1 seek=18 conv=notrunc");
	must("cc -shared -fPIC -Wl,-soname,libmid.so -o mid/libmid.so mid.c one/libw.so");
	must("cc -static -nostdlib -fno-stack-protector -o static static.c");
	return 0;
}

static int teardown(void **state UNUSED)
{
	must("rm -r '%s'", dir);
	return 0;
}

/* The toolchain of one program below dir, or of an absolute one. */
static int find(struct toolchains *ts, const char *program, const struct toolchain **out, struct err *err)
{
	autoargv struct argv programs = { 0 };

	if (program[0] == '/')
		argv_push(&programs, program);
	else
		argv_pushf(&programs, "%s/%s", dir, program);
	return toolchain_find(ts, &programs, NULL, out, err);
}

static bool has(const struct toolchain *t, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	const struct tree_entry *e = tree_find(&t->tree, path);

	return e && e->type == TREE_FILE;
}

/* The loader's choice, 1 or 2, must be the only one of the two in the tree. */
static void assert_takes(const char *program, int which)
{
	struct toolchains *ts = toolchains_new(NULL);
	const struct toolchain *t;

	assert_int_equal(status_of("./%s", program), which);
	assert_int_equal(find(ts, program, &t, NULL), 0);
	assert_int_equal(has(t, "one/libw.so"), which == 1);
	assert_int_equal(has(t, "two/libw.so"), which == 2);
	assert_false(has(t, "odd/libw.so"));
	toolchains_free(ts);
}

static void runpath_below_the_program(void **state UNUSED)
{
	must("cc -o p main.c two/libw.so " RUNPATH "'$ORIGIN/two:$ORIGIN/one'");
	assert_takes("p", 2);
	must("mkdir -p elsewhere && ln -s ../p elsewhere/link");
	assert_takes("elsewhere/link", 2);	/* the origin is where the file is, not the link */
}

static void rpath_in_order(void **state UNUSED)
{
	must("cc -o p main.c two/libw.so " RPATH "'none:%s/none::${ORIGIN}/one:%s/two'", dir, dir);
	assert_takes("p", 1);
}

static void a_library_for_another_machine_is_passed_over(void **state UNUSED)
{
	must("cc -o p main.c two/libw.so " RUNPATH "'$ORIGIN/odd:$ORIGIN/two'");
	assert_takes("p", 2);
}

static void rpath_serves_the_libraries_of_libraries(void **state UNUSED)
{
	must("cc -o p main_mid.c mid/libmid.so " RPATH "'$ORIGIN/mid:$ORIGIN/one'");
	assert_takes("p", 1);
}

static void runpath_serves_only_its_own_object(void **state UNUSED)
{
	struct toolchains *ts = toolchains_new(NULL);
	const struct toolchain *t = NULL;
	struct err err = { 0 };

	must("cc -o p main_mid.c mid/libmid.so " RUNPATH "'$ORIGIN/mid:$ORIGIN/one'");
	assert_int_equal(status_of("./p"), 127);
	assert_int_equal(find(ts, "p", &t, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "libw.so"));
	assert_null(t);
	toolchains_free(ts);
}

static void a_name_already_loaded_is_not_searched_again(void **state UNUSED)
{
	must("cc -shared -fPIC -Wl,-soname,libown.so -o mid/libown.so mid.c one/libw.so "
	     RUNPATH "'$ORIGIN/../one'");
	must("cc -o p main_mid.c -Wl,--no-as-needed mid/libown.so two/libw.so "
	     RUNPATH "'$ORIGIN/mid:$ORIGIN/two'");
	assert_takes("p", 2);
}

/* Where a path leads when there is nothing but the tree. */
static const struct tree_entry *follow_in_tree(const struct tree *t, const char *path)
{
	autofree char *todo = xstrdup(path);

	for (size_t i = 1, links = 0; links < 40; i++) {
		char saved = todo[i];
		const struct tree_entry *e;
		char *next, *dir_end;

		if (saved && saved != '/')
			continue;
		todo[i] = 0;
		e = tree_find(t, todo);
		if (e && e->type == TREE_LINK) {
			dir_end = strrchr(todo, '/');
			next = e->target[0] == '/' ? xasprintf("%s%s%s", e->target, saved ? "/" : "", saved ? todo + i + 1 : "")
				: xasprintf("%.*s/%s%s%s", (int)(dir_end - todo), todo, e->target,
					    saved ? "/" : "", saved ? todo + i + 1 : "");
			free(todo);
			todo = next;
			i = 0;
			links++;
		} else if (!saved) {
			return e;
		} else {
			todo[i] = saved;
		}
	}
	return NULL;
}

/* One mapped file, if the loader did it: in the tree, and reached there by the name the loader has for it. */
static bool check_mapped(const struct tree *tree, const char *real, void *address)
{
	const struct tree_entry *e = tree_find(tree, real);
	Dl_info info;

	if (!dladdr(address, &info))
		return false;
	assert_non_null(e);
	assert_int_equal(e->type, TREE_FILE);
	/* the program's own name is relative; .. in an RPATH leads through directories, which a tree has none of */
	if (info.dli_fname[0] == '/' && !strstr(info.dli_fname, ".."))
		assert_ptr_equal(follow_in_tree(tree, info.dli_fname), e);
	return true;
}

/* Checks each mapped file once; the lines of one file follow each other. Their count. */
static size_t check_maps(const struct tree *tree)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128], path[PATH_MAX], last[PATH_MAX] = "";
	size_t count = 0;
	void *address;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps))
		if (sscanf(line, "%p-%*s %*s %*s %*s %*s %4095[^\n]", &address, path) == 2 && path[0] == '/' &&
		    !str_eq(path, last)) {
			count += check_mapped(tree, path, address);
			strcpy(last, path);
		}
	fclose(maps);
	return count;
}

static void the_closure_of_this_test_is_what_is_mapped(void **state UNUSED)
{
	autofree char *self = realpath("/proc/self/exe", NULL);
	struct toolchains *ts = toolchains_new(NULL);
	const struct toolchain *t;
	size_t files = 0;

	assert_int_equal(find(ts, self, &t, NULL), 0);
	/* musl's loader reads a text file besides */
	for (size_t i = 0; i < t->tree.count; i++)
		files += t->tree.entries[i].type == TREE_FILE && !str_ends(t->tree.entries[i].path, ".path");
	assert_int_equal(check_maps(&t->tree), files);
	toolchains_free(ts);
}

static void a_static_program_is_its_own_closure(void **state UNUSED)
{
	struct toolchains *ts = toolchains_new(NULL);
	const struct toolchain *t;

	assert_int_equal(find(ts, "static", &t, NULL), 0);
	assert_int_equal(t->tree.count, 1);
	assert_true(has(t, "static"));
	toolchains_free(ts);
}

static struct digest id_of(const char *program)
{
	struct toolchains *ts = toolchains_new(NULL);
	const struct toolchain *t;
	struct digest id;

	assert_int_equal(find(ts, program, &t, NULL), 0);
	id = t->id;
	toolchains_free(ts);
	return id;
}

/* As on another machine: other inodes, other times. */
static void identity_is_paths_modes_and_contents(void **state UNUSED)
{
	struct digest first, again;

	must("cp static s");
	first = id_of("s");
	must("mv s s.old && touch -d '2001-02-03' s.old && cp s.old s");
	again = id_of("s");
	assert_true(digest_eq(&first, &again));
	must("chmod 700 s");
	again = id_of("s");
	assert_false(digest_eq(&first, &again));
	must("chmod 755 s && printf x >>s");
	again = id_of("s");
	assert_false(digest_eq(&first, &again));
	must("mv s t && ln -s t s");
	again = id_of("s");
	assert_false(digest_eq(&first, &again));
}

static void a_change_on_disk_is_a_new_toolchain(void **state UNUSED)
{
	struct toolchains *ts = toolchains_new(NULL);
	const struct toolchain *before, *same, *after;

	must("rm -f s && cp static s");
	assert_int_equal(find(ts, "s", &before, NULL), 0);
	must("touch s");
	assert_int_equal(find(ts, "s", &same, NULL), 0);
	assert_ptr_equal(before, same);
	must("printf x >>s");
	assert_int_equal(find(ts, "s", &after, NULL), 0);
	assert_ptr_not_equal(before, after);
	assert_false(digest_eq(&before->id, &after->id));
	assert_int_equal(before->tree.count, 1);	/* still there for a job that has it */
	must("rm s");
	assert_int_equal(find(ts, "s", &after, NULL), ERR_IO);
	toolchains_free(ts);
}

static void order_and_repetition_do_not_matter(void **state UNUSED)
{
	struct toolchains *ts = toolchains_new(NULL);
	autoargv struct argv ab = { 0 }, bab = { 0 };
	const struct toolchain *t, *u;

	argv_push(&ab, "/bin/cat");
	argv_push(&ab, "/bin/ls");
	argv_push(&bab, "/bin/ls");
	argv_extend(&bab, ab.v);
	assert_int_equal(toolchain_find(ts, &ab, NULL, &t, NULL), 0);
	assert_int_equal(toolchain_find(ts, &bab, NULL, &u, NULL), 0);
	assert_ptr_equal(t, u);
	assert_int_equal(t->programs.count, 2);
	toolchains_free(ts);
}

static void what_cannot_be_a_toolchain(void **state UNUSED)
{
	static const struct {
		const char *program, *names;
		int code;
	} cases[] = {
		{ "script", "not an ELF file", ERR_UNSUPPORTED },
		{ "empty", "not an ELF file", ERR_UNSUPPORTED },
		{ "one", "regular", ERR_UNSUPPORTED },
		{ "fifo", "regular", ERR_UNSUPPORTED },
		{ "absent", "absent", ERR_IO },
		{ "loop", "loop", ERR_IO },
	};
	struct toolchains *ts = toolchains_new(NULL);
	autoargv struct argv relative = { 0 }, none = { 0 };
	const struct toolchain *t;

	must("echo '#!/bin/sh' >script; : >empty; mkfifo fifo; ln -s loop loop");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(find(ts, cases[i].program, &t, &err), cases[i].code);
		assert_non_null(strstr(err.text, cases[i].names));
	}
	argv_push(&relative, "as");
	assert_int_equal(toolchain_find(ts, &relative, NULL, &t, NULL), ERR_UNSUPPORTED);
	assert_int_equal(toolchain_find(ts, &none, NULL, &t, NULL), ERR_UNSUPPORTED);
	toolchains_free(ts);
}

static void labels_are_made_from_paths(void **state UNUSED)
{
	static const struct {
		const char *programs[2], *label;
	} cases[] = {
		{ { "gcc/none-unknown-elf/12/cc1", "bin/as" }, "gcc 12 none-unknown-elf (as, cc1)" },
		{ { "gcc/plain/12.2.0/cc1plus", NULL }, "gcc 12.2.0 (cc1plus)" },
		{ { "bin/clang", NULL }, "clang 14 (clang)" },
		{ { "bin/as", NULL }, "binutils (as)" },
		{ { "bin/foo", NULL }, "programs (foo)" },
	};
	struct toolchains *ts = toolchains_new(NULL);

	must("mkdir -p gcc/none-unknown-elf/12 gcc/plain/12.2.0 llvm-14/bin bin");
	must("for p in gcc/none-unknown-elf/12/cc1 gcc/plain/12.2.0/cc1plus llvm-14/bin/clang bin/as bin/foo; do "
	     "cp static $p; done");
	must("ln -s ../llvm-14/bin/clang bin/clang");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autoargv struct argv programs = { 0 };
		const struct toolchain *t;

		for (size_t k = 0; k < 2 && cases[i].programs[k]; k++)
			argv_pushf(&programs, "%s/%s", dir, cases[i].programs[k]);
		assert_int_equal(toolchain_find(ts, &programs, NULL, &t, NULL), 0);
		assert_string_equal(t->label, cases[i].label);
	}
	toolchains_free(ts);
}

/* Each compiler of this machine, by version and target. */
static void compilers_side_by_side_are_toolchains_of_their_own(void **state UNUSED)
{
	struct toolchains *ts = toolchains_new(NULL);
	const struct toolchain *found[32] = { NULL };
	size_t count = 0;
	glob_t g = { 0 };

	glob("/usr/lib/gcc*/*/*/cc1*", 0, NULL, &g);
	glob("/usr/libexec/gcc/*/*/cc1*", GLOB_APPEND, NULL, &g);
	glob("/usr/lib/llvm-*/bin/clang", GLOB_APPEND, NULL, &g);
	for (size_t i = 0; i < g.gl_pathc && count < ARRAY_LEN(found); i++) {
		autofree char *real = realpath(g.gl_pathv[i], NULL), *version = NULL;
		const struct toolchain *t;
		const char *number;

		if (find(ts, real, &t, NULL) < 0)
			continue;
		for (size_t k = 0; k < count; k++)
			assert_true(t == found[k] || !digest_eq(&t->id, &found[k]->id));
		number = strchr(t->label, ' ') + 1;
		version = xasprintf("%.*s/", (int)strcspn(number, " "), number);
		assert_non_null(strstr(real, version));
		found[count++] = t;
	}
	assert_true(count > 0);
	globfree(&g);
	toolchains_free(ts);
}

static void *find_many(void *arg)
{
	const struct toolchain *first = NULL, *t;

	for (int i = 0; i < 20; i++) {
		if (find(arg, i % 2 ? "/bin/ls" : "static", &t, NULL) < 0)
			return NULL;
		if (i % 2 == 0)
			first = t;
	}
	return (void *)(uintptr_t)first;
}

static void threads_share_the_memo(void **state UNUSED)
{
	struct toolchains *ts = toolchains_new(NULL);
	pthread_t threads[4];
	void *got[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, find_many, ts), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], &got[i]), 0);
	assert_non_null(got[0]);
	for (size_t i = 1; i < ARRAY_LEN(threads); i++)
		assert_ptr_equal(got[i], got[0]);
	toolchains_free(ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runpath_below_the_program),
		cmocka_unit_test(rpath_in_order),
		cmocka_unit_test(a_library_for_another_machine_is_passed_over),
		cmocka_unit_test(rpath_serves_the_libraries_of_libraries),
		cmocka_unit_test(runpath_serves_only_its_own_object),
		cmocka_unit_test(a_name_already_loaded_is_not_searched_again),
		cmocka_unit_test(the_closure_of_this_test_is_what_is_mapped),
		cmocka_unit_test(a_static_program_is_its_own_closure),
		cmocka_unit_test(identity_is_paths_modes_and_contents),
		cmocka_unit_test(a_change_on_disk_is_a_new_toolchain),
		cmocka_unit_test(order_and_repetition_do_not_matter),
		cmocka_unit_test(what_cannot_be_a_toolchain),
		cmocka_unit_test(labels_are_made_from_paths),
		cmocka_unit_test(compilers_side_by_side_are_toolchains_of_their_own),
		cmocka_unit_test(threads_share_the_memo),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
