/*
 * test_base.c - what strangers say, made fit to be shown.
 */
#include "unit.h"

#include "base.h"

static void assert_shown(const char *said, const char *want)
{
	autofree char *s = xstrdup(said);

	make_printable(s);
	assert_string_equal(s, want);
}

static void text_stays_as_it_is(void **state UNUSED)
{
	static const char *const good[] = {
		"", "/usr/bin/as: No such file", "caf\u00e9 \u00a0\u07ff \u0800\ud7ff\ue000\uffff", "\U00010000 \U0010ffff",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_shown(good[i], good[i]);
}

static void what_a_terminal_obeys_is_not_shown(void **state UNUSED)
{
	assert_shown("a\nb\r\tc\x1b[2J\x7f", "a?b??c?[2J?");
	assert_shown("\xc2\x9b" "2J \xc2\x80", "??2J ??");
}

static void quotes_do_not_end_a_quoted_value(void **state UNUSED)
{
	assert_shown("x\" state=ready why=\"", "x' state=ready why='");
}

/* JSON takes no such bytes, and what follows them must not be swallowed. */
static void what_is_not_utf8_is_not_shown(void **state UNUSED)
{
	assert_shown("\x80z", "?z");
	assert_shown("\xc3z", "?z");
	assert_shown("\xc3", "?");
	assert_shown("\xe2\x82\"", "?" "?'");
	assert_shown("\xf0\x9f\x98", "???");
	assert_shown("\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "?? ??? ????");
	assert_shown("\xed\xa0\x80 \xf4\x90\x80\x80 \xff", "??? ???? ?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_as_it_is),
		cmocka_unit_test(what_a_terminal_obeys_is_not_shown),
		cmocka_unit_test(quotes_do_not_end_a_quoted_value),
		cmocka_unit_test(what_is_not_utf8_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
