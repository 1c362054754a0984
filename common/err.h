/*
 * err.h - an error: a code to act on and a text to read.
 *
 * A function that can fail takes a struct err as its last argument, returns
 * 0 (or a count) or the negative code, and has filled the text. Each caller
 * on the way up prefixes what it was doing. Only main() turns a code into
 * an exit status.
 */
#ifndef RCC_ERR_H
#define RCC_ERR_H

#include "base.h"

enum err_code {
	ERR_IO = -1,		/* a system call failed */
	ERR_WIRE = -2,		/* a peer sent what it must not */
	ERR_ABSENT = -3,	/* what was asked for is not there */
	ERR_LIMIT = -4,		/* larger than its bound */
	ERR_CONFIG = -5,	/* a setting that cannot be used */
	ERR_REFUSED = -6,	/* a peer said no, and why */
	ERR_CLOSED = -7,	/* a peer went away */
	ERR_OUTPUT = -8,	/* our own output could not be written */
	ERR_UNSUPPORTED = -9,	/* right, but not something we handle */
};

struct err {
	int code;
	char text[512];
};

/* Each returns the code, so that `return err_set(...)` reads well. err may be NULL. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* ERR_IO, with ": strerror(errno)" appended. */
int err_sys(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Prefix "fmt: " to what is there; returns err->code. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
