/*
 * test_args.c - which arguments a volunteer takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "args.h"

static int check(const char *name, const char *words)
{
	autoargv struct argv argv = { 0 };
	autofree char *copy = xstrdup(words);
	char *at = NULL;

	for (char *w = strtok_r(copy, " ", &at); w; w = strtok_r(NULL, " ", &at))
		argv_push(&argv, w);
	return args_check(name, &argv, NULL);
}

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
		{ "sh", "sh -c x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (check(cases[i][0], cases[i][1]) != ERR_REFUSED)
			fail_msg("taken: %s", cases[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sorted),
		cmocka_unit_test(what_agents_send_is_taken),
		cmocka_unit_test(what_reads_writes_or_loads_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
