/*
 * test_job.c - jobs and results there and back, cut short, over their bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job.h"

/* cc1 on stdin, then as on what it wrote. */
static void fill(struct job *j)
{
	*j = (struct job){ .input_name = xstrdup(""), .step_count = 2 };
	memset(j->toolchain.b, 7, DIGEST_SIZE);
	argv_push(&j->env, "PWD=/home/a b");
	j->steps[0].program = xstrdup("/usr/lib/gcc/cc1");
	argv_push(&j->steps[0].argv, "/usr/lib/gcc/cc1");
	argv_push(&j->steps[0].argv, "-quiet");
	j->steps[0].stdin_input = true;
	j->steps[1].program = xstrdup("/usr/bin/as");
	argv_push(&j->steps[1].argv, "as");
	argv_push(&j->steps[1].argv, "");
	argv_push(&j->outputs, "a.o");
}

static int decode(const void *p, size_t len, struct job *j, struct err *err)
{
	struct reader r = reader_of(p, len);

	return job_get(&r, j, err);
}

static void assert_same_argv(const struct argv *a, const struct argv *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_string_equal(a->v[i], b->v[i]);
}

static void jobs_come_back(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	autojob struct job in, out;

	fill(&in);
	job_put(&b, &in);
	assert_int_equal(decode(b.p, b.len, &out, NULL), 0);
	assert_true(digest_eq(&in.toolchain, &out.toolchain));
	assert_same_argv(&in.env, &out.env);
	assert_same_argv(&in.outputs, &out.outputs);
	assert_string_equal(in.input_name, out.input_name);
	assert_int_equal(in.step_count, out.step_count);
	for (size_t i = 0; i < in.step_count; i++) {
		assert_string_equal(in.steps[i].program, out.steps[i].program);
		assert_same_argv(&in.steps[i].argv, &out.steps[i].argv);
		assert_int_equal(in.steps[i].stdin_input, out.steps[i].stdin_input);
	}
}

/* As a driver has it: names of the caller's, and the terminal that it writes to. */
static void fill_files(struct job *j)
{
	*j = (struct job){ .mode = JOB_FILES, .input_name = xstrdup(""), .step_count = 1 };
	j->steps[0].program = xstrdup("/usr/lib/gcc/cc1");
	argv_push(&j->steps[0].argv, "/usr/lib/gcc/cc1");
	argv_push(&j->steps[0].argv, "/w/a.c");
	j->caller = (struct job_caller){ .cwd = xstrdup("/w"), .umask = 027, .columns = 80, .lines = 24, .manifest = { { 3 } },
					 .manifest_size = 1ull << 20 };
}

static void jobs_in_file_mode_come_back(void **state UNUSED)
{
	autobuf struct buf b = { 0 }, again = { 0 };
	autojob struct job in, out;
	struct job cut;

	fill_files(&in);
	job_put(&b, &in);
	assert_int_equal(decode(b.p, b.len, &out, NULL), 0);
	assert_string_equal(out.caller.cwd, "/w");
	assert_int_equal(out.caller.umask, 027);
	assert_true(digest_eq(&out.caller.manifest, &in.caller.manifest));
	job_put(&again, &out);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(decode(b.p, len, &cut, NULL), ERR_WIRE);
}

static void assert_refused(struct job *j)
{
	autobuf struct buf b = { 0 };
	struct job out;

	job_put(&b, j);
	assert_int_equal(decode(b.p, b.len, &out, NULL), ERR_WIRE);
	job_free(j);
}

static void a_job_in_file_mode_has_neither_input_nor_outputs(void **state UNUSED)
{
	struct job j;

	fill_files(&j);
	j.steps[0].stdin_input = true;
	assert_refused(&j);
	fill_files(&j);
	argv_push(&j.outputs, "a.o");
	assert_refused(&j);
	fill_files(&j);
	free(j.input_name);
	j.input_name = xstrdup("a.c");
	assert_refused(&j);
	fill_files(&j);
	j.caller.cwd[0] = '.';
	assert_refused(&j);
	fill_files(&j);
	j.caller.umask = 01000;
	assert_refused(&j);
	fill_files(&j);
	j.mode = JOB_MODES;
	assert_refused(&j);
}

static void cut_or_longer_jobs_are_refused(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	autojob struct job in;
	struct job out;

	fill(&in);
	job_put(&b, &in);
	for (size_t len = 0; len < b.len; len++) {
		autofree unsigned char *cut = xmalloc(len);

		memcpy(cut, b.p, len);
		assert_int_equal(decode(cut, len, &out, NULL), ERR_WIRE);
		assert_int_equal(out.step_count, 0);
		assert_null(out.input_name);
	}
	put_u8(&b, 0);
	assert_int_equal(decode(b.p, b.len, &out, NULL), ERR_WIRE);
}

static void set_input_up(struct job *j) { free(j->input_name); j->input_name = xstrdup("../a.s"); }
static void set_input_dots(struct job *j) { free(j->input_name); j->input_name = xstrdup(".."); }
static void set_output_absolute(struct job *j) { argv_set(&j->outputs, 0, "/etc/passwd"); }
static void set_output_empty(struct job *j) { argv_set(&j->outputs, 0, ""); }
static void set_output_dot(struct job *j) { argv_set(&j->outputs, 0, "."); }
static void set_program_relative(struct job *j) { free(j->steps[1].program); j->steps[1].program = xstrdup("as"); }
static void drop_argv(struct job *j) { argv_free(&j->steps[1].argv); }

