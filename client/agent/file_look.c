/*
 * file_look.c - stat, and for a file that is not known yet its contents.
 *
 * All that is remembered of a file was found between two stats of its name
 * that agree, so it is of this file and of none that stood there meanwhile.
 */
#include "file_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "clock_words.h"

enum { TRIES = 4, CHUNK = 1 << 18 };

/* Again: what was there gave way to something else while we looked. */
enum look_end { DONE, AGAIN };

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* One number for both, another for each other file: within a device no two mix alike. */
static uint64_t inode_mix(const struct stat *st)
{
	uint64_t x = (uint64_t)st->st_ino + (uint64_t)st->st_dev * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9u;
	x ^= x >> 29;
	return x ? x : 1;
}

static bool may(int dir, const char *name, uint8_t access)
{
	return faccessat(dir, name, access, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * What is mostly so is asked at once. A file without any x among its mode is executed by nobody: an
 * access control list that lets somebody shows it in the group's bits.
 */
static uint8_t access_of(int dir, const char *name, mode_t mode)
{
	uint8_t most = S_ISREG(mode) && !(mode & 0111) ? FACT_READ | FACT_WRITE : FACT_READ | FACT_WRITE | FACT_EXECUTE;
	uint8_t access = 0;

	if (may(dir, name, most))
		return most;
	if (may(dir, name, most & ~FACT_WRITE))
		return most & ~FACT_WRITE;
	for (uint8_t bit = FACT_EXECUTE; bit <= FACT_READ; bit *= 2)
		if (bit & most && may(dir, name, bit))
			access |= bit;
	return access;
}

/* The same name is still the same file in the same state. */
static bool still(int dir, const char *name, const struct file_id *id)
{
	struct stat st;
	struct file_id now;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	now = file_id_of(&st);
	return file_id_eq(id, &now);
}

/* 0 when the whole file was read: as many bytes as stat said. */
static int read_contents(int fd, uint64_t size, struct digest *out, bool *has_clock)
{
	autofree char *chunk = xmalloc(CLOCK_WORDS_OVERLAP + CHUNK);
	struct hasher *h = hasher_new();
	size_t kept = 0;
	uint64_t at = 0;
	ssize_t n;

	*has_clock = false;
	while ((n = pread(fd, chunk + kept, CHUNK, (off_t)at)) > 0 || (n < 0 && errno == EINTR)) {
		size_t len;

		if (n < 0)
			continue;
		hasher_add(h, chunk + kept, (size_t)n);
		at += (uint64_t)n;
		len = kept + (size_t)n;
		*has_clock = *has_clock || clock_words_in(chunk, len);
		kept = size_min(len, CLOCK_WORDS_OVERLAP);
		memmove(chunk, chunk + len - kept, kept);
		if (at > size)
			break;
	}
	hasher_end(h, out);
	return n == 0 && at == size ? 0 : -1;
}

static void fill(const struct look *l, struct fact *out, const struct stat *st, const struct digest_known *k)
{
	out->kind = FACT_FILE;
	out->mode = st->st_mode & 07777;
	out->access = k->access;
	out->own = st->st_uid == l->user;
	out->mtime_ns = ns_of(&st->st_mtim);
	out->inode = inode_mix(st);
	out->size = (uint64_t)st->st_size;
	out->digest = k->digest;
}

/* Known and still so: the access is found out anew where it may be another. */
static bool recall(const struct look *l, const struct walk_level *dir, const char *name, const struct file_id *id,
		   mode_t mode, struct digest_known *k)
{
	if (!digest_cache_get(l->digests, id, k))
		return false;
	if (k->access != ACCESS_UNKNOWN && k->mount_flags == dir->mount_flags)
		return true;
	k->access = access_of(dir->fd, name, mode);
	k->mount_flags = dir->mount_flags;
	if (!still(dir->fd, name, id))
		return false;
	digest_cache_set(l->digests, id, k);
	return true;
}

/* A file that we may stat but not open: no digest, and no job may read it either. */
static void unreadable(const struct look *l, const struct walk_level *dir, const char *name, const struct stat *st, struct fact *out)
{
	struct digest_known k = { .access = access_of(dir->fd, name, st->st_mode) & ~FACT_READ };

	fill(l, out, st, &k);
}

static bool settled(const struct look *l, const struct fs_kind *fs, const struct file_id *id)
{
	return !fs->fixed_times && file_id_settled_at(id, l->now_ns(), fs->settle_s);
}

/* An open file: by what is known of it, or by reading it. */
static enum look_end look_inside(const struct look *l, const struct walk_level *dir, const char *name, int fd,
				 const struct fs_kind *fs, struct fact *out)
{
	struct digest_known k = { .mount_flags = dir->mount_flags, .stays = fs->stays };
	struct stat st;
	struct file_id id;
	bool keep;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return AGAIN;
	id = file_id_of(&st);
	keep = settled(l, fs, &id);	/* before reading: a change from here on shows */
	if (!keep || !recall(l, dir, name, &id, st.st_mode, &k)) {
		if ((uint64_t)st.st_size > l->max_file)
			return DONE;
		if (read_contents(fd, (uint64_t)st.st_size, &k.digest, &k.has_clock) < 0)
			return AGAIN;
		k.access = access_of(dir->fd, name, st.st_mode);
		if (!still(dir->fd, name, &id))
			return AGAIN;
		if (keep)
			digest_cache_set(l->digests, &id, &k);
		else if (k.has_clock)
			digest_cache_note_clock(l->digests, &k.digest);
	}
	fill(l, out, &st, &k);
	return DONE;
}

/* The file system of a file that is mounted by itself is not its directory's. */
static const struct fs_kind *fs_of(const struct walk_level *dir, const struct stat *st, int fd)
{
	struct statfs fs;

	if (st->st_dev == dir->id.dev)
		return dir->fs;
	return fs_kind_of(fd >= 0 && fstatfs(fd, &fs) == 0 ? (uint32_t)fs.f_type : 0);
}

static enum look_end look_file(const struct look *l, const struct walk_level *dir, const char *name,
			       const struct stat *st, bool contents, struct fact *out)
{
	const struct fs_kind *fs = fs_of(dir, st, -1);
	struct file_id id = file_id_of(st);
	struct digest_known k;
	autoclose int fd = -1;

	if (fs->made_up || (uint64_t)st->st_size > l->max_file)
		return DONE;
	if (fs->current && !contents) {
		fill(l, out, st, &(struct digest_known){ .access = access_of(dir->fd, name, st->st_mode) });
		return DONE;
	}
	if (fs->current && settled(l, fs, &id) && recall(l, dir, name, &id, st->st_mode, &k)) {
		fill(l, out, st, &k);
		return DONE;
	}
	fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES) {
		unreadable(l, dir, name, st, out);
		return DONE;
	}
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? AGAIN : DONE;
	fs = fs_of(dir, st, fd);
	return fs->made_up ? DONE : look_inside(l, dir, name, fd, fs, out);
}

static enum look_end look_link(const struct walk_level *dir, const char *name, const struct stat *st, struct fact *out)
{
	char target[FACT_PATH_MAX + 2];
	ssize_t n = readlinkat(dir->fd, name, target, sizeof target);

	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? AGAIN : DONE;
	if (dir->fs->made_up || n == 0 || n > FACT_PATH_MAX)
		return DONE;
	out->kind = FACT_LINK;
	out->mtime_ns = ns_of(&st->st_mtim);
	out->target = xstrndup(target, (size_t)n);
	return DONE;
}

static void look_dir(const struct look *l, const struct walk_level *dir, const char *name, const struct stat *st,
		     struct fact *out)
{
	out->kind = FACT_DIR;
	out->mode = st->st_mode & 07777;
	out->access = access_of(dir->fd, name, st->st_mode);
	out->own = st->st_uid == l->user;
	out->mtime_ns = ns_of(&st->st_mtim);
}

/*
 * Remembered as a file's is, under the flags of the directory's own mount. False: it gave way to something else.
 */
static bool dir_access(const struct look *l, const struct walk_level *above, const struct walk_level *dir, const char *name,
		       uint8_t *out)
{
	bool keep = dir->fs->current && settled(l, dir->fs, &dir->id);
	struct digest_known k;

	if (keep && digest_cache_get(l->digests, &dir->id, &k) && k.mount_flags == dir->mount_flags) {
		*out = k.access;
		return true;
	}
	*out = access_of(above->fd, name, S_IFDIR);
	if (!still(above->fd, name, &dir->id))
		return false;
	if (keep)
		digest_cache_set(l->digests, &dir->id, &(struct digest_known){ .access = *out, .mount_flags = dir->mount_flags });
	return true;
}

bool file_look_dir(const struct look *l, const struct walk_level *above, const struct walk_level *dir, const char *name,
		   struct fact *out)
{
	*out = (struct fact){
		.kind = FACT_DIR, .mode = dir->mode, .own = dir->uid == l->user, .mtime_ns = dir->id.mtime_ns,
	};
	return dir_access(l, above, dir, name, &out->access);
}

static enum look_end look_once(const struct look *l, const struct walk_level *dir, const char *name, bool contents,
			       struct fact *out)
{
	struct stat st;

	*out = (struct fact){ .kind = FACT_OTHER };
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		out->kind = errno == ENOENT ? FACT_ABSENT : errno == EACCES ? FACT_DENIED : FACT_OTHER;
		return DONE;
	}
	if (S_ISREG(st.st_mode))
		return look_file(l, dir, name, &st, contents, out);
	if (S_ISLNK(st.st_mode))
		return look_link(dir, name, &st, out);
	if (S_ISDIR(st.st_mode))
		look_dir(l, dir, name, &st, out);
	return DONE;
}

void file_look(const struct look *l, const struct walk_level *dir, const char *name, bool contents, struct fact *out)
{
	for (int i = 0; i < TRIES; i++)
		if (look_once(l, dir, name, contents, out) == DONE)
			return;
}
