/*
 * cgroup.c - files in the kernel's directory of cgroups.
 *
 * The processor's weight counts between the boxes and rccd itself; how much
 * they have together, beside the owner's programs, is for whoever made
 * rccd's cgroup to say.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "buf.h"
#include "file.h"

enum { FILE_BYTES = 1 << 20, PROCESSES_MAX = 80 };
#define BOX_BYTES ((uint64_t)64 << 20)	/* for the box itself, and what the kernel keeps for it */

enum { MEMORY, PIDS, CPU, CONTROLLERS };
static const char *const controllers[CONTROLLERS] = { [MEMORY] = "memory", [PIDS] = "pids", [CPU] = "cpu" };

struct box_cgroup {
	int fd;			/* -1: not made yet */
	uint64_t out_of_memory;	/* how often, when its last box started */
};

struct cgroups {
	char *dir;
	char *text;
	bool have[CONTROLLERS];
	unsigned count;
	struct box_cgroup *boxes;
};

static int write_at(int dir, const char *name, const char *text, struct err *err)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	return fd < 0 || write(fd, text, len) != (ssize_t)len ? err_sys(err, "write '%s' to %s", text, name) : 0;
}

static int write_number(int dir, const char *name, uint64_t n, struct err *err)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	return write_at(dir, name, text, err);
}

static void read_at(int dir, const char *name, struct buf *text)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read_all(fd, FILE_BYTES, text, NULL) < 0)
		text->len = 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || at[-1] == ' ') && strchr(" \n", at[len]))
			return true;
	return false;
}

/* A field of a line of mountinfo, from 0; and how long it is. */
static const char *field(const char *line, unsigned n, size_t *len)
{
	while (n--) {
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	*len = strcspn(line, " \n");
	return line;
}

char *cgroup_directory(const char *cgroup, const char *mountinfo)
{
	const char *own = str_starts(cgroup, "0::") ? cgroup : strstr(cgroup, "\n0::");

	if (!own)
		return NULL;
	own += strcspn(own, "/");
	for (const char *line = mountinfo; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *type = strstr(line, " - cgroup2 ");
		size_t root_len, at_len;
		const char *root = field(line, 3, &root_len), *at = field(line, 4, &at_len);

		if (!type || type > line + strcspn(line, "\n"))
			continue;
		if (root_len == 1)	/* "/" */
			root_len = 0;
		if (strncmp(own, root, root_len) == 0 && strchr("/\n", own[root_len]))
			return xasprintf("%.*s%.*s", (int)at_len, at, (int)strcspn(own + root_len, "\n"), own + root_len);
	}
	return NULL;
}

/* Which there are. */
static bool look(struct cgroups *g, int dir)
{
	autobuf struct buf text = { 0 };
	bool any = false;

	read_at(dir, "cgroup.controllers", &text);
	for (size_t i = 0; i < CONTROLLERS; i++)
		any |= g->have[i] = has_word(buf_str(&text), controllers[i]);
	return any;
}

static int move(int dir, const char *to, struct err *err)
{
	autofree char *procs = xasprintf("%s/cgroup.procs", to);

	return write_number(dir, procs, (uint64_t)getpid(), err);
}

/* Controllers are for groups that hold no process themselves: so we leave it first. */
static int enable(struct cgroups *g, int dir, struct err *err)
{
	bool any = false;
	int rc;

	if (mkdirat(dir, "rccd", 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make a cgroup");
	rc = move(dir, "rccd", err);
	for (size_t i = 0; i < CONTROLLERS && rc == 0; i++) {
		autofree char *word = xasprintf("+%s", controllers[i]);

		if (g->have[i])
			any |= g->have[i] = write_at(dir, "cgroup.subtree_control", word, err) == 0;
	}
	if (any)
		return 0;
	move(dir, ".", NULL);
	unlinkat(dir, "rccd", AT_REMOVEDIR);
	return err->code;
}

static char *describe(const struct cgroups *g)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < CONTROLLERS; i++)
		if (g->have[i])
			buf_printf(&b, "%s%s", b.len ? " " : "", controllers[i]);
	buf_printf(&b, " in %s", g->dir);
	return buf_str(&b);
}

struct cgroups *cgroups_open_at(const char *dir, unsigned boxes, struct err *why)
{
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cgroups *g = xcalloc(1, sizeof *g);
	int rc = 0;

	*g = (struct cgroups){ .dir = xstrdup(dir), .count = boxes, .boxes = xcalloc(boxes, sizeof *g->boxes) };
	for (unsigned i = 0; i < boxes; i++)
		g->boxes[i].fd = -1;
	if (fd < 0)
		rc = err_sys(why, "%s", dir);
	else if (!look(g, fd))
		rc = err_set(why, ERR_ABSENT, "%s has none of memory, pids and cpu", dir);
	else
		rc = enable(g, fd, why);
	if (rc == 0) {
		g->text = describe(g);
		return g;
	}
	cgroups_close(g);
	return NULL;
}

struct cgroups *cgroups_open(unsigned boxes, struct err *why)
{
	autobuf struct buf cgroup = { 0 }, mounts = { 0 };
	autofree char *dir = NULL;

	if (read_file("/proc/self/cgroup", FILE_BYTES, &cgroup, why) < 0 ||
	    read_file("/proc/self/mountinfo", FILE_BYTES, &mounts, why) < 0)
		return NULL;
	dir = cgroup_directory(buf_str(&cgroup), buf_str(&mounts));
	if (dir)
		return cgroups_open_at(dir, boxes, why);
	err_set(why, ERR_ABSENT, "this system has no cgroups of version 2");
	return NULL;
}

void cgroups_close(struct cgroups *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < g->count; i++) {
		autofree char *path = xasprintf("%s/job-%u", g->dir, i);

		if (g->boxes[i].fd < 0)
			continue;
		close(g->boxes[i].fd);
		rmdir(path);	/* what is still in it keeps it */
	}
	free(g->boxes);
	free(g->text);
	free(g->dir);
	free(g);
}

