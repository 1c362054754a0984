/*
 * args.c - the tables of allowed arguments, one for each kind of program.
 *
 * Families (-O, -W, -m, most of -f) only steer a compiler, so one row takes
 * whatever follows; the members that read or write files, load code or print
 * instead of compiling have rows that refuse them. What has no row is refused.
 */
#include "args.h"

static const struct args_row as_rows[] = {
	{ "--32", ARGS_ALONE },
	{ "--64", ARGS_ALONE },
	{ "--EB", ARGS_ALONE },
	{ "--EL", ARGS_ALONE },
	{ "--compress-debug-sections", ARGS_JOINED },
	{ "--debug-prefix-map", ARGS_JOINED },
	{ "--defsym", ARGS_VALUE },
	{ "--divide", ARGS_ALONE },
	{ "--elf-stt-common=", ARGS_JOINED },
	{ "--execstack", ARGS_ALONE },
	{ "--fatal-warnings", ARGS_ALONE },
	{ "--gdwarf", ARGS_JOINED },
	{ "--gen-debug", ARGS_ALONE },
	{ "--generate-missing-build-notes=", ARGS_JOINED },
	{ "--gstabs", ARGS_JOINED },
	{ "--hash-size=", ARGS_JOINED },
	{ "--keep-locals", ARGS_ALONE },
	{ "--no-pad-sections", ARGS_ALONE },
	{ "--no-warn", ARGS_ALONE },
	{ "--nocompress-debug-sections", ARGS_ALONE },
	{ "--noexecstack", ARGS_ALONE },
	{ "--reduce-memory-overheads", ARGS_ALONE },
	{ "--sectname-subst", ARGS_ALONE },
	{ "--size-check=", ARGS_JOINED },
	{ "--warn", ARGS_ALONE },
	{ "--x32", ARGS_ALONE },
	{ "-EB", ARGS_ALONE },
	{ "-EL", ARGS_ALONE },
	{ "-K", ARGS_ALONE },
	{ "-KPIC", ARGS_ALONE },
	{ "-L", ARGS_ALONE },
	{ "-Qn", ARGS_ALONE },
	{ "-Qy", ARGS_ALONE },
	{ "-W", ARGS_ALONE },
	{ "-g", ARGS_JOINED },
	{ "-k", ARGS_ALONE },
	{ "-m", ARGS_JOINED },
	{ "-n", ARGS_ALONE },
	{ "-o", ARGS_OUTPUT },
};

