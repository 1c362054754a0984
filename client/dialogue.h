/*
 * dialogue.h - one command, as the agent directs: elsewhere, or here after all.
 */
#ifndef RCC_DIALOGUE_H
#define RCC_DIALOGUE_H

#include "compiler.h"
#include "reason.h"

struct dialogue_command {
	const struct compiler *compiler;
	char **words;		/* as typed; [0] is replaced by the compiler's argv0 */
	const struct argv *expanded;	/* with @files expanded; empty if there were none */
	enum reason quick;	/* settled already: only a slot here is wanted */
	int explain;		/* 0, 1: as text, 2: as JSON; nothing is run */
};

enum dialogue_end {
	DIALOGUE_EXIT,		/* all is done: exit with the status */
	DIALOGUE_LOCAL,		/* run the compiler; RCC_LEASE is set if a slot was given */
	DIALOGUE_NO_AGENT,	/* nobody to ask; likewise, or err has why */
};

/*
 * *spool becomes a file with what was on standard input, if that had to be
 * read: the compiler's own input then; else -1. Messages of the agent have
 * been printed.
 */
enum dialogue_end dialogue_run(const struct dialogue_command *command, int *status, int *spool, struct err *err);

#endif
