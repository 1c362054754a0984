/*
 * sleeper.c - a stand-in for a compiler, for test/bench/sleepers: it sleeps instead of compiling.
 *
 * As gcc it says with -### that it would run the cc1 and the as beside it. As cc1 it sleeps as long as the source says
 * ("sleep_ms N"), and longer on a slow host: on one called sK, 1 + (K - 1) % 4 times as long. Its output tells where and how
 * long it slept. Static, so that it is its own toolchain.
 */
#define _GNU_SOURCE
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char text[1 << 16];

static size_t take(const char *path)
{
	FILE *f = !path || strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	if (f && f != stdin)
		fclose(f);
	return n;
}

static int give(const char *path, const char *p, size_t n)
{
	FILE *f = !path || strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	return !f || fwrite(p, 1, n, f) != n || fclose(f) != 0;
}

static int host_factor(char name[65])
{
	gethostname(name, 64);
	return name[0] == 's' && atoi(name + 1) > 0 ? 1 + (atoi(name + 1) - 1) % 4 : 1;
}

static int sleep_as_told(const char *out)
{
	const char *told = strstr(text, "sleep_ms ");
	char host[65] = "", object[200];
	long ms = (told ? atol(told + 9) : 0) * host_factor(host);
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0)
		;
	return give(out, object, (size_t)snprintf(object, sizeof object, "%s %ld\n%.*s\n", host, ms,
						  told ? (int)strcspn(told, "\n") : 0, told ? told : ""));
}

static void describe(const char *self, const char *in, const char *out)
{
	char path[PATH_MAX] = "";
	const char *temp = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", *dir;

	if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
		exit(1);
	dir = dirname(path);
	fprintf(stderr, "Using built-in specs.\nCOLLECT_GCC=%s\nTarget: x86_64-linux-gnu\ngcc version 12.2.0 (sleeper) \n", self);
	fprintf(stderr, "COLLECT_GCC_OPTIONS='-c' '-o' '%s'\n %s/cc1 -quiet %s -quiet -dumpbase %s -o %s/ccsleepy.s\n", out, dir, in, in, temp);
	fprintf(stderr, "COLLECT_GCC_OPTIONS='-c' '-o' '%s'\n %s/as --64 -o %s %s/ccsleepy.s\n", out, dir, out, temp);
}

/* The words that are told apart: sets in and out; the other words are for compilers. */
static int run(char **argv, const char *in, const char *out, const char *how)
{
	const char *name = basename(argv[0]);

	if (strcmp(how, "-v") == 0) {
		fprintf(stderr, "COLLECT_GCC=%s\nTarget: x86_64-linux-gnu\ngcc version 12.2.0 (sleeper)\n", argv[0]);
		return 0;
	}
	if (strcmp(how, "-###") == 0) {
		describe(argv[0], in, out);
		return 0;
	}
	size_t n = take(in);

	if (strcmp(how, "-E") == 0 || strcmp(name, "as") == 0)
		return give(out, text, n);
	return sleep_as_told(out);
}

int main(int argc, char **argv)
{
	static const char *const with_value[] = { "-dumpbase", "-x", "-MF", "-MT", "-dumpdir", "--param" };
	const char *in = NULL, *out = "-", *how = "";

	for (int i = 1; i < argc; i++) {
		const char *w = argv[i];
		int skipped = 0;

		for (size_t k = 0; k < sizeof with_value / sizeof *with_value; k++)
			skipped |= strcmp(w, with_value[k]) == 0;
		if (strcmp(w, "-o") == 0 && i + 1 < argc)
			out = argv[++i];
		else if (skipped)
			i++;
		else if (strcmp(w, "-E") == 0 || strcmp(w, "-v") == 0 || strcmp(w, "-###") == 0)
			how = strcmp(how, "-###") == 0 ? how : w;
		else if (w[0] != '-')
			in = w;
	}
	return run(argv, in, out, how);
}
