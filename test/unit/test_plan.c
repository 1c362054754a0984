/*
 * test_plan.c - from what a driver prints to what may run elsewhere. The
 * answers are those of gcc 12 and clang 14, with what does not matter here
 * left out.
 */
#include "unit.h"

#include "plan.h"
#include "plan_args.h"
#include "plan_parse.h"
#include "source_doubts.h"

#define CC1 " /usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet -imultiarch x86_64-linux-gnu "
#define BASE " -quiet -dumpbase a.c -dumpbase-ext .c \"-mtune=generic\" "
#define TO_S "-o /tmp/t/cc1.s\n"
#define AS " as --64 -o a.o /tmp/t/cc1.s\n"
#define SIMPLE CC1 "a.c" BASE TO_S AS

#define CLANG " \"/usr/lib/llvm-14/bin/clang\" \"-cc1\" \"-triple\" \"x86_64-pc-linux-gnu\" "
#define NAMES "\"-main-file-name\" \"a.c\" \"-mrelocation-model\" \"pic\" \"-internal-isystem\" \"/usr/include\" "

static struct plan *plan_of(enum dialect dialect, const char *command, const char *text, const char *env, bool force)
{
	struct argv argv = { 0 }, vars = { 0 };
	autofree char *words = xstrdup(command);
	struct plan_options options = { .force_text = force, .temp_dir = "/tmp/t", .env = &vars };
	struct err err = { 0 };
	struct plan *p = NULL;

	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv_push(&argv, w);
	if (env)
		argv_push(&vars, env);
	assert_int_equal(plan_make(dialect, &argv, text, &options, &p, &err), 0);
	argv_free(&argv);
	argv_free(&vars);
	return p;
}

static char *joined(const struct argv *a)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < a->count; i++)
		buf_printf(&b, "%s%s", i ? " " : "", a->v[i]);
	return b.p ? buf_str(&b) : xstrdup("");
}

static void assert_words(const struct argv *a, const char *want)
{
	autofree char *got = joined(a);

	assert_string_equal(got, want);
}

static void assert_local(const char *command, const char *text, enum reason reason, const char *detail)
{
	struct plan *p = plan_of(strstr(command, "clang") ? DIALECT_CLANG : DIALECT_GCC, command, text, NULL, false);

	assert_int_equal(p->verdict.kind, VERDICT_LOCAL);
	assert_string_equal(reason_key(p->verdict.reason), reason_key(reason));
	assert_string_equal(p->verdict.detail, detail);
	for (size_t i = 0; i < p->unit_count; i++)
		assert_int_equal(p->units[i].verdict.kind, VERDICT_LOCAL);
	plan_free(p);
}

static void assert_remote(const char *command, const char *text)
{
	struct plan *p = plan_of(strstr(command, "clang") ? DIALECT_CLANG : DIALECT_GCC, command, text, NULL, false);

	assert_string_equal(reason_key(p->verdict.reason), "none");
	assert_int_equal(p->verdict.kind, VERDICT_TEXT);
	plan_free(p);
}

