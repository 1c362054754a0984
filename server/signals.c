/*
 * signals.c - small readers, one a signal.
 */
#include "signals.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { STAT_BYTES = 128 << 10 };	/* /proc/stat: the processors come first */

/* What fits of a file, as a string. False: not there. */
static bool slurp(const char *root, const char *path, char *out, size_t room)
{
	autofree char *name = xasprintf("%s%s", root, path);
	autoclose int fd = open(name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while (len + 1 < room && (n = read(fd, out + len, room - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = 0;
	return len > 0;
}

/* "cpu  user nice system idle iowait irq softirq ...", in ticks; then a line for each processor. */
static void read_cpu(const char *root, struct owner_signals *out)
{
	autofree char *text = xmalloc(STAT_BYTES);
	uint64_t user, nice, kernel, irq, softirq;

	if (!slurp(root, "/proc/stat", text, STAT_BYTES) ||
	    sscanf(text, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64, &user, &nice, &kernel,
		   &irq, &softirq) != 5)
		return;
	out->busy_us = (user + nice + kernel + irq + softirq) * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	for (const char *line = strstr(text, "\ncpu"); line; line = strstr(line + 1, "\ncpu"))
		out->cores += isdigit((unsigned char)line[4]) != 0;
}

static uint64_t field_kb(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void read_memory(const char *root, struct owner_signals *out)
{
	char text[4096];

	if (!slurp(root, "/proc/meminfo", text, sizeof text))
		return;
	out->memory_kb = field_kb(text, "MemTotal:");
	out->available_kb = field_kb(text, "MemAvailable:");
}

/* "some avg10=0.00 ..." */
static double read_stall(const char *root, const char *path)
{
	char text[256];
	double percent;

	return slurp(root, path, text, sizeof text) && sscanf(text, "some avg10=%lf", &percent) == 1 ? percent : -1;
}

/* The latest time somebody typed at one of the terminals prefix0, prefix1, ... of a directory; 0: never. */
static time_t last_touch(const char *root, const char *directory, const char *prefix)
{
	autofree char *path = xasprintf("%s%s", root, directory);
	DIR *d = opendir(path);
	const struct dirent *e;
	time_t last = 0;
	struct stat st;

	while (d && (e = readdir(d)))
		if (str_starts(e->d_name, prefix) && isdigit((unsigned char)e->d_name[strlen(prefix)]) &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_atime > last)
			last = st.st_atime;
	if (d)
		closedir(d);
	return last;
}

static int64_t read_untouched(const char *root)
{
	time_t pts = last_touch(root, "/dev/pts", ""), tty = last_touch(root, "/dev", "tty");
	time_t last = pts > tty ? pts : tty, now = time(NULL);

	return !last ? -1 : now > last ? now - last : 0;
}

void signals_read(const char *root, struct owner_signals *out)
{
	*out = (struct owner_signals){ .untouched_s = read_untouched(root),
				       .memory_stall = read_stall(root, "/proc/pressure/memory"),
				       .io_stall = read_stall(root, "/proc/pressure/io") };
	read_cpu(root, out);
	read_memory(root, out);
}

static bool supply_says(const char *root, const char *supply, const char *file, const char *word)
{
	autofree char *path = xasprintf("/sys/class/power_supply/%s/%s", supply, file);
	char text[64];

	return slurp(root, path, text, sizeof text) && str_starts(text, word);
}

/* A battery that is being emptied, and not that of a mouse. */
enum known signals_on_battery(const char *root)
{
	autofree char *path = xasprintf("%s/sys/class/power_supply", root);
	DIR *d = opendir(path);
	const struct dirent *e;
	bool battery = false, emptied = false;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || !supply_says(root, e->d_name, "type", "Battery") ||
		    supply_says(root, e->d_name, "scope", "Device"))
			continue;
		battery = true;
		emptied |= supply_says(root, e->d_name, "status", "Discharging");
	}
	if (d)
		closedir(d);
	return emptied ? YES : battery ? NO : UNKNOWN;
}
