/*
 * test_apply.c - a job's changes over whatever may be there, on real files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "apply.h"
#include "fds.h"
#include "file.h"

static char top[] = "/tmp/rcc-test.XXXXXX";
static struct outcome outcome;
static int contents;

static int enter_top(void **state UNUSED)
{
	return mkdtemp(top) && chdir(top) == 0 ? 0 : -1;
}

static int leave_top(void **state UNUSED)
{
	return chdir("/") == 0 ? remove_tree(AT_FDCWD, top) : -1;
}

/* An empty directory, and an outcome in which something is said already. */
static int begin(void **state UNUSED)
{
	umask(022);
	contents = fd_scratch("contents");
	outcome = (struct outcome){ .out_bytes = 3, .err_bytes = 4, .removed = xstrdup("") };
	return mkdir("t", 0755) == 0 && chdir("t") == 0 && write_all(contents, "outerr\n", 7) == 0 ? 0 : -1;
}

static int end(void **state UNUSED)
{
	outcome_free(&outcome);
	close(contents);
	return chdir("..") == 0 ? remove_tree(AT_FDCWD, "t") : -1;
}

/* --- what a job did -------------------------------------------------------- */

static void change(const char *name, struct change c)
{
	c.path = xasprintf("%s/t/%s", top, name);
	assert_int_equal(changes_add(&outcome.changes, &c, NULL), 0);
}

static void file(const char *name, bool kept, uint16_t mode, const char *text)
{
	assert_int_equal(write_all(contents, text, strlen(text)), 0);
	change(name, (struct change){ .kind = CHANGE_FILE, .kept = kept, .mode = mode, .size = strlen(text) });
}

static void applied(void)
{
	assert_int_equal(apply_outcome(&outcome, contents), REASON_NONE);
}

/* --- what is here ---------------------------------------------------------- */

