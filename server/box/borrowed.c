/*
 * borrowed.c - what one job's view is made of, and where its contents are.
 *
 * Contents are opened by digest in the store, but only those of which rccd has
 * said that they are there: all that are likely to be read are asked for at
 * once, at the start, and come while the job already runs.
 */
#include "borrowed.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "changes.h"
#include "clock.h"
#include "file.h"
#include "overlay.h"
#include "terminal.h"
#include "usage.h"

enum { FILES_MAX = 16384, DIGESTS_FIRST = 256, NEED_BYTES = 32 << 10, MAP_BYTES = 4096 };

enum where { KNOWN, NEEDED, HERE };

/* The contents of files that the job was told of. */
struct content {
	struct digest digest;
	uint64_t size;
	char *path;		/* a file at the caller with them; "": the manifest. NULL: a free slot of the table */
	uint8_t where;		/* enum where */
};

struct borrowed {
	struct link *link;
	const struct box_request *request;
	int blobs;		/* the store's directory of contents */
	int null;		/* /dev/null */
	int terminal[2];	/* -1: its caller has none, or they were handed over */
	struct facts start;	/* until the view has it */
	size_t start_count;
	struct buf manifest;	/* as it was named */
	struct view *view;
	struct fuse *fuse;
	struct overlay overlay;
	struct content *contents;	/* open addressing */
	size_t content_count, content_room;
	char why[128];		/* it was stopped */
};

/* --- frames ------------------------------------------------------------------ */

/* In as many frames as it takes. */
static int send_message(struct link *l, uint8_t type, uint32_t id, const struct buf *b, struct err *err)
{
	size_t at = 0;
	int rc;

	do {
		size_t part = size_min(b->len - at, FRAME_MAX);
		struct frame f = { .type = type, .id = id, .payload = b->p + at, .length = (uint32_t)part, .raw = (uint32_t)part,
				   .flags = at + part < b->len ? FRAME_MORE : 0 };

		rc = link_send(l, &f, err);
		at += part;
	} while (rc == 0 && at < b->len);
	return rc;
}

/* --- contents ------------------------------------------------------------------ */

static struct content *slot_of(struct content *v, size_t room, const struct digest *d)
{
	size_t at;

	memcpy(&at, d->b, sizeof at);
	for (at %= room; v[at].path && !digest_eq(&v[at].digest, d);)
		at = (at + 1) % room;
	return &v[at];
}

static void grow(struct borrowed *f)
{
	size_t room = f->content_room ? 2 * f->content_room : DIGESTS_FIRST;
	struct content *v = xcalloc(room, sizeof *v);

	for (size_t i = 0; i < f->content_room; i++)
		if (f->contents[i].path)
			*slot_of(v, room, &f->contents[i].digest) = f->contents[i];
	free(f->contents);
	f->contents = v;
	f->content_room = room;
}

static struct content *content_of(struct borrowed *f, const struct digest *d)
{
	if (2 * f->content_count >= f->content_room)
		grow(f);
	return slot_of(f->contents, f->content_room, d);
}

/* Needs that go together. */
struct needs {
	struct wire_needed v[NEED_MAX];
	size_t count, bytes;
};

static int flush_needs(struct borrowed *f, struct needs *n, struct err *err)
{
	const struct wire_need m = { n->v, n->count };
	autobuf struct buf b = { 0 };

	if (!n->count)
		return 0;
	wire_need_put(&b, &m);
	n->count = n->bytes = 0;
	return send_message(f->link, WIRE_NEED, 0, &b, err);
}

static struct content *know(struct borrowed *f, const struct digest *d, uint64_t size, const char *path)
{
	struct content *c = content_of(f, d);

	if (!c->path) {
		*c = (struct content){ .digest = *d, .size = size, .path = xstrdup(path) };
		f->content_count++;
	}
	return c;
}

static int add_need(struct borrowed *f, struct needs *n, struct content *c, struct err *err)
{
	if (c->where != KNOWN)
		return 0;
	c->where = NEEDED;
	n->v[n->count++] = (struct wire_needed){ c->digest, c->size, c->path };
	n->bytes += strlen(c->path);
	return n->count == NEED_MAX || n->bytes > NEED_BYTES ? flush_needs(f, n, err) : 0;
}

