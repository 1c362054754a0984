/*
 * test_signals.c - the files that tell of the owner, as machines have them.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "file.h"
#include "signals.h"

static char root[64];
static struct owner_signals s;

static int setup(void **state UNUSED)
{
	snprintf(root, sizeof root, "/tmp/test_signals.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
	return remove_tree(AT_FDCWD, root);
}

/* A file below the root; its directories are made. */
static char *put(const char *path, const char *text)
{
	char *name = xasprintf("%s%s", root, path);
	autofree char *directory = xstrdup(name);
	FILE *f;

	*strrchr(directory, '/') = 0;
	assert_int_equal(make_dirs(directory, 0700, NULL), 0);
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return name;
}
#define PUT(path, text) free(put(path, text))

static void what_is_not_there_is_unknown(void **state UNUSED)
{
	signals_read(root, &s);
	assert_int_equal(s.cores, 0);
	assert_int_equal(s.memory_kb, 0);
	assert_int_equal(s.available_kb, 0);
	assert_true(s.memory_stall < 0 && s.io_stall < 0);
	assert_int_equal(s.untouched_s, -1);
	assert_int_equal(signals_on_battery(root), UNKNOWN);
}

static void nonsense_is_unknown_too(void **state UNUSED)
{
	PUT("/proc/stat", "cpu  1 2\n");
	PUT("/proc/meminfo", "MemTotal: many\n");
	PUT("/proc/pressure/memory", "");
	PUT("/proc/pressure/io", "full avg10=9.00");
	signals_read(root, &s);
	assert_int_equal(s.cores, 0);
	assert_int_equal(s.memory_kb, 0);
	assert_true(s.memory_stall < 0 && s.io_stall < 0);
}

/* Time that is not work, idle and waiting for a disk and stolen, is not counted; nor guests twice. */
static void processors_memory_and_pressure(void **state UNUSED)
{
	const uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	PUT("/proc/stat", "cpu  100 20 3 99999 88888 4 5 77777 50 6\ncpu0 1 2 3 4\ncpu1 1 2 3 4\ncpu11 1 2 3 4\nintr 5\ncpus 9\n");
	PUT("/proc/meminfo", "MemTotal:       16314284 kB\nMemFree:          123 kB\nMemAvailable:    8000000 kB\n");
	PUT("/proc/pressure/memory", "some avg10=1.25 avg60=9.00 avg300=9.00 total=9\nfull avg10=9.00 avg60=9.00 avg300=9.00 total=9\n");
	PUT("/proc/pressure/io", "some avg10=42.00 avg60=9.00 avg300=9.00 total=9\n");
	signals_read(root, &s);
	assert_int_equal(s.busy_us, (100 + 20 + 3 + 4 + 5) * tick_us);
	assert_int_equal(s.cores, 3);
	assert_int_equal(s.memory_kb, 16314284);
	assert_int_equal(s.available_kb, 8000000);
	assert_true(s.memory_stall > 1.2 && s.memory_stall < 1.3);
	assert_true(s.io_stall > 41.9 && s.io_stall < 42.1);
}

static void touch(const char *path, time_t at)
{
	autofree char *name = put(path, "");
	struct timespec times[2] = { { .tv_sec = at }, { .tv_sec = at } };

	assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static void the_terminal_used_last_counts(void **state UNUSED)
{
	time_t now = time(NULL);

	touch("/dev/pts/3", now - 1000);
	touch("/dev/tty1", now - 600);
	touch("/dev/tty", now);		/* whose? */
	touch("/dev/ttyS0", now);	/* a line, not a person */
	touch("/dev/pts/ptmx", now);
	signals_read(root, &s);
	assert_true(s.untouched_s >= 600 && s.untouched_s < 700);
	touch("/dev/pts/4", now + 50);	/* a clock that was set back */
	signals_read(root, &s);
	assert_int_equal(s.untouched_s, 0);
}

static void a_battery_counts_when_it_is_emptied(void **state UNUSED)
{
	PUT("/sys/class/power_supply/AC/type", "Mains\n");
	PUT("/sys/class/power_supply/mouse/type", "Battery\n");
	PUT("/sys/class/power_supply/mouse/scope", "Device\n");
	PUT("/sys/class/power_supply/mouse/status", "Discharging\n");
	assert_int_equal(signals_on_battery(root), UNKNOWN);
	PUT("/sys/class/power_supply/BAT0/type", "Battery\n");
	PUT("/sys/class/power_supply/BAT0/status", "Charging\n");
	assert_int_equal(signals_on_battery(root), NO);
	PUT("/sys/class/power_supply/BAT0/status", "Discharging\n");
	assert_int_equal(signals_on_battery(root), YES);
}

static void this_machine_has_processors_and_memory(void **state UNUSED)
{
	signals_read("", &s);
	assert_true(s.cores > 0 && s.busy_us > 0);
	assert_true(s.memory_kb > s.available_kb && s.available_kb > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_there_is_unknown),
		TEST(nonsense_is_unknown_too),
		TEST(processors_memory_and_pressure),
		TEST(the_terminal_used_last_counts),
		TEST(a_battery_counts_when_it_is_emptied),
		TEST(this_machine_has_processors_and_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
