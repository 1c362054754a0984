/*
 * log.h - one line per event, key=value, to stderr or a file.
 *
 * Values with spaces are quoted. One event is one line, whatever its values
 * hold: control characters become '?'. What a peer said has been through
 * make_printable(), so that it does not end its quotes either. Nothing secret
 * and no contents of the caller's files ever go here.
 */
#ifndef RCC_LOG_H
#define RCC_LOG_H

#include "base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* "error", "warn", "info", "debug", or a digit; -1 if it is none of them. */
int log_level_of(const char *name);
void log_open(int fd, enum log_level level);	/* default: stderr, LOG_INFO */
/* event, then a format that yields key=value pairs. */
void log_line(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
