/*
 * test_status.c - the three faces of a volunteer's status, and whom HTTP answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <jansson.h>

#include "http.h"
#include "status.h"

static struct ledger ledger;
static struct argv listening;
static struct job_view running = { .job = { .number = 7, .caller = "me@host", .programs = "cc1 as" }, .running_ms = 1500 };
static struct caller_view callers[] = { { "key f<m> a@b", { .share = 0.75, .waiting = 6, .holding = 2 } },
					{ "at ::1", { .share = 0.25 } } };
static struct toolchain_view toolchains[] = {
	{ .state = "lacking", .programs = "cc1", .text = "/usr/bin/as: other <contents>", .total = 5 },
	{ .state = "fetching", .programs = "cc1plus", .text = "", .done = 12000000, .total = 43000000 },
};
static struct policy_decision decision = { .capacity = 4, .phase = PHASE_SHRINKING, .why = "4 of 5 <slots>" };
static struct status status;

static int setup(void **state UNUSED)
{
	ledger = (struct ledger){ .started = 1000 };
	ledger.refused[REFUSAL_QUEUE_FULL] = 2;
	ledger.refused[REFUSAL_PROGRAM] = 1;
	ledger_add(&ledger, &(struct ledger_job){ .number = 1, .caller = "a@b", .programs = "cc1", .ending = ENDING_DONE,
						  .cpu_us = 2500000, .bytes_in = 10, .bytes_out = 20 });
	ledger_add(&ledger, &(struct ledger_job){ .number = 2, .caller = "a@b", .programs = "cc1", .text = "wall \"time\"",
						  .ending = ENDING_LIMIT, .cpu_us = 500000 });
	argv_push(&listening, "127.0.0.1:17632");
	status = (struct status){
		.name = "al<der", .version = "1.2", .policy = "polite", .decision = &decision, .now = 1060,
		.slots = { .slots = 5, .capacity = 4, .running = 1, .granted = 1, .queued = 3 }, .agents = 2, .connections = 5,
		.running = &running, .running_count = 1, .callers = callers, .caller_count = 2, .ledger = &ledger, .toolchains = toolchains,
		.toolchain_count = 2, .store = { .bytes = 3000000, .max_bytes = 10000000000, .evicted = 1 }, .no_files = "mount <fuse>",
		.fetched = { .brought = 2, .brought_bytes = 77 }, .accept_any = true, .listen = &listening, .http = "off",
	};
	return 0;
}

static int teardown(void **state UNUSED)
{
	argv_free(&listening);
	return 0;
}

static json_int_t number(const json_t *o, const char *key)
{
	const json_t *n = json_object_get(o, key);

	assert_true(json_is_integer(n));
	return json_integer_value(n);
}

static void json_says_it_all(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	json_t *root, *jobs, *first;

	status_json(&status, &b);
	root = json_loads(buf_str(&b), 0, NULL);
	assert_non_null(root);
	jobs = json_object_get(root, "jobs");
	assert_string_equal(json_string_value(json_object_get(root, "name")), "al<der");
	assert_int_equal(number(root, "slots"), 5);
	assert_int_equal(number(root, "capacity"), 4);
	assert_string_equal(json_string_value(json_object_get(root, "phase")), "shrinking");
	assert_string_equal(json_string_value(json_object_get(root, "why")), "4 of 5 <slots>");
	assert_int_equal(number(root, "free"), 2);
	assert_int_equal(number(root, "queued"), 3);
	assert_true(json_is_false(json_object_get(root, "draining")));
	assert_int_equal(number(root, "cpu_us"), 3000000);
	assert_int_equal(number(jobs, "done"), 1);
	assert_int_equal(number(jobs, "limit"), 1);
	assert_int_equal(number(jobs, "refused"), 3);
	assert_int_equal(number(json_object_get(root, "bytes"), "in"), 10);
	assert_int_equal(number(json_object_get(root, "refusals"), "queue is full"), 2);
	first = json_array_get(json_object_get(root, "last"), 0);
	assert_int_equal(number(first, "number"), 2);
	assert_string_equal(json_string_value(json_object_get(first, "text")), "wall \"time\"");
	first = json_array_get(json_object_get(root, "running"), 0);
	assert_int_equal(number(first, "running_ms"), 1500);
	first = json_array_get(json_object_get(root, "callers"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "caller")), "key f<m> a@b");
	assert_true(json_real_value(json_object_get(first, "share")) == 0.75);
	assert_int_equal(number(first, "waiting"), 6);
	assert_int_equal(number(first, "slots"), 2);
	first = json_array_get(json_object_get(root, "toolchains"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "state")), "lacking");
	assert_int_equal(number(json_array_get(json_object_get(root, "toolchains"), 1), "done"), 12000000);
	assert_int_equal(number(json_object_get(root, "store"), "bytes"), 3000000);
	assert_true(json_is_false(json_object_get(json_object_get(root, "file_mode"), "offered")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(root, "file_mode"), "why")), "mount <fuse>");
	assert_int_equal(number(json_object_get(root, "file_mode"), "brought_bytes"), 77);
	assert_int_equal(json_array_size(json_object_get(root, "listen")), 1);
	json_decref(root);
}

/* "name{labels} value" of a family that HELP and TYPE announced just before. */
static void assert_sample(const char *line, const char *family)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	const char *rest = line + name;
	char *end;

	assert_int_equal(name, strlen(family));
	assert_memory_equal(line, family, name);
	if (*rest == '{') {
		rest = strstr(rest, "\"}");
		assert_non_null(rest);
		rest += 2;
	}
	assert_int_equal(*rest, ' ');
	strtod(rest + 1, &end);
	assert_true(end > rest + 1 && !*end);
}