static const struct args_row cc1_rows[] = {
	{ "--param", ARGS_JOINED | ARGS_VALUE },
	{ "-O", ARGS_JOINED },
	{ "-W", ARGS_JOINED },
	{ "-Werror=unused-macros", ARGS_NEVER },
	{ "-Wunused-macros", ARGS_NEVER },
	{ "-ansi", ARGS_ALONE },
	{ "-f", ARGS_JOINED },
	{ "-faudit", ARGS_NEVER | ARGS_JOINED },
	{ "-fauto-profile", ARGS_NEVER | ARGS_JOINED },
	{ "-fbranch-probabilities", ARGS_NEVER },
	{ "-fcallgraph-info", ARGS_NEVER | ARGS_JOINED },
	{ "-fcompare-debug", ARGS_NEVER | ARGS_JOINED },
	{ "-fcondition-coverage", ARGS_NEVER },
	{ "-fdbg-cnt", ARGS_NEVER | ARGS_JOINED },
	{ "-fdebug-cpp", ARGS_NEVER },
	{ "-fdeps-", ARGS_NEVER | ARGS_JOINED },
	{ "-fdiagnostics-add-output=", ARGS_NEVER | ARGS_JOINED },
	{ "-fdiagnostics-format=", ARGS_NEVER | ARGS_JOINED },
	{ "-fdiagnostics-format=text", ARGS_ALONE },
	{ "-fdiagnostics-set-output=", ARGS_NEVER | ARGS_JOINED },
	{ "-fdisable-", ARGS_NEVER | ARGS_JOINED },
	{ "-fdump-", ARGS_NEVER | ARGS_JOINED },
	{ "-fenable-", ARGS_NEVER | ARGS_JOINED },
	{ "-fexec-charset=", ARGS_NEVER | ARGS_JOINED },
	{ "-fgcc-dump", ARGS_NEVER | ARGS_JOINED },
	{ "-fhelp", ARGS_NEVER | ARGS_JOINED },
	{ "-finput-charset=", ARGS_NEVER | ARGS_JOINED },
	{ "-fjson", ARGS_NEVER | ARGS_JOINED },
	{ "-flang-info-", ARGS_NEVER | ARGS_JOINED },
	{ "-flto", ARGS_NEVER | ARGS_JOINED },
	{ "-fmem-report", ARGS_NEVER | ARGS_JOINED },
	{ "-fmodule", ARGS_NEVER | ARGS_JOINED },
	{ "-fno-working-directory", ARGS_NEVER },
	{ "-foffload", ARGS_NEVER | ARGS_JOINED },
	{ "-fopenacc", ARGS_NEVER | ARGS_JOINED },
	{ "-fopenmp", ARGS_NEVER | ARGS_JOINED },
	{ "-fopt-info", ARGS_NEVER | ARGS_JOINED },
	{ "-fpath-coverage", ARGS_NEVER },
	{ "-fpch-deps", ARGS_NEVER },
	{ "-fpch-preprocess", ARGS_NEVER },
	{ "-fplugin", ARGS_NEVER | ARGS_JOINED },
	{ "-fpost-ipa-mem-report", ARGS_NEVER },
	{ "-fpre-ipa-mem-report", ARGS_NEVER },
	{ "-fprofile", ARGS_NEVER | ARGS_JOINED },
	{ "-fprofile-partial-training", ARGS_ALONE },
	{ "-fprofile-reorder-functions", ARGS_ALONE },
	{ "-frecord-gcc-switches", ARGS_NEVER },
	{ "-frepo", ARGS_NEVER },
	{ "-fsarif", ARGS_NEVER | ARGS_JOINED },
	{ "-fsave-optimization-record", ARGS_NEVER },
	{ "-fself-test", ARGS_NEVER | ARGS_JOINED },
	{ "-fstack-usage", ARGS_NEVER },
	{ "-fstats", ARGS_NEVER },
	{ "-fsyntax-only", ARGS_NEVER },
	{ "-ftarget-help", ARGS_NEVER },
	{ "-ftest-coverage", ARGS_NEVER },
	{ "-ftime-report", ARGS_NEVER | ARGS_JOINED },
	{ "-fverbose-asm", ARGS_NEVER },
	{ "-fversion", ARGS_NEVER },
	{ "-fvpt", ARGS_NEVER },
	{ "-fvtable-verify=", ARGS_NEVER | ARGS_JOINED },
	{ "-fvtv-", ARGS_NEVER | ARGS_JOINED },
	{ "-fwide-exec-charset=", ARGS_NEVER | ARGS_JOINED },
	{ "-fworking-directory", ARGS_NEVER },
	{ "-fxref", ARGS_NEVER | ARGS_JOINED },
	{ "-g", ARGS_JOINED },
	{ "-gsplit-dwarf", ARGS_NEVER },
	{ "-gtoggle", ARGS_NEVER },
	{ "-m", ARGS_JOINED },
	{ "-mdump-tune-features", ARGS_NEVER },
	{ "-o", ARGS_OUTPUT },
	{ "-p", ARGS_ALONE },
	{ "-pedantic", ARGS_ALONE },
	{ "-pedantic-errors", ARGS_ALONE },
	{ "-pg", ARGS_ALONE },
	{ "-quiet", ARGS_ALONE },
	{ "-std=", ARGS_JOINED },
	{ "-trigraphs", ARGS_ALONE },
	{ "-w", ARGS_ALONE },
};

