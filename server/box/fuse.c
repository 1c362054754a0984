/*
 * fuse.c - the kernel's requests, looked up in a table, answered from a view.
 *
 * The kernel is told to keep whatever it gets, names that are absent too, so
 * that each name, link and byte is asked for once in a job. What it need not be
 * told about is answered "no such call" (ENOSYS), which it remembers as well: so
 * it opens files without asking.
 * Bytes from the kernel are trusted; what facts say was checked when they were
 * decoded, and a false size harms its own job only.
 */
#include "fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "clock.h"
#include "places.h"

enum {
	MINOR = 31,
	REQUEST_MAX = 64 * 1024,
	WRITE_MAX = 4096,		/* the least that the kernel wants to be told: there are no writes */
	READ_PAGES = 256,
	READ_MAX = READ_PAGES * 4096,
	BACKGROUND = 64,		/* reads ahead of need */
	KEEP_SECONDS = 1 << 28,
	NOBODY = -2,			/* an id that is none in a user namespace */
	UNKNOWN_INODE = -1,	/* in listings, where 0 would mean "no entry" */
};

struct parked {
	struct parked *next;
	uint64_t question;		/* 0: it waits for contents */
	struct digest digest;
	uint64_t since_us;
	size_t len;
	unsigned char request[];
};

struct question {
	struct question *next;
	uint64_t id;
	bool listing;
	char path[];
};

struct fuse {
	int fd;
	struct view *view;
	int proc;
	struct fuse_owner owner;
	const struct fuse_hooks *hooks;
	void *arg;
	struct fuse_counts counts;
	struct parked *parked;
	struct question *questions;
	const struct question *answered;	/* its requests are being tried again */
	bool stopped;
	int blob;				/* contents of which a part was read: */
	struct digest blob_digest;
	struct err *err;			/* of this turn */
	unsigned char request[REQUEST_MAX];
	unsigned char reply[READ_MAX];
};

static void reply(struct fuse *f, const struct fuse_in_header *h, int error, const void *p, size_t len)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof out + len), .error = -error, .unique = h->unique };
	struct iovec v[] = { { &out, sizeof out }, { (void *)p, len } };

	/* ENOENT: whoever asked is gone */
	if (writev(f->fd, v, len ? 2 : 1) < 0 && errno != ENOENT)
		f->stopped = true;
}

static void fail(struct fuse *f, const struct fuse_in_header *h, int error)
{
	reply(f, h, error, NULL, 0);
}

static struct fuse_in_header *header_of(struct parked *p) { return (struct fuse_in_header *)p->request; }

static void stop(struct fuse *f, const char *why)
{
	struct parked *p;

	if (f->stopped)
		return;
	f->stopped = true;
	f->hooks->stop(f->arg, why);
	while ((p = f->parked)) {
		f->parked = p->next;
		fail(f, header_of(p), EIO);
		free(p);
	}
}

/* A request that cannot be answered because the job cannot go on. */
static void stop_at(struct fuse *f, const struct fuse_in_header *h, const char *what, const char *path)
{
	autofree char *why = xasprintf("%s: %s", path, what);

	fail(f, h, EIO);
	stop(f, why);
}

static struct parked *park(struct fuse *f, const struct fuse_in_header *h)
{
	struct parked *p = xcalloc(1, sizeof *p + h->len), **last = &f->parked;

	p->len = h->len;
	p->since_us = clock_us();
	memcpy(p->request, h, h->len);
	while (*last)
		last = &(*last)->next;
	*last = p;
	f->counts.waits++;
	return p;
}

static const struct question *find_question(const struct fuse *f, const char *path, bool listing)
{
	const struct question *q = f->questions;

	while (q && !(q->listing == listing && str_eq(q->path, path)))
		q = q->next;
	return q;
}

static const struct question *new_question(struct fuse *f, const char *path, bool listing)
{
	struct question *q = xmalloc(sizeof *q + strlen(path) + 1);

	q->id = ++f->counts.questions;
	q->listing = listing;
	strcpy(q->path, path);
	q->next = f->questions;
	f->questions = q;
	f->hooks->ask(f->arg, q->id, path, listing);
	return q;
}

