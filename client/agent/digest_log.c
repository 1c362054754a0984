/*
 * digest_log.c - records behind a header, under flock(2).
 */
#include "digest_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Another layout has another number; another byte order, another first word. */
struct header {
	uint64_t order;
	char what[16];
};
static const struct header header = { 0x0102030405060708, "rcc digests 1\n" };

static uint64_t check_of(const struct digest_record *r)
{
	return XXH3_64bits(r, offsetof(struct digest_record, check));
}

/* Only what we wrote, and nobody else can write, is believed. */
static bool ours(int fd, struct stat *st)
{
	return fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & 022);
}

void digest_log_load(const char *path, void (*each)(void *arg, const struct digest_record *r), void *arg)
{
	autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autobuf struct buf b = { 0 };
	struct digest_record r;
	struct stat st;

	/* room for what others append while we read */
	if (fd < 0 || !ours(fd, &st) || read_all(fd, 2 * DIGEST_LOG_MAX, &b, NULL) < 0)
		return;
	if (b.len < sizeof header || memcmp(b.p, &header, sizeof header) != 0)
		return;
	for (size_t at = sizeof header; at + sizeof r <= b.len; at += sizeof r) {
		memcpy(&r, b.p + at, sizeof r);
		if (r.check == check_of(&r))
			each(arg, &r);
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
static bool repair(int fd, struct stat *st)
{
	struct header h;
	size_t torn;

	if (pread(fd, &h, sizeof h, 0) != sizeof h || memcmp(&h, &header, sizeof h) != 0) {
		if (ftruncate(fd, 0) < 0 || write_all(fd, &header, sizeof header) < 0)
			return false;
		st->st_size = sizeof header;
		return true;
	}
	torn = ((size_t)st->st_size - sizeof header) % sizeof(struct digest_record);
	st->st_size -= (off_t)torn;
	return !torn || ftruncate(fd, st->st_size) == 0;
}

static void seal_records(struct digest_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		records[i].check = check_of(&records[i]);
}

bool digest_log_append(const char *path, struct digest_record *records, size_t count)
{
	struct stat st;
	autoclose int fd = open_locked(path, &st);

	if (fd < 0 || !repair(fd, &st))
		return true;
	if ((size_t)st.st_size + count * sizeof *records > DIGEST_LOG_MAX)
		return false;
	seal_records(records, count);
	if (write_all(fd, records, count * sizeof *records) < 0 && ftruncate(fd, st.st_size) < 0)
		return true;	/* the next one repairs it */
	return true;
}

/* Under the lock of the old one, so that nobody appends to what is about to go. */
void digest_log_replace(const char *path, struct digest_record *records, size_t count)
{
	autofree char *next = xasprintf("%s.new", path);
	struct stat st;
	autoclose int lock = open_locked(path, &st);
	autoclose int fd = -1;

	if (lock < 0 || (unlink(next) < 0 && errno != ENOENT))
		return;
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	seal_records(records, count);
	if (write_all(fd, &header, sizeof header) < 0 || write_all(fd, records, count * sizeof *records) < 0 ||
	    rename(next, path) < 0)
		unlink(next);
}
