/*
 * manifest.c - one manifest's key, file name and contents.
 *
 * The name of the file is the key, hashed in three parts, so that an own one is
 * opened without an index, and a relative found by names alone
 * (manifest_index.c). The key in the file decides.
 */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "file.h"
#include "manifest_index.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { COUNT_MAX = 16384, FILE_EXTRA_MAX = 8192 };

static const char magic[16] = "rcc manifest 2\n";

struct manifests {
	pthread_mutex_t lock;	/* of the index and dir */
	char *path;
	int dir;		/* -1: not open yet */
	struct manifest_index *index;
	size_t max_count;
	uint64_t max_bytes;
	atomic_uint files_made;
};

struct manifests *manifests_new(const char *dir, size_t max_count, uint64_t max_bytes)
{
	struct manifests *m = xcalloc(1, sizeof *m);

	pthread_mutex_init(&m->lock, NULL);
	m->path = xstrdup(dir);
	m->dir = -1;
	m->max_count = max_count ? max_count : COUNT_MAX;
	m->max_bytes = max_bytes ? max_bytes : 512 << 20;
	return m;
}

void manifests_free(struct manifests *m)
{
	if (!m)
		return;
	if (m->dir >= 0)
		close(m->dir);
	manifest_index_free(m->index);
	pthread_mutex_destroy(&m->lock);
	free(m->path);
	free(m);
}

/* Only a directory that nobody else can write. */
static int open_dir(const char *path)
{
	autoclose int fd = -1;
	struct stat st;

	if (make_dirs(path, 0700, NULL) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022))
		return -1;
	return fd_steal(&fd);
}

/* With the lock held: the directory is open and its index there. */
static bool ready(struct manifests *m)
{
	if (m->dir < 0) {
		m->dir = open_dir(m->path);
		if (m->dir >= 0)
			m->index = manifest_index_load(m->dir);
	}
	return m->dir >= 0;
}

static bool ready_locked(struct manifests *m)
{
	bool yes;

	pthread_mutex_lock(&m->lock);
	yes = ready(m);
	pthread_mutex_unlock(&m->lock);
	return yes;
}

static struct manifest_name name_of(const struct manifest_key *key)
{
	const char *base = path_base(key->source);

	return (struct manifest_name){
		.toolchain = (uint32_t)XXH3_64bits(&key->toolchain, sizeof key->toolchain),
		.args = (uint32_t)XXH3_64bits(&key->args, sizeof key->args),
		.dir = XXH3_64bits(key->source, (size_t)(base - key->source)),
		.source = XXH3_64bits(key->source, strlen(key->source)),
	};
}

/* magic, hash of the rest; toolchain, args, source, digest of the facts, the facts. */
static void encode(struct buf *b, const struct manifest_key *key, const struct facts *facts, struct digest *id)
{
	autobuf struct buf rest = { 0 }, list = { 0 };

	facts_put(&list, facts);
	digest_of(list.p, list.len, id);
	put_digest(&rest, &key->toolchain);
	put_digest(&rest, &key->args);
	put_str(&rest, key->source);
	put_digest(&rest, id);
	put_raw(&rest, list.p, list.len);
	put_raw(b, magic, sizeof magic);
	put_u64(b, XXH3_64bits(rest.p, rest.len));
	put_raw(b, rest.p, rest.len);
}

static bool decode(const struct buf *b, const struct manifest_key *key, bool own, struct facts *out, struct digest *id,
		   struct buf *encoded)
{
	struct reader r = reader_of(b->p, b->len), list;
	struct digest toolchain, args;
	autofree char *source = NULL;
	char found[sizeof magic];
	uint64_t check;

	get_raw(&r, found, sizeof found);
	check = get_u64(&r);
	if (r.bad || memcmp(found, magic, sizeof magic) != 0 || check != XXH3_64bits(r.p, r.left))
		return false;
	get_digest(&r, &toolchain);
	get_digest(&r, &args);
	source = get_str(&r);
	get_digest(&r, id);
	if (!digest_eq(&toolchain, &key->toolchain) || (own && (!digest_eq(&args, &key->args) || !str_eq(source, key->source))))
		return false;
	list = r;
	if (facts_get(&r, out, NULL) < 0)
		return false;
	if (!reader_done(&r)) {
		facts_free(out);
		return false;
	}
	if (encoded)
		buf_add(encoded, list.p, list.left);
	return true;
}

static bool load(struct manifests *m, const struct manifest_name *name, const struct manifest_key *key, bool own,
		 struct facts *out, struct digest *id, struct buf *encoded)
{
	char file[MANIFEST_NAME_SIZE];
	autobuf struct buf b = { 0 };
	autoclose int fd = -1;

	manifest_name_text(name, file);
	fd = openat(m->dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || read_all(fd, FACTS_BYTES_MAX + FILE_EXTRA_MAX, &b, NULL) < 0 || !decode(&b, key, own, out, id, encoded))
		return false;
	pthread_mutex_lock(&m->lock);
	manifest_index_note(m->index, m->dir, name, b.len, MANIFEST_USED);
	pthread_mutex_unlock(&m->lock);
	return true;
}

enum manifest_of manifests_get(struct manifests *m, const struct manifest_key *key, struct facts *out, struct digest *id,
			       struct buf *encoded)
{
	struct manifest_name name = name_of(key), near;
	bool found;

	if (!ready_locked(m))
		return MANIFEST_NONE;
	if (load(m, &name, key, true, out, id, encoded))
		return MANIFEST_OWN;
	pthread_mutex_lock(&m->lock);
	found = manifest_index_nearest(m->index, &name, &near);
	pthread_mutex_unlock(&m->lock);
	if (!found || !load(m, &near, key, false, out, id, encoded))
		return MANIFEST_NONE;
	if (near.source == name.source)
		return MANIFEST_OTHERWISE;
	if (near.args != name.args)
		return MANIFEST_COUSIN;
	return near.dir == name.dir ? MANIFEST_SIBLING : MANIFEST_KIN;
}

/* Under a name of its own first: nobody reads half of it. */
static bool write_file(struct manifests *m, const char *file, const struct buf *b)
{
	autofree char *temporary = xasprintf("new-%d-%u", (int)getpid(), atomic_fetch_add(&m->files_made, 1));
	autoclose int fd = openat(m->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	if (write_all(fd, b->p, b->len) == 0 && renameat(m->dir, temporary, m->dir, file) == 0)
		return true;
	unlinkat(m->dir, temporary, 0);
	return false;
}

void manifests_put(struct manifests *m, const struct manifest_key *key, const struct facts *facts, struct digest *id)
{
	struct manifest_name name = name_of(key);
	char file[MANIFEST_NAME_SIZE];
	autobuf struct buf b = { 0 };

	encode(&b, key, facts, id);
	manifest_name_text(&name, file);
	if (!ready_locked(m) || !write_file(m, file, &b))
		return;
	pthread_mutex_lock(&m->lock);
	manifest_index_note(m->index, m->dir, &name, b.len, MANIFEST_WRITTEN);
	if (manifest_index_over(m->index, m->max_count, m->max_bytes)) {
		manifest_index_free(m->index);
		m->index = manifest_index_load(m->dir);
		manifest_index_trim(m->index, m->dir, m->max_count, m->max_bytes);
	}
	pthread_mutex_unlock(&m->lock);
}