/* The request waits for the caller to say what id is. */
static void ask(struct fuse *f, const struct fuse_in_header *h, uint64_t id, bool listing)
{
	autofree char *path = view_path(f->view, id);
	const struct question *q = find_question(f, path, listing);

	if (f->answered && f->answered->listing == listing && str_eq(f->answered->path, path))
		stop_at(f, h, listing ? "a directory of too many names" : "the caller does not say what it is", path);
	else if (!q && f->counts.questions >= FUSE_QUESTIONS_MAX)
		stop_at(f, h, "too many questions", path);
	else
		park(f, h)->question = q ? q->id : new_question(f, path, listing)->id;
}

/*
 * Mode and owner such that the job may do what its caller may. Where the true
 * ones do not say so (access lists, or a caller who is root), what it may counts.
 */
static void set_rights(const struct fuse *f, const struct fact *fact, struct fuse_attr *a)
{
	const struct fuse_owner *o = &f->owner;
	unsigned owner = fact->mode >> 6 & 7, group = fact->mode >> 3 & 7, others = fact->mode & 7;

	a->mode |= fact->mode;
	a->uid = o->uid;
	a->gid = o->gid;
	if (fact->own && owner == fact->access)
		return;
	/* a directory may have to be copied, with its owner, who must exist for that */
	if (!fact->own && (others == fact->access || group == fact->access) &&
	    (o->other || (fact->kind == FACT_FILE && !(fact->access & FACT_WRITE)))) {
		a->uid = o->other ? o->other_uid : (uint32_t)NOBODY;
		a->gid = group == fact->access ? o->gid : o->other ? o->other_gid : (uint32_t)NOBODY;
		return;
	}
	a->mode = (a->mode & ~0700U) | (uint32_t)fact->access << 6;
}

static void set_time(struct fuse_attr *a, int64_t ns)
{
	int64_t nanos = ns % 1000000000, seconds = ns / 1000000000;

	if (nanos < 0) {
		nanos += 1000000000;
		seconds--;
	}
	a->atime = a->mtime = a->ctime = (uint64_t)seconds;
	a->atimensec = a->mtimensec = a->ctimensec = (uint32_t)nanos;
}

static const struct fact *fact_of(const struct fuse *f, uint64_t id)
{
	return place_is(id) ? place_fact(id) : view_fact(f->view, id);
}

/* "/" may not be known: then it is like most. */
static struct fuse_attr attr_of(const struct fuse *f, uint64_t id, const struct fact *fact)
{
	static const struct fact some_root = { .kind = FACT_DIR, .mode = 0755, .access = 5 };
	static const uint32_t types[FACT_KINDS] = { [FACT_FILE] = S_IFREG, [FACT_LINK] = S_IFLNK | 0777, [FACT_DIR] = S_IFDIR };
	struct fuse_attr a = { .ino = id | FUSE_INODE, .nlink = 1, .blksize = 4096, .uid = f->owner.uid, .gid = f->owner.gid };

	if (!fact)
		fact = &some_root;
	a.mode = types[fact->kind];
	if (fact->kind != FACT_LINK)
		set_rights(f, fact, &a);
	a.size = fact->kind == FACT_LINK ? strlen(fact->target) : fact->kind == FACT_DIR ? 4096 : fact->size;
	a.blocks = (a.size + 511) / 512;
	set_time(&a, fact->mtime_ns);
	return a;
}

static void on_init(struct fuse *f, const struct fuse_in_header *h, const void *arg)
{
	static const uint32_t wanted = FUSE_ASYNC_READ | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_NO_OPEN_SUPPORT |
				       FUSE_NO_OPENDIR_SUPPORT | FUSE_CACHE_SYMLINKS;
	const struct fuse_init_in *in = arg;
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = MINOR, .max_readahead = in->max_readahead,
				     .flags = in->flags & wanted, .max_background = BACKGROUND,
				     .congestion_threshold = BACKGROUND, .max_write = WRITE_MAX, .time_gran = 1,
				     .max_pages = READ_PAGES };

	if (in->major == FUSE_KERNEL_VERSION && in->minor >= MINOR) {
		reply(f, h, 0, &out, sizeof out);
		return;
	}
	fail(f, h, EPROTO);
	err_set(f->err, ERR_UNSUPPORTED, "the kernel's file system protocol is %u.%u, older than 7.%d", in->major, in->minor, MINOR);
}

static void stop_at_place(struct fuse *f, const struct fuse_in_header *h, const char *name)
{
	autofree char *dir = place_path(h->nodeid), *path = xasprintf("%s%s%s", dir, *name ? "/" : "", name);

	stop_at(f, h, "only its caller's is right", path);
}