static void have(const char *name, const char *text, mode_t mode)
{
	autoclose int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static struct stat look(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st;
}

static void holds(const char *name, const char *text, mode_t mode)
{
	autobuf struct buf b = { 0 };

	assert_int_equal(read_file(name, 1000, &b, NULL), 0);
	assert_string_equal(buf_str(&b), text);
	assert_int_equal(look(name).st_mode & 07777, mode);
}

static bool absent(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 && errno == ENOENT;
}

/* Names, kinds, modes, inode numbers, contents and link targets of all that is below here. */
static char *all_there(void)
{
	autobuf struct buf b = { 0 };
	FILE *p = popen("find . -mindepth 1 -printf '%P %M %i %s %l\\n' | sort; find . -type f | sort | xargs -r cat", "r");

	assert_non_null(p);
	assert_int_equal(read_all(fileno(p), 1 << 20, &b, NULL), 0);
	pclose(p);
	return xstrdup(buf_str(&b));
}

static void declined(enum reason why)
{
	autofree char *before = all_there(), *after = NULL;

	assert_int_equal(apply_outcome(&outcome, contents), why);
	after = all_there();
	assert_string_equal(before, after);
}

/* --- files ------------------------------------------------------------------ */

static void a_new_file_has_contents_and_mode(void **state UNUSED)
{
	file("a", false, 0644, "one");
	file("b", false, 0755, "two two");
	file("c", false, 0600, "");
	file("d", false, 0444, "four");
	applied();
	holds("a", "one", 0644);
	holds("b", "two two", 0755);
	holds("c", "", 0600);
	holds("d", "four", 0444);
}

static void a_private_umask_gives_private_files(void **state UNUSED)
{
	umask(077);
	file("a", false, 0600, "one");
	file("b", false, 0700, "two");
	file("c", false, 0644, "three");
	applied();
	holds("a", "one", 0600);
	holds("b", "two", 0700);
	holds("c", "three", 0644);
}

static void a_replaced_file_is_another(void **state UNUSED)
{
	have("a", "old", 0755);
	have("b", "", 0600);
	assert_int_equal(link("a", "also"), 0);
	file("a", false, 0644, "new");
	file("b", false, 0644, "new too");
	applied();
	holds("a", "new", 0644);
	holds("b", "new too", 0644);
	holds("also", "old", 0755);
}

static void a_replaced_link_leaves_its_target(void **state UNUSED)
{
	have("target", "old", 0644);
	assert_int_equal(symlink("target", "a"), 0);
	assert_int_equal(symlink("nowhere", "b"), 0);
	file("a", false, 0644, "new");
	file("b", false, 0644, "new too");
	applied();
	assert_true(S_ISREG(look("a").st_mode));
	holds("b", "new too", 0644);
	holds("target", "old", 0644);
	assert_true(absent("nowhere"));
}

static void a_kept_file_is_the_same(void **state UNUSED)
{
	ino_t ino;

	have("a", "old and longer", 0755);
	ino = look("a").st_ino;
	assert_int_equal(link("a", "also"), 0);
	file("a", true, 0755, "new");
	applied();
	holds("also", "new", 0755);
	assert_int_equal(look("a").st_ino, ino);
}

static void a_kept_file_may_change_its_mode(void **state UNUSED)
{
	have("a", "old", 0755);
	file("a", true, 0400, "new");
	applied();
	holds("a", "new", 0400);
}

static void a_kept_file_is_reached_through_links(void **state UNUSED)
{
	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(symlink("d", "way"), 0);
	have("d/a", "old", 0644);
	assert_int_equal(symlink("d/a", "b"), 0);
	file("b", true, 0644, "new");
	applied();
	assert_true(S_ISLNK(look("b").st_mode));
	holds("d/a", "new", 0644);
	changes_free(&outcome.changes);
	assert_int_equal(ftruncate(contents, 7), 0);
	lseek(contents, 7, SEEK_SET);
	file("way/a", true, 0644, "newer");
	applied();
	holds("d/a", "newer", 0644);
}

/* --- directories, links, what goes ------------------------------------------- */

static void directories_come_before_their_files(void **state UNUSED)
{
	change("d", (struct change){ .kind = CHANGE_DIR, .mode = 0755 });
	change("d/e", (struct change){ .kind = CHANGE_DIR, .mode = 0700 });
	file("d/e/a", false, 0644, "deep");
	applied();
	holds("d/e/a", "deep", 0644);
	assert_int_equal(look("d").st_mode & 07777, 0755);
	assert_int_equal(look("d/e").st_mode & 07777, 0700);
}

static void a_directory_made_meanwhile_will_do(void **state UNUSED)
{
	assert_int_equal(mkdir("d", 0755), 0);
	have("d/other", "theirs", 0644);
	change("d", (struct change){ .kind = CHANGE_DIR, .mode = 0755 });
	file("d/a", false, 0644, "ours");
	applied();
	holds("d/a", "ours", 0644);
	holds("d/other", "theirs", 0644);
}

static void links_are_made(void **state UNUSED)
{
	char target[100] = { 0 };

	have("b", "old", 0644);
	change("a", (struct change){ .kind = CHANGE_LINK, .target = xstrdup("no/where") });
	change("b", (struct change){ .kind = CHANGE_LINK, .target = xstrdup("a") });
	applied();
	assert_int_equal(readlink("a", target, sizeof target - 1), 8);
	assert_string_equal(target, "no/where");
	assert_true(S_ISLNK(look("b").st_mode));
}

static void what_is_gone_goes(void **state UNUSED)
{
	have("a", "old", 0444);
	assert_int_equal(mkdir("b", 0755), 0);
	assert_int_equal(symlink("keep", "c"), 0);
	have("keep", "kept", 0644);
	change("a", (struct change){ .kind = CHANGE_GONE });
	change("b", (struct change){ .kind = CHANGE_GONE });
	change("c", (struct change){ .kind = CHANGE_GONE });
	change("never", (struct change){ .kind = CHANGE_GONE });
	applied();
	assert_true(absent("a") && absent("b") && absent("c"));
	holds("keep", "kept", 0644);
}

static void a_failed_step_loses_its_output(void **state UNUSED)
{
	have("a.s", "half", 0644);
	free(outcome.removed);
	outcome.removed = xasprintf("%s/t/a.s", top);
	applied();
	holds("a.s", "half", 0644);
	outcome.status = 1;
	applied();
	assert_true(absent("a.s"));
	assert_int_equal(mkfifo("a.s", 0600), 0);
	applied();
	assert_false(absent("a.s"));
}

/* --- declined: all is as it was ------------------------------------------------ */

static void a_directory_of_an_odd_mode(void **state UNUSED)
{
	change("d", (struct change){ .kind = CHANGE_DIR, .mode = 02755 });
	declined(REASON_OUTPUT_ODD);
}

/* Whatever stands before it in the list is not made either. */
static void first_a_good_one(void)
{
	change("0", (struct change){ .kind = CHANGE_DIR, .mode = 0755 });
	file("0/a", false, 0644, "good");
	file("1", true, 0600, "good");
	change("2", (struct change){ .kind = CHANGE_GONE });
	have("1", "old", 0644);
	have("2", "old", 0644);
}

static void a_kept_file_that_is_gone(void **state UNUSED)
{
	first_a_good_one();
	file("a", true, 0644, "new");
	declined(REASON_OUTPUT_ODD);
}

static void a_kept_file_that_is_a_fifo(void **state UNUSED)
{
	first_a_good_one();
	assert_int_equal(mkfifo("a", 0644), 0);
	file("a", true, 0644, "new");
	declined(REASON_OUTPUT_ODD);
}

static void a_fifo_where_a_file_was_made(void **state UNUSED)
{
	first_a_good_one();
	assert_int_equal(mkfifo("a", 0644), 0);
	file("a", false, 0644, "new");
	declined(REASON_OUTPUT_ODD);
}

static void a_directory_where_a_file_was_made(void **state UNUSED)
{
	first_a_good_one();
	assert_int_equal(mkdir("a", 0755), 0);
	file("a", false, 0644, "new");
	declined(REASON_OUTPUT_ODD);
}

static void a_file_where_a_directory_was_made(void **state UNUSED)
{
	first_a_good_one();
	have("a", "old", 0644);
	change("a", (struct change){ .kind = CHANGE_DIR, .mode = 0755 });
	declined(REASON_OUTPUT_ODD);
}

static void a_directory_that_is_not_there(void **state UNUSED)
{
	first_a_good_one();
	file("a/b", false, 0644, "new");
	declined(REASON_OUTPUT_ODD);
}

static void a_directory_that_is_not_empty(void **state UNUSED)
{
	first_a_good_one();
	assert_int_equal(mkdir("a", 0755), 0);
	have("a/b", "old", 0644);
	change("a", (struct change){ .kind = CHANGE_GONE });
	declined(REASON_OUTPUT_ODD);
}

static void a_read_only_directory(void **state UNUSED)
{
	if (geteuid() == 0)
		skip();
	first_a_good_one();
	assert_int_equal(mkdir("a", 0555), 0);
	file("a/b", false, 0644, "new");
	declined(REASON_OUTPUT_ODD);
}

static void a_read_only_kept_file(void **state UNUSED)
{
	if (geteuid() == 0)
		skip();
	first_a_good_one();
	have("a", "old", 0444);
	file("a", true, 0444, "new");
	declined(REASON_OUTPUT_ODD);
}

static void a_file_with_its_owners_rights(void **state UNUSED)
{
	first_a_good_one();
	file("a", false, 04755, "new");
	declined(REASON_SERVER_GARBAGE);
}

static void contents_of_another_length(void **state UNUSED)
{
	first_a_good_one();
	assert_int_equal(write_all(contents, "!", 1), 0);
	declined(REASON_SERVER_GARBAGE);
	assert_int_equal(ftruncate(contents, 9), 0);
	declined(REASON_SERVER_GARBAGE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_file_has_contents_and_mode),
		CASE(a_directory_of_an_odd_mode),
		CASE(a_private_umask_gives_private_files),
		CASE(a_replaced_file_is_another),
		CASE(a_replaced_link_leaves_its_target),
		CASE(a_kept_file_is_the_same),
		CASE(a_kept_file_may_change_its_mode),
		CASE(a_kept_file_is_reached_through_links),
		CASE(directories_come_before_their_files),
		CASE(a_directory_made_meanwhile_will_do),
		CASE(links_are_made),
		CASE(what_is_gone_goes),
		CASE(a_failed_step_loses_its_output),
		CASE(a_kept_file_that_is_gone),
		CASE(a_kept_file_that_is_a_fifo),
		CASE(a_fifo_where_a_file_was_made),
		CASE(a_directory_where_a_file_was_made),
		CASE(a_file_where_a_directory_was_made),
		CASE(a_directory_that_is_not_there),
		CASE(a_directory_that_is_not_empty),
		CASE(a_read_only_directory),
		CASE(a_read_only_kept_file),
		CASE(a_file_with_its_owners_rights),
		CASE(contents_of_another_length),
	};

	return cmocka_run_group_tests(tests, enter_top, leave_top);
}
