/*
 * test_text_scan.c - which words stop a text, and which files it names.
 */
#include "unit.h"

#include "plan.h"

/* As one chunk, and cut in two at every place. */
static void assert_scan(enum dialect dialect, bool plain, const char *text, enum reason want)
{
	for (size_t cut = 0; cut <= strlen(text); cut++) {
		struct text_scan s = { .dialect = dialect, .plain = plain };
		enum reason got = text_scan(&s, text, cut);

		if (got == REASON_NONE)
			got = text_scan(&s, text + cut, strlen(text) - cut);
		assert_int_equal(got, want);
		text_scan_free(&s);
	}
}

static void unsound_words_stop_a_text(void **state UNUSED)
{
	static const char *const texts[] = {
		"const char *d = __DATE__;\n", "x(__TIME__)", "__TIMESTAMP__", "s = __BASE_FILE__;", "#if __INCLUDE_LEVEL__\n",
		"asm(\".incbin \\\"f\\\"\");\n", "asm(\".include \\\"f\\\"\");\n", "  #  embed <f>\n",
		"#pragma GCC pch_preprocess \"h.gch\"\n", "one line\nand then __DATE__ far enough on to be in the lanes\n",
		"#define D incbin\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_scan(DIALECT_GCC, false, texts[i], REASON_TEXT_UNSOUND);
}

static void like_words_do_not(void **state UNUSED)
{
	static const char *const texts[] = {
		"int __DATE__x; int x__TIME__; int __DATE;\n", "#include <x.h>\n", "/* to embed it */\n", "number, member\n",
		"struct include { int a; }; x.included = 1;\n", "int incbinary, xincbin;\n", "__COUNTER__\n", "pch\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct text_scan s = { 0 };

		assert_int_equal(text_scan(&s, texts[i], strlen(texts[i])), REASON_NONE);
		text_scan_free(&s);
	}
}

static void expanded_text_has_other_words(void **state UNUSED)
{
	assert_scan(DIALECT_GCC, true, "const char *d = \"__DATE__\";\n", REASON_NONE);
	assert_scan(DIALECT_GCC, true, "int l = __builtin_LINE();\n", REASON_TEXT_UNSOUND);
	assert_scan(DIALECT_GCC, false, "int l = __builtin_LINE();\n", REASON_NONE);
	assert_scan(DIALECT_GCC, true, "asm(\".incbin 'f'\");\n", REASON_TEXT_UNSOUND);
}

static void clang_counts_in_conditions(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum reason want;
	} cases[] = {
		{ "int a;\nint x = __COUNTER__;\n", REASON_NONE },
		{ "a\n#define NAME(n) CAT(n, __COUNTER__)\n", REASON_NONE },
		{ "a\n#define NAME(n) \\\n CAT(n, __COUNTER__)\n", REASON_NONE },
		{ "a\n#if __COUNTER__ == 0\n", REASON_TEXT_UNSOUND },
		{ "a\n # elif 1 + \\\n __COUNTER__\n", REASON_TEXT_UNSOUND },
		{ "a\n#define NEXT __COUNTER__\n", REASON_TEXT_UNSOUND },
		{ "a\n#define NEXT() __COUNTER__\n", REASON_TEXT_UNSOUND },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_scan(DIALECT_CLANG, false, cases[i].text, cases[i].want);
		assert_scan(DIALECT_GCC, false, cases[i].text, REASON_NONE);
		assert_scan(DIALECT_CLANG, true, cases[i].text, REASON_NONE);
	}
}

static void files_are_noted(void **state UNUSED)
{
	static const char text[] =
		"# 0 \"a.c\"\n# 1 \"./b.h\" 1\nint b;\n# 2 \"a.c\" 2\n# 1 \"/usr/include/s.h\" 1 3 4\n# 3 \"a.c\" 2\n"
		"# 1 \"./b.h\" 1\n# 7 \"other.y\"\n# 1 \"q\\\"\\\\\\303\\251.h\" 1\nx\n";

	for (size_t cut = 0; cut < sizeof text; cut++) {
		struct text_scan s = { 0 };

		text_scan(&s, text, cut);
		text_scan(&s, text + cut, sizeof text - 1 - cut);
		assert_int_equal(s.files.count, 2);
		assert_string_equal(s.files.v[0], "./b.h");
		assert_string_equal(s.files.v[1], "q\"\\\xc3\xa9.h");
		assert_int_equal(s.system_files.count, 1);
		assert_string_equal(s.system_files.v[0], "/usr/include/s.h");
		text_scan_free(&s);
	}
}

static void an_endless_line_is_given_up(void **state UNUSED)
{
	struct text_scan s = { 0 };
	autofree char *chunk = xmalloc(1 << 19);

	memset(chunk, 'x', 1 << 19);
	assert_int_equal(text_scan(&s, chunk, 1 << 19), REASON_NONE);
	assert_int_equal(text_scan(&s, chunk, 1 << 19), REASON_TEXT_UNSOUND);
	text_scan_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsound_words_stop_a_text),
		cmocka_unit_test(like_words_do_not),
		cmocka_unit_test(expanded_text_has_other_words),
		cmocka_unit_test(clang_counts_in_conditions),
		cmocka_unit_test(files_are_noted),
		cmocka_unit_test(an_endless_line_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
