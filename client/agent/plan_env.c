/*
 * plan_env.c - the environment variables that compilers read.
 */
#include "plan.h"

enum {
	TRAVELS = 1 << 0,	/* a subcommand reads it beyond its preprocessor: the job gets it */
	SHAPES = 1 << 1,	/* the driver reads it: another value, another plan */
	FORBIDS = 1 << 2,	/* the compilers then write or do something that only happens here */
	PREFIX = 1 << 3,	/* every name that begins so */
	SPEAKS = 1 << 4,	/* says in which language */
	WITH_FILES = 1 << 5,	/* its preprocessor, or objcopy, reads it: the job gets it in file mode */
};

/* What gcc 12, clang 14 and binutils ask getenv() for, logged. */
static const struct {
	const char *name;
	unsigned flags;
} variables[] = {
	{ "AS_SECURE_LOG_FILE", FORBIDS },
	{ "CCC_", PREFIX | SHAPES },
	{ "CC_LOG_DIAGNOSTICS", PREFIX | FORBIDS },
	{ "CC_PRINT_", PREFIX | FORBIDS },
	{ "CLANG_", PREFIX | SHAPES },
	{ "COLLECT_", PREFIX | SHAPES },
	{ "COLUMNS", TRAVELS },
	{ "COMPILER_PATH", SHAPES },
	{ "CPATH", SHAPES | WITH_FILES },
	{ "CPLUS_INCLUDE_PATH", SHAPES | WITH_FILES },
	{ "CXX_MODULE_MAPPER", FORBIDS },
	{ "C_INCLUDE_PATH", SHAPES | WITH_FILES },
	{ "DEPENDENCIES_OUTPUT", FORBIDS },
	{ "FORCE_CLANG_DIAGNOSTICS_CRASH", FORBIDS },
	{ "GCC_COLORS", TRAVELS },
	{ "GCC_COMPARE_DEBUG", SHAPES | FORBIDS },
	{ "GCC_EXEC_PREFIX", SHAPES | WITH_FILES },
	{ "GCC_EXTRA_DIAGNOSTIC_OUTPUT", TRAVELS },
	{ "GCC_ROOT", SHAPES },
	{ "GCC_URLS", TRAVELS },
	{ "GCONV_PATH", FORBIDS },
	{ "GNUTARGET", WITH_FILES },
	{ "LANG", TRAVELS | SPEAKS },
	{ "LANGUAGE", TRAVELS | SPEAKS },
	{ "LC_", PREFIX | TRAVELS | SPEAKS },
	{ "LD_AUDIT", FORBIDS },
	{ "LD_PRELOAD", FORBIDS },
	{ "LIBRARY_PATH", SHAPES },
	{ "LLVM_OVERRIDE_PRODUCER", TRAVELS },
	{ "LOCPATH", FORBIDS },
	{ "LPATH", SHAPES },
	{ "MACOSX_DEPLOYMENT_TARGET", SHAPES },
	{ "NO_COLOR", TRAVELS },
	{ "OBJCPLUS_INCLUDE_PATH", SHAPES | WITH_FILES },
	{ "OBJC_INCLUDE_PATH", SHAPES | WITH_FILES },
	{ "OUTPUT_CHARSET", FORBIDS },
	{ "PATH", SHAPES },
	{ "PWD", SHAPES | TRAVELS },
	{ "QA_OVERRIDE_GCC3_OPTIONS", SHAPES },
	{ "RC_DEBUG_", PREFIX | SHAPES },
	{ "SDKROOT", SHAPES },
	{ "SOURCE_DATE_EPOCH", TRAVELS },
	{ "SUNPRO_DEPENDENCIES", FORBIDS },
	{ "TERM", TRAVELS },
	{ "TERM_URLS", TRAVELS },
	{ "TZ", TRAVELS },
};

static unsigned flags_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (variables[i].flags & PREFIX ? str_starts(name, variables[i].name)
						: str_eq(name, variables[i].name))
			return variables[i].flags;
	return 0;
}

bool plan_env_travels(const char *name)
{
	return flags_of(name) & TRAVELS;
}

bool plan_env_travels_with_files(const char *name)
{
	return flags_of(name) & (TRAVELS | WITH_FILES);
}

bool plan_env_speaks(const char *name)
{
	return flags_of(name) & SPEAKS;
}

bool plan_env_shapes(const char *name)
{
	return flags_of(name) & SHAPES;
}

bool plan_env_forbids(const char *name)
{
	return flags_of(name) & FORBIDS;
}
