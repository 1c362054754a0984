/*
 * record_log.c - records behind a header, under flock(2).
 */
#include "record_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Another byte order has another first word. */
struct header {
	uint64_t order;
	char what[16];
};

static struct header header_of(const struct record_kind *k)
{
	struct header h = { .order = 0x0102030405060708 };

	memcpy(h.what, k->what, sizeof h.what);
	return h;
}

static uint64_t check_of(const struct record_kind *k, const void *record)
{
	return XXH3_64bits(record, k->size - sizeof(uint64_t));
}

static bool sound(const struct record_kind *k, const unsigned char *record)
{
	uint64_t check;

	memcpy(&check, record + k->size - sizeof check, sizeof check);
	return check == check_of(k, record);
}

/* Only what we wrote, and nobody else can write, is believed. */
static bool ours(int fd, struct stat *st)
{
	return fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & 022);
}

void record_log_load(const struct record_kind *k, const char *path, void (*each)(void *arg, const void *record), void *arg)
{
	autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autofree unsigned char *record = xmalloc(k->size);
	struct header header = header_of(k);
	autobuf struct buf b = { 0 };
	struct stat st;

	/* room for what others append while we read */
	if (fd < 0 || !ours(fd, &st) || read_all(fd, 2 * k->max_bytes, &b, NULL) < 0)
		return;
	if (b.len < sizeof header || memcmp(b.p, &header, sizeof header) != 0)
		return;
	for (size_t at = sizeof header; at + k->size <= b.len; at += k->size) {
		memcpy(record, b.p + at, k->size);	/* aligned */
		if (sound(k, record))
			each(arg, record);
	}
}

/* The file of that name, locked; -1 when another agent has it. */
static int open_locked(const char *path, struct stat *st)
{
	autoclose int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat named;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !ours(fd, st))
		return -1;
	/* replaced before we had the lock */
	if (stat(path, &named) < 0 || named.st_ino != st->st_ino || named.st_dev != st->st_dev)
		return -1;
	return fd_steal(&fd);
}

/* To where the next record belongs: behind the last whole one, or behind a new header. False: cannot be. */
static bool repair(const struct record_kind *k, int fd, struct stat *st)
{
	struct header h, header = header_of(k);
	size_t torn;

	if (pread(fd, &h, sizeof h, 0) != sizeof h || memcmp(&h, &header, sizeof h) != 0) {
		if (ftruncate(fd, 0) < 0 || write_all(fd, &header, sizeof header) < 0)
			return false;
		st->st_size = sizeof header;
		return true;
	}
	torn = ((size_t)st->st_size - sizeof header) % k->size;
	st->st_size -= (off_t)torn;
	return !torn || ftruncate(fd, st->st_size) == 0;
}

static void seal_records(const struct record_kind *k, unsigned char *records, size_t count)
{
	for (; count; count--, records += k->size) {
		uint64_t check = check_of(k, records);

		memcpy(records + k->size - sizeof check, &check, sizeof check);
	}
}

bool record_log_append(const struct record_kind *k, const char *path, void *records, size_t count)
{
	struct stat st;
	autoclose int fd = open_locked(path, &st);

	if (fd < 0 || !repair(k, fd, &st))
		return true;
	if ((size_t)st.st_size + count * k->size > k->max_bytes)
		return false;
	seal_records(k, records, count);
	if (write_all(fd, records, count * k->size) < 0 && ftruncate(fd, st.st_size) < 0)
		return true;	/* the next one repairs it */
	return true;
}

/* Under the lock of the old one, so that nobody appends to what is about to go. */
void record_log_replace(const struct record_kind *k, const char *path, void *records, size_t count)
{
	autofree char *next = xasprintf("%s.new", path);
	struct header header = header_of(k);
	struct stat st;
	autoclose int lock = open_locked(path, &st);
	autoclose int fd = -1;

	if (lock < 0 || (unlink(next) < 0 && errno != ENOENT))
		return;
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	seal_records(k, records, count);
	if (write_all(fd, &header, sizeof header) < 0 || write_all(fd, records, count * k->size) < 0 ||
	    rename(next, path) < 0)
		unlink(next);
}
