/*
 * test_source_doubts.c - sources about which gcc 12 or clang 14 warn only
 * when they have the file itself, and like ones about which they do not.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>

#include "source_doubts.h"
#include "source_memo.h"

struct sample {
	const char *text;
	unsigned want;
};

static void check(const struct sample *samples, size_t count, const char *before, const char *after)
{
	for (size_t i = 0; i < count; i++) {
		autofree char *text = xasprintf("%s%s%s", before, samples[i].text, after);
		unsigned got = source_doubts(text, strlen(text));

		if (got != samples[i].want)
			fail_msg("doubts %#x, not %#x:\n%s", got, samples[i].want, text);
	}
}

static void pragmas_that_gcc_swallows(void **state UNUSED)
{
	static const struct sample samples[] = {
		{ "#pragma message \"hi\"\n", DOUBT_PRAGMA }, { " # pragma GCC poison gets\n", DOUBT_PRAGMA },
		{ "#pragma push_macro(\"X\")\n", DOUBT_PRAGMA }, { "#pragma \\\n message(\"x\")\n", DOUBT_PRAGMA },
		{ "#if 0\n#pragma redefine_extname a b\n#endif\n", DOUBT_PRAGMA },
		{ "#pragma GCC diagnostic warning \"-Wmisleading-indentation\"\n", DOUBT_PRAGMA },
		{ "#pragma GCC diagnostic ignored \"-Wmisleading-indentation\"\n", 0 },
		{ "#pragma once\n#pragma pack(1)\n#pragma GCC visibility push(hidden)\n", 0 },
		{ "_Pragma(\"message(\\\"x\\\")\")\n", 0 }, { "int message, poison;\n", 0 },
	};

	check(samples, ARRAY_LEN(samples), "", "");
}

static void parts_left_out_are_lexed_too(void **state UNUSED)
{
	static const struct sample samples[] = {
		{ "it's\n", DOUBT_LEXICAL }, { "#error don't\n", DOUBT_LEXICAL }, { "\"open\n", DOUBT_LEXICAL },
		{ "/* a /* b */\n", DOUBT_LEXICAL }, { "// a \\\n b\n", DOUBT_LEXICAL }, { "a ?\?= b\n", DOUBT_LEXICAL },
		{ "a \\ \nb\n", DOUBT_LEXICAL }, { "a \\u0000\n", DOUBT_LEXICAL }, { "/* \xe2\x80\xae */\n", DOUBT_LEXICAL },
		{ "R\"x(open\n", DOUBT_LEXICAL }, { "int n = 1'000;\n", DOUBT_LEXICAL },
		{ "int a$b;\n", DOUBT_LEXICAL },
		{ "/* it's */ // don't\n", 0 }, { "char c = '\\'', d = '\"';\n", 0 }, { "s = \"a\\\nb\";\n", 0 },
		{ "#error \"it's\" \\\n \"fine\"\n", 0 }, { "#define A 1 \\\n + 2\n", 0 }, { "what?\?\n", 0 },
		{ "R\"x(it's \" )\" \n)x\";\n", 0 }, { "u8R\"(it's)\" + L'x';\n", 0 }, { "int n = 1'000'000;\n", 0 },
	};

	check(samples, ARRAY_LEN(samples), "#if 0\n", "#endif\n");
}

static void layouts_that_mislead(void **state UNUSED)
{
	static const struct sample samples[] = {
		/* as measured: gcc or clang warns */
		{ "  if (x)\n    a();\n    b();\n", DOUBT_INDENT },
		{ "  if (x) a(); b();\n", DOUBT_INDENT },
		{ "  if (x)\n    a();\n  else\n    a();\n    b();\n", DOUBT_INDENT },
		{ "  if (x) {\n    a();\n  } else\n    a();\n    b();\n", DOUBT_INDENT },
		{ "  if (x)\n    for (;x;)\n      a();\n    b();\n", DOUBT_INDENT },
		{ "\tif (x)\n\t    a();\n            b();\n", DOUBT_INDENT },
		{ "  if (x)\n    a();\n    { b(); }\n", DOUBT_INDENT },
		{ "  if (x)\n    a();\n    int y;\n", DOUBT_INDENT },
		{ "  l: if (x)\n    a();\n    b();\n", DOUBT_INDENT },
		{ "  while (x);\n    b();\n", DOUBT_INDENT | DOUBT_EMPTY },
		{ "  while (x);\n  {\n    b();\n  }\n", DOUBT_INDENT | DOUBT_EMPTY },
		{ "  for (;x;)\n    ;\n    b();\n", DOUBT_INDENT | DOUBT_EMPTY },
		{ "  if (x);\n  b();\n", DOUBT_INDENT | DOUBT_EMPTY },
		{ "  if (x) a(); else;\n  b();\n", DOUBT_INDENT | DOUBT_EMPTY },
		{ "  switch (x);\n  b();\n", DOUBT_INDENT | DOUBT_EMPTY },
		/* depends on what is defined */
		{ "  if (x)\n    a();\n#ifdef X\n    b();\n#endif\n  c();\n", DOUBT_INDENT },
		{ "  if (x)\n    a();\n#ifdef X\n  b();\n#else\n    b();\n#endif\n  c();\n", DOUBT_INDENT },
		{ "  if (x)\n    a();\n#ifdef X\n  b();\n#endif\n    c();\n", DOUBT_INDENT },
		{ "#ifdef X\n  if (x)\n    a();\n#else\n  b();\n#endif\n    c();\n", DOUBT_INDENT },
		{ "  if (x)\n#ifdef X\n    a();\n#else\n    b();\n#endif\n  c();\n", DOUBT_INDENT },
		{ "  if (x)\n#ifdef X\n    a();\n#else\n    ;\n#endif\n  c();\n", DOUBT_INDENT | DOUBT_EMPTY },
	};

	check(samples, ARRAY_LEN(samples), "void f(int x)\n{\n", "}\n");
}

