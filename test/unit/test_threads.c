/*
 * test_threads.c - how many processors the words of a command ask for.
 */
#include "unit.h"

#include "threads.h"

static unsigned threads(const char *const *words)
{
	struct argv argv = { 0 };
	unsigned n;

	for (; *words; words++)
		argv_push(&argv, *words);
	n = threads_of(&argv, 8);
	argv_free(&argv);
	return n;
}
#define THREADS(...) threads((const char *const[]){ "gcc", __VA_ARGS__, NULL })

static void a_plain_link_is_one(void **state)
{
	(void)state;
	assert_int_equal(THREADS("a.o", "-o", "a"), 1);
	assert_int_equal(THREADS("-flto", "a.o"), 1);
	assert_int_equal(THREADS("-flto=jobserver", "a.o"), 1);
}

static void links_that_use_threads_count_for_them(void **state)
{
	(void)state;
	assert_int_equal(THREADS("-flto=auto", "a.o"), 8);
	assert_int_equal(THREADS("-flto=3", "a.o"), 3);
	assert_int_equal(THREADS("-flto=300", "a.o"), 8);
	assert_int_equal(THREADS("a.o", "-fuse-ld=mold"), 8);
	assert_int_equal(THREADS("a.o", "-fuse-ld=lld", "-Wl,--threads=2"), 2);
	assert_int_equal(THREADS("-flto=thin", "-flto-jobs=4", "a.o"), 4);
}

static void a_compile_is_one_whatever_it_says_of_links(void **state)
{
	(void)state;
	assert_int_equal(THREADS("-flto=auto", "-c", "a.c"), 1);
	assert_int_equal(THREADS("-S", "-flto=16", "a.c"), 1);
}

static void the_last_word_counts(void **state)
{
	(void)state;
	assert_int_equal(THREADS("-flto=auto", "-flto=2", "a.o"), 2);
	assert_int_equal(THREADS("-flto=8", "-fno-lto", "a.o"), 1);
	assert_int_equal(THREADS("-flto=x", "a.o"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_link_is_one), cmocka_unit_test(links_that_use_threads_count_for_them),
		cmocka_unit_test(a_compile_is_one_whatever_it_says_of_links), cmocka_unit_test(the_last_word_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
