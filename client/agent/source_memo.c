/*
 * source_memo.c - a table of (device, inode, size, times) to doubts.
 *
 * A file that changes keeps its place and gets new doubts; one that is gone
 * leaves a row behind until the table is full and starts anew.
 */
#include "source_memo.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "source_doubts.h"

enum { ROWS = 1 << 16, ALL_DOUBTS = ~0u >> 1, FILE_MAX = 64 << 20, SETTLED_S = 2 };

struct row {
	dev_t dev;
	ino_t ino;		/* 0: an empty row */
	off_t size;
	struct timespec mtime, ctime;
	unsigned doubts;
};

struct source_memo {
	pthread_mutex_t lock;
	struct row *rows;	/* ROWS of them, open addressing by inode */
	size_t used;
};

struct source_memo *source_memo_new(void)
{
	struct source_memo *m = xcalloc(1, sizeof *m);

	pthread_mutex_init(&m->lock, NULL);
	m->rows = xcalloc(ROWS, sizeof *m->rows);
	return m;
}

void source_memo_free(struct source_memo *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m->rows);
	free(m);
}

/* The row of this inode, or the empty one where it belongs. */
static struct row *find(struct source_memo *m, const struct stat *st)
{
	size_t i = ((uint64_t)st->st_ino * 0x9e3779b97f4a7c15u) >> 48;

	while (m->rows[i % ROWS].ino && (m->rows[i % ROWS].ino != st->st_ino || m->rows[i % ROWS].dev != st->st_dev))
		i++;
	return &m->rows[i % ROWS];
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool recall(struct source_memo *m, const struct stat *st, unsigned *doubts)
{
	const struct row *r;
	bool known;

	pthread_mutex_lock(&m->lock);
	r = find(m, st);
	known = r->ino && r->size == st->st_size && same_time(&r->mtime, &st->st_mtim) &&
		same_time(&r->ctime, &st->st_ctim);
	*doubts = r->doubts;
	pthread_mutex_unlock(&m->lock);
	return known;
}

static void remember(struct source_memo *m, const struct stat *st, unsigned doubts)
{
	struct row *r;

	pthread_mutex_lock(&m->lock);
	if (m->used > ROWS / 2) {
		memset(m->rows, 0, ROWS * sizeof *m->rows);
		m->used = 0;
	}
	r = find(m, st);
	m->used += !r->ino;
	*r = (struct row){ .dev = st->st_dev, .ino = st->st_ino, .size = st->st_size, .mtime = st->st_mtim,
			   .ctime = st->st_ctim, .doubts = doubts };
	pthread_mutex_unlock(&m->lock);
}

/* Copied, not mapped: a file cut short meanwhile must not kill us. */
static unsigned read_doubts(int fd, const struct stat *st)
{
	autobuf struct buf b = { 0 };
	ssize_t n;

	if (!S_ISREG(st->st_mode) || st->st_size > FILE_MAX)
		return ALL_DOUBTS;
	buf_reserve(&b, (size_t)st->st_size + 1);
	while ((n = pread(fd, b.p + b.len, (size_t)st->st_size + 1 - b.len, (off_t)b.len)) > 0)
		b.len += (size_t)n;
	return n < 0 || b.len != (size_t)st->st_size ? ALL_DOUBTS : source_doubts(b.p, b.len);
}

/* A file that changed just now may change again within the clock's granularity. */
static bool settled(const struct stat *st)
{
	return time(NULL) - st->st_ctim.tv_sec > SETTLED_S;
}

static unsigned doubts_of(struct source_memo *m, int dir, const char *name)
{
	autoclose int fd = -1;
	struct stat st;
	unsigned doubts;

	if (fstatat(dir, name, &st, 0) < 0)
		return ALL_DOUBTS;
	if (!S_ISREG(st.st_mode))
		return 0;	/* a FIFO gives its bytes once, and they have been read */
	if (recall(m, &st, &doubts))
		return doubts;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return ALL_DOUBTS;
	doubts = read_doubts(fd, &st);
	if (doubts != ALL_DOUBTS && settled(&st))
		remember(m, &st, doubts);
	return doubts;
}

static unsigned stdin_doubts(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 ? ALL_DOUBTS : read_doubts(fd, &st);
}

static const char *first_doubtful(struct source_memo *m, int dir, const struct argv *files, unsigned mask)
{
	for (size_t i = 0; mask && i < files->count; i++)
		if (doubts_of(m, dir, files->v[i]) & mask)
			return files->v[i];
	return NULL;
}

void text_origin_free(struct text_origin *o)
{
	free(o->cwd);
	free(o->input);
	if (o->stdin_fd >= 0)
		close(o->stdin_fd);
	*o = (struct text_origin){ .stdin_fd = -1 };
}

enum reason source_memo_judge(struct source_memo *m, const struct text_scan *s, const struct text_origin *o,
			      char **culprit)
{
	bool from_stdin = str_eq(o->input, "-");
	autoclose int dir = open(o->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *found = NULL;
	unsigned own;

	*culprit = NULL;
	/* Expanded text goes only without warnings, and has every pragma still in it. */
	if (s->plain)
		return REASON_NONE;
	own = from_stdin ? stdin_doubts(o->stdin_fd) : doubts_of(m, dir, o->input);
	if (own & o->doubts)
		found = o->input;
	if (!found)
		found = first_doubtful(m, dir, &s->files, o->doubts);
	if (!found)
		found = first_doubtful(m, dir, &s->system_files, o->system_doubts);
	if (!found)
		return REASON_NONE;
	*culprit = xstrdup(found);
	return REASON_TEXT_UNSOUND;
}
