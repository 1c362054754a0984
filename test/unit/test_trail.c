/*
 * test_trail.c - paths followed through links, and when a trail still holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "trail.h"

static char dir[64];

static char *below(const char *name)
{
	static char path[4][160];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", dir, name);
	return p;
}

static void touch(const char *name)
{
	int fd = open(below(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	close(fd);
}

/* dir/d/f, dir/rel -> d/f, dir/abs -> dir/rel, dir/up -> d, dir/loop -> loop, dir/dangling -> nowhere */
static int setup(void **state UNUSED)
{
	strcpy(dir, "/tmp/rcc-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(below("d"), 0777), 0);
	touch("d/f");
	assert_int_equal(symlink("d/f", below("rel")), 0);
	assert_int_equal(symlink(below("rel"), below("abs")), 0);
	assert_int_equal(symlink("d", below("up")), 0);
	assert_int_equal(symlink("loop", below("loop")), 0);
	assert_int_equal(symlink("nowhere", below("dangling")), 0);
	return 0;
}

static int teardown(void **state UNUSED)
{
	static const char *const names[] = { "d/f", "d/new", "rel", "abs", "up", "loop", "dangling" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(below(names[i]));
	rmdir(below("d"));
	return rmdir(dir);
}

static int follow(const char *path, char **real, struct tree *links)
{
	struct trail t = { 0 };
	int rc = trail_follow(&t, path, real, links, NULL);

	trail_free(&t);
	return rc;
}

static void every_link_on_the_way_is_kept(void **state UNUSED)
{
	autofree char *real = NULL;
	struct tree links = { 0 };

	assert_int_equal(follow(below("abs"), &real, &links), 0);
	assert_string_equal(real, below("d/f"));
	assert_int_equal(links.count, 2);
	assert_string_equal(tree_find(&links, below("abs"))->target, below("rel"));
	assert_string_equal(tree_find(&links, below("rel"))->target, "d/f");
	tree_free(&links);
}

static void dots_and_doubled_slashes_are_undone_after_links(void **state UNUSED)
{
	autofree char *real = NULL;
	struct tree links = { 0 };

	/* behind a link, .. is the parent of what it leads to */
	assert_int_equal(follow(below("up/..//./d/f"), &real, &links), 0);
	assert_string_equal(real, below("d/f"));
	assert_int_equal(links.count, 1);
	tree_free(&links);
}

static void what_is_not_there_is_absent(void **state UNUSED)
{
	static const char *const names[] = { "none", "d/none", "d/f/below", "loop", "dangling", "none/.." };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *real = NULL;
		struct tree links = { 0 };

		assert_int_equal(follow(below(names[i]), &real, &links), ERR_ABSENT);
		assert_null(real);
		tree_free(&links);
	}
}

static bool holds_after(const char *path, void (*change)(void))
{
	struct trail t = { 0 };
	struct tree links = { 0 };
	char *real = NULL;
	bool holds;

	trail_follow(&t, path, &real, &links, NULL);
	if (change)
		change();
	holds = trail_holds(&t);
	free(real);
	tree_free(&links);
	trail_free(&t);
	return holds;
}

static void make_new(void) { touch("d/new"); }

static void a_trail_over_settled_files_holds(void **state UNUSED)
{
	assert_true(holds_after("/bin/sh", NULL));
}

static void a_trail_over_a_new_file_does_not_hold(void **state UNUSED)
{
	assert_false(holds_after(below("d/f"), NULL));
}

static void a_file_that_appears_ends_the_trail(void **state UNUSED)
{
	assert_true(holds_after(below("d/new"), NULL));
	assert_false(holds_after(below("d/new"), make_new));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_on_the_way_is_kept),
		cmocka_unit_test(dots_and_doubled_slashes_are_undone_after_links),
		cmocka_unit_test(what_is_not_there_is_absent),
		cmocka_unit_test(a_trail_over_settled_files_holds),
		cmocka_unit_test(a_trail_over_a_new_file_does_not_hold),
		cmocka_unit_test(a_file_that_appears_ends_the_trail),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
