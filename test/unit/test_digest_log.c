/*
 * test_digest_log.c - the log of digests, cut, damaged, and shared.
 */
#include "unit.h"

#include <sys/wait.h>

#include "digest_cache.h"
#include "digest_log.h"
#include "scratch.h"

enum { RECORDS = 4, HEADER = 24, RECORD = sizeof(struct digest_record) };

static struct digest_record record(uint64_t n)
{
	struct digest_record r = { .id = { n, n + 1, n + 2, (int64_t)n + 3, (int64_t)n + 4 } };

	digest_of(&n, sizeof n, &r.digest);
	r.notes = n & 1;
	return r;
}

static bool append(uint64_t first, size_t count)
{
	struct digest_record v[RECORDS];

	assert_true(count <= RECORDS);
	for (size_t i = 0; i < count; i++)
		v[i] = record(first + i);
	return digest_log_append(in_scratch("log"), v, count);
}

/* How many there are; each must be one that was written. */
static void count_sound(void *arg, const struct digest_record *r)
{
	struct digest_record want = record(r->id.dev);

	assert_true(file_id_eq(&r->id, &want.id) && digest_eq(&r->digest, &want.digest) && r->notes == want.notes);
	++*(size_t *)arg;
}

static size_t load(void)
{
	size_t count = 0;

	digest_log_load(in_scratch("log"), count_sound, &count);
	return count;
}

static void read_log(struct buf *b)
{
	assert_int_equal(read_file(in_scratch("log"), 1 << 20, b, NULL), 0);
	assert_int_equal(b->len, HEADER + RECORDS * RECORD);
}

static void write_log(const void *p, size_t len)
{
	autoclose int fd = open(in_scratch("log"), O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write_all(fd, p, len), 0);
}

static void what_is_appended_is_loaded(void **state UNUSED)
{
	assert_int_equal(load(), 0);
	assert_true(append(1, 3));
	assert_true(append(4, 1));
	assert_int_equal(load(), 4);
}

static void a_cut_anywhere_costs_what_was_cut(void **state UNUSED)
{
	autobuf struct buf b = { 0 };

	append(1, RECORDS);
	read_log(&b);
	for (size_t n = 0; n < b.len; n++) {
		size_t whole = n < HEADER ? 0 : (n - HEADER) / RECORD;

		write_log(b.p, n);
		assert_int_equal(load(), whole);
		assert_true(append(100, 1));
		assert_int_equal(load(), whole + 1);
	}
}

static void a_damaged_byte_costs_one_record(void **state UNUSED)
{
	autobuf struct buf b = { 0 };

	append(1, RECORDS);
	read_log(&b);
	for (size_t n = 0; n < b.len; n++) {
		b.p[n] ^= 0x41;
		write_log(b.p, b.len);
		assert_int_equal(load(), n < HEADER ? 0 : RECORDS - 1);
		append(100, 1);
		assert_int_equal(load(), n < HEADER ? 1 : RECORDS);
		b.p[n] ^= 0x41;
	}
}

static void a_full_log_is_replaced(void **state UNUSED)
{
	struct digest_record v[2] = { record(1), record(2) };

	append(50, 3);
	assert_int_equal(truncate(in_scratch("log"), HEADER + (DIGEST_LOG_MAX - HEADER) / RECORD * RECORD), 0);
	assert_false(append(100, 1));
	write_text("log.new", "left behind by a kill");
	digest_log_replace(in_scratch("log"), v, 2);
	assert_int_equal(load(), 2);
	assert_int_equal(access(in_scratch("log.new"), F_OK), -1);
	assert_true(append(100, 1));
	assert_int_equal(load(), 3);
}

static void links_and_strange_files_are_left_alone(void **state UNUSED)
{
	write_text("other", "not a log");
	assert_int_equal(symlink("other", in_scratch("log")), 0);
	append(1, 1);
	assert_int_equal(load(), 0);
	unlink(in_scratch("log"));
	mkfifo(in_scratch("log"), 0600);
	append(1, 1);
	assert_int_equal(load(), 0);
}