static void a_gcc_compile_is_split_in_two(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_GCC, "gcc -c a.c -DX=1 -O2 -MD",
				 "Using built-in specs.\nCOLLECT_GCC=gcc\n"
				 CC1 "-MD a.d -D \"X=1\" -I inc a.c" BASE "-O2 " TO_S "COLLECT_GCC_OPTIONS='-c'\n"
				 " as -I inc --64 -o a.o /tmp/t/cc1.s\nCOMPILER_PATH=/usr/lib\n", NULL, false);
	const struct unit *u = &p->units[0];

	assert_int_equal(p->unit_count, 1);
	assert_int_equal(p->command_count, 2);
	assert_int_equal(u->verdict.kind, VERDICT_TEXT);
	assert_string_equal(u->input, "a.c");
	assert_string_equal(u->output, "a.o");
	assert_int_equal(u->output_kind, OUTPUT_REPLACE);
	assert_words(&u->preprocess, "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -E -quiet -imultiarch x86_64-linux-gnu "
		     "-MD a.d -D X=1 -I inc a.c -quiet -dumpbase a.c -dumpbase-ext .c -mtune=generic -O2 "
		     "-fpch-preprocess -fdirectives-only");
	assert_int_equal(u->preprocess_plain.count, 0);
	assert_int_equal(u->job.step_count, 2);
	assert_words(&u->job.steps[0].argv, "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -fpreprocessed -fdirectives-only "
		     "-quiet -quiet -mtune=generic -O2 - -o out.s");
	assert_true(u->job.steps[0].stdin_input);
	assert_string_equal(u->job.steps[1].program, "as");
	assert_words(&u->job.steps[1].argv, "as --64 -o out.o out.s");
	assert_false(u->job.steps[1].stdin_input);
	assert_words(&u->job.outputs, "out.o");
	assert_string_equal(u->result_name, "out.o");
	assert_string_equal(u->job.input_name, "");
	plan_free(p);
}

static void assembly_is_written_through(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_GCC, "gcc -S a.c", CC1 "a.c" BASE "-o a.s -fPIC\n", NULL, false);

	assert_int_equal(p->units[0].verdict.kind, VERDICT_TEXT);
	assert_int_equal(p->units[0].output_kind, OUTPUT_THROUGH);
	assert_string_equal(p->units[0].output, "a.s");
	assert_int_equal(p->units[0].job.step_count, 1);
	assert_words(&p->units[0].job.outputs, "out.s");
	plan_free(p);
}

static void a_pipe_becomes_a_file(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_GCC, "gcc -pipe -c a.c", CC1 "a.c" BASE "-o - |\n as --64 -o a.o\n", NULL,
				 false);

	assert_int_equal(p->units[0].verdict.kind, VERDICT_TEXT);
	assert_words(&p->units[0].job.steps[1].argv, "as --64 -o out.o out.s");
	plan_free(p);
}

static void each_input_is_a_unit(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_GCC, "gcc -c a.c b.c",
				 SIMPLE CC1 "b.c" BASE TO_S " as --64 -o b.o /tmp/t/cc1.s\n", NULL, false);

	assert_int_equal(p->unit_count, 2);
	assert_int_equal(p->verdict.kind, VERDICT_TEXT);
	assert_string_equal(p->units[1].input, "b.c");
	assert_string_equal(p->units[1].output, "b.o");
	assert_int_equal(p->units[1].first, 2);
	plan_free(p);
}

static void a_clang_compile_keeps_its_file_name(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_CLANG, "clang -c src/a.c -DX",
				 "Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n (in-process)\n"
				 CLANG "\"-emit-obj\" " NAMES "\"-D\" \"X\" \"-o\" \"a.o\" \"-x\" \"c\" \"src/a.c\"\n",
				 NULL, false);
	const struct unit *u = &p->units[0];

	assert_int_equal(u->verdict.kind, VERDICT_TEXT);
	assert_words(&u->preprocess, "/usr/lib/llvm-14/bin/clang -cc1 -E -frewrite-includes -triple "
		     "x86_64-pc-linux-gnu -main-file-name a.c -mrelocation-model pic -internal-isystem "
		     "/usr/include -D X -o - -x c src/a.c");
	assert_words(&u->job.steps[0].argv, "/usr/lib/llvm-14/bin/clang -cc1 -triple x86_64-pc-linux-gnu -emit-obj "
		     "-main-file-name a.c -mrelocation-model pic -D X -o out.o -x c ./a.c");
	assert_string_equal(u->job.input_name, "a.c");
	assert_false(u->job.steps[0].stdin_input);
	assert_int_equal(u->output_kind, OUTPUT_REPLACE);
	plan_free(p);
}

