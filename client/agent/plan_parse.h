/*
 * plan_parse.h - what a driver printed with -###, taken apart into words.
 */
#ifndef RCC_PLAN_PARSE_H
#define RCC_PLAN_PARSE_H

#include "plan.h"

/* All zero is empty. */
struct plan_text {
	struct command *commands;
	size_t count;
	struct verdict verdict;	/* local, with a reason, when the driver itself failed or spoke, or
				 * printed a line of unknown form; else REASON_NONE */
};

/* The commands in the order they would run; those before a bad line are kept. */
void plan_text_parse(struct plan_text *t, const char *text);
void plan_text_free(struct plan_text *t);

/* Marks a verdict local; the first reason stays, REASON_NONE does nothing. detail may be NULL, and is cut to fit. */
void verdict_local(struct verdict *v, enum reason reason, const char *detail);

#endif
