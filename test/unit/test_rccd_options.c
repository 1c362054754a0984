/*
 * test_rccd_options.c - the table of rccd's options, and what each reader makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "options.h"

static struct options o;
static struct err err;
static char config[64];

static int setup(void **state UNUSED)
{
	err = (struct err){ 0 };
	snprintf(config, sizeof config, "/tmp/test_rccd_options.%d", (int)getpid());
	return 0;
}

static int teardown(void **state UNUSED)
{
	unlink(config);
	options_free(&o);
	return 0;
}

#define READ(...) options_read(&o, (char *const[]){ (char *)"--config", config, __VA_ARGS__, NULL }, &err)

static void write_config(const char *text)
{
	FILE *f = fopen(config, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_rejected(int rc, const char *text)
{
	assert_int_equal(rc, ERR_CONFIG);
	assert_string_equal(err.text, text);
}

/* In the file the place comes first. */
static void assert_rejected_at(int rc, const char *text)
{
	autofree char *want = xasprintf("%s:%s", config, text);

	assert_rejected(rc, want);
}

static void every_row_is_complete(void **state UNUSED)
{
	autofree char *help = options_help();

	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		autofree char *name = xasprintf("--%s ", row->name);

		assert_true(row->type < OPTION_TYPES);
		assert_true(row->offset < sizeof o);
		assert_true(row->help && *row->help);
		assert_true((row->type == OPTION_FLAG) == !row->value);
		assert_true((row->type == OPTION_NUMBER || row->type == OPTION_SIZE) == (row->max > row->min));
		assert_true(row->type != OPTION_CHOICE || (row->choices && row->choices[0]));
		assert_non_null(strstr(help, name));
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(option_rows[k].name, row->name);
			assert_int_not_equal(option_rows[k].offset, row->offset);
		}
	}
}

