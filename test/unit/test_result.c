/*
 * test_result.c - what a volunteer may send back at the most, and what is written of it.
 */
#define XXH_INLINE_ALL
#include "unit.h"

#include <sys/mman.h>
#include <xxhash.h>

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

static void add_text(struct result *r, uint32_t stream, const char *text)
{
	struct frame f = { .type = WIRE_OUTPUT, .id = stream, .codec = CODEC_NONE, .length = (uint32_t)strlen(text),
			   .raw = (uint32_t)strlen(text), .payload = (const unsigned char *)text };
	struct err err = { 0 };

	assert_int_equal(result_add(r, &f, &err), 0);
}

/* As they came it was hashed; in the order of the streams it is written. */
static void held_it_is_written_whole_and_freed_once_it_is_let_go(void **state)
{
	struct job_result said = { .output_bytes = 9, .output_hash = XXH3_64bits("objectout", 9) };
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct result *r = result_new();
	struct err err = { 0 };
	char text[10] = "";

	(void)state;
	add_text(r, STREAM_FILE, "object");
	add_text(r, STREAM_STDOUT, "out");
	result_hold(r);
	result_free(r);
	assert_int_equal(result_write(r, fd, &said, &err), 0);
	assert_int_equal(pread(fd, text, sizeof text, 0), 9);
	assert_string_equal(text, "outobject");
	said.output_hash++;
	assert_int_equal(result_write(r, fd, &said, &err), ERR_WIRE);
	assert_int_equal(result_write(r, -1, &said, &err), ERR_OUTPUT);
	result_release(r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(unpacked_it_is_bounded_too), cmocka_unit_test(packed_it_is_bounded_for_all),
					   cmocka_unit_test(held_it_is_written_whole_and_freed_once_it_is_let_go) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
