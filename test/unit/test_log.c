/*
 * test_log.c - one event is one line.
 */
#include "unit.h"

#include <fcntl.h>

#include "log.h"

static int fds[2];

static int setup(void **state UNUSED)
{
	return pipe2(fds, O_CLOEXEC | O_NONBLOCK);
}

static int teardown(void **state UNUSED)
{
	log_open(2, LOG_INFO);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* What was logged, without the time. */
static const char *logged(void)
{
	static char line[4096];
	ssize_t n = read(fds[0], line, sizeof line - 1);

	line[n > 0 ? n : 0] = 0;
	return n > 0 ? strchr(line, ' ') + 1 : line;
}

static void a_line_has_a_level_an_event_and_values(void **state UNUSED)
{
	log_open(fds[1], LOG_INFO);
	log_warn("lost", "peer=%s why=\"%s\"", "alder:1", "caf\u00e9 is closed");
	assert_string_equal(logged(), "warn lost peer=alder:1 why=\"caf\u00e9 is closed\"\n");
	log_debug("detail", "n=%d", 1);
	assert_string_equal(logged(), "");
}

static void a_value_cannot_begin_another_line(void **state UNUSED)
{
	log_open(fds[1], LOG_INFO);
	log_info("refused", "why=\"%s\"", "x\n2026-01-01T00:00:00.000Z error forged \x1b[2J\x7f");
	assert_string_equal(logged(), "info refused why=\"x?2026-01-01T00:00:00.000Z error forged ?[2J?\"\n");
}

static void a_long_line_is_cut_and_still_ends(void **state UNUSED)
{
	char value[5000];
	const char *line;

	memset(value, 'x', sizeof value);
	value[sizeof value - 1] = 0;
	log_open(fds[1], LOG_INFO);
	log_info("long", "value=%s", value);
	line = logged();
	assert_true(strlen(line) > 1900 && strlen(line) < 2048);
	assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_a_level_an_event_and_values),
		TEST(a_value_cannot_begin_another_line),
		TEST(a_long_line_is_cut_and_still_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
