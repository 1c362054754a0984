/*
 * test_history.c - what is predicted of a job, and what a new agent knows of it.
 */
#include "unit.h"

#include "history.h"
#include "scratch.h"

static struct history_job job_of(const char *source, const char *flags, const char *compiler, char level, uint64_t bytes)
{
	return history_job(&(struct history_words){ .source = source, .flags = flags, .compiler = compiler, .level = level }, bytes);
}

static struct history_job job(const char *source, uint64_t bytes)
{
	return job_of(source, "-O2 ", "/usr/bin/cc", '2', bytes);
}

static void learn(struct history *h, const char *source, uint64_t bytes, uint64_t cpu_us, uint64_t occupancy_us)
{
	struct history_job j = job(source, bytes);

	history_learn(h, &j, (struct history_cost){ .cpu_us = cpu_us, .occupancy_us = occupancy_us }, 1);
}

static enum history_source ask(const struct history *h, const char *source, uint64_t bytes, struct history_cost *out)
{
	struct history_job j = job(source, bytes);

	return history_predict(h, &j, out);
}

static void of_an_unknown_job_nothing_is_said(void **state)
{
	struct history *h = history_new();
	struct history_cost c = { 1, 1, 1 };

	(void)state;
	assert_int_equal(ask(h, "/a.c", 100, &c), HISTORY_UNKNOWN);
	assert_true(c.cpu_us == 0 && c.occupancy_us == 0 && c.memory_kb == 0 && history_mean_us(h) == 0);
	history_free(h);
}

static void cpu_and_occupancy_are_held_apart(void **state)
{
	struct history *h = history_new();
	struct history_cost c;

	(void)state;
	learn(h, "/a.c", 100, 1000, 900000);
	assert_int_equal(ask(h, "/a.c", 100, &c), HISTORY_KNOWN);
	assert_true(c.cpu_us == 1000 && c.occupancy_us == 900000);
	assert_int_equal(history_mean_us(h), 900000);
	history_free(h);
}

static void memory_goes_up_at_once_and_down_slowly(void **state)
{
	struct history *h = history_new();
	struct history_job j = job("/a.c", 100);
	struct history_cost c;

	(void)state;
	history_learn(h, &j, (struct history_cost){ 1, 1, 3000 }, 1);
	history_learn(h, &j, (struct history_cost){ 1, 1, 9000 }, 1);
	history_predict(h, &j, &c);
	assert_int_equal(c.memory_kb, 9000);
	history_learn(h, &j, (struct history_cost){ 1, 1, 3000 }, 1);
	history_predict(h, &j, &c);
	assert_int_equal(c.memory_kb, 7000);
	history_free(h);
}

static void what_cannot_be_is_not_believed(void **state)
{
	struct history *h = history_new();
	struct history_job j = job("/a.c", 100);
	struct history_cost c;

	(void)state;
	history_learn(h, &j, (struct history_cost){ .cpu_us = UINT64_MAX, .occupancy_us = 1000, .memory_kb = UINT64_MAX }, 1);
	history_predict(h, &j, &c);
	assert_in_range(c.cpu_us, 1000, 10000);
	assert_in_range(c.memory_kb, 1 << 20, 16 << 20);
	history_free(h);
}

static void the_newest_counts_most(void **state)
{
	struct history *h = history_new();
	struct history_cost c;

	(void)state;
	learn(h, "/a.c", 100, 900, 900);
	learn(h, "/a.c", 100, 1800, 1800);
	ask(h, "/a.c", 100, &c);
	assert_true(c.cpu_us == 1200 && c.occupancy_us == 1200);
	for (unsigned i = 0; i < 20; i++)
		learn(h, "/a.c", 100, 300, 300);
	ask(h, "/a.c", 100, &c);
	assert_in_range(c.cpu_us, 295, 305);
	history_free(h);
}

static void other_flags_and_other_compilers_are_other_jobs(void **state)
{
	struct history *h = history_new();
	struct history_job debug = job_of("/a.c", "-O0 -g ", "/usr/bin/cc", '0', 0);
	struct history_job other = job_of("/a.c", "-O2 ", "/opt/bin/cc", '2', 0);
	struct history_cost c;

	(void)state;
	learn(h, "/a.c", 0, 1000, 1000);
	assert_int_equal(history_predict(h, &debug, &c), HISTORY_UNKNOWN);
	assert_int_equal(history_predict(h, &other, &c), HISTORY_UNKNOWN);
	history_free(h);
}