static const struct args_row clang_rows[] = {
	{ "--mrelax-relocations", ARGS_JOINED },
	{ "--no-system-header-prefix=", ARGS_JOINED },
	{ "--system-header-prefix=", ARGS_JOINED },
	{ "-D", ARGS_JOINED | ARGS_VALUE },
	{ "-Eonly", ARGS_NEVER },
	{ "-O", ARGS_JOINED },
	{ "-Qn", ARGS_ALONE },
	{ "-Qy", ARGS_ALONE },
	{ "-S", ARGS_ALONE },
	{ "-U", ARGS_JOINED | ARGS_VALUE },
	{ "-W", ARGS_JOINED },
	{ "-cfguard", ARGS_ALONE },
	{ "-clear-ast-before-backend", ARGS_ALONE },
	{ "-compress-debug-sections=", ARGS_JOINED },
	{ "-debug-info-kind=", ARGS_JOINED },
	{ "-debug-info-macro", ARGS_ALONE },
	{ "-debugger-tuning=", ARGS_JOINED },
	{ "-default-function-attr", ARGS_VALUE },
	{ "-disable-O0-optnone", ARGS_ALONE },
	{ "-disable-free", ARGS_ALONE },
	{ "-disable-lifetime-markers", ARGS_ALONE },
	{ "-disable-llvm-verifier", ARGS_ALONE },
	{ "-disable-red-zone", ARGS_ALONE },
	{ "-discard-value-names", ARGS_ALONE },
	{ "-dwarf-explicit-import", ARGS_ALONE },
	{ "-dwarf-ext-refs", ARGS_ALONE },
	{ "-dwarf-version=", ARGS_JOINED },
	{ "-emit-llvm-uselists", ARGS_ALONE },
	{ "-emit-obj", ARGS_ALONE },
	{ "-exception-model", ARGS_VALUE },
	{ "-exception-model=", ARGS_JOINED },
	{ "-f", ARGS_JOINED },
	{ "-fbasic-block-sections=", ARGS_NEVER | ARGS_JOINED },
	{ "-fbracket-depth", ARGS_VALUE },
	{ "-fcaret-diagnostics-max-lines", ARGS_VALUE },
	{ "-fcas", ARGS_NEVER | ARGS_JOINED },
	{ "-fconstant-string-class", ARGS_NEVER },
	{ "-fconstexpr-backtrace-limit", ARGS_VALUE },
	{ "-fconstexpr-depth", ARGS_VALUE },
	{ "-fconstexpr-steps", ARGS_VALUE },
	{ "-fcoverage", ARGS_NEVER | ARGS_JOINED },
	{ "-fcoverage-compilation-dir=", ARGS_JOINED },
	{ "-fcoverage-prefix-map=", ARGS_JOINED },
	{ "-fcrash-diagnostics-dir=", ARGS_NEVER | ARGS_JOINED },
	{ "-fcuda", ARGS_NEVER | ARGS_JOINED },
	{ "-fdebug-compilation-dir", ARGS_VALUE },
	{ "-fdiagnostics-format", ARGS_VALUE },
	{ "-fdiagnostics-show-category", ARGS_VALUE },
	{ "-fdump", ARGS_NEVER | ARGS_JOINED },
	{ "-fembed", ARGS_NEVER | ARGS_JOINED },
	{ "-ferror-limit", ARGS_VALUE },
	{ "-fhip", ARGS_NEVER | ARGS_JOINED },
	{ "-fimplicit-module", ARGS_NEVER | ARGS_JOINED },
	{ "-fix", ARGS_NEVER | ARGS_JOINED },
	{ "-flto", ARGS_NEVER | ARGS_JOINED },
	{ "-fmacro-backtrace-limit", ARGS_VALUE },
	{ "-fmemory-profile", ARGS_NEVER | ARGS_JOINED },
	{ "-fmessage-length", ARGS_VALUE },
	{ "-fmodule", ARGS_NEVER | ARGS_JOINED },
	{ "-fobjc", ARGS_NEVER | ARGS_JOINED },
	{ "-fopenmp-host-ir-file-path", ARGS_NEVER },
	{ "-fopenmp-is-device", ARGS_NEVER },
	{ "-fopenmp-targets=", ARGS_NEVER | ARGS_JOINED },
	{ "-foperator-arrow-depth", ARGS_VALUE },
	{ "-forder-file-instrumentation", ARGS_NEVER },
	{ "-foverride-record-layout=", ARGS_NEVER | ARGS_JOINED },
	{ "-fpass-plugin=", ARGS_NEVER | ARGS_JOINED },
	{ "-fpch", ARGS_NEVER | ARGS_JOINED },
	{ "-fplugin", ARGS_NEVER | ARGS_JOINED },
	{ "-fprebuilt", ARGS_NEVER | ARGS_JOINED },
	{ "-fprofile", ARGS_NEVER | ARGS_JOINED },
	{ "-fprofile-update=", ARGS_JOINED },
	{ "-frecord-command-line", ARGS_NEVER },
	{ "-frewrite-includes", ARGS_NEVER },
	{ "-fsanitize-blacklist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsanitize-coverage-allowlist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsanitize-coverage-blacklist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsanitize-coverage-ignorelist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsanitize-coverage-whitelist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsanitize-ignorelist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsanitize-system-blacklist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsanitize-system-ignorelist=", ARGS_NEVER | ARGS_JOINED },
	{ "-fsave-optimization-record", ARGS_NEVER | ARGS_JOINED },
	{ "-fspell-checking-limit", ARGS_VALUE },
	{ "-fsycl", ARGS_NEVER | ARGS_JOINED },
	{ "-fsyntax-only", ARGS_NEVER },
	{ "-ftabstop", ARGS_VALUE },
	{ "-ftemplate-backtrace-limit", ARGS_VALUE },
	{ "-ftemplate-depth", ARGS_VALUE },
	{ "-ftest-module-file-extension=", ARGS_NEVER | ARGS_JOINED },
	{ "-fthin-link-bitcode=", ARGS_NEVER | ARGS_JOINED },
	{ "-fthinlto-index=", ARGS_NEVER | ARGS_JOINED },
	{ "-ftime-report", ARGS_NEVER | ARGS_JOINED },
	{ "-ftime-trace", ARGS_NEVER | ARGS_JOINED },
	{ "-ftype-visibility", ARGS_VALUE },
	{ "-function-alignment", ARGS_VALUE },
	{ "-funique-internal-linkage-names", ARGS_NEVER },
	{ "-fverify-debuginfo-preserve", ARGS_NEVER | ARGS_JOINED },
	{ "-fvisibility", ARGS_VALUE },
	{ "-fxray-always-instrument=", ARGS_NEVER | ARGS_JOINED },
	{ "-fxray-attr-list=", ARGS_NEVER | ARGS_JOINED },
	{ "-fxray-never-instrument=", ARGS_NEVER | ARGS_JOINED },
	{ "-gdwarf32", ARGS_ALONE },
	{ "-gdwarf64", ARGS_ALONE },
	{ "-ggnu-pubnames", ARGS_ALONE },
	{ "-gno-column-info", ARGS_ALONE },
	{ "-gno-inline-line-tables", ARGS_ALONE },
	{ "-gpubnames", ARGS_ALONE },
	{ "-gsimple-template-names=", ARGS_JOINED },
	{ "-m", ARGS_JOINED },
	{ "-main-file-name", ARGS_VALUE },
	{ "-mdebug-pass", ARGS_NEVER },
	{ "-meabi", ARGS_VALUE },
	{ "-mfloat-abi", ARGS_VALUE },
	{ "-mfpmath", ARGS_VALUE },
	{ "-mlimit-float-precision", ARGS_VALUE },
	{ "-mlink-bitcode-file", ARGS_NEVER },
	{ "-mlink-builtin-bitcode", ARGS_NEVER },
	{ "-mllvm", ARGS_VALUE, "-treat-scalable-fixed-error-as-warning" },
	{ "-module-dependency-dir", ARGS_NEVER },
	{ "-module-file-deps", ARGS_NEVER },
	{ "-mregparm", ARGS_VALUE },
	{ "-mrelocation-model", ARGS_VALUE },
	{ "-msmall-data-limit", ARGS_VALUE },
	{ "-mt-migrate-directory", ARGS_NEVER },
	{ "-mthread-model", ARGS_VALUE },
	{ "-mtp", ARGS_VALUE },
	{ "-new-struct-path-tbaa", ARGS_ALONE },
	{ "-no-clear-ast-before-backend", ARGS_ALONE },
	{ "-no-emit-llvm-uselists", ARGS_ALONE },
	{ "-no-implicit-float", ARGS_ALONE },
	{ "-no-integrated-as", ARGS_ALONE },
	{ "-no-opaque-pointers", ARGS_ALONE },
	{ "-no-round-trip-args", ARGS_ALONE },
	{ "-no-struct-path-tbaa", ARGS_ALONE },
	{ "-o", ARGS_OUTPUT },
	{ "-opaque-pointers", ARGS_ALONE },
	{ "-pedantic", ARGS_ALONE },
	{ "-pedantic-errors", ARGS_ALONE },
	{ "-pg", ARGS_ALONE },
	{ "-pic-is-pie", ARGS_ALONE },
	{ "-pic-level", ARGS_VALUE },
	{ "-pthread", ARGS_ALONE },
	{ "-relaxed-aliasing", ARGS_ALONE },
	{ "-resource-dir", ARGS_VALUE },
	{ "-round-trip-args", ARGS_ALONE },
	{ "-stack-protector", ARGS_VALUE },
	{ "-stack-protector-buffer-size", ARGS_VALUE },
	{ "-stack-size-section", ARGS_ALONE },
	{ "-static-define", ARGS_ALONE },
	{ "-std=", ARGS_JOINED },
	{ "-stdlib=", ARGS_JOINED },
	{ "-target-abi", ARGS_VALUE },
	{ "-target-cpu", ARGS_VALUE },
	{ "-target-feature", ARGS_VALUE },
	{ "-target-linker-version", ARGS_VALUE },
	{ "-target-sdk-version=", ARGS_JOINED },
	{ "-trigraphs", ARGS_ALONE },
	{ "-triple", ARGS_VALUE },
	{ "-tune-cpu", ARGS_VALUE },
	{ "-unwindlib=", ARGS_JOINED },
	{ "-vectorize-loops", ARGS_ALONE },
	{ "-vectorize-slp", ARGS_ALONE },
	{ "-w", ARGS_ALONE },
	{ "-x", ARGS_JOINED | ARGS_VALUE },
};

