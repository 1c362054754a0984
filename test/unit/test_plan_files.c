/*
 * test_plan_files.c - from what a driver prints to jobs over the caller's
 * files. The answers are those of gcc 12 and clang 14, with what does not
 * matter here left out.
 */
#include "unit.h"

#include "plan.h"
#include "plan_files.h"
#include "plan_parse.h"

#define CC1 " /usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet -imultiarch x86_64-linux-gnu "
#define BASE " -quiet -dumpbase a.c -dumpbase-ext .c "
#define TO_S "-o /tmp/t/cc000000.s\n"
#define AS " as --64 -o a.o /tmp/t/cc000000.s\n"
#define CLANG " \"/usr/lib/llvm-14/bin/clang\" \"-cc1\" \"-triple\" \"x86_64-pc-linux-gnu\" "

static struct plan *plan_of(const char *command, const char *text)
{
	enum dialect dialect = str_starts(command, "clang") ? DIALECT_CLANG : DIALECT_GCC;
	struct plan_options options = { .temp_dir = "/tmp/t" };
	autofree char *words = xstrdup(command);
	autoargv struct argv argv = { 0 };
	struct err err = { 0 };
	struct plan *p = NULL;

	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv_push(&argv, w);
	assert_int_equal(plan_make(dialect, &argv, text, &options, &p, &err), 0);
	return p;
}

/* One line per unit: input, output, what is removed from which step on; then its steps without the words of program and -imultiarch. */
static void assert_units(const char *command, const char *text, const char *want)
{
	struct plan *p = plan_of(command, text);
	autobuf struct buf b = { 0 };

	assert_string_equal(reason_key(p->files.reason), "none");
	assert_int_equal(p->files.kind, VERDICT_FILES);
	for (size_t i = 0; i < p->file_unit_count; i++) {
		const struct file_unit *u = &p->file_units[i];

		assert_int_equal(u->job.mode, JOB_FILES);
		assert_int_equal(u->job.step_count, u->count);
		buf_printf(&b, "%s -> %s, %s %zu\n", u->input, u->output, u->removed ? u->removed : "-", u->removed_from);
		for (size_t s = 0; s < u->job.step_count; s++) {
			const struct argv *argv = &u->job.steps[s].argv;

			assert_string_equal(u->job.steps[s].program, argv->v[0]);
			buf_printf(&b, "%s", path_base(argv->v[0]));
			for (size_t n = 1; n < argv->count; n++)
				buf_printf(&b, " %s", argv->v[n]);
			buf_puts(&b, "\n");
		}
	}
	assert_string_equal(buf_str(&b), want);
	plan_free(p);
}

static void assert_stays(const char *command, const char *text, enum reason reason, const char *detail)
{
	struct plan *p = plan_of(command, text);

	assert_int_equal(p->files.kind, VERDICT_LOCAL);
	assert_string_equal(reason_key(p->files.reason), reason_key(reason));
	assert_string_equal(p->files.detail, detail);
	plan_free(p);
}

#define IMULTIARCH "cc1 -quiet -imultiarch x86_64-linux-gnu "

static void subcommands_go_as_they_are(void **state UNUSED)
{
	assert_units("gcc -g -c a.c", CC1 "a.c" BASE "-g " TO_S AS,
		     "a.c -> a.o, a.o 1\n"
		     IMULTIARCH "a.c -quiet -dumpbase a.c -dumpbase-ext .c -g -o /.rcc/cc000000.s\n"
		     "as --64 -o a.o /.rcc/cc000000.s\n");
	assert_units("gcc -S a.c", CC1 "a.c" BASE "-o a.s\n",
		     "a.c -> a.s, a.s 0\n" IMULTIARCH "a.c -quiet -dumpbase a.c -dumpbase-ext .c -o a.s\n");
	assert_units("gcc -c a.c --unheard-of=x", CC1 "\"--unheard-of=x\" a.c" BASE "-o /tmp/t/cc000000.s\n" AS,
		     "a.c -> a.o, a.o 1\n"
		     IMULTIARCH "--unheard-of=x a.c -quiet -dumpbase a.c -dumpbase-ext .c -o /.rcc/cc000000.s\n"
		     "as --64 -o a.o /.rcc/cc000000.s\n");
}

