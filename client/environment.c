/*
 * environment.c - which variables bear on a compile, as a table.
 */
#include "environment.h"

/* A name ending in * is a prefix. */
static const char *const names[] = {
	"RCC_*", "HOME", "XDG_CONFIG_HOME", "PATH", "PWD",
	/* the gcc driver and its subcommands */
	"GCC_*", "COMPILER_PATH", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH",
	"OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH", "LPATH", "RC_DEBUG_*", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES",
	"SOURCE_DATE_EPOCH", "COLLECT_*", "DJDIR", "ASAN_OPTIONS", "AS_*", "CXX_MODULE_MAPPER", "GNUTARGET",
	/* clang */
	"CCC_*", "CLANG_*", "CC_PRINT_*", "CC_LOG_*", "LLVM_*", "FORCE_CLANG_*", "QA_OVERRIDE_GCC3_OPTIONS",
	"MACOSX_DEPLOYMENT_TARGET", "ZERO_AR_DATE", "SDKROOT", "COMPILER_*", "NO_COLOR",
	/* words and places */
	"LANG", "LANGUAGE", "LC_*", "LOCPATH", "GCONV_PATH", "OUTPUT_CHARSET", "TZ", "TERM", "TERM_URLS", "COLUMNS", "TMPDIR", "TMP", "TEMP",
	/* the loader */
	"LD_*",
};

static bool matches(const char *entry, const char *name)
{
	size_t n = strlen(name);

	if (name[n - 1] == '*')
		return strncmp(entry, name, n - 1) == 0;
	return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

void environment_collect(struct argv *out, char *const *envp)
{
	for (; *envp; envp++)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (matches(*envp, names[i])) {
				argv_push(out, *envp);
				break;
			}
}

const char *environment_get(const struct argv *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
			return env->v[i] + n + 1;
	return NULL;
}
