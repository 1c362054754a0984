/*
 * test_output.c - outputs over whatever may be there before them, on real files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "file.h"
#include "output.h"

static char dir[] = "/tmp/rcc-test.XXXXXX";

static int enter(void **state UNUSED)
{
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	umask(022);
	return 0;
}

static int leave(void **state UNUSED)
{
	return chdir("/") == 0 ? remove_tree(AT_FDCWD, dir) : -1;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	autoclose int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void holds(const char *name, const char *text)
{
	autobuf struct buf b = { 0 };

	assert_int_equal(read_file(name, 1000, &b, NULL), 0);
	assert_string_equal(buf_str(&b), text);
}

static struct stat look(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st;
}

static bool absent(const char *name)
{
	return access(name, F_OK) < 0;
}

static void make(const char *name, enum output_kind kind, const char *text)
{
	struct output o;

	assert_int_equal(output_prepare(&o, name, kind), REASON_NONE);
	assert_int_equal(write_all(o.fd, text, strlen(text)), 0);
	assert_int_equal(output_commit(&o, NULL), 0);
	assert_int_equal(o.fd, -1);
	holds(name, text);
}

static void refused(const char *name, enum output_kind kind)
{
	struct output o;

	assert_int_equal(output_prepare(&o, name, kind), REASON_OUTPUT_ODD);
	assert_int_equal(o.fd, -1);
}

static void a_new_file_obeys_umask(void **state UNUSED)
{
	make("new.o", OUTPUT_REPLACE, "1");
	assert_int_equal(look("new.o").st_mode, S_IFREG | 0644);
	make("new.s", OUTPUT_THROUGH, "2");
	assert_int_equal(look("new.s").st_mode, S_IFREG | 0644);
	umask(0);
	make("open.o", OUTPUT_REPLACE, "3");
	umask(022);
	assert_int_equal(look("open.o").st_mode, S_IFREG | 0666);
}

static void nothing_has_a_name_before_commit(void **state UNUSED)
{
	struct output o;

	assert_int_equal(output_prepare(&o, "later.o", OUTPUT_REPLACE), REASON_NONE);
	assert_int_equal(write_all(o.fd, "x", 1), 0);
	assert_true(absent("later.o"));
	output_drop(&o);
	assert_true(absent("later.o"));

	write_file("kept.o", "old", 0644);
	assert_int_equal(output_prepare(&o, "kept.o", OUTPUT_REPLACE), REASON_NONE);
	assert_int_equal(write_all(o.fd, "x", 1), 0);
	output_drop(&o);
	holds("kept.o", "old");
}

static void replace_leaves_other_links_alone(void **state UNUSED)
{
	write_file("hard.o", "old", 0755);
	assert_int_equal(link("hard.o", "other.o"), 0);
	make("hard.o", OUTPUT_REPLACE, "new");
	holds("other.o", "old");
	assert_int_equal(look("hard.o").st_mode, S_IFREG | 0644);

	write_file("target.o", "old", 0644);
	assert_int_equal(symlink("target.o", "link.o"), 0);
	make("link.o", OUTPUT_REPLACE, "new");
	assert_true(S_ISREG(look("link.o").st_mode));
	holds("target.o", "old");
}

static void through_keeps_what_is_there(void **state UNUSED)
{
	ino_t before;

	write_file("hard.s", "a longer old text", 0600);
	assert_int_equal(link("hard.s", "other.s"), 0);
	before = look("hard.s").st_ino;
	make("hard.s", OUTPUT_THROUGH, "new");
	holds("other.s", "new");
	assert_int_equal(look("hard.s").st_ino, before);
	assert_int_equal(look("hard.s").st_mode, S_IFREG | 0600);

	assert_int_equal(symlink("hard.s", "link.s"), 0);
	make("link.s", OUTPUT_THROUGH, "newer");
	assert_true(S_ISLNK(look("link.s").st_mode));
	holds("hard.s", "newer");
}

static void through_copies_all_of_it(void **state UNUSED)
{
	autofree char *text = xcalloc(1, 700001);

	memset(text, 'x', 700000);
	write_file("big.s", "old", 0644);
	{
		struct output o;

		assert_int_equal(output_prepare(&o, "big.s", OUTPUT_THROUGH), REASON_NONE);
		assert_int_equal(write_all(o.fd, text, 700000), 0);
		assert_int_equal(output_commit(&o, NULL), 0);
	}
	assert_int_equal(look("big.s").st_size, 700000);
}

static void the_odd_is_left_to_the_compiler(void **state UNUSED)
{
	write_file("empty.o", "", 0644);
	assert_int_equal(symlink("nothing", "dangling.o"), 0);
	assert_int_equal(mkfifo("fifo.o", 0644), 0);
	for (int kind = OUTPUT_REPLACE; kind <= OUTPUT_THROUGH; kind++) {
		refused("/dev/null", kind);
		refused("-", kind);
		refused("", kind);
		refused(".", kind);
		refused("dir/", kind);
		refused("nodir/a.o", kind);
		refused("empty.o/a.o", kind);
		refused("dangling.o", kind);
		refused("fifo.o", kind);
		refused("/proc/a.o", kind);
	}
	refused("empty.o", OUTPUT_REPLACE);
	make("empty.o", OUTPUT_THROUGH, "full");
	assert_true(absent("nothing"));
}

static void a_name_taken_meanwhile_is_an_error(void **state UNUSED)
{
	struct err err = { 0 };
	struct output o;

	assert_int_equal(output_prepare(&o, "race.s", OUTPUT_THROUGH), REASON_NONE);
	write_file("race.s", "theirs", 0644);
	assert_int_equal(output_commit(&o, &err), ERR_OUTPUT);
	assert_string_equal(err.text, "race.s: File exists");
	holds("race.s", "theirs");
}

/* Its reader must not be what the compiler's would have been, and without one nothing must wait. */
static void a_pipe_that_came_meanwhile_is_not_written(void **state UNUSED)
{
	struct output o;
	struct err err;
	autoclose int reader = -1;
	char got;

	write_file("piped.s", "old", 0644);
	assert_int_equal(output_prepare_made(&o, "piped.s", true, 0644), REASON_NONE);
	assert_int_equal(write_all(o.fd, "new", 3), 0);
	assert_int_equal(unlink("piped.s") | mkfifo("piped.s", 0644), 0);
	reader = open("piped.s", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(output_commit(&o, &err), ERR_OUTPUT);
	assert_int_equal(read(reader, &got, 1), -1);
}

static void the_time_is_that_of_the_commit(void **state UNUSED)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct output o;

	assert_int_equal(output_prepare(&o, "time.o", OUTPUT_REPLACE), REASON_NONE);
	assert_int_equal(write_all(o.fd, "x", 1), 0);
	assert_int_equal(futimens(o.fd, old), 0);
	assert_int_equal(output_commit(&o, NULL), 0);
	assert_true(look("time.o").st_mtim.tv_sec > 1000);
}

