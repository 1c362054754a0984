/*
 * plan_program.c - what each program of a driver is to rcc, as a table.
 */
#include "plan_program.h"

/* By the last part of their name. */
static const struct {
	const char *name;
	enum program program;
	enum reason reason;
} programs[] = {
	{ "as", PROGRAM_AS, REASON_NONE },
	{ "cc1", PROGRAM_CC1, REASON_NONE },
	{ "cc1gm2", PROGRAM_ODD, REASON_LANGUAGE },
	{ "cc1obj", PROGRAM_CC1, REASON_LANGUAGE },
	{ "cc1objplus", PROGRAM_CC1, REASON_LANGUAGE },
	{ "cc1plus", PROGRAM_CC1, REASON_NONE },
	{ "collect2", PROGRAM_ODD, REASON_NOT_A_COMPILE },
	{ "d21", PROGRAM_ODD, REASON_LANGUAGE },
	{ "f951", PROGRAM_ODD, REASON_LANGUAGE },
	{ "gnat1", PROGRAM_ODD, REASON_LANGUAGE },
	{ "go1", PROGRAM_ODD, REASON_LANGUAGE },
	{ "ld", PROGRAM_ODD, REASON_NOT_A_COMPILE },
	{ "ld.bfd", PROGRAM_ODD, REASON_NOT_A_COMPILE },
	{ "ld.gold", PROGRAM_ODD, REASON_NOT_A_COMPILE },
	{ "ld.lld", PROGRAM_ODD, REASON_NOT_A_COMPILE },
	{ "ld.mold", PROGRAM_ODD, REASON_NOT_A_COMPILE },
	{ "lto-wrapper", PROGRAM_ODD, REASON_LTO },
	{ "lto1", PROGRAM_ODD, REASON_LTO },
	{ "objcopy", PROGRAM_OBJCOPY, REASON_SIDE_OUTPUT },
};

enum program program_of(const struct command *c, enum reason *reason)
{
	const char *base = path_base(c->program);

	*reason = REASON_NONE;
	if (c->argv.count > 1 && str_eq(c->argv.v[1], "-cc1"))
		return PROGRAM_CLANG;
	*reason = REASON_ASSEMBLER_SOURCE;
	if (c->argv.count > 1 && str_eq(c->argv.v[1], "-cc1as"))
		return PROGRAM_CLANG_AS;
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		if (!str_eq(programs[i].name, base))
			continue;
		*reason = programs[i].reason;
		return programs[i].program;
	}
	*reason = REASON_UNUSUAL_PLAN;
	return PROGRAM_ODD;
}