static void a_new_job_is_put_on_the_line_of_its_like(void **state)
{
	struct history *h = history_new();
	struct history_job other = job_of("/new.c", "-O0 ", "/usr/bin/cc", '0', 5000);
	struct history_cost c;

	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		autofree char *source = xasprintf("/%u.c", i);

		learn(h, source, i * 1000, 1000 + i * 500, 2000 + i * 1000);
	}
	assert_int_equal(ask(h, "/new.c", 40000, &c), HISTORY_FITTED);
	assert_in_range(c.cpu_us, 20990, 21010);
	assert_in_range(c.occupancy_us, 41990, 42010);
	assert_int_equal(history_predict(h, &other, &c), HISTORY_UNKNOWN);
	history_free(h);
}

static void inputs_of_one_size_give_their_mean(void **state)
{
	struct history *h = history_new();
	struct history_cost c;

	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		autofree char *source = xasprintf("/%u.c", i);

		learn(h, source, 1000, 500, i % 2 ? 1000 : 3000);
	}
	assert_int_equal(ask(h, "/new.c", 1000000, &c), HISTORY_FITTED);
	assert_in_range(c.occupancy_us, 1900, 2100);
	history_free(h);
}

static void a_slow_machine_does_not_make_a_job_long(void **state)
{
	struct history *h = history_new();
	struct history_job j = job("/a.c", 0);
	struct history_cost c;

	(void)state;
	history_learn(h, &j, (struct history_cost){ 1000, 4000 }, 0.25);
	history_predict(h, &j, &c);
	assert_true(c.cpu_us == 1000 && c.occupancy_us == 1000);
	history_free(h);
}

/* However many jobs come, some are remembered, the newest always; and it does not grow: the table has no way to. */
static void the_oldest_make_room(void **state)
{
	struct history *h = history_new();
	size_t kept = 0;
	struct history_cost c;

	(void)state;
	for (unsigned i = 0; i < 3 * HISTORY_JOBS; i++) {
		autofree char *source = xasprintf("/%u.c", i);

		learn(h, source, 0, i + 1, i + 1);
		assert_int_equal(ask(h, source, 0, &c), HISTORY_KNOWN);
	}
	for (unsigned i = 0; i < 3 * HISTORY_JOBS; i++) {
		autofree char *source = xasprintf("/%u.c", i);

		kept += ask(h, source, 0, &c) == HISTORY_KNOWN;
		assert_true(!c.cpu_us || c.cpu_us == i + 1);
	}
	assert_in_range(kept, HISTORY_JOBS * 9 / 10, HISTORY_JOBS);
	history_free(h);
}

static void a_new_agent_knows_it(void **state)
{
	struct history *h = history_new(), *next = history_new();
	struct history_cost c;

	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		autofree char *source = xasprintf("/%u.c", i);

		learn(h, source, i * 1000, i * 500, i * 1000);
	}
	history_save(h, in_scratch("history"));
	learn(h, "/1.c", 1000, 3500, 7000);
	history_save(h, in_scratch("history"));
	history_load(next, in_scratch("history"));
	assert_in_range(history_mean_us(next), 10000, 11500);
	assert_int_equal(ask(next, "/20.c", 0, &c), HISTORY_KNOWN);
	assert_true(c.cpu_us == 10000 && c.occupancy_us == 20000);
	ask(next, "/1.c", 0, &c);
	assert_in_range(c.occupancy_us, 2990, 3010);
	assert_int_equal(ask(next, "/new.c", 10000, &c), HISTORY_FITTED);
	history_free(h);
	history_free(next);
}