/* id 0: it is absent, and that is kept. */
static void reply_entry(struct fuse *f, const struct fuse_in_header *h, uint64_t id)
{
	struct fuse_entry_out out = { .nodeid = id, .entry_valid = KEEP_SECONDS, .attr_valid = KEEP_SECONDS };

	if (id)
		out.attr = attr_of(f, id, fact_of(f, id));
	reply(f, h, 0, &out, sizeof out);
}

/* Do the places answer for this name? */
static bool answer_place(struct fuse *f, const struct fuse_in_header *h, const char *name)
{
	uint64_t id = 0;
	enum place_answer answer = place_lookup(h->nodeid, name, &id);

	if (answer == PLACE_UNFIT)
		stop_at_place(f, h, name);
	else if (answer != PLACE_NONE)
		reply_entry(f, h, id);
	return answer != PLACE_NONE;
}

static void on_lookup(struct fuse *f, const struct fuse_in_header *h, const void *arg)
{
	uint64_t id = 0;
	enum view_answer answer;
	autofree char *path = NULL;

	if (answer_place(f, h, arg))
		return;
	answer = strlen(arg) > FACT_NAME_MAX ? VIEW_ABSENT : view_lookup(f->view, h->nodeid, arg, &id);
	path = answer == VIEW_OTHER ? view_path(f->view, id) : NULL;
	switch (answer) {
	case VIEW_HERE:
		reply_entry(f, h, id);
		return;
	case VIEW_ABSENT:
		reply_entry(f, h, 0);
		return;
	case VIEW_DENIED:
		fail(f, h, EACCES);
		return;
	case VIEW_ASK:
		ask(f, h, id, false);
		return;
	case VIEW_OTHER:
		stop_at(f, h, "no file that can be sent", path);
		return;
	case VIEW_FULL:
		stop_at(f, h, "one of too many files", arg);
		return;
	}
}

static void on_getattr(struct fuse *f, const struct fuse_in_header *h, UNUSED const void *arg)
{
	struct fuse_attr_out out = { .attr_valid = KEEP_SECONDS, .attr = attr_of(f, h->nodeid, fact_of(f, h->nodeid)) };

	reply(f, h, 0, &out, sizeof out);
}

static void on_readlink(struct fuse *f, const struct fuse_in_header *h, UNUSED const void *arg)
{
	bool own = h->nodeid == place_program();
	autofree char *program = own ? place_program_of(f->proc, (pid_t)h->pid) : NULL;
	const char *target = own ? program : fact_of(f, h->nodeid)->target;

	if (target)
		reply(f, h, 0, target, strlen(target));
	else
		stop_at_place(f, h, "");
}

static void close_blob(struct fuse *f)
{
	if (f->blob >= 0)
		close(f->blob);
	f->blob = -1;
}

static bool open_blob(struct fuse *f, const struct digest *d)
{
	if (f->blob >= 0 && digest_eq(&f->blob_digest, d))
		return true;
	close_blob(f);
	f->blob = f->hooks->open(f->arg, d);
	f->blob_digest = *d;
	return f->blob >= 0;
}

static void on_read(struct fuse *f, const struct fuse_in_header *h, const void *arg)
{
	const struct fuse_read_in *in = arg;
	const struct fact *fact = view_read(f->view, h->nodeid);
	ssize_t n;

	if (fact_lacks_contents(fact)) {
		ask(f, h, h->nodeid, false);
		return;
	}
	if (!open_blob(f, &fact->digest)) {
		if (errno == EAGAIN)
			park(f, h)->digest = fact->digest;
		else
			stop_at(f, h, strerror(errno), "contents");
		return;
	}
	n = pread(f->blob, f->reply, size_min(in->size, READ_MAX), (off_t)in->offset);
	if (n < 0) {
		stop_at(f, h, strerror(errno), "contents");
		return;
	}
	f->counts.bytes += (uint64_t)n;
	reply(f, h, 0, f->reply, (size_t)n);
	if (in->offset + (uint64_t)n >= fact->size)
		close_blob(f);
}

/* False: it does not fit. */
static bool add_name(struct fuse *f, size_t *len, size_t max, uint64_t offset, const char *name)
{
	struct fuse_dirent *d = (struct fuse_dirent *)(f->reply + *len);
	size_t name_len = strlen(name), size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + name_len);

	if (*len + size > max)
		return false;
	memset(d, 0, size);
	*d = (struct fuse_dirent){ .ino = (uint32_t)UNKNOWN_INODE, .off = offset, .namelen = (uint32_t)name_len };
	memcpy(d->name, name, name_len);
	*len += size;
	return true;
}

