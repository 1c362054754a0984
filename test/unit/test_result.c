/*
 * test_result.c - what a volunteer may send back at the most.
 */
#include "unit.h"

#include "result.h"
#include "wire.h"

static void unpacked_it_is_bounded_too(void **state)
{
	static const unsigned char payload[64];
	struct frame f = { .type = WIRE_OUTPUT, .id = STREAM_FILE, .codec = CODEC_ZLIB, .length = sizeof payload, .raw = FRAME_MAX,
			   .payload = payload };
	struct result *r = result_new();
	struct err err = { 0 };
	uint64_t sum = 0;

	(void)state;
	for (; sum < RESULT_RAW_MAX; sum += FRAME_MAX)
		assert_int_equal(result_add(r, &f, &err), 0);
	assert_int_equal(result_bytes(r, STREAM_FILE), RESULT_RAW_MAX);
	f.raw = 1;
	assert_int_equal(result_add(r, &f, &err), ERR_LIMIT);
	result_free(r);
}

static void packed_it_is_bounded_for_all(void **state)
{
	static const unsigned char payload[FRAME_MAX];
	struct frame f = { .type = WIRE_OUTPUT, .id = STREAM_FILE, .length = FRAME_MAX, .raw = FRAME_MAX, .payload = payload };
	struct result *one = result_new(), *other = result_new();
	struct err err = { 0 };
	int rc = 0;

	(void)state;
	while (rc == 0)
		rc = result_add(one, &f, &err);
	assert_int_equal(rc, ERR_LIMIT);
	assert_int_equal(result_add(other, &f, &err), ERR_LIMIT);
	result_free(one);
	assert_int_equal(result_add(other, &f, &err), 0);
	result_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(unpacked_it_is_bounded_too), cmocka_unit_test(packed_it_is_bounded_for_all) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