static void layouts_that_do_not(void **state UNUSED)
{
	static const struct sample samples[] = {
		{ "  if (x)\n    a();\n  b();\n", 0 },
		{ "  if (x) { a(); } b();\n", 0 },
		{ "  if (x)\n    {\n      a();\n    }\n    b();\n", 0 },
		{ "  if (x) a();\n  else b();\n  c();\n", 0 },
		{ "  if (x) a();\n", 0 },
		{ "  do a(); while (x);\n    b();\n", 0 },
		{ "  do { a(); } while (x); b();\n", 0 },
		{ "  while (x);\n  b();\n", 0 },
		{ "  for (i = 0; i < 3; i++)\n    if (x)\n      a();\n    else\n      b();\n  c();\n", 0 },
		{ "  if (x)\n    a(c, [&] { return 1; });\n  b();\n", 0 },
		{ "  if (x)\n    try { a(); } catch (int e) { b(); }\n  c();\n", 0 },
		{ "  if constexpr (x)\n    a();\n  b();\n", 0 },
		{ "  if (x) [[likely]] { a(); } b();\n", 0 },
		{ "  switch (x) {\n  case 1:\n    if (x)\n      a();\n    break;\n  }\n", 0 },
		{ "  if (x)\n    a();\n#ifdef X\n  b();\n#if Y\n    c();\n#endif\n#endif\n  d();\n", 0 },
		{ "#ifdef X\n  if (x)\n    a();\n#else\n    b();\n#endif\n  c();\n", 0 },
		{ "#define M if (x) a(); b();\n", 0 },
		{ "  if (x)\n    FOREACH(y) { a(); }\n  b();\n", 0 },
	};

	check(samples, ARRAY_LEN(samples), "void f(int x)\n{\n", "}\n");
}

static void a_memo_follows_the_file(void **state UNUSED)
{
	char dir[] = "/tmp/rcc-test.XXXXXX", path[64];
	struct source_memo *m = source_memo_new();
	struct text_scan scan = { 0 };
	struct text_origin u = { .cwd = dir, .input = (char *)"a.c", .doubts = DOUBT_PRAGMA, .stdin_fd = -1 };
	char *culprit = NULL;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(source_memo_judge(m, &scan, &u, &culprit), REASON_TEXT_UNSOUND);
	assert_string_equal(culprit, "a.c");
	free(culprit);
	snprintf(path, sizeof path, "%s/a.c", dir);
	for (int i = 0; i < 4; i++) {
		f = fopen(path, "w");
		fputs(i & 2 ? "#pragma message \"x\"\n" : "int x;\n", f);
		fclose(f);
		assert_int_equal(source_memo_judge(m, &scan, &u, &culprit),
				 i & 2 ? REASON_TEXT_UNSOUND : REASON_NONE);
		free(culprit);
	}
	u.doubts = DOUBT_EMPTY;
	assert_int_equal(source_memo_judge(m, &scan, &u, &culprit), REASON_NONE);
	unlink(path);
	rmdir(dir);
	source_memo_free(m);
}

static void headers_count_by_whose_they_are(void **state UNUSED)
{
	char dir[] = "/tmp/rcc-test.XXXXXX", path[64];
	struct source_memo *m = source_memo_new();
	struct text_scan scan = { 0 };
	struct text_origin u = { .cwd = dir, .input = (char *)"-", .doubts = DOUBT_LEXICAL,
				 .system_doubts = DOUBT_PRAGMA };
	autoclose int null = open("/dev/null", O_RDONLY), self = -1;
	char *culprit = NULL;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/h.h", dir);
	f = fopen(path, "w+");
	fputs("it's\n", f);
	fflush(f);
	self = open(path, O_RDONLY);
	/* a source on stdin that is no regular file is in doubt */
	u.stdin_fd = null;
	assert_int_equal(source_memo_judge(m, &scan, &u, &culprit), REASON_TEXT_UNSOUND);
	free(culprit);
	u.stdin_fd = self;
	assert_int_equal(source_memo_judge(m, &scan, &u, &culprit), REASON_TEXT_UNSOUND);
	free(culprit);
	u.input = (char *)"h.h";
	u.doubts = DOUBT_EMPTY;
	argv_push(&scan.system_files, "h.h");
	assert_int_equal(source_memo_judge(m, &scan, &u, &culprit), REASON_NONE);
	u.system_doubts = DOUBT_LEXICAL;
	assert_int_equal(source_memo_judge(m, &scan, &u, &culprit), REASON_TEXT_UNSOUND);
	assert_string_equal(culprit, "h.h");
	free(culprit);
	fclose(f);
	unlink(path);
	rmdir(dir);
	text_scan_free(&scan);
	source_memo_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pragmas_that_gcc_swallows),
		cmocka_unit_test(parts_left_out_are_lexed_too),
		cmocka_unit_test(layouts_that_mislead),
		cmocka_unit_test(layouts_that_do_not),
		cmocka_unit_test(a_memo_follows_the_file),
		cmocka_unit_test(headers_count_by_whose_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