static void on_readdir(struct fuse *f, const struct fuse_in_header *h, const void *arg)
{
	static const char *const dots[] = { ".", ".." };
	const struct fuse_read_in *in = arg;
	const struct argv *names;
	size_t len = 0, max = size_min(in->size, READ_MAX);

	if (place_is(h->nodeid)) {
		stop_at_place(f, h, "");
		return;
	}
	if (view_list(f->view, h->nodeid, &names) == VIEW_ASK) {
		ask(f, h, h->nodeid, true);
		return;
	}
	for (uint64_t i = in->offset; i < names->count + ARRAY_LEN(dots); i++)
		if (!add_name(f, &len, max, i + 1, i < ARRAY_LEN(dots) ? dots[i] : names->v[i - ARRAY_LEN(dots)]))
			break;
	reply(f, h, 0, f->reply, len);
}

static void on_statfs(struct fuse *f, const struct fuse_in_header *h, UNUSED const void *arg)
{
	const struct fuse_statfs_out out = { .st = { .bsize = 4096, .frsize = 4096, .namelen = FACT_NAME_MAX } };

	reply(f, h, 0, &out, sizeof out);
}

/* Whoever waits does not want to any more. */
static void on_interrupt(struct fuse *f, UNUSED const struct fuse_in_header *h, const void *arg)
{
	const struct fuse_interrupt_in *in = arg;

	for (struct parked **at = &f->parked, *p; (p = *at); at = &p->next)
		if (header_of(p)->unique == in->unique) {
			*at = p->next;
			fail(f, header_of(p), EINTR);
			free(p);
			return;
		}
}

/* Nodes live as long as the job: nothing is forgotten, and no answer expected. */
static void on_forget(UNUSED struct fuse *f, UNUSED const struct fuse_in_header *h, UNUSED const void *arg)
{
}

static void on_change(struct fuse *f, const struct fuse_in_header *h, UNUSED const void *arg)
{
	fail(f, h, EROFS);
}

static void on_ioctl(struct fuse *f, const struct fuse_in_header *h, UNUSED const void *arg)
{
	fail(f, h, ENOTTY);
}

typedef void handler(struct fuse *f, const struct fuse_in_header *h, const void *arg);

/* Without a row: ENOSYS, which the kernel remembers: it does not ask again, and says what is right for it. */
static handler *const handlers[] = {
	[FUSE_LOOKUP] = on_lookup, [FUSE_FORGET] = on_forget, [FUSE_GETATTR] = on_getattr, [FUSE_SETATTR] = on_change,
	[FUSE_READLINK] = on_readlink, [FUSE_SYMLINK] = on_change, [FUSE_MKNOD] = on_change, [FUSE_MKDIR] = on_change,
	[FUSE_UNLINK] = on_change, [FUSE_RMDIR] = on_change, [FUSE_RENAME] = on_change, [FUSE_LINK] = on_change,
	[FUSE_READ] = on_read, [FUSE_WRITE] = on_change, [FUSE_STATFS] = on_statfs,
	[FUSE_SETXATTR] = on_change, [FUSE_REMOVEXATTR] = on_change, [FUSE_INIT] = on_init,
	[FUSE_READDIR] = on_readdir, [FUSE_CREATE] = on_change, [FUSE_INTERRUPT] = on_interrupt,
	[FUSE_DESTROY] = on_forget, [FUSE_IOCTL] = on_ioctl, [FUSE_BATCH_FORGET] = on_forget,
	[FUSE_FALLOCATE] = on_change, [FUSE_RENAME2] = on_change,
};

static void handle(struct fuse *f, const struct fuse_in_header *h)
{
	handler *act = h->opcode < ARRAY_LEN(handlers) ? handlers[h->opcode] : NULL;

	if (act == on_forget)
		return;
	if (f->stopped && act != on_interrupt)
		fail(f, h, EIO);
	else if (act)
		act(f, h, h + 1);
	else
		fail(f, h, ENOSYS);
}

static void count(struct fuse *f, const struct fuse_in_header *h)
{
	f->counts.requests++;
	f->counts.lookups += h->opcode == FUSE_LOOKUP;
	f->counts.reads += h->opcode == FUSE_READ;
	f->counts.listings += h->opcode == FUSE_READDIR;
}