static void metrics_are_what_prometheus_reads(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	char family[64] = "", type[16] = "", *save = NULL;
	int samples = 0;

	status_metrics(&status, &b);
	assert_non_null(strstr(buf_str(&b), "\nrccd_jobs_total{ending=\"limit\"} 1\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_slots_open 4\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_phase{phase=\"shrinking\"} 1\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_phase{phase=\"working\"} 0\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_cpu_seconds_total 3\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_toolchains{state=\"lacking\"} 1\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_toolchains{state=\"fetching\"} 1\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_store_evicted_total 1\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_blobs_brought_bytes_total 77\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_refusals_total{reason=\"queue is full\"} 2\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_caller_share{caller=\"at ::1\"} 0.25\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_caller_waiting{caller=\"key f<m> a@b\"} 6\n"));
	assert_non_null(strstr(buf_str(&b), "\nrccd_caller_slots{caller=\"key f<m> a@b\"} 2\n"));
	assert_int_equal(b.p[b.len - 1], '\n');
	for (char *line = strtok_r(buf_str(&b), "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (str_starts(line, "# HELP ")) {
			assert_int_equal(sscanf(line, "# HELP %63s", family), 1);
		} else if (str_starts(line, "# TYPE ")) {
			char again[64];

			assert_int_equal(sscanf(line, "# TYPE %63s %15s", again, type), 2);
			assert_string_equal(again, family);
			assert_int_equal(str_eq(type, "counter"), str_ends(family, "_total"));
		} else {
			assert_sample(line, family);
			samples++;
		}
	}
	assert_true(samples > 20);
}

static void the_page_escapes_what_strangers_say(void **state UNUSED)
{
	autobuf struct buf b = { 0 };

	status.warnings[status.warning_count++] = "No sandbox.";
	status_page(&status, &b);
	assert_non_null(strstr(buf_str(&b), "fetching: 12.0 MB of 43.0 MB<"));
	assert_non_null(strstr(buf_str(&b), "3.0 MB of 10.0 GB in the store; callers may bring their own"));
	assert_non_null(strstr(buf_str(&b), "al&lt;der"));
	assert_null(strstr(buf_str(&b), "al<der"));
	assert_non_null(strstr(buf_str(&b), "other &lt;contents&gt;"));
	assert_non_null(strstr(buf_str(&b), "role=alert>No sandbox."));
	assert_non_null(strstr(buf_str(&b), "wall &quot;time&quot;"));
	assert_null(strstr(buf_str(&b), "<script"));
	assert_non_null(strstr(buf_str(&b), ">key f&lt;m&gt; a@b</td><td class=n>75%</td><td class=n>2</td><td class=n>6</td>"));
	assert_non_null(strstr(buf_str(&b), "<i class=shut style=\"width:20.00%\">"));
	assert_non_null(strstr(buf_str(&b), "<b>shrinking</b>: 4 of 5 &lt;slots&gt; <span class=soft>&middot; policy polite<"));
	assert_non_null(strstr(buf_str(&b), "Refused: queue is full (2), program is not allowed (1)<"));
}

static void the_ledger_keeps_the_last_jobs(void **state UNUSED)
{
	for (uint64_t i = 3; i <= LEDGER_JOBS + 10; i++)
		ledger_add(&ledger, &(struct ledger_job){ .number = i });
	assert_int_equal(ledger_last(&ledger, 0)->number, LEDGER_JOBS + 10);
	assert_int_equal(ledger_last(&ledger, LEDGER_JOBS - 1)->number, 11);
	assert_null(ledger_last(&ledger, LEDGER_JOBS));
}

static void only_our_own_names_are_answered(void **state UNUSED)
{
	static const char *const good[] = { "127.0.0.1", "127.0.0.1:17633", "localhost", "LOCALHOST:1", "[::1]:17633",
					    "[fe80::1]", "10.1.2.3:80", "alder", "Alder:17633" };
	static const char *const bad[] = { "evil.example", "evil.example:17633", "127.0.0.1.evil.example", "",
					   "localhost.evil.example", "alder.example", "127.0.0.1:x", "[::1" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(http_host_ok(good[i], "alder"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(http_host_ok(bad[i], "alder"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(json_says_it_all),
		TEST(metrics_are_what_prometheus_reads),
		TEST(the_page_escapes_what_strangers_say),
		TEST(the_ledger_keeps_the_last_jobs),
		TEST(only_our_own_names_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