static void names_of_temporary_files_change_wherever_they_stand(void **state UNUSED)
{
	assert_units("gcc -c a.c", CC1 "a.c \"-auxbase-strip=/tmp/t/x\" \"-fmap=/tmp/t/y=/tmp/t\" /tmp/tt/z -o /tmp/t/cc000000.s\n" AS,
		     "a.c -> a.o, a.o 1\n"
		     IMULTIARCH "a.c -auxbase-strip=/.rcc/x -fmap=/.rcc/y=/tmp/t /tmp/tt/z -o /.rcc/cc000000.s\n"
		     "as --64 -o a.o /.rcc/cc000000.s\n");
}

static void all_that_serves_a_source_is_one_unit(void **state UNUSED)
{
	assert_units("gcc -c -g -gsplit-dwarf a.c",
		     CC1 "a.c" BASE TO_S AS " objcopy --extract-dwo a.o a.dwo\n objcopy --strip-dwo a.o\n",
		     "a.c -> a.o, a.o 1\n"
		     IMULTIARCH "a.c -quiet -dumpbase a.c -dumpbase-ext .c -o /.rcc/cc000000.s\n"
		     "as --64 -o a.o /.rcc/cc000000.s\nobjcopy --extract-dwo a.o a.dwo\nobjcopy --strip-dwo a.o\n");
	assert_units("gcc -save-temps=obj -c a.c -o d/x.o",
		     CC1 "-E a.c -fpch-preprocess -o d/x.i\n" CC1 "-fpreprocessed d/x.i -quiet -dumpdir d/ -o d/x.s\n"
		     " as --64 -o d/x.o d/x.s\n",
		     "a.c -> d/x.o, d/x.o 2\n"
		     IMULTIARCH "-E a.c -fpch-preprocess -o d/x.i\n"
		     IMULTIARCH "-fpreprocessed d/x.i -quiet -dumpdir d/ -o d/x.s\n"
		     "as --64 -o d/x.o d/x.s\n");
	assert_units("clang -save-temps -c a.c",
		     CLANG "\"-E\" \"-o\" \"a.i\" \"-x\" \"c\" \"a.c\"\n"
		     CLANG "\"-emit-llvm-bc\" \"-o\" \"a.bc\" \"-x\" \"cpp-output\" \"a.i\"\n"
		     CLANG "\"-S\" \"-o\" \"a.s\" \"-x\" \"ir\" \"a.bc\"\n"
		     " \"/usr/lib/llvm-14/bin/clang\" \"-cc1as\" \"-o\" \"a.o\" \"a.s\"\n",
		     "a.c -> a.o, - 0\n"
		     "clang -cc1 -triple x86_64-pc-linux-gnu -E -o a.i -x c a.c\n"
		     "clang -cc1 -triple x86_64-pc-linux-gnu -emit-llvm-bc -o a.bc -x cpp-output a.i\n"
		     "clang -cc1 -triple x86_64-pc-linux-gnu -S -o a.s -x ir a.bc\n"
		     "clang -cc1as -o a.o a.s\n");
}

static void two_sources_are_two_units(void **state UNUSED)
{
	/* one name for both temporary files: a command does not go on with what it is to write itself */
	assert_units("gcc -c a.c b.c", CC1 "a.c " TO_S AS CC1 "b.c " TO_S " as --64 -o b.o /tmp/t/cc000000.s\n",
		     "a.c -> a.o, a.o 1\n"
		     IMULTIARCH "a.c -o /.rcc/cc000000.s\nas --64 -o a.o /.rcc/cc000000.s\n"
		     "b.c -> b.o, b.o 1\n"
		     IMULTIARCH "b.c -o /.rcc/cc000000.s\nas --64 -o b.o /.rcc/cc000000.s\n");
}

static void a_pipe_becomes_a_file(void **state UNUSED)
{
	assert_units("gcc -pipe -c a.c", CC1 "a.c" BASE "-o - |\n as --64 -o a.o\n",
		     "a.c -> a.o, a.o 0\n"
		     IMULTIARCH "a.c -quiet -dumpbase a.c -dumpbase-ext .c -o /.rcc/pipe.s\n"
		     "as --64 -o a.o /.rcc/pipe.s\n");
}

