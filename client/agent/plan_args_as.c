/*
 * plan_args_as.c - what the options of GNU as mean to rcc.
 *
 * The source is always the assembly text of the step before. Options that
 * list, or that write dependencies, make other files.
 */
#include "plan_args.h"

static const struct arg rows[] = {
	{ "--32", 0, REASON_NONE },
	{ "--64", 0, REASON_NONE },
	{ "--EB", 0, REASON_NONE },
	{ "--EL", 0, REASON_NONE },
	{ "--MD", ARG_SEPARATE | ARG_LOCAL, REASON_SIDE_OUTPUT },
	{ "--compress-debug-sections", ARG_JOINED, REASON_NONE },
	{ "--debug-prefix-map", ARG_JOINED, REASON_NONE },
	{ "--defsym", ARG_SEPARATE, REASON_NONE },
	{ "--divide", 0, REASON_NONE },
	{ "--elf-stt-common=", ARG_JOINED, REASON_NONE },
	{ "--execstack", 0, REASON_NONE },
	{ "--fatal-warnings", 0, REASON_NONE },
	{ "--gdwarf", ARG_JOINED | ARG_DEBUG, REASON_NONE },
	{ "--gdwarf-cie-version=", ARG_JOINED, REASON_NONE },
	{ "--gdwarf-sections", 0, REASON_NONE },
	{ "--gen-debug", ARG_DEBUG, REASON_NONE },
	{ "--generate-missing-build-notes=", ARG_JOINED, REASON_NONE },
	{ "--gstabs", ARG_JOINED | ARG_DEBUG, REASON_NONE },
	{ "--hash-size=", ARG_JOINED, REASON_NONE },
	{ "--keep-locals", 0, REASON_NONE },
	{ "--listing", ARG_JOINED | ARG_LOCAL, REASON_SIDE_OUTPUT },
	{ "--no-pad-sections", 0, REASON_NONE },
	{ "--no-warn", 0, REASON_NONE },
	{ "--nocompress-debug-sections", 0, REASON_NONE },
	{ "--noexecstack", 0, REASON_NONE },
	{ "--reduce-memory-overheads", 0, REASON_NONE },
	{ "--sectname-subst", 0, REASON_NONE },
	{ "--size-check=", ARG_JOINED, REASON_NONE },
	{ "--warn", 0, REASON_NONE },
	{ "--x32", 0, REASON_NONE },
	{ "-EB", 0, REASON_NONE },
	{ "-EL", 0, REASON_NONE },
	{ "-I", ARG_JOINED | ARG_SEPARATE | ARG_HERE, REASON_NONE },
	{ "-K", 0, REASON_NONE },
	{ "-KPIC", 0, REASON_NONE },
	{ "-L", 0, REASON_NONE },
	{ "-Qn", 0, REASON_NONE },
	{ "-Qy", 0, REASON_NONE },
	{ "-W", 0, REASON_NONE },
	{ "-a", ARG_JOINED | ARG_LOCAL, REASON_SIDE_OUTPUT },
	{ "-g", ARG_JOINED | ARG_DEBUG, REASON_NONE },
	{ "-k", 0, REASON_NONE },
	{ "-m", ARG_JOINED, REASON_NONE },
	{ "-march=", ARG_JOINED, REASON_NONE },
	{ "-meabi=", ARG_JOINED, REASON_NONE },
	{ "-n", 0, REASON_NONE },
	{ "-o", ARG_SEPARATE | ARG_OUTPUT, REASON_NONE },
};

const struct arg_table as_args = { rows, ARRAY_LEN(rows) };
