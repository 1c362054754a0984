/*
 * test_codec.c - chunks there and back, and chunks that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec.h"

static unsigned char text[FRAME_MAX], noise[FRAME_MAX];

static int setup(void **state UNUSED)
{
	uint32_t x = 1;

	for (size_t i = 0; i < FRAME_MAX; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (unsigned char)(x >> 24);
		text[i] = (unsigned char)"int main(void);\n"[i % 16];
	}
	return 0;
}

static void assert_round_trip(enum codec codec, const unsigned char *p, size_t len, enum codec used)
{
	autobuf struct buf packed = { 0 }, out = { 0 };

	buf_puts(&packed, "before");
	buf_puts(&out, "before");
	assert_int_equal(codec_pack(codec, p, len, &packed), used);
	assert_true(packed.len - 6 <= len);
	assert_int_equal(codec_unpack(used, packed.p + 6, packed.len - 6, len, &out, NULL), 0);
	assert_int_equal(out.len, len + 6);
	assert_memory_equal(out.p, "before", 6);
	if (len)
		assert_memory_equal(out.p + 6, p, len);
}

static void every_codec_gives_back_what_it_got(void **state UNUSED)
{
	static const size_t lengths[] = { 64, 1000, FRAME_MAX - 1, FRAME_MAX };

	for (int codec = 0; codec < CODEC_COUNT; codec++)
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
			assert_round_trip(codec, text, lengths[i], codec);
}

static void what_does_not_shrink_is_sent_as_it_is(void **state UNUSED)
{
	for (int codec = 0; codec < CODEC_COUNT; codec++) {
		assert_round_trip(codec, text, 0, CODEC_NONE);
		assert_round_trip(codec, text, 1, CODEC_NONE);
		assert_round_trip(codec, noise, 100, CODEC_NONE);
		assert_round_trip(codec, noise, FRAME_MAX, CODEC_NONE);
	}
}

static void assert_refused(enum codec codec, const void *p, size_t len, size_t raw)
{
	autobuf struct buf out = { 0 };
	autofree unsigned char *copy = xmalloc(len);
	struct err err = { 0 };

	memcpy(copy, p, len);
	buf_puts(&out, "before");
	assert_int_equal(codec_unpack(codec, copy, len, raw, &out, &err), ERR_WIRE);
	assert_int_equal(out.len, 6);
	assert_true(err.text[0]);
}

static void a_chunk_of_another_length_is_refused(void **state UNUSED)
{
	for (int codec = 0; codec < CODEC_COUNT; codec++) {
		autobuf struct buf b = { 0 };

		codec_pack(codec, text, 1000, &b);
		assert_refused(codec, b.p, b.len, 999);
		assert_refused(codec, b.p, b.len, 1001);
		assert_refused(codec, b.p, b.len, 0);
		assert_refused(codec, b.p, b.len, FRAME_MAX);
	}
}

static void a_truncated_chunk_is_refused(void **state UNUSED)
{
	for (int codec = 0; codec < CODEC_COUNT; codec++) {
		autobuf struct buf b = { 0 };

		codec_pack(codec, text, 1000, &b);
		for (size_t len = 0; len < b.len; len++)
			assert_refused(codec, b.p, len, 1000);
	}
}

static void bytes_behind_a_chunk_are_refused(void **state UNUSED)
{
	for (int codec = 0; codec < CODEC_COUNT; codec++) {
		autobuf struct buf b = { 0 };

		codec_pack(codec, text, 1000, &b);
		put_u8(&b, 0);
		assert_refused(codec, b.p, b.len, 1000);
	}
}

static void noise_is_no_chunk(void **state UNUSED)
{
	assert_refused(CODEC_LZ4, noise, 1000, 5000);
	assert_refused(CODEC_ZLIB, noise, 1000, 5000);
}

static void codecs_have_names(void **state UNUSED)
{
	assert_string_equal(codec_name(CODEC_NONE), "none");
	assert_string_equal(codec_name(CODEC_LZ4), "lz4");
	assert_string_equal(codec_name(CODEC_ZLIB), "zlib");
	assert_string_equal(codec_name(CODEC_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_codec_gives_back_what_it_got),
		cmocka_unit_test(what_does_not_shrink_is_sent_as_it_is),
		cmocka_unit_test(a_chunk_of_another_length_is_refused),
		cmocka_unit_test(a_truncated_chunk_is_refused),
		cmocka_unit_test(bytes_behind_a_chunk_are_refused),
		cmocka_unit_test(noise_is_no_chunk),
		cmocka_unit_test(codecs_have_names),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
