/*
 * test_planner.c - what lies on the disk counts as much as what the driver
 * said, now or before.
 */
#include "unit.h"

#include "planner.h"
#include "scratch.h"

static void cleanup_planner(struct planner **pl) { planner_free(*pl); }
#define autoplanner __attribute__((cleanup(cleanup_planner)))

static void make_file(const char *name)
{
	autofree char *path = xasprintf("%s/%s", scratch, name);
	autoclose int fd = open(path, O_CREAT | O_WRONLY, 0644);

	assert_true(fd >= 0);
}

/* A subcommand of that name that can be found. */
static void make_program(const char *name)
{
	autofree char *path = xasprintf("%s/%s", scratch, name);

	assert_int_equal(symlink("/bin/sh", path), 0);
}

static struct ask ask_of(const char *command)
{
	struct ask ask = { .program = xstrdup("/usr/bin/gcc"), .cwd = xstrdup(scratch) };
	autofree char *words = xstrdup(command);

	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv_push(&ask.argv, w);
	argv_pushf(&ask.env, "PATH=%s", scratch);
	return ask;
}

static void ask_done(struct ask *ask)
{
	free(ask->program);
	free(ask->cwd);
	argv_free(&ask->argv);
	argv_free(&ask->env);
}

/* What clang would print, with names of this directory. */
static char *clang_says(const char *source)
{
	return xasprintf(" \"%s/clang\" \"-cc1\" \"-emit-obj\" \"-resource-dir\" \"/usr\" \"-o\" \"%.*s.o\" \"-x\" \"c\" \"%s\"\n",
			 scratch, (int)strcspn(source, "."), source, source);
}

static struct plan *made(struct planner *pl, const struct ask *ask, const char *text)
{
	struct stat driver = { .st_ino = 1 };
	struct plan *p = NULL;
	struct err err = { 0 };

	assert_int_equal(planner_make(pl, ask, DRIVER_CLANG, &driver, text, true, false, "/tmp/t", &p, &err), 0);
	return p;
}

static bool recalled(struct planner *pl, const char *command)
{
	struct stat driver = { .st_ino = 1 };
	struct ask ask = ask_of(command);
	autofree char *text = planner_recall(pl, &ask, &driver);

	ask_done(&ask);
	return text;
}

static void learn(struct planner *pl, const char *options, const char *source)
{
	autofree char *command = xasprintf("clang %s -c %s", options, source), *text = clang_says(source);
	struct ask ask = ask_of(command);

	plan_free(made(pl, &ask, text));
	ask_done(&ask);
}

static void programs_are_looked_up_and_the_source_must_be_there(void **state UNUSED)
{
	autoplanner struct planner *pl = planner_new();
	struct ask ask = ask_of("clang -c a.c");
	autofree char *text = clang_says("a.c"), *program = realpath("/bin/sh", NULL);
	struct plan *p = made(pl, &ask, text);

	assert_int_equal(p->files.kind, VERDICT_LOCAL);
	assert_string_equal(p->files.detail, "a subcommand is not found by an absolute path");
	plan_free(p);
	make_program("clang");
	p = made(pl, &ask, text);
	assert_string_equal(reason_key(p->files.reason), "input-odd");
	assert_string_equal(p->files.detail, "a.c");
	plan_free(p);
	make_file("a.c");
	p = made(pl, &ask, text);
	assert_int_equal(p->files.kind, VERDICT_FILES);
	assert_string_equal(p->file_units[0].job.steps[0].program, program);
	plan_free(p);
	ask_done(&ask);
}

static void a_precompiled_header_that_appears_ends_what_was_remembered(void **state UNUSED)
{
	autoplanner struct planner *pl = planner_new();

	learn(pl, "-include h.h", "a.c");
	learn(pl, "-include h.h", "b.c");
	assert_true(recalled(pl, "clang -include h.h -c c.c"));
	make_file("h.h.pch");
	assert_false(recalled(pl, "clang -include h.h -c c.c"));
}

static void what_the_driver_looks_for_itself_is_not_remembered(void **state UNUSED)
{
	static const char *const options[] = { "-fprofile-use=p", "-fprofile-sample-use=p", "-fsanitize-ignorelist=l" };
	autoplanner struct planner *pl = planner_new();

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		autofree char *command = xasprintf("clang %s -c c.c", options[i]);

		learn(pl, options[i], "a.c");
		learn(pl, options[i], "b.c");
		assert_false(recalled(pl, command));
	}
	learn(pl, "-g", "a.c");
	learn(pl, "-g", "b.c");
	assert_true(recalled(pl, "clang -g -c c.c"));
}

static void the_preprocessors_variables_travel_with_files(void **state UNUSED)
{
	struct toolchain tc = { .translates = true };
	struct file_unit u = { .job = { .mode = JOB_FILES } };
	struct job job = { 0 }, text = { 0 };
	autoargv struct argv env = { 0 };

	argv_push(&u.job.env, "GCC_EXEC_PREFIX=/x/");
	argv_push(&env, "CPATH=/i");
	argv_push(&env, "TZ=UTC");
	argv_push(&env, "HOME=/root");
	planner_file_job(&u, &env, &tc, &job);
	assert_int_equal(job.mode, JOB_FILES);
	assert_int_equal(job.env.count, 3);
	assert_true(argv_has(&job.env, "GCC_EXEC_PREFIX=/x/"));
	assert_true(argv_has(&job.env, "CPATH=/i"));
	assert_true(argv_has(&job.env, "TZ=UTC"));
	planner_job(&u.job, &env, &tc, &text);
	assert_false(argv_has(&text.env, "CPATH=/i"));
	job_free(&job);
	job_free(&text);
	job_free(&u.job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(programs_are_looked_up_and_the_source_must_be_there, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(a_precompiled_header_that_appears_ends_what_was_remembered, scratch_make,
						scratch_remove),
		cmocka_unit_test_setup_teardown(what_the_driver_looks_for_itself_is_not_remembered, scratch_make, scratch_remove),
		cmocka_unit_test(the_preprocessors_variables_travel_with_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