static void assembler_sources_go(void **state UNUSED)
{
	assert_units("gcc -c a.S", CC1 "-E -lang-asm a.S -fno-directives-only " TO_S AS,
		     "a.S -> a.o, a.o 1\n"
		     IMULTIARCH "-E -lang-asm a.S -fno-directives-only -o /.rcc/cc000000.s\n"
		     "as --64 -o a.o /.rcc/cc000000.s\n");
	assert_units("gcc -c a.s", " as --64 -o a.o a.s\n", "a.s -> a.o, a.o 0\nas --64 -o a.o a.s\n");
	assert_units("clang -c a.s", " \"/usr/lib/llvm-14/bin/clang\" \"-cc1as\" \"-filetype\" \"obj\" "
		     "\"-dwarf-debug-producer\" \"Debian clang version 14.0.6\" \"-o\" \"a.o\" \"a.s\"\n",
		     "a.s -> a.o, a.o 0\n"
		     "clang -cc1as -filetype obj -dwarf-debug-producer Debian clang version 14.0.6 -o a.o a.s\n");
}

static void whatever_is_written_beside_the_object_may_be(void **state UNUSED)
{
	static const char *const options[] = {
		"-fprofile-arcs -ftest-coverage", "-flto", "-fverbose-asm", "-frecord-gcc-switches", "-fmodules-ts", "-dD",
		"-fdump-tree-all", "-fprofile-use", "\"-fdiagnostics-format=json\"", "-fopt-info", "-fstack-usage",
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		autofree char *text = xasprintf(CC1 "a.c" BASE "%s " TO_S AS, options[i]);
		struct plan *p = plan_of("gcc -c a.c", text);

		assert_int_equal(p->files.kind, VERDICT_FILES);
		plan_free(p);
	}
	assert_units("gcc -c a.c -Wa,-a=a.lst", CC1 "a.c " TO_S " as --64 \"-a=a.lst\" -o a.o /tmp/t/cc000000.s\n",
		     "a.c -> a.o, a.o 1\n"
		     IMULTIARCH "a.c -o /.rcc/cc000000.s\nas --64 -a=a.lst -o a.o /.rcc/cc000000.s\n");
}

static void a_precompiled_header_is_an_output(void **state UNUSED)
{
	assert_units("gcc -x c-header a.h -o p.gch", CC1 "a.h -dumpdir p.gch- -dumpbase a.h -o /tmp/t/cc000000.s \"--output-pch=\" p.gch\n",
		     "a.h -> p.gch, p.gch 0\n"
		     IMULTIARCH "a.h -dumpdir p.gch- -dumpbase a.h -o /.rcc/cc000000.s --output-pch= p.gch\n");
	assert_units("clang -x c-header a.h -o p.pch", CLANG "\"-emit-pch\" \"-o\" \"p.pch\" \"-x\" \"c-header\" \"a.h\"\n",
		     "a.h -> p.pch, p.pch 0\n"
		     "clang -cc1 -triple x86_64-pc-linux-gnu -emit-pch -o p.pch -x c-header a.h\n");
}