static void clang_reads_stdin_there_as_here(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_CLANG, "clang -c -x c -",
				 CLANG "\"-emit-obj\" \"-o\" \"-.o\" \"-x\" \"c\" \"-\"\n", NULL, false);
	const struct unit *u = &p->units[0];

	assert_string_equal(u->input, "-");
	assert_string_equal(u->job.input_name, "");
	assert_true(u->job.steps[0].stdin_input);
	assert_string_equal(u->job.steps[0].argv.v[u->job.steps[0].argv.count - 1], "-");
	plan_free(p);
}

static void clang_may_have_an_assembler(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_CLANG, "clang -fno-integrated-as -c a.c",
				 CLANG "\"-S\" \"-no-integrated-as\" \"-o\" \"/tmp/t/a-1.s\" \"-x\" \"c\" \"a.c\"\n"
				 " \"/usr/bin/as\" \"--64\" \"-o\" \"a.o\" \"/tmp/t/a-1.s\"\n", NULL, false);

	assert_int_equal(p->units[0].job.step_count, 2);
	assert_words(&p->units[0].job.steps[1].argv, "/usr/bin/as --64 -o out.o out.s");
	plan_free(p);
}

static void expanded_text_only_without_warnings(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_GCC, "gcc -w -c a.c", CC1 "-D X a.c" BASE "-w " TO_S AS, NULL, false);
	const struct unit *u = &p->units[0];

	assert_string_equal(u->preprocess_plain.v[u->preprocess_plain.count - 1], "-fpch-preprocess");
	assert_words(&u->job_plain.steps[0].argv, "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -fpreprocessed -quiet -quiet "
		     "-mtune=generic -w - -o out.s");
	plan_free(p);
	p = plan_of(DIALECT_CLANG, "clang -w -c a.c",
		    CLANG "\"-emit-obj\" \"-D\" \"X\" \"-w\" \"-o\" \"a.o\" \"-x\" \"c++\" \"a.c\"\n", NULL, false);
	assert_words(&p->units[0].job_plain.steps[0].argv, "/usr/lib/llvm-14/bin/clang -cc1 -triple "
		     "x86_64-pc-linux-gnu -emit-obj -w -o out.o -x c++-cpp-output ./a.c");
	plan_free(p);
	p = plan_of(DIALECT_GCC, "gcc -w -c a.c", CC1 "a.c" BASE "-w -fsanitize=undefined " TO_S AS, NULL, false);
	assert_int_equal(p->units[0].preprocess_plain.count, 0);
	plan_free(p);
}

