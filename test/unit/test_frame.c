/*
 * test_frame.c - headers there and back, and each thing a header must not say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frame.h"

enum { GAP, HELLO, DATA, LONG };

static const struct frame_rule rules[] = {
	[HELLO] = { .name = "hello", .max = 100 },
	[DATA] = { .name = "data", .max = FRAME_MAX, .bulk = true },
	[LONG] = { .name = "long", .max = 1 << 20 },
};
static const struct protocol protocol = { "test", rules, ARRAY_LEN(rules) };

static int decode(const struct frame *in, struct frame *out, struct err *err)
{
	unsigned char raw[FRAME_HEADER];

	frame_header_put(raw, in);
	return frame_header_get(raw, &protocol, out, err);
}

static void headers_come_back(void **state UNUSED)
{
	static const struct frame good[] = {
		{ .type = HELLO, .length = 0, .raw = 0 },
		{ .type = HELLO, .length = 100, .raw = 100, .id = 0xfffffffe },
		{ .type = DATA, .length = FRAME_MAX, .raw = FRAME_MAX },
		{ .type = DATA, .length = 258, .raw = FRAME_MAX, .codec = CODEC_LZ4, .id = 7 },
		{ .type = DATA, .length = 64, .raw = FRAME_MAX, .codec = CODEC_ZLIB },
		{ .type = DATA, .length = 5, .raw = 6, .codec = CODEC_ZLIB },
		{ .type = LONG, .length = FRAME_MAX, .raw = FRAME_MAX, .flags = FRAME_MORE },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct frame f;

		assert_int_equal(decode(&good[i], &f, NULL), 0);
		assert_int_equal(f.type, good[i].type);
		assert_int_equal(f.length, good[i].length);
		assert_int_equal(f.raw, good[i].raw);
		assert_int_equal(f.id, good[i].id);
		assert_int_equal(f.codec, good[i].codec);
		assert_int_equal(f.flags, good[i].flags);
		assert_null(f.payload);
		assert_int_equal(f.fd_count, 0);
	}
}

static void the_layout_is_the_documented_one(void **state UNUSED)
{
	static const unsigned char want[FRAME_HEADER] = { 4, 3, 0, 0, 6, 5, 0, 0, 10, 9, 8, 7, DATA, CODEC_LZ4, 0, 0 };
	unsigned char raw[FRAME_HEADER];

	frame_header_put(raw, &(struct frame){ .length = 0x0304, .raw = 0x0506, .id = 0x0708090a, .type = DATA,
					       .codec = CODEC_LZ4 });
	assert_memory_equal(raw, want, FRAME_HEADER);
}

static void what_a_header_must_not_say(void **state UNUSED)
{
	static const struct {
		struct frame f;
		const char *reason;
	} bad[] = {
		{ { .type = GAP }, "unknown frame type 0" },
		{ { .type = ARRAY_LEN(rules) }, "unknown frame type" },
		{ { .type = 255 }, "unknown frame type 255" },
		{ { .type = HELLO, .length = 101, .raw = 101 }, "hello: 101 bytes" },
		{ { .type = LONG, .length = FRAME_MAX + 1, .raw = FRAME_MAX + 1 }, "bytes" },
		{ { .type = DATA, .length = UINT32_MAX, .raw = UINT32_MAX }, "bytes" },
		{ { .type = DATA, .length = 5, .raw = FRAME_MAX + 1, .codec = CODEC_LZ4 }, "bytes" },
		{ { .type = DATA, .length = 256, .raw = FRAME_MAX, .codec = CODEC_LZ4 }, "cannot make 65536 bytes of 256" },
		{ { .type = DATA, .length = 63, .raw = FRAME_MAX, .codec = CODEC_ZLIB }, "cannot make" },
		{ { .type = DATA, .length = 0, .raw = 1, .codec = CODEC_LZ4 }, "cannot make" },
		{ { .type = HELLO, .length = 5, .raw = 6 }, "said to be" },
		{ { .type = DATA, .length = 5, .raw = 4 }, "said to be" },
		{ { .type = HELLO, .length = 5, .raw = 5, .codec = CODEC_LZ4 }, "codec" },
		{ { .type = DATA, .length = 5, .raw = 5, .codec = CODEC_COUNT }, "codec" },
		{ { .type = HELLO, .flags = 2 }, "flags" },
		{ { .type = HELLO, .flags = 0x80 | FRAME_MORE }, "flags" },
		{ { .type = DATA, .flags = FRAME_MORE }, "in parts" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct frame f;
		struct err err = { 0 };

		assert_int_equal(decode(&bad[i].f, &f, &err), ERR_WIRE);
		assert_non_null(strstr(err.text, bad[i].reason));
	}
}

static void the_last_byte_is_zero(void **state UNUSED)
{
	unsigned char raw[FRAME_HEADER];
	struct frame f;

	frame_header_put(raw, &(struct frame){ .type = HELLO });
	assert_int_equal(frame_header_get(raw, &protocol, &f, NULL), 0);
	raw[FRAME_HEADER - 1] = 1;
	assert_int_equal(frame_header_get(raw, &protocol, &f, NULL), ERR_WIRE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_come_back),
		cmocka_unit_test(the_layout_is_the_documented_one),
		cmocka_unit_test(what_a_header_must_not_say),
		cmocka_unit_test(the_last_byte_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