#define TABLE(program, rows) { program, rows, ARRAY_LEN(rows) }

const struct args_table args_tables[] = {
	TABLE("as", as_rows),
	TABLE("cc1", cc1_rows),
	TABLE("cc1plus", cc1_rows),
	TABLE("clang", clang_rows),
	TABLE("clang++", clang_rows),
};
const size_t args_table_count = ARRAY_LEN(args_tables);

/*
 * "@" brings more arguments, from a file. LLVM's own options (-mllvm) take one dash or two; a mapper of
 * modules can be a program, a socket or a pair of descriptors. getopt(3) takes a beginning of --plugin for it.
 */
const struct args_denied args_denied[] = {
	{ "as", "@" },
	{ "cc1", "-fmodule-mapper=<" }, { "cc1", "-fmodule-mapper==" }, { "cc1", "-fmodule-mapper=|" },
	{ "cc1", "-fplugin" }, { "cc1", "@" },
	{ "cc1obj", "-fplugin" }, { "cc1obj", "@" },
	{ "cc1objplus", "-fmodule-mapper=<" }, { "cc1objplus", "-fmodule-mapper==" }, { "cc1objplus", "-fmodule-mapper=|" },
	{ "cc1objplus", "-fplugin" }, { "cc1objplus", "@" },
	{ "cc1plus", "-fmodule-mapper=<" }, { "cc1plus", "-fmodule-mapper==" }, { "cc1plus", "-fmodule-mapper=|" },
	{ "cc1plus", "-fplugin" }, { "cc1plus", "@" },
	{ "clang", "--load" }, { "clang", "-add-plugin" }, { "clang", "-fpass-plugin" }, { "clang", "-fplugin" },
	{ "clang", "-load" }, { "clang", "-mllvm=--load" }, { "clang", "-mllvm=-load" }, { "clang", "-plugin" }, { "clang", "@" },
	{ "clang++", "--load" }, { "clang++", "-add-plugin" }, { "clang++", "-fpass-plugin" }, { "clang++", "-fplugin" },
	{ "clang++", "-load" }, { "clang++", "-mllvm=--load" }, { "clang++", "-mllvm=-load" }, { "clang++", "-plugin" },
	{ "clang++", "@" },
	{ "objcopy", "--pl" }, { "objcopy", "@" },
};
const size_t args_denied_count = ARRAY_LEN(args_denied);

