/*
 * test_box_files.c - a box in file mode, over its socket: what it asks, what it runs, what it says in the end.
 *
 * The test is rccd and the caller at once: facts are what this machine says, a
 * file's contents are put into a directory of blobs when they are needed. The
 * toolchain is empty, so that even the programs are files of the caller.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../../server/box/link.h"
#include "../../server/box/request.h"
#include "../../server/box/serve.h"
#include "../../server/box/spawner.h"
#include "codec.h"
#include "file.h"
#include "unit.h"
#include "wire.h"

enum { UID = 64000, STREAMS = STREAM_FILE + 1 };

static char directory[64];
static char *place, *blobs;	/* where the job's caller is; contents by digest */
static struct box_request q;
static struct link box;
static pid_t box_pid;

/* What the caller is like, if it is not as it should be. */
static struct {
	const char *silent, *other, *gone;	/* a name: not answered, said to be a device, without contents */
	const char *asked;			/* a name: the job is cancelled when it is asked for */
} caller;

/* What came back. */
static struct {
	struct buf streams[STREAMS];
	struct changes changes;
	struct buf used, keep;
	struct facts told;		/* all answers */
	struct job_result result;
	unsigned questions, needs;
	bool cancelled;
} got;

/* What a job starts with. */
static struct facts start;

static bool is_named(const char *path, const char *name) { return name && str_eq(path_base(path), name); }

/* --- a caller ------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(struct fact *f)
{
	DIR *d = opendir(f->path);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			argv_push(&f->names, e->d_name);
	closedir(d);
	f->listed = true;
	if (f->names.count)
		qsort(f->names.v, f->names.count, sizeof *f->names.v, by_name);
}

static void describe_file(struct fact *f, const struct stat *st)
{
	autoclose int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	f->kind = FACT_FILE;
	f->size = (uint64_t)st->st_size;
	f->inode = st->st_ino ^ (uint64_t)st->st_dev << 48;
	assert_int_equal(digest_fd(fd, &f->digest, NULL), 0);
}

static struct fact describe(const char *path, bool listing)
{
	struct fact f = { .path = xstrdup(path), .kind = FACT_ABSENT };
	char target[FACT_PATH_MAX + 1];
	struct stat st;
	ssize_t n;

	if (is_named(path, caller.other))
		f.kind = FACT_OTHER;
	if (f.kind == FACT_OTHER || lstat(path, &st) < 0)
		return f;
	f.mtime_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
	if (!S_ISLNK(st.st_mode)) {
		f.mode = st.st_mode & 07777;
		f.access = path_below(path, directory) || S_ISREG(st.st_mode) ? 7 : 5;
		f.own = 1;
	}
	if (S_ISREG(st.st_mode)) {
		describe_file(&f, &st);
	} else if (S_ISDIR(st.st_mode)) {
		f.kind = FACT_DIR;
		if (listing)
			list(&f);
	} else if ((n = readlink(path, target, sizeof target - 1)) > 0) {
		f.kind = FACT_LINK;
		f.target = xstrndup(target, (size_t)n);
	}
	return f;
}

/* --- rccd ------------------------------------------------------------------------- */

static void send_frame(uint8_t type, uint32_t id, const void *p, size_t len)
{
	struct frame f = { .type = type, .id = id, .length = (uint32_t)len, .raw = (uint32_t)len, .payload = p };

	assert_true(len <= FRAME_MAX);
	link_send(&box, &f, NULL);
}

static void send_facts(uint8_t type, uint32_t id, const struct facts *all)
{
	autobuf struct buf b = { 0 };

	facts_put(&b, all);
	send_frame(type, id, b.p, b.len);
}

static char *blob_of(const struct digest *d)
{
	char hex[2 * DIGEST_SIZE + 1];
	autofree char *dir = NULL;

	digest_hex(d, hex);
	dir = xasprintf("%s/%.2s", blobs, hex);
	mkdir(dir, 0755);
	return xasprintf("%s/%s", dir, hex + 2);
}

static void send_digest(uint8_t type, const struct digest *d)
{
	const struct wire_want have = { (struct digest *)d, 1 };
	autobuf struct buf b = { 0 };

	if (type == WIRE_HAVE)
		wire_want_put(&b, &have);
	else
		wire_digest_put(&b, d);
	send_frame(type, 0, b.p, b.len);
}

