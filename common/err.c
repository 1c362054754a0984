/*
 * err.c - errors that gain context on their way up.
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	size_t used;

	if (!err)
		return ERR_IO;
	err->code = ERR_IO;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(saved));
	errno = saved;
	return ERR_IO;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof err->text];
	va_list ap;
	size_t used;

	if (!err)
		return ERR_IO;
	memcpy(inner, err->text, sizeof inner);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof err->text - used, ": %s", inner);
	return err->code;
}