static void doubts_follow_the_warnings(void **state UNUSED)
{
	static const struct {
		const char *options;
		unsigned own, system;
	} cases[] = {
		{ "", DOUBT_PRAGMA | DOUBT_LEXICAL, DOUBT_PRAGMA },
		{ "-Wall ", DOUBT_PRAGMA | DOUBT_LEXICAL | DOUBT_INDENT, DOUBT_PRAGMA },
		{ "-Wall -w ", DOUBT_PRAGMA | DOUBT_LEXICAL, DOUBT_PRAGMA },
		{ "-Wsystem-headers ", DOUBT_PRAGMA | DOUBT_LEXICAL, DOUBT_PRAGMA | DOUBT_LEXICAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autofree char *text = xasprintf(CC1 "a.c" BASE "%s" TO_S AS, cases[i].options);
		struct plan *p = plan_of(DIALECT_GCC, "gcc -c a.c", text, NULL, false);

		assert_int_equal(p->units[0].doubts, cases[i].own);
		assert_int_equal(p->units[0].system_doubts, cases[i].system);
		plan_free(p);
	}
}

static void debug_information_stays_unless_forced(void **state UNUSED)
{
	const char *text = CC1 "a.c" BASE "-g " TO_S " as --gdwarf-5 --64 -o a.o /tmp/t/cc1.s\n";
	struct plan *p = plan_of(DIALECT_GCC, "gcc -g -c a.c", text, NULL, true);

	assert_int_equal(p->verdict.kind, VERDICT_TEXT);
	assert_words(&p->units[0].job.steps[1].argv, "as --gdwarf-5 --64 -o out.o out.s");
	plan_free(p);
	assert_local("gcc -g -c a.c", text, REASON_DEBUG_INFO, "-g");
	assert_local("clang -g -c a.c", CLANG "\"-emit-obj\" \"-debug-info-kind=constructor\" \"-o\" \"a.o\" \"-x\" \"c\" "
		     "\"a.c\"\n", REASON_DEBUG_INFO, "-g");
	assert_remote("gcc -g -g0 -c a.c", CC1 "a.c" BASE "-g -g0 " TO_S AS);
	assert_remote("gcc -gno-column-info -c a.c", CC1 "a.c" BASE "-gno-column-info " TO_S AS);
}

static void what_is_no_plain_compile_stays(void **state UNUSED)
{
	assert_local("gcc a.c", SIMPLE " /usr/lib/gcc/x/12/collect2 -o a.out a.o\n", REASON_NOT_A_COMPILE, "collect2");
	assert_local("gcc -E a.c", " /usr/lib/gcc/12/cc1 -E -quiet a.c\n", REASON_NOT_A_COMPILE, "-E");
	assert_local("gcc -fsyntax-only a.c", CC1 "a.c" BASE "-fsyntax-only -o /dev/null\n", REASON_NOT_A_COMPILE,
		     "-fsyntax-only");
	assert_local("gcc -c s.s", " as --64 -o s.o s.s\n", REASON_ASSEMBLER_SOURCE, "as");
	assert_local("gcc -c s.S", " /usr/lib/cc1 -E -lang-asm s.S -o /tmp/t/1.s\n as -o s.o /tmp/t/1.s\n",
		     REASON_ASSEMBLER_SOURCE, "");
	assert_local("clang -c s.s", " \"/usr/bin/clang\" \"-cc1as\" \"-o\" \"s.o\" \"s.s\"\n",
		     REASON_ASSEMBLER_SOURCE, "clang");
	assert_local("gcc -c h.h", CC1 "h.h" BASE TO_S, REASON_UNUSUAL_PLAN, "the output is temporary");
	assert_local("gcc -c h.h", CC1 "h.h" BASE "-o /tmp/t/1.s \"--output-pch=h.h.gch\"\n", REASON_SIDE_OUTPUT,
		     "--output-pch=h.h.gch");
	assert_local("gcc -c a.f", " /usr/lib/f951 a.f -o /tmp/t/1.s\n as -o a.o /tmp/t/1.s\n", REASON_LANGUAGE, "f951");
	assert_local("clang -c a.m", CLANG "\"-emit-obj\" \"-o\" \"a.o\" \"-x\" \"objective-c\" \"a.m\"\n",
		     REASON_LANGUAGE, "objective-c");
	assert_local("gcc -gsplit-dwarf -c a.c", CC1 "a.c" BASE TO_S AS " objcopy --extract-dwo a.o a.dwo\n",
		     REASON_SIDE_OUTPUT, "objcopy");
	assert_local("gcc --version", "Using built-in specs.\n", REASON_QUERY, "");
	assert_local("gcc -S -o - a.c", CC1 "a.c" BASE "-o -\n", REASON_STDIN_OUTPUT, "");
	assert_local("mystery", " /usr/bin/frobnicate -o a.o a.c\n", REASON_UNUSUAL_PLAN, "frobnicate");
}

static void chains_must_fit(void **state UNUSED)
{
	assert_local("gcc -c a.c", CC1 "a.c" BASE TO_S " as -o a.o /tmp/t/other.s\n", REASON_UNUSUAL_PLAN,
		     "/tmp/t/other.s");
	assert_local("gcc -c a.c", CC1 "a.c" BASE TO_S " as -o a.o\n", REASON_UNUSUAL_PLAN, "assembler without input");
	assert_local("gcc -c a.c", CC1 "a.c" BASE "-o a.s\n as -o a.o a.s\n", REASON_SIDE_OUTPUT, "a.s");
	assert_local("gcc -c a.c", CC1 "a.c b.c" BASE TO_S AS, REASON_UNUSUAL_PLAN, "not just one input");
	assert_local("gcc -c a.c", CC1 "a.c" BASE "\n" AS, REASON_UNUSUAL_PLAN, "assembler");
}

static void options_that_keep_a_compile_here(void **state UNUSED)
{
	static const struct {
		const char *option;
		enum reason reason;
	} cases[] = {
		{ "-fplugin=x.so", REASON_READS_FILES }, { "-fprofile-use=p", REASON_READS_FILES },
		{ "-fdump-tree-all", REASON_SIDE_OUTPUT }, { "-fstack-usage", REASON_SIDE_OUTPUT },
		{ "-ftest-coverage", REASON_SIDE_OUTPUT }, { "-flto", REASON_LTO }, { "-flto=auto", REASON_LTO },
		{ "-fverbose-asm", REASON_RECORDS_COMMAND }, { "-frecord-gcc-switches", REASON_RECORDS_COMMAND },
		{ "-fmodules-ts", REASON_READS_FILES }, { "-fopt-info-vec=f", REASON_SIDE_OUTPUT },
		{ "-fopenmp", REASON_TEXT_UNSOUND }, { "-Wunused-macros", REASON_TEXT_UNSOUND },
		{ "-ftime-report", REASON_DIAGNOSTICS }, { "-H", REASON_PREPROCESSOR },
		{ "-frobnicate-not-a-family", REASON_NONE }, { "-Qfrob", REASON_UNKNOWN_OPTION },
		{ "--strange", REASON_UNKNOWN_OPTION }, { "-da", REASON_SIDE_OUTPUT }, { "-MG", REASON_UNUSUAL_PLAN },
		{ "-fexec-charset=latin1", REASON_READS_FILES }, { "-fdiagnostics-format=json", REASON_DIAGNOSTICS },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autofree char *text = xasprintf(CC1 "a.c" BASE "\"%s\" " TO_S AS, cases[i].option);

		if (cases[i].reason == REASON_NONE)
			assert_remote("gcc -c a.c", text);
		else
			assert_local("gcc -c a.c", text, cases[i].reason, cases[i].option);
	}
}

static void usual_options_go(void **state UNUSED)
{
	static const char *const options[] = {
		"-O2", "-fPIC", "\"-fvisibility=hidden\"", "-fstack-protector-strong", "-Wall", "-Wextra", "-Wpedantic",
		"\"-std=c++17\"", "\"-march=rocketlake\" -mno-sse4a --param \"l1-cache-size=48\"", "-fno-strict-aliasing",
		"-D \"_FORTIFY_SOURCE=2\"", "-D_REENTRANT", "-MMD a.d -MP -MF \"d/x y.d\" -MQ a.o", "-fcf-protection",
		"\"-ffile-prefix-map=/home/u=.\"", "-isystem /opt/include -iquote q -idirafter r -isysroot /s",
		"-include z.c", "\"--param=ssp-buffer-size=4\"", "-fno-plt", "-g0", "-pg", "-ansi", "\"-Werror=format-security\"",
		"\"-fsanitize=address\"", "\"-frandom-seed=x\"", "-nostdinc", "-m32", "\"-fdiagnostics-color=always\"",
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		autofree char *text = xasprintf(CC1 "a.c" BASE "%s " TO_S AS, options[i]);

		assert_remote("gcc -c a.c", text);
	}
	assert_remote("gcc -c a.c", CC1 "a.c" BASE TO_S " as --64 --noexecstack -o a.o /tmp/t/cc1.s\n");
	assert_local("gcc -c a.c", CC1 "a.c" BASE TO_S " as --64 \"-alh=f\" -o a.o /tmp/t/cc1.s\n", REASON_SIDE_OUTPUT,
		     "-alh=f");
}

static void llvm_options_are_known_or_local(void **state UNUSED)
{
	assert_remote("clang -c a.c", CLANG "\"-emit-obj\" \"-mllvm\" \"-treat-scalable-fixed-error-as-warning\" "
		      "\"-o\" \"a.o\" \"-x\" \"c\" \"a.c\"\n");
	assert_local("clang -c a.c", CLANG "\"-emit-obj\" \"-mllvm\" \"-stats\" \"-o\" \"a.o\" \"-x\" \"c\" \"a.c\"\n",
		     REASON_UNKNOWN_OPTION, "-stats");
}

static void a_subcommand_must_not_read_its_options_from_a_file(void **state UNUSED)
{
	assert_local("gcc -c ./@a.c", CC1 "./a.c -quiet -dumpbase \"@a.c\" " TO_S AS, REASON_READS_FILES, "-dumpbase");
}

static void what_the_driver_says_it_says_itself(void **state UNUSED)
{
	assert_local("gcc -c a.c", "gcc: warning: x.o: linker input file unused because linking not done\n" SIMPLE,
		     REASON_DRIVER_SPEAKS, "gcc: warning: x.o: linker input file unused because linking not done");
	assert_local("gcc -c -foo a.c", "gcc: error: unrecognized command-line option '-foo'\n", REASON_DRIVER_FAILED,
		     "gcc: error: unrecognized command-line option '-foo'");
	assert_local("clang -c a.c", "clang: warning: a thing\nclang: error: no such file or directory: 'a.c'\n",
		     REASON_DRIVER_FAILED, "clang: error: no such file or directory: 'a.c'");
	assert_local("gcc -c a.c", "Something new\n" SIMPLE, REASON_DRIVER_SPEAKS, "Something new");
	assert_local("gcc -v -c a.c", SIMPLE, REASON_DRIVER_SPEAKS, "-v");
	assert_local("gcc -save-temps=obj -c a.c", SIMPLE, REASON_SIDE_OUTPUT, "-save-temps=obj");
	assert_local("clang -MJ f -c a.c", SIMPLE, REASON_SIDE_OUTPUT, "-MJ");
	assert_local("gcc -c a.c -DX=\n1", SIMPLE, REASON_UNUSUAL_PLAN, "a newline in an argument");
}

static void variables_may_forbid(void **state UNUSED)
{
	struct plan *p = plan_of(DIALECT_GCC, "gcc -c a.c", SIMPLE, "DEPENDENCIES_OUTPUT=d", false);

	assert_int_equal(p->verdict.kind, VERDICT_LOCAL);
	assert_int_equal(p->verdict.reason, REASON_ENVIRONMENT);
	assert_string_equal(p->verdict.detail, "DEPENDENCIES_OUTPUT");
	plan_free(p);
	assert_true(plan_env_travels("LC_MESSAGES"));
	assert_true(plan_env_travels("SOURCE_DATE_EPOCH"));
	assert_false(plan_env_travels("CPATH"));
	assert_false(plan_env_travels("HOME"));
	assert_true(plan_env_speaks("LC_ALL"));
	assert_true(plan_env_speaks("LANGUAGE"));
	assert_false(plan_env_speaks("TERM"));
	assert_true(plan_env_shapes("COMPILER_PATH"));
	assert_true(plan_env_shapes("CPATH"));
	assert_false(plan_env_shapes("LC_ALL"));
	assert_true(plan_env_forbids("LD_PRELOAD"));
	assert_true(plan_env_forbids("LOCPATH"));
	assert_false(plan_env_forbids("LD_LIBRARY_PATH"));
}

static void words_are_unquoted(void **state UNUSED)
{
	struct plan_text t = { 0 };

	plan_text_parse(&t, " /bin/cc1 \"a b\" \"\" \"q\\\"\\\\\\$x\" -o \"\xc3\xa9\"\n");
	assert_int_equal(t.count, 1);
	assert_int_equal(t.verdict.reason, REASON_NONE);
	assert_int_equal(t.commands[0].argv.count, 6);
	assert_string_equal(t.commands[0].argv.v[1], "a b");
	assert_string_equal(t.commands[0].argv.v[2], "");
	assert_string_equal(t.commands[0].argv.v[3], "q\"\\$x");
	assert_string_equal(t.commands[0].argv.v[5], "\xc3\xa9");
	plan_text_free(&t);
}

static void odd_quoting_is_not_guessed_at(void **state UNUSED)
{
	static const char *const odd[] = {
		" /bin/cc1 a'b\n", " /bin/cc1 \"open\n", " /bin/cc1 \"a\\n\"\n", " /bin/cc1 \"a\"b\n", " /bin/cc1 | x\n",
		" \"\" x\n", "  \n", " \n", " /bin/cc1 a;b\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct plan_text t = { 0 };

		plan_text_parse(&t, odd[i]);
		assert_int_equal(t.verdict.reason, REASON_UNUSUAL_PLAN);
		plan_text_free(&t);
	}
}

static void check_table(const struct arg_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct arg *row = &t->rows[i];

		assert_true(i == 0 || strcmp(t->rows[i - 1].name, row->name) < 0);
		assert_int_equal((row->flags & ARG_LOCAL) != 0, row->reason != REASON_NONE);
		assert_false(row->flags & ARG_INPUT);
		assert_ptr_equal(arg_find(t, row->name), row);
	}
}