static void fetch(const struct wire_needed *n, const char *to)
{
	autoclose int in = open(n->path, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(in >= 0 && out >= 0);
	while (sendfile(out, in, NULL, 1 << 20) > 0)
		;
}

static void on_need(struct reader *r)
{
	struct wire_need m;

	assert_int_equal(wire_need_get(r, &m, NULL), 0);
	for (size_t i = 0; i < m.count; i++) {
		autofree char *blob = blob_of(&m.v[i].digest);

		got.needs++;
		if (access(blob, F_OK) < 0 && *m.v[i].path && !is_named(m.v[i].path, caller.gone))
			fetch(&m.v[i], blob);
		send_digest(access(blob, F_OK) == 0 ? WIRE_HAVE : WIRE_BLOB_NONE, &m.v[i].digest);
	}
	wire_need_free(&m);
}

static void on_question(const struct frame *f, struct reader *r)
{
	struct wire_question m;
	autofacts struct facts answer = { 0 };
	struct fact fact, again;

	assert_int_equal(wire_question_get(r, &m, NULL), 0);
	got.questions++;
	got.cancelled = is_named(m.path, caller.asked);
	if (!got.cancelled && !is_named(m.path, caller.silent)) {
		fact = describe(m.path, m.listing);
		again = fact_copy(&fact);
		facts_set(&got.told, &again);
		facts_set(&answer, &fact);
		send_facts(WIRE_ANSWER, f->id, &answer);
	}
	free(m.path);
}

static void on_output(const struct frame *f)
{
	assert_true(f->id < STREAMS);
	assert_int_equal(codec_unpack(f->codec, f->payload, f->length, f->raw, &got.streams[f->id], NULL), 0);
}

/* False: it was the last. */
static bool take(const struct frame *f)
{
	struct reader r = reader_of(f->payload, f->length);

	switch (f->type) {
	case WIRE_QUESTION:
		on_question(f, &r);
		return !got.cancelled;
	case WIRE_NEED:
		on_need(&r);
		return true;
	case WIRE_OUTPUT:
		on_output(f);
		return true;
	case WIRE_CHANGES:
		assert_int_equal(changes_get(&r, &got.changes, NULL), 0);
		return true;
	case WIRE_USED:
		buf_add(&got.used, f->payload, f->length);
		return true;
	case WIRE_KEEP:
		assert_true(got.used.len > 0);
		buf_add(&got.keep, f->payload, f->length);
		return true;
	case WIRE_PROGRESS:
		return true;
	}
	assert_int_equal(f->type, WIRE_RESULT);
	assert_int_equal(job_result_get(&r, &got.result, NULL), 0);
	return false;
}

static void send_request(void)
{
	autobuf struct buf b = { 0 };

	box_request_put(&b, &q);
	send_frame(WIRE_BOX, 0, b.p, b.len);
}

static void start_box(void)
{
	const struct mode mode = { .confined = true };
	int pair[2], pidfd;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	box_pid = spawn_box(&mode, -1, &pidfd);
	assert_true(box_pid >= 0);
	if (box_pid == 0) {
		dup2(pair[1], BOX_FD);
		_exit(box_serve(BOX_FD));
	}
	close(pair[1]);
	close(pidfd);
	box.fd = pair[0];
	send_request();
}

/* Streams are what the result says of them; nothing is said of what did not run. */
static void check_result(void)
{
	XXH3_state_t hash;
	uint64_t bytes = 0;

	XXH3_64bits_reset(&hash);
	for (size_t i = 0; i < STREAMS; i++) {
		XXH3_64bits_update(&hash, got.streams[i].p, got.streams[i].len);
		bytes += got.streams[i].len;
	}
	assert_int_equal(got.result.output_bytes, bytes);
	assert_int_equal(got.used.len > 0, got.result.outcome == JOB_RAN);
	if (got.result.outcome != JOB_RAN)
		return;
	assert_true(got.result.output_hash == XXH3_64bits_digest(&hash));
	assert_int_equal(got.streams[STREAM_FILE].len, changes_bytes(&got.changes));
}

static bool is_mounted_somewhere(void)
{
	autobuf struct buf mounts = { 0 };

	assert_int_equal(read_file("/proc/self/mountinfo", 1 << 20, &mounts, NULL), 0);
	return strstr(buf_str(&mounts), directory);
}

/* All of it goes with its first process. */
static void end_box(void)
{
	int status;

	close(box.fd);
	assert_int_equal(waitpid(box_pid, &status, 0), box_pid);
	assert_int_equal(status, 0);
	assert_false(is_mounted_somewhere());
	link_free(&box);
	box = (struct link){ 0 };
}

static void receive(void)
{
	struct frame f;
	int rc;

	do {
		while ((rc = link_next(&box, &f, NULL)) == 0)
			assert_int_equal(link_wait(&box, NULL), 1);
		assert_int_equal(rc, 1);
	} while (take(&f));
	end_box();
	if (!got.cancelled)
		check_result();
}

static void run(void)
{
	start_box();
	send_facts(WIRE_FACTS, 0, &start);
	receive();
}

/* --- each test ------------------------------------------------------------------------ */

static bool possible(void)
{
	const struct mode mode = { .confined = true };
	int pidfd, status = -1;
	pid_t pid = spawn_box(&mode, -1, &pidfd);

	if (pid == 0)
		_exit(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || open("/dev/fuse", O_RDWR | O_CLOEXEC) < 0);
	if (pid > 0)
		close(pidfd);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void make(const char *name, bool is_directory)
{
	autofree char *path = xasprintf("%s%s", directory, name);
	int fd = is_directory ? mkdir(path, 0755) : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	if (!is_directory)
		close(fd);
}

static void write_file(const char *name, const char *text)
{
	autofree char *path = xasprintf("%s/%s", place, name);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static int setup(void **state UNUSED)
{
	static const char *const directories[] = { "/root", "/root/proc", "/root/dev", "/root/job", "/blobs", "/w" };
	static const char *const files[] = { "/root/dev/null", "/root/dev/zero", "/root/dev/urandom" };

	snprintf(directory, sizeof directory, "/tmp/test_box_files.XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(directories); i++)
		make(directories[i], true);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		make(files[i], false);
	place = xasprintf("%s/w", directory);
	blobs = xasprintf("%s/blobs", directory);
	q = (struct box_request){ .directory = xstrdup(directory), .root = xasprintf("%s/root", directory), .confined = true,
				  .blobs = xstrdup(blobs), .uid = geteuid() == 0 ? UID : 0, .cpu_seconds = 60, .wall_seconds = 60,
				  .file_bytes = 1 << 20, .scratch_bytes = 1 << 24, .codec = CODEC_LZ4,
				  .job = { .mode = JOB_FILES, .input_name = xstrdup(""),
					   .caller = { .cwd = xstrdup(place), .umask = 022 } } };
	argv_push(&q.job.env, "A=1");
	return 0;
}

static void forget(void)
{
	for (size_t i = 0; i < STREAMS; i++)
		buf_free(&got.streams[i]);
	changes_free(&got.changes);
	buf_free(&got.used);
	buf_free(&got.keep);
	facts_free(&got.told);
	memset(&got, 0, sizeof got);
}

static int teardown(void **state UNUSED)
{
	forget();
	facts_free(&start);
	memset(&caller, 0, sizeof caller);
	box_request_free(&q);
	free(place);
	free(blobs);
	return remove_tree(AT_FDCWD, directory);
}

static struct job_step *add_step(const char *program)
{
	struct job_step *s = &q.job.steps[q.job.step_count++];

	s->program = xstrdup(program);
	argv_push(&s->argv, path_base(program));
	return s;
}

static void add_script(const char *script)
{
	struct job_step *s = add_step("/bin/sh");

	argv_push(&s->argv, "-c");
	argv_push(&s->argv, script);
}

static void assert_stream(size_t i, const char *want) { assert_string_equal(buf_str(&got.streams[i]), want); }

static void assert_ended(enum job_outcome outcome, const char *text)
{
	assert_non_null(strstr(got.result.text, text));
	assert_int_equal(got.result.outcome, outcome);
}

static void assert_change(size_t i, enum change_kind kind, const char *name)
{
	assert_true(i < got.changes.count);
	assert_int_equal(got.changes.v[i].kind, kind);
	assert_string_equal(path_base(got.changes.v[i].path), name);
	assert_true(path_below(got.changes.v[i].path, place));
}

/* --- what a job gets and gives ------------------------------------------------------------ */

static void files_are_asked_for_and_what_is_made_comes_back(void **state UNUSED)
{
	write_file("a.h", "contents\n");
	add_script("echo said; echo wrong >&2; read line <a.h; echo \"1 $line\" >one; : >two; echo 3 >three; echo $A $TMPDIR");
	run();
	assert_ended(JOB_RAN, "");
	assert_int_equal(got.result.exit_status, 0);
	assert_stream(STREAM_STDOUT, "said\n1 " JOB_SCRATCH "\n");
	assert_stream(STREAM_STDERR, "wrong\n");
	assert_int_equal(got.changes.count, 3);
	assert_change(0, CHANGE_FILE, "one");
	assert_change(1, CHANGE_FILE, "three");
	assert_change(2, CHANGE_FILE, "two");
	assert_int_equal(got.changes.v[0].mode, 0644);
	assert_stream(STREAM_FILE, "1 contents\n3\n");
	assert_true(got.questions > 0);
}

static void a_failure_comes_back_the_same_way(void **state UNUSED)
{
	add_script("echo half >made; echo wrong >&2; exit 3");
	add_script("echo never");
	run();
	assert_ended(JOB_RAN, "");
	assert_int_equal(got.result.step, 0);
	assert_int_equal(got.result.exit_status, 3);
	assert_stream(STREAM_STDERR, "wrong\n");
	assert_stream(STREAM_FILE, "half\n");
	assert_true(got.keep.len > 0);
}

static void all_kinds_of_changes_are_told(void **state UNUSED)
{
	write_file("gone", "x");
	write_file("kept", "old ");
	add_script("echo new >>kept; exec ln -s a link");
	q.job.caller.umask = 077;
	add_step("/bin/rm");
	argv_push(&q.job.steps[1].argv, "gone");
	run();
	assert_ended(JOB_RAN, "");
	assert_int_equal(got.result.exit_status, 0);
	assert_int_equal(got.changes.count, 3);
	assert_change(0, CHANGE_GONE, "gone");
	assert_change(1, CHANGE_FILE, "kept");
	assert_true(got.changes.v[1].kept);
	assert_change(2, CHANGE_LINK, "link");
	assert_string_equal(got.changes.v[2].target, "a");
	assert_stream(STREAM_FILE, "old new\n");
}

static void scratch_files_pass_from_step_to_step_and_go(void **state UNUSED)
{
	add_script("umask; echo handed on >$TMPDIR/t");
	add_script("read line <$TMPDIR/t; echo $line");
	q.job.caller.umask = 027;
	argv_push(&q.job.env, "TMPDIR=/elsewhere");
	run();
	assert_ended(JOB_RAN, "");
	assert_stream(STREAM_STDOUT, "0027\nhanded on\n");
	assert_int_equal(got.changes.count, 0);
}

static void a_program_learns_which_one_it_is(void **state UNUSED)
{
	autofree char *first = realpath("/bin/readlink", NULL), *second = realpath("/usr/bin/realpath", NULL);
	autofree char *want = xasprintf("%s\n%s\n", first, second);

	argv_push(&add_step(first)->argv, "/proc/self/exe");
	argv_push(&add_step(second)->argv, "/proc/self/exe");
	run();
	assert_ended(JOB_RAN, "");
	assert_stream(STREAM_STDOUT, want);
}

static void stderr_is_a_terminal_like_the_callers(void **state UNUSED)
{
	add_script("[ -t 2 ] && [ ! -t 1 ] && echo two >&2 && printf 'lines\\r' >&2; exec stty size <&2");
	q.job.caller.columns = 77;
	q.job.caller.lines = 33;
	run();
	assert_ended(JOB_RAN, "");
	assert_stream(STREAM_STDOUT, "33 77\n");
	assert_stream(STREAM_STDERR, "two\nlines\r");
}

static void without_one_it_is_none(void **state UNUSED)
{
	add_script("[ ! -t 2 ] && echo none");
	run();
	assert_stream(STREAM_STDOUT, "none\n");
}

/* --- what it relied on ----------------------------------------------------------------------- */

static void keep_use(struct facts *out, const struct fact *f, const char *path, unsigned how)
{
	struct fact kept = fact_used(f, path, how);

	facts_set(out, &kept);
}

/* As the agent does: from what it told, and USED. The caller frees it. */
static struct buf manifest_of(const struct facts *began)
{
	struct reader r = reader_of(got.used.p, got.used.len);
	autofacts struct facts next = { 0 };
	autoused struct used used = { 0 };
	struct buf b = { 0 };

	assert_int_equal(used_get(&r, began->count, &used, NULL), 0);
	for (size_t i = 0; i < used.count; i++)
		if (used.how[i])
			keep_use(&next, &began->v[i], began->v[i].path, used.how[i]);
	for (size_t i = 0; i < used.other_count; i++)
		keep_use(&next, facts_find(&got.told, used.others[i].path), used.others[i].path, used.others[i].how);
	facts_put(&b, &next);
	return b;
}

static void assert_same(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->p, b->p, a->len);
}

/* A manifest that rccd has. */
static void begin_with(const void *p, size_t len)
{
	struct job_caller *c = &q.job.caller;
	autofree char *path = NULL;
	autoclose int fd = -1;

	digest_of(p, len, &c->manifest);
	c->manifest_size = len;
	path = blob_of(&c->manifest);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_int_equal(write_all(fd, p, len), 0);
}

static void reads_a_header(void)
{
	write_file("a.h", "contents\n");
	add_script("read line <a.h; echo $line >out; [ -e absent ] || echo *.h");
}

static void both_ends_make_the_same_manifest(void **state UNUSED)
{
	autobuf struct buf want = { 0 };

	reads_a_header();
	run();
	want = manifest_of(&start);
	assert_same(&got.keep, &want);
}

static void with_its_manifest_a_job_asks_nothing(void **state UNUSED)
{
	autobuf struct buf first = { 0 }, again = { 0 };
	autofacts struct facts began = { 0 };
	struct reader r;

	reads_a_header();
	run();
	buf_add(&first, got.keep.p, got.keep.len);
	forget();
	begin_with(first.p, first.len);
	run();
	assert_ended(JOB_RAN, "");
	assert_stream(STREAM_STDOUT, "a.h\n");
	assert_stream(STREAM_FILE, "contents\n");
	assert_int_equal(got.questions, 0);
	/* what it says it used makes the manifest that it was given, which is not sent again */
	assert_int_equal(got.keep.len, 0);
	r = reader_of(first.p, first.len);
	assert_int_equal(facts_get(&r, &began, NULL), 0);
	again = manifest_of(&began);
	assert_same(&again, &first);
}

static void what_has_changed_since_counts(void **state UNUSED)
{
	autobuf struct buf first = { 0 }, want = { 0 };
	autofree char *path = xasprintf("%s/a.h", place);
	autofacts struct facts began = { 0 };
	struct fact now, again;
	struct reader r;

	reads_a_header();
	run();
	buf_add(&first, got.keep.p, got.keep.len);
	forget();
	begin_with(first.p, first.len);
	write_file("a.h", "changed\n");
	r = reader_of(first.p, first.len);
	assert_int_equal(facts_get(&r, &began, NULL), 0);
	now = describe(path, false);
	again = fact_copy(&now);
	facts_set(&start, &now);
	facts_set(&began, &again);
	run();
	assert_stream(STREAM_FILE, "changed\n");
	assert_int_equal(got.questions, 0);
	want = manifest_of(&began);
	assert_same(&got.keep, &want);
}

/* --- what cannot be ---------------------------------------------------------------------------- */

static void what_only_works_at_the_caller_ends_it(void **state UNUSED)
{
	static const struct { const char *script, *why; } cases[] = {
		{ "read x <odd; echo made >out", "/w/odd: no file that can be sent" },
		{ "read x </proc/cpuinfo; echo made >out", "/proc/cpuinfo: " },
		{ "read x <lost; echo made >out", "/w/lost: its contents cannot be had" },
		{ ": >f; exec chmod 4755 f", "/w/f: runs with its owner's rights" },
	};

	write_file("lost", "text");
	caller.other = "odd";
	caller.gone = "lost";
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		forget();
		add_script(cases[i].script);
		run();
		assert_ended(JOB_UNFIT, cases[i].why);
		assert_int_equal(got.changes.count, 0);
		free(q.job.steps[0].program);
		argv_free(&q.job.steps[0].argv);
		q.job.step_count = 0;
	}
}

static void a_directory_that_is_not_there_ends_it(void **state UNUSED)
{
	static const char *const names[] = { "none", "file" };

	write_file("file", "");
	add_script("echo never");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		forget();
		free(q.job.caller.cwd);
		q.job.caller.cwd = xasprintf("%s/%s", place, names[i]);
		run();
		assert_ended(JOB_UNFIT, names[i]);
	}
}

static void a_manifest_that_cannot_be_used_ends_it(void **state UNUSED)
{
	add_script("echo never");
	memset(&q.job.caller.manifest, 1, sizeof q.job.caller.manifest);
	q.job.caller.manifest_size = 3;
	run();
	assert_ended(JOB_UNFIT, "manifest");
	forget();
	begin_with("no facts", 8);
	run();
	assert_ended(JOB_UNFIT, "manifest");
}

static void a_silent_caller_ends_it(void **state UNUSED)
{
	q.wall_seconds = 1;
	caller.silent = "silent";
	add_script("read x <silent");
	run();
	assert_ended(JOB_LIMIT, "wall time: more than 1 s");
	forget();
	/* not even what it starts with */
	start_box();
	receive();
	assert_ended(JOB_LIMIT, "wall time: more than 1 s");
}

static void it_may_be_cancelled_while_it_waits(void **state UNUSED)
{
	caller.asked = "never";
	add_script("read x <never");
	run();
	assert_true(got.cancelled);
	/* nor has it to start at all */
	forget();
	start_box();
	end_box();
}

static void its_files_are_bounded(void **state UNUSED)
{
	q.file_bytes = 1000;
	add_script("echo 0123456789 >a; i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo 0123456789 >>a; done");
	run();
	assert_ended(JOB_LIMIT, "a file of more than 1000 bytes");
}

/* --- frames where they must not be ---------------------------------------------------------------- */

static void send_answer_of_nothing(uint32_t id)
{
	const struct facts none = { 0 };

	send_facts(WIRE_ANSWER, id, &none);
}

static void send_facts_twice(void)
{
	send_facts(WIRE_FACTS, 0, &start);
	send_facts(WIRE_FACTS, 0, &start);
}

static void send_input(void)
{
	send_facts(WIRE_FACTS, 0, &start);
	send_frame(WIRE_INPUT, 0, "x", 1);
}

static void answer_early(void) { send_answer_of_nothing(1); }

static void answer_what_was_not_asked(void)
{
	send_facts(WIRE_FACTS, 0, &start);
	send_answer_of_nothing(1000000);
}

static void have_what_is_not_needed(void)
{
	const struct digest d = { "x" };

	send_facts(WIRE_FACTS, 0, &start);
	send_digest(WIRE_HAVE, &d);
}

static void lack_what_is_not_needed(void)
{
	const struct digest d = { "x" };

	send_facts(WIRE_FACTS, 0, &start);
	send_digest(WIRE_BLOB_NONE, &d);
}

static void send_no_facts(void) { send_frame(WIRE_FACTS, 0, "no facts", 8); }

static void frames_out_of_place_end_it(void **state UNUSED)
{
	static const struct { void (*send)(void); const char *why; } cases[] = {
		{ send_facts_twice, "FACTS" },
		{ send_input, "an unexpected INPUT" },
		{ answer_early, "an unexpected ANSWER" },
		{ answer_what_was_not_asked, "which was not asked" },
		{ have_what_is_not_needed, "HAVE of what was not needed" },
		{ lack_what_is_not_needed, "BLOB_NONE of what was not needed" },
		{ send_no_facts, "" },
	};

	caller.silent = "wait";
	add_script("read x <wait; echo made >out");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		forget();
		start_box();
		cases[i].send();
		receive();
		assert_ended(JOB_BAD_INPUT, cases[i].why);
		assert_int_equal(got.changes.count, 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_asked_for_and_what_is_made_comes_back),
		TEST(a_failure_comes_back_the_same_way),
		TEST(all_kinds_of_changes_are_told),
		TEST(scratch_files_pass_from_step_to_step_and_go),
		TEST(a_program_learns_which_one_it_is),
		TEST(stderr_is_a_terminal_like_the_callers),
		TEST(without_one_it_is_none),
		TEST(both_ends_make_the_same_manifest),
		TEST(with_its_manifest_a_job_asks_nothing),
		TEST(what_has_changed_since_counts),
		TEST(what_only_works_at_the_caller_ends_it),
		TEST(a_directory_that_is_not_there_ends_it),
		TEST(a_manifest_that_cannot_be_used_ends_it),
		TEST(a_silent_caller_ends_it),
		TEST(it_may_be_cancelled_while_it_waits),
		TEST(its_files_are_bounded),
		TEST(frames_out_of_place_end_it),
	};

	signal(SIGPIPE, SIG_IGN);
	if (!possible()) {
		puts("1..0 # SKIP no box of file mode can be made here");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
