/*
 * test_buf.c - fields in and out of bytes, and readers that run out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"

static void integers_are_little_endian(void **state UNUSED)
{
	static const unsigned char want[] = { 1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8 };
	autobuf struct buf b = { 0 };
	struct reader r;

	put_u8(&b, 0x01);
	put_u16(&b, 0x0203);
	put_u32(&b, 0x04050607);
	put_u64(&b, 0x08090a0b0c0d0e0f);
	assert_int_equal(b.len, sizeof want);
	assert_memory_equal(b.p, want, sizeof want);
	r = reader_of(b.p, b.len);
	assert_int_equal(get_u8(&r), 0x01);
	assert_int_equal(get_u16(&r), 0x0203);
	assert_int_equal(get_u32(&r), 0x04050607);
	assert_int_equal(get_u64(&r), 0x08090a0b0c0d0e0f);
	assert_true(reader_done(&r));
}

static void strings_and_vectors_come_back(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	autoargv struct argv in = { 0 }, out = { 0 };
	autofree char *one = NULL, *none = NULL;
	struct reader r;

	argv_push(&in, "gcc");
	argv_push(&in, "");
	argv_push(&in, "-DX=\"a b\"");
	put_str(&b, "one");
	put_str(&b, NULL);
	put_argv(&b, &in);
	r = reader_of(b.p, b.len);
	one = get_str(&r);
	none = get_str(&r);
	get_argv(&r, &out, 3);
	assert_true(reader_done(&r));
	assert_string_equal(one, "one");
	assert_string_equal(none, "");
	assert_int_equal(out.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(out.v[i], in.v[i]);
	assert_null(out.v[3]);
}

static void a_reader_that_runs_out_yields_zeros(void **state UNUSED)
{
	static const unsigned char three[] = { 1, 2, 3 };
	unsigned char raw[2] = { 9, 9 };
	struct reader r = reader_of(three, sizeof three);

	assert_int_equal(get_u32(&r), 0);
	assert_int_equal(get_u8(&r), 0);	/* though one byte is there */
	get_raw(&r, raw, sizeof raw);
	assert_int_equal(raw[0] | raw[1], 0);
	assert_false(reader_done(&r));
}

static void bytes_left_over_are_noticed(void **state UNUSED)
{
	static const unsigned char two[2];
	struct reader r = reader_of(two, sizeof two);

	get_u8(&r);
	assert_false(reader_done(&r));
	get_u8(&r);
	assert_true(reader_done(&r));
}

/* The length in front of a blob may say anything. */
static void a_blob_ends_inside_the_span(void **state UNUSED)
{
	static const uint32_t lengths[] = { 5, 0x7fffffff, 0xffffffff };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		autobuf struct buf b = { 0 };
		autofree char *s = NULL;
		struct reader r;
		size_t len;

		put_u32(&b, lengths[i]);
		put_raw(&b, "four", 4);
		r = reader_of(b.p, b.len);
		assert_null(get_blob(&r, &len));
		assert_int_equal(len, 0);
		r = reader_of(b.p, b.len);
		s = get_str(&r);
		assert_string_equal(s, "");
		assert_false(reader_done(&r));
	}
}

static void a_string_holds_no_nul(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	autofree char *s = NULL;
	struct reader r;

	put_blob(&b, "a\0b", 3);
	r = reader_of(b.p, b.len);
	s = get_str(&r);
	assert_string_equal(s, "");
	assert_true(r.bad);
}

static void a_vector_has_its_bound(void **state UNUSED)
{
	static const uint32_t counts[] = { 3, 0xffffffff };

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		autobuf struct buf b = { 0 };
		autoargv struct argv a = { 0 };
		struct reader r;

		put_u32(&b, counts[i]);
		put_raw(&b, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
		r = reader_of(b.p, b.len);
		get_argv(&r, &a, 2);
		assert_true(r.bad);
		assert_int_equal(a.count, 0);
	}
}

/* More strings are announced than there are bytes: refused before any is made. */
static void a_vector_fits_its_bytes(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	autoargv struct argv a = { 0 };
	struct reader r;

	put_u32(&b, 1000);
	put_str(&b, "one");
	r = reader_of(b.p, b.len);
	get_argv(&r, &a, 65536);
	assert_true(r.bad);
	assert_int_equal(a.count, 0);
}

static void dropping_keeps_the_rest(void **state UNUSED)
{
	autobuf struct buf b = { 0 };

	buf_drop(&b, 0);
	buf_puts(&b, "one");
	buf_printf(&b, " %d", 22);
	buf_drop(&b, 4);
	assert_string_equal(buf_str(&b), "22");
	assert_int_equal(b.len, 2);
	buf_drop(&b, 2);
	assert_string_equal(buf_str(&b), "");
}

static void numbers_are_written_as_printf_does(void **state UNUSED)
{
	static const uint64_t numbers[] = { 0, 9, 10, 15, 16, 255, 1000000007, UINT32_MAX, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		autofree char *said = xasprintf("%ju %jx", (uintmax_t)numbers[i], (uintmax_t)numbers[i]);
		autobuf struct buf b = { 0 };

		buf_decimal(&b, numbers[i]);
		buf_puts(&b, " ");
		buf_hex(&b, numbers[i]);
		assert_string_equal(buf_str(&b), said);
	}
}

static void a_buffer_grows(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 5000; i++)
		put_u32(&b, i);
	assert_int_equal(b.len, 20000);
	assert_true(b.room >= b.len);
	for (struct reader r = reader_of(b.p, b.len); r.left; )
		sum += get_u32(&r);
	assert_int_equal(sum, 5000 * 4999 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(strings_and_vectors_come_back),
		cmocka_unit_test(a_reader_that_runs_out_yields_zeros),
		cmocka_unit_test(bytes_left_over_are_noticed),
		cmocka_unit_test(a_blob_ends_inside_the_span),
		cmocka_unit_test(a_string_holds_no_nul),
		cmocka_unit_test(a_vector_has_its_bound),
		cmocka_unit_test(a_vector_fits_its_bytes),
		cmocka_unit_test(dropping_keeps_the_rest),
		cmocka_unit_test(numbers_are_written_as_printf_does),
		cmocka_unit_test(a_buffer_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