static void agents_append_side_by_side(void **state UNUSED)
{
	size_t count;

	for (uint64_t child = 0; child < 3; child++)
		if (fork() == 0) {
			for (uint64_t i = 0; i < 200; i++)
				append(1000 * (child + 1) + 3 * i, 3);
			_exit(0);
		}
	for (int i = 0; i < 3; i++) {
		int status;

		wait(&status);
		assert_int_equal(status, 0);
	}
	count = load();		/* each of them sound; whoever finds it locked goes without */
	assert_true(count >= 600 && count % 3 == 0);
}

static void set(struct digest_cache *c, uint64_t n)
{
	struct digest_record r = record(n);
	struct digest_known k = { .digest = r.digest, .stays = true };

	digest_cache_set(c, &r.id, &k);
}

static bool knows(struct digest_cache *c, uint64_t n)
{
	struct digest_record want = record(n);
	struct digest_known k;

	return digest_cache_get(c, &want.id, &k) && digest_eq(&k.digest, &want.digest);
}

static void what_is_used_is_remembered_longest(void **state UNUSED)
{
	struct digest_cache *c = digest_cache_new(NULL, 200);

	for (uint64_t n = 1; n <= 1000; n++) {
		set(c, n);
		assert_true(knows(c, n));
		assert_true(knows(c, 1));
	}
	assert_true(knows(c, 950));
	assert_false(knows(c, 700));
	digest_cache_free(c);
}

static void two_caches_share_a_log(void **state UNUSED)
{
	struct digest_cache *a = digest_cache_new(in_scratch("log"), 1000), *b = digest_cache_new(in_scratch("log"), 1000);

	for (uint64_t n = 1; n <= 100; n++) {
		set(a, 2 * n);
		set(b, 2 * n + 1);
		digest_cache_flush(a, false);
		digest_cache_flush(b, false);
	}
	digest_cache_free(a);
	digest_cache_free(b);
	a = digest_cache_new(in_scratch("log"), 1000);
	for (uint64_t n = 2; n <= 201; n++)
		assert_true(knows(a, n));
	digest_cache_free(a);
}

static void a_cache_makes_a_new_log_of_what_all_have_written(void **state UNUSED)
{
	struct digest_cache *a = digest_cache_new(in_scratch("log"), 1000), *b;
	struct stat st;

	append(500, 1);
	set(a, 2);
	append(600, 1);
	assert_int_equal(truncate(in_scratch("log"), HEADER + (DIGEST_LOG_MAX - HEADER) / RECORD * RECORD), 0);
	digest_cache_free(a);
	stat(in_scratch("log"), &st);
	assert_int_equal(st.st_size, HEADER + 3 * RECORD);
	b = digest_cache_new(in_scratch("log"), 1000);
	assert_true(knows(b, 2) && knows(b, 500) && knows(b, 600));
	digest_cache_free(b);
}

static void a_time_named_is_never_forgotten(void **state UNUSED)
{
	struct digest_cache *c = digest_cache_new(NULL, 4);
	struct digest d;

	for (uint64_t n = 0; n < 6000; n++) {
		digest_of(&n, sizeof n, &d);
		digest_cache_note_clock(c, &d);
		digest_cache_note_clock(c, &d);
		assert_true(digest_cache_has_clock(c, &d));
		digest_of("x", 1, &d);
		assert_int_equal(digest_cache_has_clock(c, &d), n >= 4095);	/* too many to tell */
	}
	digest_cache_free(c);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_appended_is_loaded),
		TEST(a_cut_anywhere_costs_what_was_cut),
		TEST(a_damaged_byte_costs_one_record),
		TEST(a_full_log_is_replaced),
		TEST(links_and_strange_files_are_left_alone),
		TEST(agents_append_side_by_side),
		TEST(what_is_used_is_remembered_longest),
		TEST(two_caches_share_a_log),
		TEST(a_cache_makes_a_new_log_of_what_all_have_written),
		TEST(a_time_named_is_never_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