const char *cgroups_text(const struct cgroups *g) { return g->text; }

static int open_box(const struct cgroups *g, unsigned place)
{
	autofree char *path = xasprintf("%s/job-%u", g->dir, place);

	/* it may be left from an earlier life */
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static uint64_t out_of_memory(const struct cgroups *g, int dir)
{
	static const char name[] = "\noom_kill ";
	autobuf struct buf text = { 0 };
	const char *at;

	if (!g->have[MEMORY])
		return 0;
	read_at(dir, "memory.events", &text);
	at = strstr(buf_str(&text), name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void set_weight(const struct cgroups *g, int dir, bool idle)
{
	if (!g->have[CPU])
		return;
	/* a weight can be set of what is not idle only */
	if (write_number(dir, "cpu.idle", idle, NULL) < 0 || !idle)
		write_number(dir, "cpu.weight", idle ? 1 : 100, NULL);
}

/* What an older kernel does not know is left out; the box has limits of its own. */
static void set_limits(const struct cgroups *g, int dir, uint64_t memory_bytes, bool idle)
{
	if (g->have[MEMORY]) {
		if (memory_bytes)
			write_number(dir, "memory.max", memory_bytes + BOX_BYTES, NULL);
		write_at(dir, "memory.swap.max", "0", NULL);
		write_at(dir, "memory.oom.group", "1", NULL);
	}
	if (g->have[PIDS])
		write_number(dir, "pids.max", PROCESSES_MAX, NULL);
	set_weight(g, dir, idle);
}

int cgroup_prepare(struct cgroups *g, unsigned place, uint64_t memory_bytes, bool idle)
{
	struct box_cgroup *b = g && place < g->count ? &g->boxes[place] : NULL;

	if (!b)
		return -1;
	if (b->fd < 0)
		b->fd = open_box(g, place);
	if (b->fd < 0)
		return -1;
	set_limits(g, b->fd, memory_bytes, idle);
	b->out_of_memory = out_of_memory(g, b->fd);
	return b->fd;
}

void cgroup_hurry(struct cgroups *g, unsigned place)
{
	if (g && place < g->count && g->boxes[place].fd >= 0)
		set_weight(g, g->boxes[place].fd, false);
}

bool cgroup_ran_out(struct cgroups *g, unsigned place)
{
	const struct box_cgroup *b = g && place < g->count ? &g->boxes[place] : NULL;

	return b && b->fd >= 0 && out_of_memory(g, b->fd) > b->out_of_memory;
}

void cgroup_clear(struct cgroups *g, unsigned place)
{
	if (g && place < g->count && g->boxes[place].fd >= 0)
		write_at(g->boxes[place].fd, "cgroup.kill", "1", NULL);
}
