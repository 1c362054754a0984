/*
 * test_invoke.c - what was typed, for rcc itself and at a glance for the compiler.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>

#include "invoke.h"
#include "quick.h"
#include "request.h"

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static void options_are_read(void **state UNUSED)
{
	struct invoke in;

	invoke_read(&in, WORDS("rcc", "--hosts", "--json"));
	assert_int_equal(in.kind, INVOKE_QUERY);
	assert_int_equal(in.query, QUERY_HOSTS);
	assert_true(in.json);
	invoke_read(&in, WORDS("rcc", "--zero-stats"));
	assert_int_equal(in.query, QUERY_ZERO_STATS);
	assert_false(in.json);
	invoke_read(&in, WORDS("rcc", "--watch"));
	assert_int_equal(in.kind, INVOKE_QUERY);
	assert_int_equal(in.query, QUERY_WATCH);
	invoke_read(&in, WORDS("rcc", "--install-links", "d"));
	assert_int_equal(in.kind, INVOKE_LINKS);
	assert_string_equal(in.dir, "d");
}

static void commands_are_left_alone(void **state UNUSED)
{
	char **typed = WORDS("/usr/bin/rcc", "gcc", "--version"), **named = WORDS("/l/x86_64-linux-gnu-gcc-12", "--hosts");
	char **explained = WORDS("rcc", "--explain", "--json", "cc", "--json");
	struct invoke in;

	invoke_read(&in, typed);
	assert_int_equal(in.kind, INVOKE_COMMAND);
	assert_false(in.masquerade);
	assert_ptr_equal(in.words, typed + 1);
	invoke_read(&in, named);
	assert_int_equal(in.kind, INVOKE_COMMAND);
	assert_true(in.masquerade);
	assert_ptr_equal(in.words, named);
	invoke_read(&in, explained);
	assert_int_equal(in.kind, INVOKE_EXPLAIN);
	assert_true(in.json);
	assert_ptr_equal(in.words, explained + 3);
}

static void what_is_wrong_is_named(void **state UNUSED)
{
	static const struct {
		char *words[4];
		const char *complaint;
	} wrong[] = {
		{ { "rcc" }, "usage: rcc COMPILER" },
		{ { "rcc", "--foo" }, "unknown option '--foo'" },
		{ { "rcc", "-c" }, "unknown option '-c'" },
		{ { "rcc", "-" }, "unknown option '-'" },
		{ { "rcc", "--json" }, "unknown option '--json'" },
		{ { "rcc", "--hosts", "alder" }, "--hosts: unexpected 'alder'" },
		{ { "rcc", "--version", "--json" }, "--version: unexpected '--json'" },
		{ { "rcc", "--explain" }, "--explain needs a compiler command" },
		{ { "rcc", "--explain", "--json" }, "--explain needs a compiler command" },
		{ { "rcc", "--install-links" }, "--install-links needs a directory" },
	};
	struct invoke in;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		invoke_read(&in, (char **)wrong[i].words);
		assert_int_equal(in.kind, INVOKE_WRONG);
		if (!str_starts(in.complaint, wrong[i].complaint))
			fail_msg("'%s', not '%s'", in.complaint, wrong[i].complaint);
	}
}

static void the_table_is_sorted_and_whole(void **state UNUSED)
{
	for (size_t i = 0; i < quick_word_count; i++) {
		const struct quick_word *row = &quick_words[i];

		assert_true(row->name[0] == '-' && row->name[1]);
		assert_true(row->compiles != (row->reason != REASON_NONE));
		if (i && strcmp(quick_words[i - 1].name, row->name) >= 0)
			fail_msg("%s must not come before %s", quick_words[i - 1].name, row->name);
	}
}

static enum reason glance(const char *line)
{
	autofree char *copy = xstrdup(line);
	autoargv struct argv argv = { 0 };
	char *rest = copy, *word;

	while ((word = strsep(&rest, " ")))
		argv_push(&argv, word);
	return quick_by_words(&argv);
}

static void words_settle_it(void **state UNUSED)
{
	static const struct {
		const char *line;
		enum reason reason;
	} lines[] = {
		{ "gcc -c a.c", REASON_NONE }, { "gcc -S a.c -o b.s", REASON_NONE }, { "gcc --compile a.c", REASON_NONE },
		{ "gcc -c -MD -MF d -MMD -MT x a.c", REASON_NONE }, { "gcc -c -", REASON_NONE },
		{ "gcc -c -dumpbase x -dumpdir y a.c", REASON_NONE }, { "gcc -c -Ex a.c", REASON_NONE },
		{ "gcc", REASON_QUERY }, { "gcc -v", REASON_QUERY }, { "gcc -c", REASON_QUERY },
		{ "gcc --version -c a.c", REASON_QUERY }, { "gcc -print-prog-name=as a.c", REASON_QUERY },
		{ "clang --help-hidden a.c", REASON_QUERY }, { "gcc -v -### -c a.c", REASON_QUERY },
		{ "gcc -dumpmachine x", REASON_QUERY }, { "clang -ccc-print-phases -c a.c", REASON_QUERY },
		{ "gcc a.o -o a", REASON_NOT_A_COMPILE }, { "gcc a.c", REASON_NOT_A_COMPILE },
		{ "gcc -E -c a.c", REASON_NOT_A_COMPILE }, { "gcc -c -M a.c", REASON_NOT_A_COMPILE },
		{ "gcc a.h", REASON_NONE }, { "gcc -x c-header a", REASON_NONE }, { "g++ -xc++-header a", REASON_NONE },
		{ "clang -x c++-module --precompile a.cc", REASON_NONE }, { "gcc a.c -include a.h", REASON_NOT_A_COMPILE },
		{ "gcc -MM a.c", REASON_NOT_A_COMPILE }, { "gcc -c -fsyntax-only a.c", REASON_NOT_A_COMPILE },
		{ "gcc -v -E -x c /dev/null", REASON_NOT_A_COMPILE }, { "clang --analyze a.c -c", REASON_NOT_A_COMPILE },
		{ "gcc -v -c a.c", REASON_DRIVER_SPEAKS }, { "gcc -time=x -c a.c", REASON_DRIVER_SPEAKS },
		{ "gcc -c a.c -H", REASON_DIAGNOSTICS }, { "gcc -c a.c -ftime-report", REASON_DIAGNOSTICS },
		{ "clang -c a.c -ftime-trace=x", REASON_SIDE_OUTPUT }, { "clang -c a.c -MJ x.json", REASON_SIDE_OUTPUT },
		{ "gcc -c a.c -wrapper gdb", REASON_UNUSUAL_PLAN },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (glance(lines[i].line) != lines[i].reason)
			fail_msg("%s: %s, not %s", lines[i].line, reason_key(glance(lines[i].line)),
				 reason_key(lines[i].reason));
}

static enum reason glance_files(char **words)
{
	struct argv argv = { .v = words };

	while (words[argv.count])
		argv.count++;
	return quick_by_files(&argv);
}

static void files_to_be_read_once_are_found_unopened(void **state UNUSED)
{
	char dir[] = "/tmp/rcc-test.XXXXXX", fifo[64], joined[80];

	assert_non_null(mkdtemp(dir));
	snprintf(fifo, sizeof fifo, "%s/fifo", dir);
	snprintf(joined, sizeof joined, "-include%s", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(glance_files(WORDS("gcc", "-c", fifo)), REASON_INPUT_ODD);
	assert_int_equal(glance_files(WORDS("gcc", "-include", fifo)), REASON_INPUT_ODD);
	assert_int_equal(glance_files(WORDS("gcc", joined)), REASON_INPUT_ODD);
	assert_int_equal(glance_files(WORDS("gcc", "-o", fifo)), REASON_NONE);
	assert_int_equal(glance_files(WORDS("gcc", "/dev/fd/63")), REASON_INPUT_ODD);
	assert_int_equal(glance_files(WORDS("gcc", "-o", "/dev/stdout")), REASON_INPUT_ODD);
	assert_int_equal(glance_files(WORDS("gcc", "-I/proc/self/fd/7")), REASON_INPUT_ODD);
	assert_int_equal(glance_files(WORDS("gcc", "/dev/null")), REASON_INPUT_ODD);
	assert_int_equal(glance_files(WORDS("gcc", "-I", dir, "-o", "/dev/null", "nosuch.c", "")), REASON_NONE);
	unlink(fifo);
	rmdir(dir);
}

static void the_environment_settles_it(void **state UNUSED)
{
	unsetenv("RCC_MODE");
	unsetenv("LD_PRELOAD");
	unsetenv("LD_AUDIT");
	assert_int_equal(quick_by_environment(), REASON_NONE);
	setenv("LD_AUDIT", "", 1);
	setenv("RCC_MODE", "text", 1);
	assert_int_equal(quick_by_environment(), REASON_NONE);
	setenv("LD_AUDIT", "x.so", 1);
	assert_int_equal(quick_by_environment(), REASON_ENVIRONMENT);
	setenv("RCC_MODE", "local", 1);
	assert_int_equal(quick_by_environment(), REASON_MODE_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(commands_are_left_alone),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(the_table_is_sorted_and_whole),
		cmocka_unit_test(words_settle_it),
		cmocka_unit_test(files_to_be_read_once_are_found_unopened),
		cmocka_unit_test(the_environment_settles_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
