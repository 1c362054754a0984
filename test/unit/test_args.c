/*
 * test_args.c - which arguments a volunteer takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "args.h"

static int check_as(enum job_mode mode, const char *name, const char *words)
{
	autoargv struct argv argv = { 0 };
	autofree char *copy = xstrdup(words);
	char *at = NULL;

	for (char *w = strtok_r(copy, " ", &at); w; w = strtok_r(NULL, " ", &at))
		argv_push(&argv, w);
	return args_check(mode, name, &argv, NULL);
}

static int check(const char *name, const char *words) { return check_as(JOB_TEXT, name, words); }

static void tables_are_sorted(void **state UNUSED)
{
	for (size_t i = 0; i < args_table_count; i++)
		for (size_t k = 1; k < args_tables[i].count; k++)
			assert_true(strcmp(args_tables[i].rows[k - 1].name, args_tables[i].rows[k].name) < 0);
}

static void what_agents_send_is_taken(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "cc1", "cc1 -fpreprocessed -fdirectives-only -quiet -mtune=generic -march=x86-64 -O2 -Wall -std=c11 "
			 "--param l1-cache-size=32 --param=x=1 -fasynchronous-unwind-tables - -o out.s" },
		{ "cc1plus", "cc1plus -fpreprocessed -quiet -fversion-loops-for-strides -fprofile-reorder-functions - -o out.s" },
		{ "as", "as --64 --gdwarf-5 -o out.o out.s" },
		{ "clang", "clang -cc1 -triple x86_64-pc-linux-gnu -emit-obj -mllvm -treat-scalable-fixed-error-as-warning "
			   "-main-file-name a.c -fdebug-compilation-dir=/w -resource-dir /usr/lib/clang -D X=1 -DY "
			   "-ferror-limit 19 -o out.o -x c ./a.c" },
		{ "clang++", "clang -cc1 -emit-obj -o out.o -x c++ -" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(check(cases[i][0], cases[i][1]), 0);
}

static void what_reads_writes_or_loads_is_refused(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "cc1", "cc1 -fplugin=./p.so - -o out.s" },
		{ "cc1", "cc1 -fplugin-arg-p-x=1 - -o out.s" },
		{ "cc1", "cc1 -iplugindir=. - -o out.s" },
		{ "cc1", "cc1 - -o /tmp/out.s" },
		{ "cc1", "cc1 - -o ../out.s" },
		{ "cc1", "cc1 - -o/tmp/out.s" },
		{ "cc1", "cc1 - -o" },
		{ "cc1", "cc1 - -o @x" },
		{ "cc1", "cc1 @args" },
		{ "cc1", "cc1 --param @args" },
		{ "cc1", "cc1 /etc/passwd -o out.s" },
		{ "cc1", "cc1 -include /etc/passwd - -o out.s" },
		{ "cc1", "cc1 -imacros x - -o out.s" },
		{ "cc1", "cc1 -fdump-tree-all=/tmp/x - -o out.s" },
		{ "cc1", "cc1 -fprofile-use=/etc/passwd - -o out.s" },
		{ "cc1", "cc1 -MD /tmp/x - -o out.s" },
		{ "cc1", "cc1 -dumpdir /tmp/ - -o out.s" },
		{ "cc1", "cc1 -specs=x - -o out.s" },
		{ "cc1", "cc1 -wrapper sh - -o out.s" },
		{ "cc1", "cc1 -B. - -o out.s" },
		{ "as", "as -I/etc -o out.o out.s" },
		{ "as", "as --MD x -o out.o out.s" },
		{ "as", "as -al=/tmp/x -o out.o out.s" },
		{ "as", "as -o out.o ../out.s" },
		{ "clang", "clang -cc1 -load ./p.so -o out.o -" },
		{ "clang", "clang -cc1 -fplugin=./p.so -o out.o -" },
		{ "clang", "clang -cc1 -fpass-plugin=./p.so -o out.o -" },
		{ "clang", "clang -cc1 -plugin x -o out.o -" },
		{ "clang", "clang -cc1 -mllvm -info-output-file=/tmp/x -o out.o -" },
		{ "clang", "clang -cc1 -dependency-file /tmp/x -o out.o -" },
		{ "clang", "clang -cc1 -include-pch x -o out.o -" },
		{ "clang", "clang -cc1 -ivfsoverlay x -o out.o -" },
		{ "clang", "clang -cc1 -o out.o ./../a.c" },
		{ "objcopy", "objcopy --extract-dwo a.o a.dwo" },
		{ "sh", "sh -c x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (check(cases[i][0], cases[i][1]) != ERR_REFUSED)
			fail_msg("taken: %s", cases[i][1]);
}

static void in_file_mode_names_are_the_callers(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "cc1", "cc1 -quiet -I /w/inc -include /w/a.h -MD /w/a.d -imultiarch x /w/a.c -o /.rcc/a.s -fdump-tree-all=/w/x" },
		{ "cc1plus", "cc1plus -fmodules-ts -fmodule-mapper=/w/map /w/a.cc -fprofile-use=/w/p -o /w/a.s" },
		{ "as", "as --gdwarf-5 -I /w --MD /w/a.d -o /w/a.o /.rcc/a.s" },
		{ "clang", "clang -cc1 -emit-obj -fmodule-map-file=/w/m -mllvm -x86-asm-syntax=intel -o /w/a.o -x c /w/a.c" },
		{ "objcopy", "objcopy --extract-dwo /w/a.o /w/a.dwo" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (check_as(JOB_FILES, cases[i][0], cases[i][1]))
			fail_msg("refused: %s", cases[i][1]);
}

static void in_file_mode_foreign_code_is_refused(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "cc1", "cc1 /w/a.c -fplugin=/w/p.so" },
		{ "cc1", "cc1 @/w/args" },
		{ "cc1plus", "cc1plus -fmodule-mapper=|/w/mapper a.cc" },
		{ "clang", "clang -cc1 -load /w/p.so a.c" },
		{ "clang", "clang -cc1 -mllvm -load=/w/p.so a.c" },
		{ "clang", "clang -cc1 -mllvm --load-pass-plugin=/w/p.so a.c" },
		{ "clang", "clang -cc1 -fpass-plugin=/w/p.so a.c" },
		{ "clang++", "clang -cc1 -fplugin=/w/p.so a.c" },
		{ "clang++", "clang -cc1 -add-plugin x a.c" },
		{ "objcopy", "objcopy --plug /w/p.so a.o" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (check_as(JOB_FILES, cases[i][0], cases[i][1]) != ERR_REFUSED)
			fail_msg("taken: %s", cases[i][1]);
}

/* A program that is known has rows: none is free to load what it likes. */
static void each_program_has_denied_rows(void **state UNUSED)
{
	static const char *const names[] = { "as", "cc1", "cc1obj", "cc1objplus", "cc1plus", "clang", "clang++", "objcopy" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(check_as(JOB_FILES, names[i], "x @y"), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sorted),
		cmocka_unit_test(what_agents_send_is_taken),
		cmocka_unit_test(what_reads_writes_or_loads_is_refused),
		cmocka_unit_test(in_file_mode_names_are_the_callers),
		cmocka_unit_test(in_file_mode_foreign_code_is_refused),
		cmocka_unit_test(each_program_has_denied_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
