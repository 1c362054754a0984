/*
 * test_forecast.c - what is told of a caller's files before it is asked.
 */
#include "unit.h"

#include <sys/stat.h>

#include "file.h"
#include "forecast.h"
#include "scratch.h"

static void paths_are_settled_without_looking(void **state UNUSED)
{
	static const struct { const char *cwd, *path, *settled; } rows[] = {
		{ "/a/b", "c.c", "/a/b/c.c" }, { "/a/b", "./x//c.c", "/a/b/x/c.c" }, { "/a/b", "../c.c", "/a/c.c" },
		{ "/a/b", "../../../c.c", "/c.c" }, { "/a", "/x/../y/", "/y" }, { "/a", "..", "/" }, { "/", "c.c", "/c.c" },
		{ "/a", ".", "/a" }, { "/a", "", "/a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *settled = path_settle(rows[i].cwd, rows[i].path);

		assert_string_equal(settled, rows[i].settled);
	}
}

static void make_file(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	fputs(name, f);
	fclose(f);
}

static void what_is_beside_an_absence_is_told_with_it(void **state UNUSED)
{
	const char *dir = scratch;
	struct files *files = files_new(&(struct files_options){ 0 });
	autofree char *none = xasprintf("%s/none.h", dir), *here = xasprintf("%s/a.h", dir);
	autofacts struct facts alone = { 0 }, both = { 0 }, found = { 0 };

	make_file(dir, "a.h");
	forecast_answer(files, none, false, false, &alone);
	assert_int_equal(alone.count, 1);
	assert_int_equal(facts_find(&alone, none)->kind, FACT_ABSENT);
	forecast_answer(files, none, false, true, &both);
	assert_int_equal(both.count, 2);
	assert_true(facts_find(&both, dir)->listed);
	forecast_answer(files, here, false, true, &found);
	assert_int_equal(found.count, 1);
	assert_int_equal(facts_find(&found, here)->kind, FACT_FILE);
	files_free(files);
}

static void a_command_names_where_it_will_look(void **state UNUSED)
{
	const char *dir = scratch;
	struct files *files = files_new(&(struct files_options){ 0 });
	autofree char *inc = xasprintf("%s/inc", dir), *more = xasprintf("%s/more", dir), *source = xasprintf("%s/a.c", dir);
	autofacts struct facts all = { 0 };
	autojob struct job job = { .mode = JOB_FILES, .step_count = 1 };
	static const char *const words[] = { "cc1", "-quiet", "-Iinc", "-isystem", "more", "-I", "gone", "a.c" };

	mkdir(inc, 0755);
	mkdir(more, 0755);
	make_file(dir, "a.c");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv_push(&job.steps[0].argv, words[i]);
	forecast_start(files, &job, dir, "a.c", &all);
	assert_int_equal(facts_find(&all, "/")->kind, FACT_DIR);
	assert_true(facts_find(&all, dir)->listed);
	assert_true(facts_find(&all, inc)->listed);
	assert_true(facts_find(&all, more)->listed);
	assert_int_equal(facts_find(&all, source)->kind, FACT_FILE);
	assert_true(facts_fit(&all));
	files_free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_settled_without_looking),
		cmocka_unit_test_setup_teardown(what_is_beside_an_absence_is_told_with_it, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(a_command_names_where_it_will_look, scratch_make, scratch_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
