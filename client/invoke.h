/*
 * invoke.h - what was typed: a command to put in front of, or an option of
 * rcc's own.
 */
#ifndef RCC_INVOKE_H
#define RCC_INVOKE_H

#include "base.h"

enum invoke_kind {
	INVOKE_COMMAND, INVOKE_EXPLAIN, INVOKE_QUERY, INVOKE_LINKS, INVOKE_HELP, INVOKE_VERSION,
	INVOKE_WRONG,		/* see complaint */
};

struct invoke {
	enum invoke_kind kind;
	bool masquerade;	/* called by a compiler's name, through a link */
	bool json;
	uint8_t query;		/* enum query_kind, of INVOKE_QUERY */
	char **words;		/* the compiler and its arguments; borrowed from argv, NULL-terminated */
	const char *dir;	/* of INVOKE_LINKS */
	char complaint[256];
};

/* argv as main() got it. Looks at nothing else. */
void invoke_read(struct invoke *in, char **argv);

#endif
