/*
 * test_dir_names.c - when the names of a directory prove that another is absent.
 */
#include "unit.h"

#include <pthread.h>

#include "dir_names.h"
#include "dir_read.h"
#include "fs_kind.h"
#include "scratch.h"

static int open_dir(struct file_id *id)
{
	int fd = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*id = file_id_of(&st);
	return fd;
}

static struct names *read_names(struct dir_names *d)
{
	struct file_id id;
	autoclose int fd = open_dir(&id);

	return dir_names_read(d, fd, &id);
}

static struct names *known(struct dir_names *d, size_t *last)
{
	struct file_id id;

	close(open_dir(&id));
	return dir_names_known(d, &id, last);
}

static void names_lack_what_is_not_there(void **state UNUSED)
{
	struct dir_names *d = dir_names_new(test_now_ns);
	struct names *n = read_names(d);
	char name[32];

	assert_true(names_lack(n, "a"));	/* empty */
	names_release(n);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "n%d", i);
		write_text(name, "");
	}
	n = read_names(d);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof name, "n%d", i);
		assert_int_equal(names_lack(n, name), i >= 300);
	}
	names_release(n);
	dir_names_free(d);
}

static void a_settled_directory_is_known(void **state UNUSED)
{
	struct dir_names *d = dir_names_new(test_now_ns);
	struct names *n, *again;
	size_t last;

	write_text("a", "");
	write_text("b", "");
	assert_null(known(d, &last));
	assert_int_equal(last, 0);
	n = read_names(d);
	again = known(d, &last);
	assert_ptr_equal(n, again);
	assert_int_equal(last, 2);
	names_release(again);
	next_tick();
	write_text("c", "");
	assert_null(known(d, &last));
	assert_int_equal(last, 2);
	names_release(n);
	dir_names_free(d);
}

static void a_young_directory_is_not_known(void **state UNUSED)
{
	struct dir_names *d = dir_names_new(test_now_ns);
	struct names *n;
	size_t last;

	clock_ahead_s = 0;
	write_text("a", "");
	n = read_names(d);
	assert_false(names_lack(n, "a"));
	names_release(n);
	assert_null(known(d, &last));
	assert_int_equal(last, 1);
	clock_ahead_s = 60;	/* it was young when it was read: that does not change */
	assert_null(known(d, &last));
	dir_names_free(d);
}

static void another_directory_of_that_number_is_not_known(void **state UNUSED)
{
	struct dir_names *d = dir_names_new(test_now_ns);
	struct file_id id;
	autoclose int fd = open_dir(&id);
	size_t last;

	names_release(dir_names_read(d, fd, &id));
	id.dev++;
	assert_null(dir_names_known(d, &id, &last));
	assert_int_equal(last, 0);
	id.dev--;
	id.ctime_ns++;
	assert_null(dir_names_known(d, &id, &last));
	dir_names_free(d);
}

static void what_cannot_be_read_proves_nothing(void **state UNUSED)
{
	struct dir_names *d = dir_names_new(test_now_ns);

	chmod(scratch, 0311);
	if (getuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_null(read_names(d));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	chmod(scratch, 0755);
	dir_names_free(d);
}

static void more_names_than_the_bound_prove_nothing(void **state UNUSED)
{
	struct dir_names *d = dir_names_new(test_now_ns);
	char name[32];
	size_t last;

	for (int i = 0; i <= DIR_NAMES_MAX; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert_int_equal(symlink("x", in_scratch(name)), 0);
	}
	assert_null(read_names(d));
	assert_null(known(d, &last));
	assert_int_equal(last, DIR_NAMES_MAX);	/* a reason not to read it again soon */
	unlink(in_scratch("0"));
	names_release(read_names(d));
	names_release(known(d, &last));
	dir_names_free(d);
}

static void count_one(void *arg, const char *name UNUSED)
{
	++*(size_t *)arg;
}

static void names_alike_but_for_case_are_two(void **state UNUSED)
{
	struct file_id id;
	autoclose int fd = open_dir(&id);
	size_t count = 0;

	write_text("makefile", "");
	write_text("Makefile", "");
	assert_int_equal(dir_read(fd, 100, count_one, &count), 0);
	assert_int_equal(count, 2);
	unlink(in_scratch("makefile"));
	unlink(in_scratch("Makefile"));
	write_text("\xc3\xa4", "");	/* no letter to try the directory with */
	assert_int_equal(dir_read(fd, 100, count_one, &count), -1);
	write_text("x", "");
	assert_int_equal(dir_read(fd, 100, count_one, &count), 0);
}

struct reader_thread {
	struct dir_names *d;
	bool right;
};

/* What was there before a read was asked for is in it, whoever read. */
static void *read_often(void *arg)
{
	struct reader_thread *t = arg;
	char name[64];

	t->right = true;
	for (int i = 0; i < 100; i++) {
		struct names *n;

		snprintf(name, sizeof name, "%s/%p-%d", scratch, arg, i);
		close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		n = read_names(t->d);
		t->right &= n && !names_lack(n, path_base(name)) && names_lack(n, "none");
		names_release(n);
		unlink(name);
		n = read_names(t->d);
		t->right &= n && names_lack(n, path_base(name));
		names_release(n);
	}
	return NULL;
}

static void a_shared_read_is_never_older_than_the_question(void **state UNUSED)
{
	struct dir_names *d = dir_names_new(test_now_ns);
	struct reader_thread readers[6];
	pthread_t threads[6];

	clock_ahead_s = 0;
	for (int i = 0; i < 6; i++) {
		readers[i] = (struct reader_thread){ d, false };
		assert_int_equal(pthread_create(&threads[i], NULL, read_often, &readers[i]), 0);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		assert_true(readers[i].right);
	}
	dir_names_free(d);
}

static void only_known_file_systems_are_trusted(void **state UNUSED)
{
	const struct fs_kind *nfs = fs_kind_of(0x6969), *ext = fs_kind_of(0xef53), *overlay = fs_kind_of(0x794c7630);

	assert_true(ext->current && ext->names && ext->stays);
	assert_false(nfs->current || nfs->names || nfs->stays || nfs->made_up);
	assert_true(nfs->settle_s > ext->settle_s);
	assert_false(overlay->names || overlay->stays);
	assert_true(fs_kind_of(0x9fa0)->made_up);
	assert_true(fs_kind_of(0x73717368)->fixed_times);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_lack_what_is_not_there),
		TEST(a_settled_directory_is_known),
		TEST(a_young_directory_is_not_known),
		TEST(another_directory_of_that_number_is_not_known),
		TEST(what_cannot_be_read_proves_nothing),
		TEST(more_names_than_the_bound_prove_nothing),
		TEST(names_alike_but_for_case_are_two),
		TEST(a_shared_read_is_never_older_than_the_question),
		cmocka_unit_test(only_known_file_systems_are_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
