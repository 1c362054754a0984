/*
 * digest_fd.c - an identity before and after reading, and what is known of it.
 */
#include "digest_fd.h"

#include <sys/vfs.h>
#include <time.h>

#include "fs_kind.h"

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool settled(const struct fs_kind *fs, const struct file_id *id)
{
	return !fs->made_up && !fs->fixed_times && file_id_settled_at(id, now_ns(), fs->settle_s);
}

static int read_it(int fd, const struct file_id *id, struct digest *out, struct err *err)
{
	struct file_id after;
	int rc = digest_fd(fd, out, err);

	if (rc == 0)
		rc = file_id_of_regular(fd, &after, err);
	if (rc == 0 && !file_id_eq(id, &after))
		return err_set(err, ERR_IO, "changed while being read");
	return rc;
}

int digest_cache_fd(struct digest_cache *c, int fd, uint64_t *size, struct digest *out, struct err *err)
{
	struct digest_known k = { .access = ACCESS_UNKNOWN };
	const struct fs_kind *kind;
	struct statfs fs;
	struct file_id id;
	bool keep;
	int rc = file_id_of_regular(fd, &id, err);

	if (rc < 0)
		return rc;
	*size = id.size;
	kind = fs_kind_of(fstatfs(fd, &fs) == 0 ? (uint32_t)fs.f_type : 0);
	keep = settled(kind, &id);	/* before reading: a change from here on shows */
	if (keep && digest_cache_get(c, &id, &k)) {
		*out = k.digest;
		return 0;
	}
	rc = read_it(fd, &id, out, err);
	if (rc == 0 && keep) {
		k.digest = *out;
		k.stays = kind->stays;
		digest_cache_set(c, &id, &k);
	}
	return rc;
}
