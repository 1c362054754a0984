/*
 * test_digest_fd.c - whose digest is known without reading, here and by the next agent.
 *
 * A descriptor opened with O_PATH can be asked what file it is but not read:
 * a digest had through it can only come from what is remembered.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "digest_fd.h"
#include "fs_kind.h"
#include "scratch.h"

static const char settled_file[] = "/bin/sh";

static int ask(struct digest_cache *c, const char *path, int flags, struct digest *d)
{
	autoclose int fd = open(path, flags | O_CLOEXEC);
	uint64_t size;

	assert_true(fd >= 0);
	return digest_cache_fd(c, fd, &size, d, NULL);
}

static bool stays(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs_kind_of((uint32_t)fs.f_type)->stays;
}

static void the_next_agent_need_not_read_it(void **state UNUSED)
{
	struct digest_cache *c = digest_cache_new(in_scratch("programs"), 64);
	struct digest a = { { 0 } }, b = { { 0 } };

	if (!stays(settled_file))
		skip();
	assert_int_equal(ask(c, settled_file, O_PATH, &b), ERR_IO);
	assert_int_equal(ask(c, settled_file, O_RDONLY, &a), 0);
	assert_int_equal(ask(c, settled_file, O_PATH, &b), 0);
	assert_true(digest_eq(&a, &b));
	digest_cache_free(c);
	c = digest_cache_new(in_scratch("programs"), 64);
	b = (struct digest){ { 0 } };
	assert_int_equal(ask(c, settled_file, O_PATH, &b), 0);
	assert_true(digest_eq(&a, &b));
	digest_cache_free(c);
}

static void a_file_that_just_changed_is_read_each_time(void **state UNUSED)
{
	struct digest_cache *c = digest_cache_new(NULL, 64);
	autoclose int fd = open(in_scratch("new"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct digest d, want;

	assert_int_equal(write(fd, "one", 3), 3);
	assert_int_equal(ask(c, in_scratch("new"), O_RDONLY, &d), 0);
	assert_int_equal(pwrite(fd, "two", 3, 0), 3);
	assert_int_equal(ask(c, in_scratch("new"), O_RDONLY, &d), 0);
	digest_of("two", 3, &want);
	assert_true(digest_eq(&d, &want));
	assert_int_equal(ask(c, in_scratch("new"), O_PATH, &d), ERR_IO);
	digest_cache_free(c);
}

static void only_regular_files_have_one(void **state UNUSED)
{
	struct digest_cache *c = digest_cache_new(NULL, 64);
	struct digest d;

	assert_int_equal(ask(c, "/tmp", O_RDONLY, &d), ERR_UNSUPPORTED);
	assert_int_equal(ask(c, "/dev/null", O_RDONLY, &d), ERR_UNSUPPORTED);
	digest_cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_agent_need_not_read_it), cmocka_unit_test(a_file_that_just_changed_is_read_each_time),
		cmocka_unit_test(only_regular_files_have_one),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
