/*
 * test_clock_words.c - texts that name the time, and texts that do not.
 */
#include "unit.h"

#include "clock_words.h"

static void each_word_is_found(void **state UNUSED)
{
	static const char *const yes[] = {
		"__DATE__", "__TIME__", "__TIMESTAMP__", "x = __TIME__;", "FOO__DATE__BAR", "// __TIME__",
		"__TIME __TIME__", "__TIME__STAMP", "__TI\\\nME__", "__\\\r\nDATE__", "a \\\n_\\\n_DATE__",
	};
	static const char *const no[] = {
		"", "_", "__DATE", "__TIME", "__TIME_", "__TIMESTAMP_", "_DATE_", "__FILE__", "DATE", "__time__",
		"\\\nDATE", "_\\", "_\\\n", "#define X \\\n\tY \\\n\tZ", "A\\nB",
	};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(clock_words_in(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(clock_words_in(no[i], strlen(no[i])));
}

/* Whatever it is cut into, with the overlap: seen in one of the pieces. */
static void a_word_in_two_pieces_is_found(void **state UNUSED)
{
	static const char text[] = "some text before __TIMESTAMP__ and behind";
	size_t len = strlen(text);

	for (size_t cut = CLOCK_WORDS_OVERLAP; cut < len; cut++)
		assert_true(clock_words_in(text, cut) || clock_words_in(text + cut - CLOCK_WORDS_OVERLAP, len - cut + CLOCK_WORDS_OVERLAP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_is_found),
		cmocka_unit_test(a_word_in_two_pieces_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