static int need_one(struct borrowed *f, struct content *c, struct err *err)
{
	static struct needs n;
	int rc = add_need(f, &n, c, err);

	return rc < 0 ? rc : flush_needs(f, &n, err);
}

/* Those of files that are likely to be read; the others when they are. */
static int need_all(struct borrowed *f, const struct facts *all, struct err *err)
{
	static struct needs n;
	int rc = 0;

	for (size_t i = 0; i < all->count && rc == 0; i++) {
		const struct fact *a = &all->v[i];
		struct content *c = a->kind == FACT_FILE && !digest_none(&a->digest) ? know(f, &a->digest, a->size, a->path) : NULL;

		if (c && !a->unread)
			rc = add_need(f, &n, c, err);
	}
	return rc < 0 ? rc : flush_needs(f, &n, err);
}

static int open_blob(const struct borrowed *f, const struct digest *d)
{
	char hex[2 * DIGEST_SIZE + 1], name[2 * DIGEST_SIZE + 2];

	for (size_t i = 0; i < DIGEST_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", d->b[i]);
	snprintf(name, sizeof name, "%.2s/%s", hex, hex + 2);
	return openat(f->blobs, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static int on_have(struct borrowed *f, const struct frame *frame, struct err *err)
{
	struct reader r = reader_of(frame->payload, frame->length);
	struct wire_want m;
	int rc = wire_want_get(&r, &m, err);

	for (size_t i = 0; i < m.count && rc == 0; i++) {
		struct content *c = content_of(f, &m.digests[i]);

		if (!c->path || c->where == KNOWN)
			rc = err_set(err, ERR_WIRE, "HAVE of what was not needed");
		else
			c->where = HERE;
		if (rc == 0 && f->fuse)
			fuse_arrived(f->fuse, &m.digests[i]);
	}
	wire_want_free(&m);
	return rc;
}

/* --- what the view asks ---------------------------------------------------------- */

static void stop(void *arg, const char *why)
{
	struct borrowed *f = arg;

	if (!*f->why)
		snprintf(f->why, sizeof f->why, "%s", why);
}

static void ask(void *arg, uint64_t question, const char *path, bool listing)
{
	struct borrowed *f = arg;
	const struct wire_question m = { .listing = listing, .path = (char *)path };
	autobuf struct buf b = { 0 };

	wire_question_put(&b, &m);
	send_message(f->link, WIRE_QUESTION, (uint32_t)question, &b, NULL);	/* if rccd is gone, the next turn finds that */
}

static int open_contents(void *arg, const struct digest *d)
{
	struct borrowed *f = arg;
	struct content *c = content_of(f, d);
	int fd;

	if (!c->path) {
		errno = EIO;
		return -1;
	}
	fd = c->where == HERE ? open_blob(f, d) : -1;
	if (fd >= 0 || (c->where == HERE && errno != ENOENT))
		return fd;
	/* it went while we ran, or nobody thought that it would be read */
	if (c->where != NEEDED) {
		c->where = KNOWN;
		need_one(f, c, NULL);
	}
	errno = EAGAIN;
	return -1;
}

static const struct fuse_hooks hooks = { .ask = ask, .open = open_contents, .stop = stop };

/* --- what the caller says ------------------------------------------------------------ */

static int on_answer(struct borrowed *f, const struct frame *frame, struct err *err)
{
	struct reader r = reader_of(frame->payload, frame->length);
	struct facts answer;
	int rc = facts_get(&r, &answer, err);

	if (rc == 0)
		rc = need_all(f, &answer, err);
	return rc < 0 ? rc : fuse_answer(f->fuse, frame->id, &answer, err);
}

static int on_none(struct borrowed *f, const struct frame *frame, struct err *err)
{
	struct reader r = reader_of(frame->payload, frame->length);
	struct digest d;
	struct content *c;
	int rc = wire_digest_get(&r, &d, err);

	if (rc < 0)
		return rc;
	c = content_of(f, &d);
	if (!c->path || c->where != NEEDED)
		return err_set(err, ERR_WIRE, "BLOB_NONE of what was not needed");
	snprintf(f->why, sizeof f->why, "%.90s: its contents cannot be had", *c->path ? c->path : "the manifest");
	return 0;
}

bool borrowed_take(struct borrowed *f, const struct frame *frame, int *rc, struct err *err)
{
	static const struct { uint8_t type; int (*take)(struct borrowed *f, const struct frame *frame, struct err *err); } rows[] = {
		{ WIRE_ANSWER, on_answer }, { WIRE_HAVE, on_have }, { WIRE_BLOB_NONE, on_none },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == frame->type) {
			*rc = rows[i].take(f, frame, err);
			return true;
		}
	return false;
}

/* --- the start -------------------------------------------------------------------------- */

/* A frame. */
static int await(struct borrowed *f, struct frame *frame, uint64_t end_us, struct err *err)
{
	int rc;

	while ((rc = link_next(f->link, frame, err)) == 0) {
		struct pollfd p = { .fd = f->link->fd, .events = POLLIN };
		uint64_t now_us = clock_us();

		if (now_us >= end_us)
			return err_set(err, ERR_LIMIT, "wall time: more than %u s", f->request->wall_seconds);
		if (poll(&p, 1, (int)((end_us - now_us) / 1000 + 1)) < 0 && errno != EINTR)
			return err_sys(err, "poll");
		if (p.revents && (rc = link_fill(f->link, err)) < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

static int read_manifest(struct borrowed *f, struct facts *out, struct err *err)
{
	autoclose int fd = open_blob(f, &f->request->job.caller.manifest);
	struct reader r;
	int rc = fd < 0 ? err_sys(err, "open the manifest") : read_all(fd, FACTS_BYTES_MAX, &f->manifest, err);

	if (rc < 0)
		return rc;
	r = reader_of(f->manifest.p, f->manifest.len);
	rc = facts_get(&r, out, err);
	if (rc == 0 && !reader_done(&r))
		rc = err_set(err, ERR_WIRE, "bytes beyond its facts");
	return rc < 0 ? err_wrap(err, "manifest"), ERR_UNSUPPORTED : 0;
}

static int take_early(struct borrowed *f, const struct frame *frame, struct facts *changed, bool *told, struct err *err)
{
	struct reader r = reader_of(frame->payload, frame->length);

	if (frame->type == WIRE_HAVE)
		return on_have(f, frame, err);
	if (frame->type == WIRE_BLOB_NONE)
		return on_none(f, frame, err) < 0 ? err->code : err_set(err, ERR_UNSUPPORTED, "%s", f->why);
	if (frame->type != WIRE_FACTS || *told)
		return err_set(err, ERR_WIRE, "an unexpected %s", wire_protocol.rules[frame->type].name);
	*told = true;
	return facts_get(&r, changed, err);
}

static void merge(struct facts *start, struct facts *changed)
{
	for (size_t i = 0; i < changed->count; i++)
		facts_set(start, &changed->v[i]);
	facts_free(changed);
}

/* The manifest, and what has changed since. */
static int get_facts(struct borrowed *f, struct err *err)
{
	const struct job_caller *caller = &f->request->job.caller;
	autofacts struct facts changed = { 0 };
	struct content *manifest = caller->manifest_size ? know(f, &caller->manifest, caller->manifest_size, "") : NULL;
	const uint64_t end_us = clock_us() + (uint64_t)f->request->wall_seconds * 1000000;
	struct frame frame;
	bool told = false;
	int rc = manifest ? need_one(f, manifest, err) : 0;

	while (rc == 0 && !(told && (!manifest || content_of(f, &caller->manifest)->where == HERE))) {
		rc = await(f, &frame, end_us, err);
		if (rc == 0)
			rc = take_early(f, &frame, &changed, &told, err);
	}
	if (rc == 0 && manifest)
		rc = read_manifest(f, &f->start, err);
	if (rc == 0)
		merge(&f->start, &changed);
	f->start_count = f->start.count;
	return rc;
}

/* The toolchain's files come from the store, whatever the caller has in their places. */
static struct { struct view *view; size_t skip; } hiding;

static int hide_one(const char *path, const struct stat *st UNUSED, int kind, struct FTW *ftw UNUSED)
{
	if (kind != FTW_D)
		view_hide(hiding.view, path + hiding.skip);
	return 0;
}

static int make_view(struct borrowed *f, struct err *err)
{
	const char *root = f->request->root;
	int rc = need_all(f, &f->start, err);

	if (rc < 0)
		return rc;
	f->view = view_new(&f->start);
	hiding.view = f->view;
	hiding.skip = strlen(root);
	return nftw(root, hide_one, 16, FTW_PHYS) != 0 ? err_sys(err, "look through %s", root) : 0;
}

struct fuse_owner borrowed_owner(const struct box_request *q)
{
	return q->uid ? (struct fuse_owner){ .uid = q->uid, .gid = q->uid, .other = true } :
			(struct fuse_owner){ .uid = getuid(), .gid = getgid() };
}

/* The kernel's own has all ids, as they are. */
bool borrowed_in_user_namespace(void)
{
	autobuf struct buf map = { 0 };
	unsigned first, outside, count;

	return read_file("/proc/self/uid_map", MAP_BYTES, &map, NULL) < 0 ||
	       sscanf(buf_str(&map), "%u %u %u", &first, &outside, &count) != 3 || first || outside || count != UINT32_MAX;
}

static int make_root(struct borrowed *f, struct err *err)
{
	const struct box_request *q = f->request;
	autofree char *place = xasprintf("%s/job", q->root);
	int rc;

	f->overlay = (struct overlay){ .toolchain = q->root, .place = place, .bytes = q->scratch_bytes, .files = FILES_MAX,
				       .in_user_namespace = borrowed_in_user_namespace(),
				       .owner = borrowed_owner(q), .upper = -1, .proc = -1, .root = -1 };
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make mounts private");
	rc = overlay_prepare(&f->overlay, f->view, &hooks, f, &f->fuse, err);
	if (rc == 0)
		rc = overlay_enter(&f->overlay, f->fuse, err);
	if (rc == 0 && fchdir(f->overlay.root) < 0)
		rc = err_sys(err, "enter the job's root");
	return rc;
}

static int open_ours(struct borrowed *f, struct err *err)
{
	f->blobs = open(f->request->blobs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->blobs < 0)
		return err_sys(err, "%s", f->request->blobs);
	f->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (f->null < 0)
		return err_sys(err, "/dev/null");
	return f->request->job.caller.columns ? terminal_open(&f->request->job.caller, f->terminal, err) : 0;
}

int borrowed_enter(struct link *l, const struct box_request *q, struct borrowed **out, struct err *err)
{
	struct borrowed *f = *out = xcalloc(1, sizeof *f);
	int rc;

	*f = (struct borrowed){ .link = l, .request = q, .blobs = -1, .null = -1, .terminal = { -1, -1 }, .overlay = { .upper = -1, .proc = -1, .root = -1 } };
	rc = open_ours(f, err);
	if (rc == 0)
		rc = get_facts(f, err);
	if (rc == 0)
		rc = make_view(f, err);
	return rc < 0 ? rc : make_root(f, err);
}

/* --- while it runs -------------------------------------------------------------------------- */

int borrowed_fd(const struct borrowed *f) { return fuse_fd(f->fuse); }
int borrowed_null(const struct borrowed *f) { return f->null; }

bool borrowed_terminal(struct borrowed *f, int ends[2])
{
	bool is = f->terminal[0] >= 0;

	if (is) {
		ends[0] = fd_steal(&f->terminal[0]);
		ends[1] = fd_steal(&f->terminal[1]);
	}
	return is;
}

int borrowed_turn(struct borrowed *f, struct err *err) { return fuse_turn(f->fuse, err); }
const char *borrowed_stopped(const struct borrowed *f) { return *f->why ? f->why : NULL; }
int borrowed_patience(struct borrowed *f) { return fuse_patience(f->fuse, clock_us()); }

uint64_t borrowed_usage_kb(const struct borrowed *f, pid_t pid)
{
	struct statfs fs;
	uint64_t own = fstatfs(f->overlay.upper, &fs) < 0 ? 0 : (fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize / 1024;

	return own + usage_memory_at(f->overlay.proc, pid);
}

void borrowed_program_ended(struct borrowed *f) { fuse_program_ended(f->fuse); }

/* --- its end --------------------------------------------------------------------------------- */

void borrowed_end(struct borrowed *f) { fuse_free(ptr_steal(&f->fuse)); }

int borrowed_changes(struct borrowed *f, struct changes *all, struct err *err)
{
	autobuf struct buf b = { 0 };
	int rc = changes_collect(f->overlay.upper, f->overlay.root, f->view, all, err);

	if (rc < 0)
		return rc;
	changes_put(&b, all);
	return b.len > CHANGES_BYTES_MAX ? err_set(err, ERR_LIMIT, "names of too many files changed") :
					   send_message(f->link, WIRE_CHANGES, 0, &b, err);
}

int borrowed_open_change(const struct borrowed *f, const struct change *c, struct err *err)
{
	int fd = openat(f->overlay.upper, c->path + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == c->size)
		return fd;
	if (fd >= 0)
		close(fd);
	return err_set(err, ERR_IO, "read what was written to %.80s", path_base(c->path));
}

struct uses {
	struct used used;
	struct fact *kept;	/* of the next manifest */
	size_t count, room;
};

static void add_use(void *arg, const struct view_use *u)
{
	struct uses *all = arg;

	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 256;
		all->kept = xrealloc(all->kept, all->room * sizeof *all->kept);
	}
	all->kept[all->count] = fact_used(u->fact, u->path, u->how);
	fact_own(&all->kept[all->count++]);
	if (u->in_manifest)
		all->used.how[u->index] = (uint8_t)u->how;
	else
		used_add(&all->used, xstrdup(u->path), u->how);
}

static int by_path(const void *a, const void *b)
{
	return path_order(((const struct fact *)a)->path, ((const struct fact *)b)->path);
}

/* To rccd, unless it is the one that we began with. */
static int keep(struct borrowed *f, struct uses *all, struct err *err)
{
	autobuf struct buf b = { 0 };
	autofacts struct facts next = { 0 };

	/* in order, each is put at the end */
	if (all->count)
		qsort(all->kept, all->count, sizeof *all->kept, by_path);
	for (size_t i = 0; i < all->count; i++)
		facts_set(&next, &all->kept[i]);
	facts_next(&next);
	if (!facts_fit(&next))
		return 0;
	facts_put(&b, &next);
	if (b.len == f->manifest.len && memcmp(b.p, f->manifest.p, b.len) == 0)
		return 0;
	return send_message(f->link, WIRE_KEEP, 0, &b, err);
}

int borrowed_send_used(struct borrowed *f, struct err *err)
{
	struct uses all = { 0 };
	autobuf struct buf b = { 0 };
	int rc;

	used_init(&all.used, f->start_count);
	view_each_use(f->view, add_use, &all);
	used_put(&b, &all.used);
	rc = b.len > USED_BYTES_MAX || !used_fit(&all.used) ?
	     err_set(err, ERR_LIMIT, "it looked at too many files") : send_message(f->link, WIRE_USED, 0, &b, err);
	if (rc == 0)
		rc = keep(f, &all, err);
	for (size_t i = 0; i < all.count; i++)
		fact_free(&all.kept[i]);	/* what was not taken */
	free(all.kept);
	used_free(&all.used);
	return rc;
}

void borrowed_free(struct borrowed *f)
{
	if (!f)
		return;
	fuse_free(f->fuse);
	view_free(f->view);
	facts_free(&f->start);
	buf_free(&f->manifest);
	for (size_t i = 0; i < f->content_room; i++)
		free(f->contents[i].path);
	free(f->contents);
	free(f);	/* the process ends: its descriptors go with it */
}
