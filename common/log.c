/*
 * log.c - lines with a time, a level and an event, each written by one write(2).
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static int log_fd = 2;
static enum log_level log_max = LOG_INFO;

static const char *const names[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

int log_level_of(const char *name)
{
	for (int i = 0; i <= LOG_DEBUG; i++)
		if (str_eq(name, names[i]) || (name[0] == '0' + i && !name[1]))
			return i;
	return -1;
}

void log_open(int fd, enum log_level level)
{
	log_fd = fd;
	log_max = level;
}

/* Whoever named a file must not write lines of our log. */
static void keep_one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[2048];
	struct timespec now;
	struct tm tm;
	va_list ap;
	size_t n;

	if (level > log_max)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ %s %s ", now.tv_nsec / 1000000,
			      names[level], event);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof line - n, fmt, ap);
	va_end(ap);
	keep_one_line(line + n);
	n = strnlen(line, sizeof line - 1);
	line[n++] = '\n';
	/* a log that cannot be written must not stop the work */
	if (write(log_fd, line, n) < 0)
		return;
}