static void defaults_are_those_of_the_manual(void **state UNUSED)
{
	write_config("");
	assert_int_equal(READ("--name=x"), 0);
	assert_int_equal(o.listen.count, 1);
	assert_string_equal(o.listen.v[0], "127.0.0.1:17632");
	assert_string_equal(o.http, "127.0.0.1:17633");
	assert_string_equal(o.policy, "polite");
	assert_int_equal(o.grace, 20);
	assert_string_equal(o.toolchain_dirs.v[0], "/usr");
	assert_int_equal(o.jobs, sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_equal(options_fault(&o), FAULT_NONE);
	assert_false(o.insecure_no_sandbox);
}

static void the_command_line_wins_over_the_file(void **state UNUSED)
{
	write_config("[rccd]\njobs = 3\nlisten = 127.0.0.1:1\nlisten = 127.0.0.1:2\nname = file ; a remark\n"
		     "  insecure-no-auth = yes\n");
	assert_int_equal(READ("--listen", "[::1]:7", "--jobs=5"), 0);
	assert_int_equal(o.jobs, 5);
	assert_int_equal(o.listen.count, 1);
	assert_string_equal(o.listen.v[0], "[::1]:7");
	assert_string_equal(o.name, "file");
	assert_true(o.insecure_no_auth);
	options_free(&o);
	assert_int_equal(READ("--name", "argv"), 0);
	assert_int_equal(o.listen.count, 2);
	assert_int_equal(o.jobs, 3);
	assert_string_equal(o.name, "argv");
}

static void sizes_have_units(void **state UNUSED)
{
	static const struct { const char *text; uint64_t bytes; } cases[] = {
		{ "0", 0 }, { "4096", 4096 }, { "3K", 3 << 10 }, { "512M", 512 << 20 }, { "2G", (uint64_t)2 << 30 },
		{ "1T", (uint64_t)1 << 40 }, { "", UINT64_MAX }, { "M", UINT64_MAX }, { "-1M", UINT64_MAX },
		{ "1MB", UINT64_MAX }, { "1.5G", UINT64_MAX }, { "1k", UINT64_MAX }, { " 1M", UINT64_MAX },
		{ "16777216T", UINT64_MAX }, { "99999999999999999999", UINT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(options_size(cases[i].text) == cases[i].bytes);
	write_config("");
	assert_int_equal(READ("--job-memory=2G"), 0);
	assert_true(o.job_memory == (uint64_t)2 << 30);
	options_free(&o);
	assert_rejected(READ("--job-memory=2g"),
			"--job-memory: '2g' is not a size like 512M or 2G, from 16M to 1073741824M");
	assert_int_equal(READ("--job-memory=1M"), ERR_CONFIG);
}

static void a_jobs_memory_is_a_part_of_the_machines(void **state UNUSED)
{
	const uint64_t g = (uint64_t)1 << 30;

	assert_true(options_job_memory(64 * g) == 16 * g);
	assert_true(options_job_memory(3 * g) == g);
	assert_true(options_job_memory(g) == g / 2);
}

static void faults_have_names(void **state UNUSED)
{
	write_config("");
	assert_int_equal(READ("--fault", "exit-sending"), 0);
	assert_int_equal(options_fault(&o), FAULT_EXIT_SENDING);
	options_free(&o);
	assert_int_equal(READ("--fault=flip"), 0);
	assert_int_equal(options_fault(&o), FAULT_FLIP);
}

static void wrong_words_are_named(void **state UNUSED)
{
	write_config("");
	assert_rejected(READ("--jobs", "x"), "--jobs: 'x' is not a number from 1 to 4096");
	assert_rejected(READ("--jobs", "0"), "--jobs: '0' is not a number from 1 to 4096");
	assert_rejected(READ("--jobs=18446744073709551617"),
			"--jobs: '18446744073709551617' is not a number from 1 to 4096");
	assert_rejected(READ("--policy=rude"), "--policy: 'rude' is none of: dedicated, polite, idle");
	assert_rejected(READ("--jobs"), "--jobs: needs a value");
	assert_rejected(READ("--help=no"), "--help: takes no value");
	assert_rejected(READ("--jobz", "3"), "--jobz: unknown option; see rccd --help");
	assert_rejected(READ("-j", "3"), "-j: unknown option; see rccd --help");
	assert_rejected(READ("now"), "now: unknown argument; see rccd --help");
	assert_rejected(READ("--store="), "--store: is empty");
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = { "localhost", "127.0.0.1", "127.0.0.1:", "1.2:3", "::1:4",
						   "127.0.0.1:65536" };

		assert_int_equal(READ("--listen", (char *)bad[i]), ERR_CONFIG);
		assert_non_null(strstr(err.text, bad[i]));
	}
}

static void wrong_lines_are_named(void **state UNUSED)
{
	write_config("jobs = 2\nnmae = x\n");
	assert_rejected_at(READ("--name=x"), "2: unknown key 'nmae'");
	write_config("; remark\n\njobs = many\n");
	assert_rejected_at(READ("--name=x"), "3: jobs: 'many' is not a number from 1 to 4096");
	write_config("jobs = many\n");
	assert_rejected_at(READ("--jobs=3"), "1: jobs: 'many' is not a number from 1 to 4096");
	write_config("[agent]\njobs = 1\n");
	assert_rejected_at(READ("--name=x"), "2: unknown section [agent]");
	write_config("jobs\n");
	assert_rejected_at(READ("--name=x"), "1: not 'key = value'");
	write_config("config = other\n");
	assert_rejected_at(READ("--name=x"), "1: unknown key 'config'");
	write_config("insecure-no-auth = maybe\n");
	assert_rejected_at(READ("--name=x"), "1: insecure-no-auth: 'maybe' is neither yes nor no");
}

static void a_directory_is_no_config_file(void **state UNUSED)
{
	assert_rejected(options_read(&o, (char *const[]){ (char *)"--config=/", NULL }, &err), "/: Is a directory");
}

static void a_file_asked_for_must_be_there(void **state UNUSED)
{
	autofree char *want = xasprintf("%s: No such file or directory", config);

	assert_rejected(READ("--name=x"), want);
	assert_int_equal(READ("--help"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_row_is_complete),
		TEST(defaults_are_those_of_the_manual),
		TEST(the_command_line_wins_over_the_file),
		TEST(sizes_have_units),
		TEST(a_jobs_memory_is_a_part_of_the_machines),
		TEST(faults_have_names),
		TEST(wrong_words_are_named),
		TEST(wrong_lines_are_named),
		TEST(a_file_asked_for_must_be_there),
		TEST(a_directory_is_no_config_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
