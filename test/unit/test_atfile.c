/*
 * test_atfile.c - @files: the rules of quoting, nesting, and what is left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "atfile.h"
#include "file.h"

static void words_are_split(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *words;	/* each followed by a bar */
	} cases[] = {
		{ "", "" }, { " \t\r\n\v\f", "" }, { "a b", "a|b|" }, { "  a\n\tb  ", "a|b|" },
		{ "'a b' \"c d\"", "a b|c d|" }, { "a' 'b\" \"c", "a b c|" }, { "'\"' \"'\"", "\"|'|" },
		{ "a\\ b", "a b|" }, { "'a\\'b'", "a'b|" }, { "\"a\\\"b\\\\\"", "a\"b\\|" },
		{ "'' \"\"", "||" }, { "-DX='y z'", "-DX=y z|" }, { "'open to the end", "open to the end|" },
		{ "a\\", "a|" }, { "\\a\\n", "an|" }, { "a\\\nb", "a\nb|" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autoargv struct argv words = { 0 };
		autobuf struct buf joined = { 0 };

		atfile_split(cases[i].text, strlen(cases[i].text), &words);
		for (size_t w = 0; w < words.count; w++)
			buf_printf(&joined, "%s|", words.v[w]);
		assert_string_equal(buf_str(&joined), cases[i].words);
	}
}

static void a_zero_byte_ends_the_text(void **state UNUSED)
{
	autoargv struct argv words = { 0 };

	atfile_split("a b\0c d", 7, &words);
	assert_int_equal(words.count, 2);
	assert_string_equal(words.v[1], "b");
}

static char dir[] = "/tmp/rcc-test.XXXXXX";

static int enter(void **state UNUSED)
{
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave(void **state UNUSED)
{
	return chdir("/") == 0 ? remove_tree(AT_FDCWD, dir) : -1;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void files_are_expanded_in_place(void **state UNUSED)
{
	char *argv[] = { "gcc", "-c", "@outer", "z.c", NULL };
	autoargv struct argv out = { 0 };

	write_file("outer", "-O2 '@inner' -g");
	write_file("inner", "-DX @empty -DY");
	write_file("empty", "\n");
	assert_int_equal(atfile_expand(argv, &out), REASON_NONE);
	assert_int_equal(out.count, 7);
	assert_string_equal(out.v[0], "gcc");
	assert_string_equal(out.v[2], "-O2");
	assert_string_equal(out.v[3], "-DX");
	assert_string_equal(out.v[4], "-DY");
	assert_string_equal(out.v[6], "z.c");
}

static void without_files_there_is_nothing_to_say(void **state UNUSED)
{
	autoargv struct argv out = { 0 };

	assert_int_equal(atfile_expand((char *[]){ "@gcc", "-c", "a@b.c", NULL }, &out), REASON_NONE);
	assert_int_equal(out.count, 0);
}

static void what_names_no_file_stays_a_word(void **state UNUSED)
{
	autoargv struct argv out = { 0 };

	assert_int_equal(atfile_expand((char *[]){ "gcc", "@nosuch", "@", "@.", NULL }, &out), REASON_NONE);
	assert_int_equal(out.count, 4);
	assert_string_equal(out.v[1], "@nosuch");
	assert_string_equal(out.v[2], "@");
	assert_string_equal(out.v[3], "@.");
}

/* Opening it would block here for ever: nobody writes. */
static void a_fifo_is_not_opened(void **state UNUSED)
{
	autoargv struct argv out = { 0 };

	assert_int_equal(mkfifo("fifo", 0600), 0);
	write_file("names-fifo", "-c @fifo");
	assert_int_equal(atfile_expand((char *[]){ "gcc", "@names-fifo", NULL }, &out), REASON_INPUT_ODD);
}

static void a_file_that_names_itself_is_given_up(void **state UNUSED)
{
	autoargv struct argv out = { 0 }, many = { 0 };

	write_file("self", "a @self");
	assert_int_equal(atfile_expand((char *[]){ "gcc", "@self", NULL }, &out), REASON_UNUSUAL_PLAN);
	write_file("twice", "@twice @twice");
	assert_int_equal(atfile_expand((char *[]){ "gcc", "@twice", NULL }, &many), REASON_UNUSUAL_PLAN);
}

static void a_huge_file_is_given_up(void **state UNUSED)
{
	autoargv struct argv out = { 0 };

	write_file("huge", "x");
	assert_int_equal(truncate("huge", ATFILE_BYTES_MAX + 1), 0);
	assert_int_equal(atfile_expand((char *[]){ "gcc", "@huge", NULL }, &out), REASON_UNUSUAL_PLAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split),
		cmocka_unit_test(a_zero_byte_ends_the_text),
		cmocka_unit_test(files_are_expanded_in_place),
		cmocka_unit_test(without_files_there_is_nothing_to_say),
		cmocka_unit_test(what_names_no_file_stays_a_word),
		cmocka_unit_test(a_fifo_is_not_opened),
		cmocka_unit_test(a_file_that_names_itself_is_given_up),
		cmocka_unit_test(a_huge_file_is_given_up),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
