/*
 * units.c - what each of many recorded commands costs: run one after the other, and one line for each.
 *
 *	units COMMANDS AGENT --nothing		/bin/true instead of each
 *	units COMMANDS AGENT --preprocess	each, but that it only preprocesses, to nowhere
 *	units COMMANDS AGENT [WORD...]		each, after these words
 *
 * COMMANDS has directory, compiler, number of arguments and arguments of each, with a NUL after every one.
 * A line has the CPU time of the command, and of what it waited for, then that of all threads of the process AGENT (0: none)
 * meanwhile, in microseconds; then its exit status.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 1024, PAUSE_US = 2000 };	/* what the agent does last is of the command, too */

enum what { EACH, PREPROCESS, NOTHING };

struct command {
	char *dir;
	char *words[WORDS_MAX];		/* ended by NULL */
	int count;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Of all its threads, in ns. */
static long long agent_ns(const char *pid)
{
	char path[64];
	long long sum = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%s/task", pid);
	d = strcmp(pid, "0") != 0 ? opendir(path) : NULL;
	while (d && (e = readdir(d))) {
		char name[512];
		long long ns;
		FILE *f;

		snprintf(name, sizeof name, "%s/%s/schedstat", path, e->d_name);
		f = fopen(name, "r");
		if (f && fscanf(f, "%lld", &ns) == 1)
			sum += ns;
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return sum;
}

/* Up to a NUL; NULL at the end. */
static char *next_word(FILE *in)
{
	char *word = NULL;
	size_t room = 0;

	if (getdelim(&word, &room, 0, in) > 0)
		return word;
	free(word);
	return NULL;
}

static void add(struct command *c, char *word)
{
	if (c->count == WORDS_MAX - 1)
		fail("too many words");
	c->words[c->count++] = word;
}

/* False at the end. */
static int read_command(FILE *in, char **before, struct command *c)
{
	char *compiler, *count;
	int left;

	*c = (struct command){ .dir = next_word(in) };
	compiler = next_word(in);
	count = next_word(in);
	if (!c->dir || !compiler || !count)
		return 0;
	while (*before)
		add(c, strdup(*before++));
	add(c, compiler);
	for (left = atoi(count); left > 0; left--)
		add(c, next_word(in));
	free(count);
	return 1;
}

static void command_free(struct command *c)
{
	free(c->dir);
	while (c->count)
		free(c->words[--c->count]);
}

/* Without -c and -o. */
static void only_preprocess(struct command *c)
{
	int to = 1;

	for (int i = 1; i < c->count; i++) {
		int output = strcmp(c->words[i], "-o") == 0;

		if (output || strcmp(c->words[i], "-c") == 0)
			free(c->words[i]);
		else
			c->words[to++] = c->words[i];
		if (output && i + 1 < c->count)
			free(c->words[++i]);
	}
	c->count = to;
	add(c, strdup("-E"));
	add(c, strdup("-o"));
	add(c, strdup("/dev/null"));
	c->words[c->count] = NULL;
}

/* What it used, in microseconds. */
static long long run(char **argv, const posix_spawn_file_actions_t *quiet, int *status)
{
	struct rusage used;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], quiet, NULL, argv, environ) != 0)
		fail(argv[0]);
	if (wait4(pid, status, 0, &used) < 0)
		fail("wait4");
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

/* One command, made what is wanted. */
static void prepare(struct command *c, enum what what)
{
	if (what == PREPROCESS)
		only_preprocess(c);
	if (what == NOTHING) {
		while (c->count)
			free(c->words[--c->count]);
		add(c, strdup("/bin/true"));
		c->words[c->count] = NULL;
	}
}

static void run_all(FILE *in, const char *agent, enum what what, char **before)
{
	posix_spawn_file_actions_t quiet;
	long long begun = agent_ns(agent);
	struct command c;

	posix_spawn_file_actions_init(&quiet);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
	while (read_command(in, before, &c)) {
		long long cost, now;
		int status;

		if (chdir(c.dir) < 0)
			fail(c.dir);
		prepare(&c, what);
		cost = run(c.words, &quiet, &status);
		usleep(PAUSE_US);
		now = agent_ns(agent);
		printf("%lld %lld %d\n", cost, (now - begun) / 1000, status);
		begun = now;
		command_free(&c);
	}
}

int main(int argc, char **argv)
{
	FILE *in = argc >= 3 ? fopen(argv[1], "r") : NULL;
	enum what what = EACH;

	if (!in)
		fail("usage: units COMMANDS AGENT [--nothing|--preprocess|WORD...]");
	if (argc == 4 && strcmp(argv[3], "--nothing") == 0)
		what = NOTHING;
	if (argc == 4 && strcmp(argv[3], "--preprocess") == 0)
		what = PREPROCESS;
	run_all(in, argv[2], what, argv + (what == EACH ? 3 : argc));
	return 0;
}
