/*
 * test_request.c - the messages between wrapper and agent: there and back, cut short, too long, out of bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "output_kind.h"
#include "request_rounds.h"

static void push_some(struct argv *a, const char *first)
{
	argv_push(a, first);
	argv_push(a, "");
	argv_push(a, "two words");
}

static void put_ask(struct buf *b)
{
	struct ask m = { .program = "/usr/bin/gcc", .cwd = "/tmp", .niceness = -5, .cores = 200, .explain = 2,
			 .quick = REASON_NO_AGENT, .after = REASON_AGENT_LOST, .stderr_tty = 1,
			 .columns = 132, .lines = 43, .umask = 027 };

	push_some(&m.argv, "gcc");
	push_some(&m.env, "LANG=C");
	ask_put(b, &m);
	argv_free(&m.argv);
	argv_free(&m.env);
}

static void put_describe(struct buf *b)
{
	describe_put(b, &(struct describe){ .kind = DESCRIBE_PLAN, .temp_dir = "/tmp/x" });
}

static void put_description(struct buf *b)
{
	description_put(b, &(struct description){ .status = -1, .text = "gcc version 12\n" });
}

static void put_prepare(struct buf *b)
{
	struct prepare m = { .input = "a.c", .stdin_input = 1, .output = "a.o", .output_kind = OUTPUT_THROUGH };

	push_some(&m.preprocess, "cc1");
	prepare_put(b, &m);
	argv_free(&m.preprocess);
}

static void put_local(struct buf *b)
{
	local_go_put(b, &(struct local_go){ .reason = REASON_NO_HOSTS, .lease = "1:2" });
}

static void put_fatal(struct buf *b)
{
	fatal_put(b, &(struct fatal){ .status = EXIT_RCC_CONFIG, .text = "RCC_HOSTS: ..." });
}

static void put_query(struct buf *b)
{
	struct query m = { .kind = QUERY_STOP, .json = 1, .cores = 3, .columns = 80, .lines = 24 };

	push_some(&m.env, "RCC_HOSTS=a");
	query_put(b, &m);
	argv_free(&m.env);
}

static void put_declined(struct buf *b)
{
	declined_put(b, 7, REASON_OUTPUT_ODD);
}

static void put_preprocessed(struct buf *b)
{
	preprocessed_put(b, 7, true);
}

static void put_outcome(struct buf *b)
{
	struct outcome m = { .round = 3, .status = 1, .out_bytes = 5, .err_bytes = 6, .removed = "/src/a.s" };

	changes_add(&m.changes, &(struct change){ .path = xstrdup("/src/a"), .kind = CHANGE_FILE, .kept = true, .mode = 0644,
						  .size = 7, .mtime_ns = 8 }, NULL);
	changes_add(&m.changes, &(struct change){ .path = xstrdup("/src/b"), .kind = CHANGE_LINK, .mtime_ns = 9,
						  .target = xstrdup("a") }, NULL);
	outcome_put(b, &m);
	changes_free(&m.changes);
}

enum { OUTCOME_HEAD = 4 + 1 + 8 + 8 };

static void (*const samples[])(struct buf *b) = {
	put_ask, put_describe, put_description, put_prepare, put_local, put_fatal, put_query, put_declined,
	put_preprocessed, put_outcome,
};
_Static_assert(ARRAY_LEN(samples) == ARRAY_LEN(request_rounds), "a sample for each message, in their order");

static void messages_come_back(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		autobuf struct buf sent = { 0 }, again = { 0 };

		samples[i](&sent);
		assert_int_equal(request_rounds[i](sent.p, sent.len, &again), 0);
		assert_int_equal(sent.len, again.len);
		assert_memory_equal(sent.p, again.p, sent.len);
	}
}

static void a_field_is_what_was_sent(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct reader r;
	struct ask m;

	put_ask(&b);
	r = reader_of(b.p, b.len);
	assert_int_equal(ask_get(&r, &m, NULL), 0);
	assert_string_equal(m.program, "/usr/bin/gcc");
	assert_int_equal(m.argv.count, 3);
	assert_int_equal(m.expanded.count, 0);
	assert_string_equal(m.env.v[2], "two words");
	assert_int_equal(m.niceness, -5);
	assert_int_equal(m.cores, 200);
	assert_int_equal(m.explain, 2);
	assert_int_equal(m.quick, REASON_NO_AGENT);
	assert_int_equal(m.after, REASON_AGENT_LOST);
	assert_int_equal(m.stderr_tty, 1);
	assert_int_equal(m.columns, 132);
	assert_int_equal(m.lines, 43);
	assert_int_equal(m.umask, 027);
	ask_free(&m);
}

static void an_outcome_is_what_was_sent(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct reader r;
	struct outcome m;

	put_outcome(&b);
	r = reader_of(b.p, b.len);
	assert_int_equal(outcome_get(&r, &m, NULL), 0);
	assert_int_equal(m.round, 3);
	assert_int_equal(m.status, 1);
	assert_int_equal(m.out_bytes, 5);
	assert_int_equal(m.err_bytes, 6);
	assert_int_equal(m.changes.count, 2);
	assert_true(m.changes.v[0].kept);
	assert_string_equal(m.changes.v[1].target, "a");
	assert_string_equal(m.removed, "/src/a.s");
	outcome_free(&m);
}

static void every_other_length_is_refused(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		autobuf struct buf sent = { 0 }, again = { 0 };

		samples[i](&sent);
		for (size_t len = 0; len < sent.len; len++)
			assert_int_equal(request_rounds[i](sent.p, len, &again), ERR_WIRE);
		put_u8(&sent, 0);
		assert_int_equal(request_rounds[i](sent.p, sent.len, &again), ERR_WIRE);
		assert_int_equal(again.len, 0);
	}
}

/* The byte at that place of a sample, from its end if negative, set to what no such message may hold. */
static void values_have_bounds(void **state UNUSED)
{
	static const struct {
		void (*sample)(struct buf *b);
		request_round *round;
		int at;
		uint8_t value;
	} cases[] = {
		{ put_ask, round_ask, -9, REASON_COUNT }, { put_ask, round_ask, -8, REASON_COUNT },
		{ put_describe, round_describe, 0, DESCRIBE_KINDS },
		{ put_prepare, round_prepare, 4 + 3 + 1 + 4 + 3, 2 },
		{ put_local, round_local_go, 0, REASON_COUNT }, { put_query, round_query, 0, QUERY_KINDS },
		{ put_declined, round_declined, 4, REASON_COUNT }, { put_preprocessed, round_preprocessed, 4, 2 },
		{ put_outcome, round_outcome, OUTCOME_HEAD + 4 + 4 + 6, CHANGE_KINDS },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autobuf struct buf sent = { 0 }, again = { 0 };

		cases[i].sample(&sent);
		sent.p[cases[i].at < 0 ? sent.len + (size_t)cases[i].at : (size_t)cases[i].at] = cases[i].value;
		if (cases[i].round(sent.p, sent.len, &again) != ERR_WIRE)
			fail_msg("case %zu was accepted", i);
	}
}

static void a_command_has_a_first_word(void **state UNUSED)
{
	autobuf struct buf b = { 0 }, again = { 0 }, prepare = { 0 };

	ask_put(&b, &(struct ask){ .program = "x", .cwd = "/" });
	assert_int_equal(round_ask(b.p, b.len, &again), ERR_WIRE);
	prepare_put(&prepare, &(struct prepare){ .input = "x", .output = "y" });
	assert_int_equal(round_prepare(prepare.p, prepare.len, &again), ERR_WIRE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(a_field_is_what_was_sent),
		cmocka_unit_test(an_outcome_is_what_was_sent),
		cmocka_unit_test(every_other_length_is_refused),
		cmocka_unit_test(values_have_bounds),
		cmocka_unit_test(a_command_has_a_first_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
