/*
 * test_watch.c - the page of rcc --watch, for terminals of any size.
 */
#include "unit.h"

#include "watch.h"

static const struct peer_toolchain gcc = {
	.label = "gcc 12 (as, cc1)", .known = true, .state = TOOLCHAIN_FETCHING, .done = 20500000, .total = 41000000,
};
static const struct watch_host hosts[] = {
	{ .info = { .key = "alder:17632", .state = PEER_READY, .slots = 16, .free = 4, .running = 9, .jobs = 1234 },
	  .state = "ready", .why_not = "" },
	{ .info = { .key = "birch.example.org:17632", .state = PEER_READY, .slots = 8, .free = 8 },
	  .state = "ready", .why_not = "", .fetching = &gcc, .fetching_count = 1 },
	{ .info = { .key = "cedar:17632", .state = PEER_BACKOFF }, .state = "unreachable", .why_not = "connection refused" },
};
static const struct watch_job jobs[] = {
	{ .place = WATCH_WAITING, .for_us = 3400000, .source = "c.c", .host = "" },
	{ .place = WATCH_AWAY, .for_us = 12340000, .source = "src/a.c", .host = "alder:17632" },
	{ .place = WATCH_PREPARING, .for_us = 40000, .source = "b.c", .host = "" },
};
static struct stats stats;

static struct watch small(void)
{
	stats.counters[COUNT_JOBS_REMOTE] = 90;
	stats.counters[COUNT_JOBS_LOCAL] = 7;
	stats.counters[COUNT_BYTES_SENT] = 1250000;
	return (struct watch){
		.hosts = hosts, .host_count = ARRAY_LEN(hosts), .jobs = jobs, .job_count = ARRAY_LEN(jobs), .local = 2, .cores = 4,
		.stats = &stats, .columns = 80, .lines = 24,
	};
}

static void assert_page(const struct watch *w, const char *expected)
{
	char *text = watch_text(w);

	assert_string_equal(text, expected);
	free(text);
}

static void a_page(void **state)
{
	struct watch w = small();

	(void)state;
	assert_page(&w,
		"rcc: 12 of 24 slots in use, 9 by us; 2 compilers here, on 4 processors\n"
		"\n"
		"volunteer                state        ours  used  slots    done\n"
		"alder:17632              ready           9    12     16    1234\n"
		"birch.example.org:17632  ready           0     0      8       0\n"
		"  [##########..........] fetching gcc 12 (as, cc1): 20 of 41 MB\n"
		"cedar:17632              unreachable  connection refused\n"
		"\n"
		"jobs: 1 away, 1 preparing, 1 waiting\n"
		"away          12.3 s  alder:17632              src/a.c\n"
		"preparing      0.0 s                           b.c\n"
		"waiting        3.4 s                           c.c\n"
		"\n"
		"done: 90 remote, 7 local, 0 fallback; 1.2 MB sent, 0.0 MB received\n");
}

static void nobody_to_show(void **state)
{
	struct watch w = small();

	(void)state;
	w.host_count = w.job_count = 0;
	assert_page(&w,
		"rcc: 0 of 0 slots in use, 0 by us; 2 compilers here, on 4 processors\n"
		"\n"
		"volunteer  state        ours  used  slots    done\n"
		"none: set RCC_HOSTS, or hosts in rcc.conf\n"
		"\n"
		"jobs: 0 away, 0 preparing, 0 waiting\n"
		"\n"
		"done: 90 remote, 7 local, 0 fallback; 1.2 MB sent, 0.0 MB received\n");
}

/* Many of both, with long names and characters of several bytes. */
static struct watch large(void)
{
	static struct watch_host many_hosts[60];
	static struct watch_job many_jobs[200];
	struct watch w = small();

	for (size_t i = 0; i < ARRAY_LEN(many_hosts); i++)
		many_hosts[i] = hosts[i % ARRAY_LEN(hosts)];
	for (size_t i = 0; i < ARRAY_LEN(many_jobs); i++) {
		many_jobs[i] = jobs[i % ARRAY_LEN(jobs)];
		many_jobs[i].source = "/home/somebody/wörk/äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü/the-end.c";
	}
	w.hosts = many_hosts;
	w.host_count = ARRAY_LEN(many_hosts);
	w.jobs = many_jobs;
	w.job_count = ARRAY_LEN(many_jobs);
	return w;
}

static void assert_fits(const struct watch *w)
{
	char *text = watch_text(w), *line = text, *end, *again;
	unsigned lines = 0;

	for (; (end = strchr(line, '\n')); line = end + 1, lines++)
		assert_true((size_t)(end - line) < w->columns);
	assert_string_equal(line, "");
	assert_true(lines < w->lines);
	/* no half character was left */
	again = strdup(text);
	for (char *p = again; (p = strchr(p, '\n')); )
		*p = ' ';
	for (char *p = text; (p = strchr(p, '\n')); )
		*p = ' ';
	make_printable(again);
	assert_string_equal(again, text);
	free(again);
	free(text);
}

static void it_fits_any_terminal(void **state)
{
	struct watch w = large();

	(void)state;
	for (w.columns = 1; w.columns < 200; w.columns += 3)
		for (w.lines = 1; w.lines < 60; w.lines += 2)
			assert_fits(&w);
	w.columns = w.lines = 65535;
	assert_fits(&w);
}

static bool shows(const struct watch *w, const char *words)
{
	char *text = watch_text(w);
	bool there = strstr(text, words) != NULL;

	free(text);
	return there;
}

static void each_gets_its_share(void **state)
{
	struct watch w = large();

	(void)state;
	/* 16 lines are left for both: 7 of 80 and "more", likewise of 200 jobs */
	assert_true(shows(&w, "... 73 more\n"));
	assert_true(shows(&w, "... 193 more\n"));
	assert_true(shows(&w, "done: 90 remote"));
	w.job_count = 2;
	assert_true(shows(&w, "... 67 more\n"));
	w.job_count = 200;
	w.host_count = 1;
	assert_true(shows(&w, "... 186 more\n"));
	w = large();
	w.columns = w.lines = 0;
	assert_false(shows(&w, " more\n"));
	assert_true(shows(&w, "/home/somebody/"));
}

static void a_source_keeps_its_end(void **state)
{
	struct watch w = large();

	(void)state;
	assert_true(shows(&w, "/the-end.c\n"));
	assert_false(shows(&w, "/home/somebody/"));
}

/* What a stranger named cannot steer the terminal. */
static void control_characters_do_not_pass(void **state)
{
	struct watch_job evil = { .place = WATCH_WAITING, .source = "a\033[2Jb\nc.c", .host = "" };
	struct watch w = small();

	(void)state;
	w.jobs = &evil;
	w.job_count = 1;
	assert_true(shows(&w, "a?[2Jb?c.c\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page), cmocka_unit_test(nobody_to_show), cmocka_unit_test(it_fits_any_terminal),
		cmocka_unit_test(each_gets_its_share), cmocka_unit_test(a_source_keeps_its_end),
		cmocka_unit_test(control_characters_do_not_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
