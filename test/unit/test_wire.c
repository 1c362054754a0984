/*
 * test_wire.c - each message comes back as it went, and not when cut short
 * or followed by anything.
 */
#include "unit.h"

#include "wire.h"

static struct buf made;

#define GOES_AROUND(type, release, ...) \
	static void type##_goes_around(void **state) \
	{ \
		struct type m = { __VA_ARGS__ }, back = { 0 }; \
		struct buf again = { 0 }; \
		struct reader r; \
		(void)state; \
		made.len = 0; \
		type##_put(&made, &m); \
		r = reader_of(made.p, made.len); \
		assert_int_equal(type##_get(&r, &back, NULL), 0); \
		type##_put(&again, &back); \
		assert_int_equal(again.len, made.len); \
		assert_memory_equal(again.p, made.p, made.len); \
		buf_free(&again); \
		release; \
		for (size_t n = 0; n < made.len; n++) { \
			r = reader_of(made.p, n); \
			assert_int_equal(type##_get(&r, &back, NULL), ERR_WIRE); \
		} \
		put_u8(&made, 0); \
		r = reader_of(made.p, made.len); \
		assert_int_equal(type##_get(&r, &back, NULL), ERR_WIRE); \
	}

GOES_AROUND(wire_hello, free(back.name), .version = 1, .role = ROLE_JOB, .name = (char *)"ann@alder")
GOES_AROUND(wire_welcome, wire_welcome_free(&back), .version = 1, .slots = 4, .processors = 3, .name = (char *)"birch", .machine = (char *)"x86_64",
	    .kernel = (char *)"6.1", .build = (char *)"0.1.0", .modes = 1 << JOB_TEXT | 1 << JOB_FILES)
GOES_AROUND(wire_bye, free(back.text), .refusal = REFUSAL_PROTOCOL, .text = (char *)"why")
GOES_AROUND(wire_state, (void)0, .slots = 4, .free = 3, .queued = 2, .draining = 1, .hold = HOLD_BATTERY)
GOES_AROUND(wire_toolchain_state, free(back.text), .id = { { 7 } }, .state = TOOLCHAIN_FETCHING, .done = 3,
	    .total = 1ull << 33, .text = (char *)"/usr/bin/as differs")
GOES_AROUND(wire_reserve, (void)0, .toolchain = { { 9 } }, .predicted_ms = 5, .predicted_mb = 6, .niceness = -3)
GOES_AROUND(wire_grant, (void)0, .token = 0x1122334455667788)
GOES_AROUND(wire_refuse, free(back.text), .refusal = REFUSAL_BUSY, .text = (char *)"")
GOES_AROUND(wire_input_end, (void)0, .bytes = 1ull << 40, .hash = 99)
GOES_AROUND(wire_want, wire_want_free(&back), .digests = (struct digest[]){ { { 1 } }, { { 2 } } }, .count = 2)
GOES_AROUND(wire_blob, (void)0, .digest = { { 5 } }, .size = 1ull << 35)
GOES_AROUND(wire_progress, (void)0, .cpu_us = 7, .memory_kb = 1ull << 32)
GOES_AROUND(wire_need, wire_need_free(&back), .v = (struct wire_needed[]){ { .digest = { { 1 } }, .size = 7, .path = (char *)"/w/a.h" },
	    { .digest = { { 2 } }, .size = 1ull << 33, .path = (char *)"" } }, .count = 2)
GOES_AROUND(wire_question, free(back.path), .listing = 1, .path = (char *)"/w/inc")

static void a_path_is_canonical_or_none(void **state)
{
	static const char *const bad[] = { "w/a.h", "/w//a.h", "/w/../a.h", "/w/" };
	struct wire_need back;
	struct wire_question q;
	struct reader r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct wire_needed n = { .path = (char *)bad[i] };

		made.len = 0;
		wire_need_put(&made, &(struct wire_need){ .v = &n, .count = 1 });
		r = reader_of(made.p, made.len);
		assert_int_equal(wire_need_get(&r, &back, NULL), ERR_WIRE);
		made.len = 0;
		wire_question_put(&made, &(struct wire_question){ .path = (char *)bad[i] });
		r = reader_of(made.p, made.len);
		assert_int_equal(wire_question_get(&r, &q, NULL), ERR_WIRE);
	}
	made.len = 0;
	wire_need_put(&made, &(struct wire_need){ 0 });
	r = reader_of(made.p, made.len);
	assert_int_equal(wire_need_get(&r, &back, NULL), ERR_WIRE);
}

static void a_want_of_nothing_and_of_too_much(void **state)
{
	struct wire_want m = { 0 };
	struct reader r;

	(void)state;
	made.len = 0;
	wire_want_put(&made, &m);
	r = reader_of(made.p, made.len);
	assert_int_equal(wire_want_get(&r, &m, NULL), 0);
	assert_int_equal(m.count, 0);
	made.len = 0;
	put_u32(&made, WANT_MAX + 1);
	for (size_t i = 0; i < WANT_MAX + 1; i++)
		put_digest(&made, &(struct digest){ { 0 } });
	r = reader_of(made.p, made.len);
	assert_int_equal(wire_want_get(&r, &m, NULL), ERR_WIRE);
	assert_null(m.digests);
}

static const char said[] = "al\nder \x1b[2J\"\xff", shown[] = "al?der ?[2J'?";

#define SAYS(type, field) \
	do { \
		struct type says = { .field = (char *)said }; \
		struct reader from; \
		made.len = 0; \
		type##_put(&made, &says); \
		from = reader_of(made.p, made.len); \
		assert_int_equal(type##_get(&from, &says, NULL), 0); \
		assert_string_equal(says.field, shown); \
		free(says.field); \
	} while (0)

/* It goes to agent.log and rcc --hosts. */
static void what_a_volunteer_says_is_printable(void **state)
{
	struct wire_welcome m = { .name = (char *)said, .machine = (char *)said, .kernel = (char *)said, .build = (char *)said };
	struct reader r;

	(void)state;
	SAYS(wire_bye, text);
	SAYS(wire_refuse, text);
	SAYS(wire_toolchain_state, text);
	made.len = 0;
	wire_welcome_put(&made, &m);
	r = reader_of(made.p, made.len);
	assert_int_equal(wire_welcome_get(&r, &m, NULL), 0);
	assert_string_equal(m.name, shown);
	assert_string_equal(m.machine, shown);
	assert_string_equal(m.kernel, shown);
	assert_string_equal(m.build, shown);
	wire_welcome_free(&m);
}

static void a_stranger_is_not_rcc(void **state)
{
	struct wire_hello m = { .version = 1, .name = (char *)"x" };
	struct err err = { 0 };
	struct reader r;

	(void)state;
	made.len = 0;
	wire_hello_put(&made, &m);
	made.p[0] ^= 1;
	r = reader_of(made.p, made.len);
	assert_int_equal(wire_hello_get(&r, &m, &err), ERR_WIRE);
	assert_non_null(strstr(err.text, "not rcc"));
}

static void every_refusal_has_words(void **state)
{
	(void)state;
	for (int i = 0; i < REFUSAL_COUNT; i++)
		assert_true(strlen(refusal_text(i)) > 3);
	assert_string_equal(refusal_text(200), "refused");
}

static void every_type_has_a_rule(void **state)
{
	(void)state;
	assert_int_equal(wire_protocol.rule_count, WIRE_TYPES);
	assert_null(wire_protocol.rules[0].name);
	for (size_t i = 1; i < WIRE_TYPES; i++)
		assert_non_null(wire_protocol.rules[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_hello_goes_around), cmocka_unit_test(wire_welcome_goes_around),
		cmocka_unit_test(wire_bye_goes_around), cmocka_unit_test(wire_state_goes_around),
		cmocka_unit_test(wire_toolchain_state_goes_around), cmocka_unit_test(wire_reserve_goes_around),
		cmocka_unit_test(wire_grant_goes_around), cmocka_unit_test(wire_refuse_goes_around),
		cmocka_unit_test(wire_want_goes_around), cmocka_unit_test(wire_blob_goes_around),
		cmocka_unit_test(wire_progress_goes_around), cmocka_unit_test(a_want_of_nothing_and_of_too_much),
		cmocka_unit_test(wire_need_goes_around), cmocka_unit_test(wire_question_goes_around),
		cmocka_unit_test(a_path_is_canonical_or_none),
		cmocka_unit_test(wire_input_end_goes_around), cmocka_unit_test(what_a_volunteer_says_is_printable),
		cmocka_unit_test(a_stranger_is_not_rcc),
		cmocka_unit_test(every_refusal_has_words), cmocka_unit_test(every_type_has_a_rule),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&made);
	return failed;
}