static void drop_steps(struct job *j)
{
	while (j->step_count) {
		struct job_step *s = &j->steps[--j->step_count];

		free(s->program);
		argv_free(&s->argv);
	}
}

static void add_outputs(struct job *j)
{
	while (j->outputs.count <= JOB_OUTPUTS_MAX)
		argv_push(&j->outputs, "b.o");
}

static void add_env(struct job *j)
{
	while (j->env.count <= JOB_ENV_MAX)
		argv_push(&j->env, "A=b");
}

static void add_args(struct job *j)
{
	while (j->steps[0].argv.count <= JOB_ARGS_MAX)
		argv_push(&j->steps[0].argv, "-Ia");
}

static void what_a_job_must_not_say(void **state UNUSED)
{
	static void (*const spoil[])(struct job *) = {
		set_input_up, set_input_dots, set_output_absolute, set_output_empty, set_output_dot,
		set_program_relative, drop_argv, drop_steps, add_outputs, add_env, add_args,
	};

	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		autobuf struct buf b = { 0 };
		autojob struct job in;
		struct job out;
		struct err err = { 0 };

		fill(&in);
		spoil[i](&in);
		job_put(&b, &in);
		assert_int_equal(decode(b.p, b.len, &out, &err), ERR_WIRE);
		assert_true(str_starts(err.text, "job: "));
		assert_int_equal(out.outputs.count, 0);
	}
}

/* The count stands behind the digest, an empty environment and an empty name. */
static void too_many_steps_are_refused(void **state UNUSED)
{
	enum { STEPS = 1 + DIGEST_SIZE + 4 + 4 };	/* behind mode, toolchain, no env, no name */
	autobuf struct buf b = { 0 };
	autojob struct job in;
	struct job out;

	fill(&in);
	argv_free(&in.env);
	job_put(&b, &in);
	assert_int_equal(decode(b.p, b.len, &out, NULL), 0);
	job_free(&out);
	assert_int_equal(b.p[STEPS], 2);
	b.p[STEPS] = JOB_STEPS_MAX + 1;
	assert_int_equal(decode(b.p, b.len, &out, NULL), ERR_WIRE);
	b.p[STEPS] = 255;
	assert_int_equal(decode(b.p, b.len, &out, NULL), ERR_WIRE);
}

static const struct job_result result = {
	.outcome = JOB_LIMIT, .step = 1, .exit_status = 2, .signal = 9, .cpu_us = 1234567890123, .wall_us = 5,
	.max_rss_kb = 6, .output_bytes = 7, .output_hash = UINT64_MAX, .text = "memory",
};

static int decode_result(const void *p, size_t len, struct job_result *out)
{
	struct reader r = reader_of(p, len);

	return job_result_get(&r, out, NULL);
}

static void results_come_back(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct job_result out;

	job_result_put(&b, &result);
	assert_int_equal(decode_result(b.p, b.len, &out), 0);
	assert_memory_equal(&out, &result, sizeof out);
}

static void bad_results_are_refused(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct job_result out;

	job_result_put(&b, &result);
	for (size_t len = 0; len < b.len; len++) {
		autofree unsigned char *cut = xmalloc(len);

		memcpy(cut, b.p, len);
		assert_int_equal(decode_result(cut, len, &out), ERR_WIRE);
	}
	put_u8(&b, 0);
	assert_int_equal(decode_result(b.p, b.len, &out), ERR_WIRE);
	b.p[0] = JOB_OUTCOMES;
	assert_int_equal(decode_result(b.p, b.len - 1, &out), ERR_WIRE);
}

/* A volunteer's text may be of any length; ours has room for 127 bytes. */
static void a_long_text_is_cut(void **state UNUSED)
{
	char text[1000] = { 0 };
	autobuf struct buf b = { 0 };
	struct job_result out;

	memset(text, 'x', sizeof text - 1);
	job_result_put(&b, &result);
	b.len -= 4 + strlen(result.text);
	put_str(&b, text);
	assert_int_equal(decode_result(b.p, b.len, &out), 0);
	assert_int_equal(strlen(out.text), sizeof out.text - 1);
}

static void a_text_is_printable(void **state UNUSED)
{
	struct job_result in = { .outcome = JOB_LIMIT, .text = "wall\n\x1b[2J\"time\"" }, out;
	autobuf struct buf b = { 0 };

	job_result_put(&b, &in);
	assert_int_equal(decode_result(b.p, b.len, &out), 0);
	assert_string_equal(out.text, "wall??[2J'time'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_come_back),
		cmocka_unit_test(jobs_in_file_mode_come_back),
		cmocka_unit_test(a_job_in_file_mode_has_neither_input_nor_outputs),
		cmocka_unit_test(cut_or_longer_jobs_are_refused),
		cmocka_unit_test(what_a_job_must_not_say),
		cmocka_unit_test(too_many_steps_are_refused),
		cmocka_unit_test(results_come_back),
		cmocka_unit_test(bad_results_are_refused),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(a_text_is_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