static void a_new_agent_knows_who_is_slow(void **state)
{
	struct history *h = history_new(), *next = history_new();
	struct speed slow = { 0 }, known;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		speed_learn(&slow, &(struct speed_seen){ .predicted_us = 1000, .took_us = 3000 }, 5000);
	history_note_speed(h, "10.0.0.1:17632", &slow);
	assert_true(history_unsaved(h));
	history_save(h, in_scratch("speeds"));
	assert_false(history_unsaved(h));
	history_load(next, in_scratch("speeds"));
	known = history_speed(next, "10.0.0.1:17632", 100000);
	assert_true(speed_now(&known, 0, 100000) > 0.3 && speed_now(&known, 0, 100000) < 0.4);
	known = history_speed(next, "10.0.0.2:17632", 100000);
	assert_true(speed_now(&known, 0, 100000) > 0.99 && speed_now(&known, 0, 100000) < 1.01);
	history_free(h);
	history_free(next);
}

static void and_what_company_costs_there(void **state)
{
	struct history *h = history_new(), *next = history_new();
	struct speed crowded = { 0 }, known;

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		speed_learn(&crowded, &(struct speed_seen){ .predicted_us = 1000, .took_us = 1000, .cpu_us = i % 2 ? 500 : 1000, .load = i % 2 }, 5000);
	assert_int_equal(speed_useful_slots(&crowded, 2, 0.94, 5000), 1);
	history_note_speed(h, "10.0.0.1:17632", &crowded);
	history_save(h, in_scratch("company"));
	history_load(next, in_scratch("company"));
	known = history_speed(next, "10.0.0.1:17632", 5000);
	assert_int_equal(speed_useful_slots(&known, 2, 0.94, 5000), 1);
	history_free(h);
	history_free(next);
}

static void damage_costs_one_record(void **state)
{
	struct history *h = history_new(), *next = history_new();
	autoclose int fd = -1;
	struct history_cost c;
	size_t known = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		autofree char *source = xasprintf("/%u.c", i);

		learn(h, source, 0, 1000, 1000);
	}
	history_save(h, in_scratch("damaged"));
	fd = open(in_scratch("damaged"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "damage", 6, 24 + 20), 6);
	history_load(next, in_scratch("damaged"));
	for (unsigned i = 0; i < 4; i++) {
		autofree char *source = xasprintf("/%u.c", i);

		known += ask(next, source, 0, &c) == HISTORY_KNOWN;
		assert_true(!c.cpu_us || c.cpu_us == 1000);
	}
	assert_int_equal(known, 3);
	history_free(h);
	history_free(next);
}

static void words_tell_the_level_and_the_class(void **state)
{
	char *plain[] = { "cc1", "-quiet", "-I", "include", "-DX=1", "x.c" };
	char *words[] = { "cc1", "-O1", "-DX=2", "-O3", "-g", "y.c" };
	autofree char *none = history_flags(plain, ARRAY_LEN(plain)), *some = history_flags(words, ARRAY_LEN(words));

	(void)state;
	assert_int_equal(history_level(plain, ARRAY_LEN(plain)), '0');
	assert_int_equal(history_level(words, ARRAY_LEN(words)), '3');
	assert_int_equal(history_level((char *[]){ "-O" }, 1), '1');
	assert_int_equal(history_level((char *[]){ "-Os", "-Ofast" }, 2), 'f');
	assert_string_equal(none, "");
	assert_string_equal(some, "-O1 -O3 -g ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_an_unknown_job_nothing_is_said), cmocka_unit_test(cpu_and_occupancy_are_held_apart),
		cmocka_unit_test(memory_goes_up_at_once_and_down_slowly),
		cmocka_unit_test(what_cannot_be_is_not_believed), cmocka_unit_test(the_newest_counts_most),
		cmocka_unit_test(other_flags_and_other_compilers_are_other_jobs),
		cmocka_unit_test(a_new_job_is_put_on_the_line_of_its_like), cmocka_unit_test(inputs_of_one_size_give_their_mean),
		cmocka_unit_test(a_slow_machine_does_not_make_a_job_long), cmocka_unit_test(the_oldest_make_room),
		cmocka_unit_test(a_new_agent_knows_it), cmocka_unit_test(a_new_agent_knows_who_is_slow),
		cmocka_unit_test(and_what_company_costs_there), cmocka_unit_test(damage_costs_one_record),
		cmocka_unit_test(words_tell_the_level_and_the_class),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