int fuse_turn(struct fuse *f, struct err *err)
{
	/* one at a time: most often the job waits for just this one */
	ssize_t n = read(f->fd, f->request, sizeof f->request);

	if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOENT))
		return 0;
	if (n < 0)
		return errno == ENODEV ? err_set(err, ERR_CLOSED, "unmounted") : err_sys(err, "read a request for a file");
	count(f, (const struct fuse_in_header *)f->request);
	*err = (struct err){ 0 };
	f->err = err;
	handle(f, (const struct fuse_in_header *)f->request);
	return err->code;
}

/* Those that waited for this question (0: for contents). */
static void retry(struct fuse *f, uint64_t question, const struct digest *digest)
{
	struct parked *all = f->parked, *p;

	f->parked = NULL;
	while ((p = all)) {
		struct parked **last = &f->parked;

		all = p->next;
		p->next = NULL;
		if (f->stopped || (p->question == question && (!digest || digest_eq(&p->digest, digest)))) {
			handle(f, header_of(p));
			free(p);
			continue;
		}
		while (*last)
			last = &(*last)->next;
		*last = p;
	}
}

int fuse_answer(struct fuse *f, uint64_t question, struct facts *answer, struct err *err)
{
	struct question **at = &f->questions, *q;
	int rc;

	while ((q = *at) && q->id != question)
		at = &q->next;
	if (!q) {
		facts_free(answer);
		return err_set(err, ERR_WIRE, "an answer to question %llu, which was not asked", (unsigned long long)question);
	}
	*at = q->next;
	rc = view_learn(f->view, answer, err);
	if (rc < 0)
		stop(f, err->text);
	f->answered = q;
	retry(f, question, NULL);
	f->answered = NULL;
	free(q);
	return 0;
}

void fuse_arrived(struct fuse *f, const struct digest *digest)
{
	retry(f, 0, digest);
}

int fuse_patience(struct fuse *f, uint64_t now_us)
{
	const uint64_t all_us = FUSE_ANSWER_SECONDS * 1000000ULL;
	uint64_t oldest = now_us;

	if (!f->parked)
		return -1;
	for (const struct parked *p = f->parked; p; p = p->next)
		if (p->since_us < oldest)
			oldest = p->since_us;
	if (now_us - oldest < all_us)
		return (int)((all_us - (now_us - oldest)) / 1000 + 1);
	stop(f, "the caller does not answer");
	return -1;
}

void fuse_program_ended(struct fuse *f)
{
	const struct fuse_notify_inval_inode_out out = { .ino = place_program() };
	const struct fuse_out_header h = { .len = sizeof h + sizeof out, .error = FUSE_NOTIFY_INVAL_INODE };
	const struct iovec v[] = { { (void *)&h, sizeof h }, { (void *)&out, sizeof out } };

	/* ENOENT: it did not ask */
	if (writev(f->fd, v, ARRAY_LEN(v)) < 0 && errno != ENOENT)
		stop(f, "the kernel does not forget which program ran");
}

int fuse_fd(const struct fuse *f) { return f->fd; }

const struct fuse_counts *fuse_counts(const struct fuse *f) { return &f->counts; }

int fuse_mount(const char *where, struct view *v, int proc, const struct fuse_owner *owner, const struct fuse_hooks *hooks,
	       void *arg, struct fuse **out, struct err *err)
{
	autoclose int fd = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct fuse *f;
	char options[128];

	if (fd < 0)
		return err_sys(err, "/dev/fuse");
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fd, geteuid(), getegid());
	if (mount("caller", where, "fuse", MS_NOSUID | MS_NODEV | MS_RDONLY, options) < 0)
		return err_sys(err, "mount the caller's files");
	f = xcalloc(1, sizeof *f);
	f->fd = fd_steal(&fd);
	f->view = v;
	f->proc = proc;
	f->owner = *owner;
	f->hooks = hooks;
	f->arg = arg;
	f->blob = -1;
	*out = f;
	return 0;
}

void fuse_free(struct fuse *f)
{
	struct parked *p;
	struct question *q;

	if (!f)
		return;
	while ((p = f->parked)) {
		f->parked = p->next;
		free(p);
	}
	while ((q = f->questions)) {
		f->questions = q->next;
		free(q);
	}
	close_blob(f);
	close(f->fd);
	free(f);
}