/* What root may do anyway; so only an ordinary user sees these. */
static void without_rights_it_is_odd(void **state UNUSED)
{
	char own[] = "/tmp/rcc-test.XXXXXX", file[64];

	if (geteuid() == 0 && seteuid(65534) < 0)
		skip();
	assert_non_null(mkdtemp(own));
	snprintf(file, sizeof file, "%s/readonly.o", own);
	write_file(file, "old", 0444);
	refused(file, OUTPUT_REPLACE);
	refused(file, OUTPUT_THROUGH);
	refused("/etc/passwd", OUTPUT_REPLACE);
	refused("/etc/new.o", OUTPUT_REPLACE);
	assert_int_equal(remove_tree(AT_FDCWD, own), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_obeys_umask),
		cmocka_unit_test(nothing_has_a_name_before_commit),
		cmocka_unit_test(replace_leaves_other_links_alone),
		cmocka_unit_test(through_keeps_what_is_there),
		cmocka_unit_test(through_copies_all_of_it),
		cmocka_unit_test(the_odd_is_left_to_the_compiler),
		cmocka_unit_test(a_name_taken_meanwhile_is_an_error),
		cmocka_unit_test(a_pipe_that_came_meanwhile_is_not_written),
		cmocka_unit_test(the_time_is_that_of_the_commit),
		cmocka_unit_test(without_rights_it_is_odd),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
