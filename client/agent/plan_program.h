/*
 * plan_program.h - the subcommands of drivers, by the names of their programs.
 */
#ifndef RCC_PLAN_PROGRAM_H
#define RCC_PLAN_PROGRAM_H

#include "plan.h"

/* PROGRAM_ODD goes in neither mode. */
enum program { PROGRAM_ODD, PROGRAM_CC1, PROGRAM_CLANG, PROGRAM_AS, PROGRAM_CLANG_AS, PROGRAM_OBJCOPY };

/* What runs; *reason: why it cannot go in text mode, REASON_NONE if it can. */
enum program program_of(const struct command *c, enum reason *reason);

#endif
