/*
 * digest_log.c - what a log of digests is.
 */
#include "digest_log.h"

#include "record_log.h"

static const struct record_kind digests = {
	.what = "rcc digests 1\n", .size = sizeof(struct digest_record), .max_bytes = DIGEST_LOG_MAX,
};

struct visit {
	void (*each)(void *arg, const struct digest_record *r);
	void *arg;
};

static void visit(void *arg, const void *record)
{
	const struct visit *v = arg;

	v->each(v->arg, record);
}

void digest_log_load(const char *path, void (*each)(void *arg, const struct digest_record *r), void *arg)
{
	struct visit v = { each, arg };

	record_log_load(&digests, path, visit, &v);
}

bool digest_log_append(const char *path, struct digest_record *records, size_t count)
{
	return record_log_append(&digests, path, records, count);
}

void digest_log_replace(const char *path, struct digest_record *records, size_t count)
{
	record_log_replace(&digests, path, records, count);
}