static void tables_are_sorted_and_say_why(void **state UNUSED)
{
	check_table(&cc1_args);
	check_table(&clang_args);
	check_table(&as_args);
}

static void the_longest_name_wins(void **state UNUSED)
{
	assert_string_equal(arg_find(&cc1_args, "-fprofile-use=x")->name, "-fprofile-use");
	assert_string_equal(arg_find(&cc1_args, "-fprofile-arcs")->name, "-fprofile");
	assert_string_equal(arg_find(&cc1_args, "-fPIC")->name, "-f");
	assert_string_equal(arg_find(&cc1_args, "-Werror")->name, "-W");
	assert_string_equal(arg_find(&cc1_args, "-wx") ? "found" : "none", "none");
	assert_null(arg_find(&cc1_args, "-Zz"));
	assert_null(arg_find(&cc1_args, "-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gcc_compile_is_split_in_two),
		cmocka_unit_test(assembly_is_written_through),
		cmocka_unit_test(a_pipe_becomes_a_file),
		cmocka_unit_test(each_input_is_a_unit),
		cmocka_unit_test(a_clang_compile_keeps_its_file_name),
		cmocka_unit_test(clang_reads_stdin_there_as_here),
		cmocka_unit_test(clang_may_have_an_assembler),
		cmocka_unit_test(expanded_text_only_without_warnings),
		cmocka_unit_test(doubts_follow_the_warnings),
		cmocka_unit_test(debug_information_stays_unless_forced),
		cmocka_unit_test(what_is_no_plain_compile_stays),
		cmocka_unit_test(chains_must_fit),
		cmocka_unit_test(options_that_keep_a_compile_here),
		cmocka_unit_test(usual_options_go),
		cmocka_unit_test(llvm_options_are_known_or_local),
		cmocka_unit_test(a_subcommand_must_not_read_its_options_from_a_file),
		cmocka_unit_test(what_the_driver_says_it_says_itself),
		cmocka_unit_test(variables_may_forbid),
		cmocka_unit_test(words_are_unquoted),
		cmocka_unit_test(odd_quoting_is_not_guessed_at),
		cmocka_unit_test(tables_are_sorted_and_say_why),
		cmocka_unit_test(the_longest_name_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