static void what_only_means_something_here_stays(void **state UNUSED)
{
	static const struct {
		const char *command, *words;
		enum reason reason;
		const char *detail;
	} rows[] = {
		{ "gcc -c a.c", "-fplugin=x.so", REASON_READS_FILES, "-fplugin=x.so" },
		{ "gcc -c a.c", "-ftime-report", REASON_DIAGNOSTICS, "-ftime-report" },
		{ "gcc -c a.c", "-fmodule-mapper=|prog", REASON_READS_FILES, "-fmodule-mapper=|prog" },
		{ "gcc -c a.c", "-H", REASON_DIAGNOSTICS, "-H" },
		{ "gcc -c a.c", "-I/proc/self/x", REASON_INPUT_ODD, "-I/proc/self/x" },
		{ "gcc -c a.c", "-fdump-tree-gimple=/dev/stderr", REASON_INPUT_ODD, "-fdump-tree-gimple=/dev/stderr" },
		{ "gcc -c a.c", "-include /dev/fd/3", REASON_INPUT_ODD, "/dev/fd/3" },
		{ "gcc -c a.c", "@more", REASON_READS_FILES, "@more" },
		{ "gcc -c a.c -Q", "", REASON_DIAGNOSTICS, "-Q" },
		{ "gcc -c a.c -time", "", REASON_DRIVER_SPEAKS, "-time" },
		{ "gcc -c a.c -wrapper x", "", REASON_UNUSUAL_PLAN, "-wrapper" },
		{ "gcc -c a.c -fcompare-debug", "", REASON_UNUSUAL_PLAN, "-fcompare-debug" },
		{ "gcc -c a.c -flto -Wa,-g", "-flto", REASON_LTO, "options for the assembler" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf text = { 0 };
		autofree char *words = xstrdup(rows[i].words);

		buf_puts(&text, CC1 "a.c");
		for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
			buf_printf(&text, " \"%s\"", w);
		buf_puts(&text, " " TO_S AS);
		assert_stays(rows[i].command, buf_str(&text), rows[i].reason, rows[i].detail);
	}
	assert_stays("clang -MJ x -c a.c", CLANG "\"-o\" \"a.o\" \"a.c\"\n", REASON_SIDE_OUTPUT, "-MJ");
	assert_stays("clang -c a.c", CLANG "\"-load\" \"x.so\" \"-o\" \"a.o\" \"a.c\"\n", REASON_READS_FILES, "-load");
	assert_stays("clang -c a.c", CLANG "\"-mllvm\" \"-time-passes\" \"-o\" \"a.o\" \"a.c\"\n", REASON_DIAGNOSTICS,
		     "-time-passes");
	assert_stays("gcc -c a.c", CC1 "a.c " TO_S " as --statistics -o a.o /tmp/t/cc000000.s\n", REASON_DIAGNOSTICS,
		     "--statistics");
}

static void names_that_only_the_driver_has_stay(void **state UNUSED)
{
#define CC1AS " \"/usr/lib/llvm-14/bin/clang\" \"-cc1as\" "
	assert_stays("clang -frecord-command-line -c a.c", CLANG "\"-record-command-line\" \"clang -### -c\" \"-o\" \"a.o\" \"a.c\"\n",
		     REASON_RECORDS_COMMAND, "-record-command-line");
	assert_stays("clang -g -c a.S", CLANG "\"-E\" \"-o\" \"/tmp/t/a-1.s\" \"a.S\"\n"
		     CC1AS "\"-debug-info-kind=constructor\" \"-o\" \"a.o\" \"/tmp/t/a-1.s\"\n", REASON_DEBUG_INFO, "-g");
	assert_units("clang -c a.S", CLANG "\"-E\" \"-o\" \"/tmp/t/a-1.s\" \"a.S\"\n" CC1AS "\"-o\" \"a.o\" \"/tmp/t/a-1.s\"\n",
		     "a.S -> a.o, a.o 1\n"
		     "clang -cc1 -triple x86_64-pc-linux-gnu -E -o /.rcc/a-1.s a.S\nclang -cc1as -o a.o /.rcc/a-1.s\n");
	assert_units("clang -g -c a.s", CC1AS "\"-debug-info-kind=constructor\" \"-o\" \"a.o\" \"a.s\"\n",
		     "a.s -> a.o, a.o 0\nclang -cc1as -debug-info-kind=constructor -o a.o a.s\n");
}

static void a_directory_called_proc_is_none_of_the_kernels(void **state UNUSED)
{
	struct plan *p = plan_of("gcc -c fs/proc/inode.c", CC1 "fs/proc/inode.c -Ifs/proc/ " TO_S AS);

	assert_int_equal(p->files.kind, VERDICT_FILES);
	plan_free(p);
}

static void a_moved_gcc_says_where_it_is(void **state UNUSED)
{
	struct plan *moved = plan_of("gcc -c a.c", " /x/lib/gcc/t/12/cc1 -iprefix /x/bin/../lib/gcc/t/12/ a.c " TO_S AS);
	struct plan *usual = plan_of("gcc -c a.c", CC1 "a.c " TO_S AS);

	assert_int_equal(moved->file_units[0].job.env.count, 1);
	assert_string_equal(moved->file_units[0].job.env.v[0], "GCC_EXEC_PREFIX=/x/bin/../lib/gcc/");
	assert_int_equal(usual->file_units[0].job.env.count, 0);
	plan_free(moved);
	plan_free(usual);
}

static void odd_inputs_and_outputs_stay(void **state UNUSED)
{
	assert_stays("gcc -c -x c -", CC1 "- " TO_S AS, REASON_INPUT_ODD, "-");
	assert_stays("gcc -S a.c -o -", CC1 "a.c -o -\n", REASON_STDIN_OUTPUT, "");
	assert_stays("gcc -c a.c -o /dev/null", CC1 "a.c " TO_S " as -o /dev/null /tmp/t/cc000000.s\n", REASON_OUTPUT_ODD,
		     "/dev/null");
	assert_stays("gcc -c -x c /dev/null", CC1 "/dev/null " TO_S AS, REASON_INPUT_ODD, "/dev/null");
	assert_stays("gcc -c a.c", CC1 "other.c " TO_S AS, REASON_UNUSUAL_PLAN, "the source is not found");
}

static void what_is_no_compile_stays(void **state UNUSED)
{
	assert_stays("gcc -E a.c", CC1 "-E a.c -o a.i\n", REASON_NOT_A_COMPILE, "");
	assert_stays("clang -E a.c", CLANG "\"-E\" \"-o\" \"-\" \"-x\" \"c\" \"a.c\"\n", REASON_NOT_A_COMPILE, "");
	assert_stays("clang -M a.c", CLANG "\"-Eonly\" \"-x\" \"c\" \"a.c\"\n", REASON_NOT_A_COMPILE, "-Eonly");
	assert_stays("gcc -fsyntax-only a.c", CC1 "a.c -fsyntax-only -o /dev/null\n", REASON_NOT_A_COMPILE, "-fsyntax-only");
	assert_stays("gcc a.c", CC1 "a.c " TO_S AS " /usr/lib/gcc/x86_64-linux-gnu/12/collect2 -o a.out a.o\n",
		     REASON_NOT_A_COMPILE, "collect2");
	assert_stays("gcc -c a.f90", " /usr/lib/gcc/x86_64-linux-gnu/12/f951 a.f90 -o a.s\n", REASON_LANGUAGE, "f951");
	assert_stays("gcc --version", "", REASON_QUERY, "");
	assert_stays("gcc -c a.c", "gcc: warning: odd\n" CC1 "a.c " TO_S AS, REASON_DRIVER_SPEAKS, "gcc: warning: odd");
}

static char *key_of(const char *command, const char *text)
{
	struct plan *p = plan_of(command, text);
	struct buf b = { 0 };

	plan_files_key(&p->file_units[0], &b);
	plan_free(p);
	return buf_str(&b);
}

static void files_compiled_alike_have_one_key(void **state UNUSED)
{
	autofree char *a = key_of("gcc -c a.c", CC1 "a.c -O2 -MD a.d \"-DMOD=kmod_a\"" BASE TO_S AS);
	autofree char *long_name = key_of("gcc -c long.c -o long.x.o", CC1 "long.c -O2 -MD long.d \"-DMOD=kmod_long\" -quiet "
					  "-dumpbase long.c -dumpbase-ext .c " TO_S " as --64 -o long.x.o /tmp/t/cc000000.s\n");
	autofree char *other = key_of("gcc -c a.c", CC1 "a.c -O3 -MD a.d \"-DMOD=kmod_a\"" BASE TO_S AS);

	assert_string_equal(a, long_name);
	assert_string_not_equal(a, other);
	assert_non_null(strstr(a, "\n-O2\n"));
	assert_null(strstr(a, "a.c"));
}

static void assert_may(const struct plan *p, const char *path, bool may)
{
	if (plan_may_change(&p->file_units[0], "/w", path) != may)
		fail_msg("%s: %s", path, may ? "may not" : "may");
}

static void outputs_are_written_where_the_command_says(void **state UNUSED)
{
	static const char *const may[] = {
		"/w/out/x.y.o", "/w/dep/x.d", "/l/a.lst", "/w/out/x.dwo", "/w/all.txt",
		/* made up by the compiler */
		"/w/out/x.su", "/w/out/x.y.gcno", "/w/out/x.y.c.252t.optimized", "/w/out/x.y.c.001l.class", "/w/out/a.ci",
		"/w/src/a.gcc.json", "/w/a.c.gkd", "/w/x.c.opt-record.json.gz", "/w/pre-x.su",
		/* what a link may lead to */
		"/w/src/a.d", "/w/x.o",
	}, *const may_not[] = {
		"/", "/w", "/w/out", "/w/inc", "/w/src", "/etc/passwd", "/w/src/a.c", "/w/src/b.c", "/w/inc/h.h", "/w/forced.h",
		"/w/src/a.h", "/w/src/a.sh", "/w/y.o", "/w/src/out/x.y.o", "/w/out/x.y.o/z", "/w/out/x.y.o.old", "/out/x.y.o",
		"/w/out/../out/x.y.o", "/w/./out/x.y.o", "/w//out/x.y.o", "/w/out/x.y.o/", "w/out/x.y.o", "",
		"/w/out/xx.su", "/w/out/b.su", "/w/out/x-1.su", "/w/inc/x.su", "/w/out/x.d/y.su", "/w/out/x.252t", "/w/out/.x.su",
		"/w/gcm.cache/m.gcm", "/.rcc/cc000000.s", "/w/Makefile", "/l", "/w/src/a.c.orig", "/w/inc/x.252t.y",
	};
	struct plan *p = plan_of("gcc -c src/a.c -o out/x.y.o",
				 CC1 "-I inc -include forced.h -MD dep/x.d src/a.c -quiet -dumpdir out/ -dumpbase x.y.c -dumpbase-ext .c "
				 "\"-fdump-tree-all=all.txt\" -dumpdir pre- " TO_S
				 " as --64 \"-ahl=/l/a.lst\" -o out/x.y.o /tmp/t/cc000000.s\n objcopy --extract-dwo out/x.y.o out/x.dwo\n");

	assert_int_equal(p->file_unit_count, 1);
	for (size_t i = 0; i < ARRAY_LEN(may); i++)
		assert_may(p, may[i], true);
	for (size_t i = 0; i < ARRAY_LEN(may_not); i++)
		assert_may(p, may_not[i], false);
	plan_free(p);
}

static void modules_have_a_directory(void **state UNUSED)
{
	struct plan *gcc = plan_of("g++ -fmodules-ts -c a.cc", " /usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -fmodules-ts a.cc " TO_S AS);
	struct plan *clang = plan_of("clang -fmodules -c a.c", CLANG "\"-fmodules-cache-path=../cache\" \"-o\" \"a.o\" \"a.c\"\n");

	assert_may(gcc, "/w/gcm.cache", true);
	assert_may(gcc, "/w/gcm.cache/x/m.gcm", true);
	assert_may(gcc, "/w/gcm.cachex", false);
	assert_may(gcc, "/gcm.cache/m.gcm", false);
	assert_may(clang, "/cache/1/m.pcm", true);
	assert_may(clang, "/w/cache/m.pcm", false);
	plan_free(gcc);
	plan_free(clang);
}

static void a_source_is_no_output(void **state UNUSED)
{
	struct plan *p = plan_of("gcc -c a.s -o a.s", " as -o a.s a.s\n");

	assert_may(p, "/w/a.s", false);
	plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subcommands_go_as_they_are),
		cmocka_unit_test(names_of_temporary_files_change_wherever_they_stand),
		cmocka_unit_test(all_that_serves_a_source_is_one_unit),
		cmocka_unit_test(two_sources_are_two_units),
		cmocka_unit_test(a_pipe_becomes_a_file),
		cmocka_unit_test(assembler_sources_go),
		cmocka_unit_test(whatever_is_written_beside_the_object_may_be),
		cmocka_unit_test(a_precompiled_header_is_an_output),
		cmocka_unit_test(what_only_means_something_here_stays),
		cmocka_unit_test(names_that_only_the_driver_has_stay),
		cmocka_unit_test(a_directory_called_proc_is_none_of_the_kernels),
		cmocka_unit_test(a_moved_gcc_says_where_it_is),
		cmocka_unit_test(odd_inputs_and_outputs_stay),
		cmocka_unit_test(what_is_no_compile_stays),
		cmocka_unit_test(files_compiled_alike_have_one_key),
		cmocka_unit_test(outputs_are_written_where_the_command_says),
		cmocka_unit_test(modules_have_a_directory),
		cmocka_unit_test(a_source_is_no_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
