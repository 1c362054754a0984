/*
 * digest_memo.c - a hash table from the identity of a file to its digest.
 *
 * Entries are never removed singly: what became of a changed file is never
 * asked for again, and the bound sweeps it away with all others.
 */
#include "digest_memo.h"

#include <pthread.h>
#include <time.h>

enum { SETTLE_SECONDS = 2, FIRST_SLOTS = 256 };

struct slot {
	struct file_id id;	/* ctime 0: empty */
	struct digest digest;
};

struct digest_memo {
	pthread_mutex_t lock;
	struct slot *slots;	/* open addressing, at most half full */
	size_t slot_count;	/* a power of two */
	size_t used;
	size_t max_files;
};

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

struct file_id file_id_of(const struct stat *st)
{
	return (struct file_id){
		.dev = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = nanoseconds(&st->st_mtim),
		.ctime_ns = nanoseconds(&st->st_ctim),
	};
}

bool file_id_settled(const struct file_id *id)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return file_id_settled_at(id, nanoseconds(&now), SETTLE_SECONDS);
}

struct digest_memo *digest_memo_new(size_t max_files)
{
	struct digest_memo *m = xcalloc(1, sizeof *m);

	pthread_mutex_init(&m->lock, NULL);
	m->max_files = max_files;
	m->slot_count = FIRST_SLOTS;
	m->slots = xcalloc(m->slot_count, sizeof *m->slots);
	return m;
}

void digest_memo_free(struct digest_memo *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m->slots);
	free(m);
}

/* Where id is, or would go. */
static struct slot *slot_of(const struct digest_memo *m, const struct file_id *id)
{
	uint64_t h = (id->inode ^ id->dev << 40 ^ (uint64_t)id->ctime_ns) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(h >> 32) & (m->slot_count - 1);

	while (m->slots[at].id.ctime_ns && !file_id_eq(&m->slots[at].id, id))
		at = (at + 1) & (m->slot_count - 1);
	return &m->slots[at];
}

static void grow(struct digest_memo *m)
{
	struct slot *old = m->slots;
	size_t count = m->slot_count;

	m->slot_count *= 2;
	m->slots = xcalloc(m->slot_count, sizeof *m->slots);
	for (size_t i = 0; i < count; i++)
		if (old[i].id.ctime_ns)
			*slot_of(m, &old[i].id) = old[i];
	free(old);
}

static void remember(struct digest_memo *m, const struct file_id *id, const struct digest *d)
{
	struct slot *s;

	if (m->used >= m->max_files) {
		memset(m->slots, 0, m->slot_count * sizeof *m->slots);
		m->used = 0;
	}
	if (2 * (m->used + 1) > m->slot_count)
		grow(m);
	s = slot_of(m, id);
	m->used += s->id.ctime_ns == 0;
	*s = (struct slot){ .id = *id, .digest = *d };
}

static bool recall(struct digest_memo *m, const struct file_id *id, struct digest *out)
{
	const struct slot *s;
	bool found;

	pthread_mutex_lock(&m->lock);
	s = slot_of(m, id);
	found = s->id.ctime_ns != 0;
	if (found)
		*out = s->digest;
	pthread_mutex_unlock(&m->lock);
	return found;
}

int file_id_of_regular(int fd, struct file_id *id, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED, "not a regular file");
	*id = file_id_of(&st);
	return 0;
}

int digest_memo_fd(struct digest_memo *m, int fd, struct file_id *id, struct digest *out, struct err *err)
{
	struct file_id after;
	bool settled;
	int rc = file_id_of_regular(fd, id, err);

	if (rc < 0)
		return rc;
	settled = file_id_settled(id);	/* before reading: a change from here on shows */
	if (settled && recall(m, id, out))
		return 0;
	rc = digest_fd(fd, out, err);
	if (rc == 0)
		rc = file_id_of_regular(fd, &after, err);
	if (rc < 0)
		return rc;
	if (!file_id_eq(id, &after))
		return err_set(err, ERR_IO, "changed while being read");
	if (settled) {
		pthread_mutex_lock(&m->lock);
		remember(m, id, out);
		pthread_mutex_unlock(&m->lock);
	}
	return 0;
}
