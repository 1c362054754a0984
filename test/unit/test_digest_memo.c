/*
 * test_digest_memo.c - when a digest is remembered, and when it must not be.
 *
 * A descriptor opened with O_PATH can be asked what file it is but not read:
 * a digest had through it can only come from the memo.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "digest_memo.h"

static const char settled_file[] = "/bin/sh";

static int ask(struct digest_memo *m, const char *path, int flags, struct digest *d)
{
	autoclose int fd = open(path, flags | O_CLOEXEC);
	struct file_id id;

	assert_true(fd >= 0);
	return digest_memo_fd(m, fd, &id, d, NULL);
}

static void a_settled_file_is_read_once(void **state UNUSED)
{
	struct digest_memo *m = digest_memo_new(8);
	struct digest a = { { 0 } }, b = { { 0 } };

	assert_int_equal(ask(m, settled_file, O_PATH, &b), ERR_IO);
	assert_int_equal(ask(m, settled_file, O_RDONLY, &a), 0);
	assert_int_equal(ask(m, settled_file, O_PATH, &b), 0);
	assert_true(digest_eq(&a, &b));
	digest_memo_free(m);
}

static void a_file_that_just_changed_is_read_each_time(void **state UNUSED)
{
	char path[] = "/tmp/rcc-test-XXXXXX";
	autoclose int fd = mkstemp(path);
	struct digest_memo *m = digest_memo_new(8);
	struct digest d, want;

	assert_int_equal(write(fd, "one", 3), 3);
	assert_int_equal(ask(m, path, O_RDONLY, &d), 0);
	digest_of("one", 3, &want);
	assert_true(digest_eq(&d, &want));
	assert_int_equal(pwrite(fd, "two", 3, 0), 3);
	assert_int_equal(ask(m, path, O_RDONLY, &d), 0);
	digest_of("two", 3, &want);
	assert_true(digest_eq(&d, &want));
	assert_int_equal(ask(m, path, O_PATH, &d), ERR_IO);
	unlink(path);
	digest_memo_free(m);
}

static void the_bound_forgets_all(void **state UNUSED)
{
	struct digest_memo *m = digest_memo_new(1);
	struct digest d;

	assert_int_equal(ask(m, settled_file, O_RDONLY, &d), 0);
	assert_int_equal(ask(m, "/etc/passwd", O_RDONLY, &d), 0);
	assert_int_equal(ask(m, "/etc/passwd", O_PATH, &d), 0);
	assert_int_equal(ask(m, settled_file, O_PATH, &d), ERR_IO);
	digest_memo_free(m);
}

static void only_regular_files_have_a_digest(void **state UNUSED)
{
	struct digest_memo *m = digest_memo_new(8);
	struct digest d;

	assert_int_equal(ask(m, "/tmp", O_RDONLY, &d), ERR_UNSUPPORTED);
	assert_int_equal(ask(m, "/dev/null", O_RDONLY, &d), ERR_UNSUPPORTED);
	digest_memo_free(m);
}

static void a_file_settles_after_two_seconds(void **state UNUSED)
{
	struct file_id id = { .ctime_ns = (int64_t)time(NULL) * 1000000000 };

	assert_false(file_id_settled(&id));
	id.ctime_ns -= (int64_t)4 * 1000000000;
	assert_true(file_id_settled(&id));
	id.ctime_ns += (int64_t)3600 * 1000000000;
	assert_false(file_id_settled(&id));	/* the clock was set back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_settled_file_is_read_once),
		cmocka_unit_test(a_file_that_just_changed_is_read_each_time),
		cmocka_unit_test(the_bound_forgets_all),
		cmocka_unit_test(only_regular_files_have_a_digest),
		cmocka_unit_test(a_file_settles_after_two_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