static bool is_denied(const char *name, const char *word)
{
	for (size_t i = 0; i < args_denied_count; i++)
		if (str_eq(args_denied[i].program, name) && str_starts(word, args_denied[i].begins))
			return true;
	return false;
}

static int check_files(const char *name, const struct argv *argv, struct err *err)
{
	for (size_t i = 1; i < argv->count; i++)
		if (is_denied(name, argv->v[i]))
			return err_set(err, ERR_REFUSED, "%s: the argument %.80s is not allowed here", name, argv->v[i]);
	return 0;
}

static const struct args_table *table_of(const char *name)
{
	for (size_t i = 0; i < args_table_count; i++)
		if (str_eq(args_tables[i].program, name))
			return &args_tables[i];
	return NULL;
}

static const struct args_row *row_of(const struct args_table *t, const char *s)
{
	const struct args_row *best = NULL;

	for (size_t i = 0; i < t->count; i++) {
		const struct args_row *row = &t->rows[i];

		if (str_starts(s, row->name) && (!s[strlen(row->name)] || row->flags & ARGS_JOINED) &&
		    (!best || strlen(row->name) > strlen(best->name)))
			best = row;
	}
	return best;
}

/* In the job's directory; "./" before it keeps a name from being taken for an option. */
static bool plain_name(const char *s)
{
	if (str_starts(s, "./"))
		s += 2;
	return *s && !strchr(s, '/') && !str_eq(s, ".") && !str_eq(s, "..");
}

static bool value_fits(const struct args_row *row, const char *value)
{
	if (!value || *value == '@')	/* "@file" would bring more arguments */
		return false;
	if (row->flags & ARGS_OUTPUT)
		return plain_name(value) && *value != '-';
	return !row->only || str_eq(row->only, value);
}

/* How many words the argument takes; 0: it is refused. */
static size_t words(const struct args_table *t, char *const *v)
{
	const struct args_row *row;

	if (**v == '@')
		return 0;
	if (**v != '-' || str_eq(*v, "-"))
		return plain_name(*v);
	row = row_of(t, *v);
	if (!row || row->flags & ARGS_NEVER)
		return 0;
	if (!(row->flags & (ARGS_VALUE | ARGS_OUTPUT)) || (*v)[strlen(row->name)])
		return 1;
	return value_fits(row, v[1]) ? 2 : 0;
}

static int check_text(const char *name, const struct argv *argv, struct err *err)
{
	const struct args_table *t = table_of(name);
	/* clang is told that it is to be the compiler proper */
	size_t at = str_starts(name, "clang") ? 2 : 1, n;

	if (!t)
		return err_set(err, ERR_REFUSED, "%s: not a program that runs here", name);
	for (; at < argv->count; at += n) {
		n = words(t, &argv->v[at]);
		if (!n)
			return err_set(err, ERR_REFUSED, "%s: the argument %.80s is not allowed here", name, argv->v[at]);
	}
	return 0;
}

int args_check(enum job_mode mode, const char *name, const struct argv *argv, struct err *err)
{
	return mode == JOB_FILES ? check_files(name, argv, err) : check_text(name, argv, err);
}
