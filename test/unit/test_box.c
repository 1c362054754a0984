/*
 * test_box.c - the box, over its socket: what it runs, what it ends, what it reports.
 *
 * Each box is a child of the test, as it would be rccd's. Its programs are
 * shells, which a volunteer would refuse, but the box runs what it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cgroup.h"
#include "clock.h"
#include "codec.h"
#include "file.h"
#include "wire.h"
#include "../../server/box/link.h"
#include "../../server/box/packet.h"
#include "../../server/box/request.h"
#include "../../server/box/serve.h"
#include "../../server/box/spawner.h"
#include "../../server/box/syscalls.h"
#include "../../server/box/usage.h"

enum { SPARE_FD = 9 };	/* a box of ours is started with more than it should have */

static char directory[64];
static struct box_request q;
static struct link box;
static pid_t box_pid;
static struct buf streams[STREAM_FILE + 2];	/* what came back */
static bool came[STREAM_FILE + 2];
static struct job_result result;
static struct wire_progress progress;		/* the last */
static unsigned progresses;

static int setup(void **state UNUSED)
{
	snprintf(directory, sizeof directory, "/tmp/test_box.XXXXXX");
	assert_non_null(mkdtemp(directory));
	q = (struct box_request){ .directory = xstrdup(directory), .cpu_seconds = 60, .wall_seconds = 60,
				  .file_bytes = 1 << 20, .input_bytes = 1 << 22, .codec = CODEC_LZ4,
				  .job.input_name = xstrdup("") };
	return 0;
}

static int teardown(void **state UNUSED)
{
	box_request_free(&q);
	link_free(&box);
	box = (struct link){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(streams); i++)
		buf_free(&streams[i]);
	memset(came, 0, sizeof came);
	progresses = 0;
	return remove_tree(AT_FDCWD, directory);
}

/* A step that is a shell script; the first one reads the input. */
static void add_script(const char *script)
{
	struct job_step *s = &q.job.steps[q.job.step_count++];

	s->program = xstrdup("/bin/sh");
	s->stdin_input = q.job.step_count == 1;
	argv_push(&s->argv, "sh");
	argv_push(&s->argv, "-c");
	argv_push(&s->argv, script);
}

static void send_frame(uint8_t type, const void *p, size_t len)
{
	struct frame f = { .type = type, .length = (uint32_t)len, .raw = (uint32_t)len, .payload = p };

	assert_int_equal(link_send(&box, &f, NULL), 0);
}

static void start_box(void)
{
	autobuf struct buf b = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	box_pid = fork();
	assert_true(box_pid >= 0);
	if (box_pid == 0) {
		dup2(pair[1], BOX_FD);	/* not close-on-exec, as uv_spawn() leaves it */
		dup2(pair[1], SPARE_FD);
		_exit(box_serve(BOX_FD));
	}
	close(pair[1]);
	box.fd = pair[0];
	box_request_put(&b, &q);
	send_frame(WIRE_BOX, b.p, b.len);
}

static int start_spawner(void)
{
	struct mode m;
	int pair[2];

	assert_true(mode_parse("unconfined", &m));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	box_pid = fork();
	assert_true(box_pid >= 0);
	if (box_pid == 0) {
		setsid();	/* as rccd's is */
		dup2(pair[1], BOX_FD);
		dup2(pair[1], SPARE_FD);
		_exit(box_spawner(&m));
	}
	close(pair[1]);
	return pair[0];
}

static struct spawn_report report_of(int spawner, int *pidfd)
{
	struct spawn_report r;
	int fds[PACKET_FDS];

	assert_int_equal(packet_receive(spawner, &r, sizeof r, fds, 0), 1);
	assert_int_equal(fds[1], -1);
	*pidfd = fds[0];
	return r;
}

/* A box of its, over box.fd. */
static struct spawn_report spawn_box_in(int spawner, int cgroup_fd, int *pidfd)
{
	autobuf struct buf b = { 0 };
	struct spawn_report r;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(packet_send(spawner, &(struct spawn_request){ .ticket = 7 }, sizeof(struct spawn_request),
				     (int[]){ pair[1], cgroup_fd }), 0);
	close(pair[1]);
	r = report_of(spawner, pidfd);
	assert_int_equal(r.ticket, 7);
	box.fd = pair[0];
	box_request_put(&b, &q);
	if (r.event == BOX_STARTED)
		send_frame(WIRE_BOX, b.p, b.len);
	return r;
}

static void send_input(const char *text)
{
	send_frame(WIRE_INPUT, text, strlen(text));
}

static void send_input_end(const char *text)
{
	autobuf struct buf b = { 0 };

	wire_input_end_put(&b, &(struct wire_input_end){ strlen(text), XXH3_64bits(text, strlen(text)) });
	send_frame(WIRE_INPUT_END, b.p, b.len);
}

static void wait_for_box(void)
{
	int status;

	close(box.fd);
	assert_int_equal(waitpid(box_pid, &status, 0), box_pid);
	assert_int_equal(status, 0);
}

/* What a job uses is told in between, and never goes down. */
static bool take_progress(const struct frame *f)
{
	struct reader r = reader_of(f->payload, f->length);
	uint64_t before_us = progresses ? progress.cpu_us : 0;

	if (f->type != WIRE_PROGRESS)
		return false;
	assert_int_equal(wire_progress_get(&r, &progress, NULL), 0);
	assert_true(progress.cpu_us >= before_us);
	progresses++;
	return true;
}

static void next(struct frame *f)
{
	int rc;

	do {
		while ((rc = link_next(&box, f, NULL)) == 0)
			assert_int_equal(link_wait(&box, NULL), 1);
		assert_int_equal(rc, 1);
	} while (take_progress(f));
}

/* Everything up to RESULT. */
static void receive(void)
{
	XXH3_state_t hash;
	uint64_t bytes = 0;
	struct reader r;
	struct frame f;

	XXH3_64bits_reset(&hash);
	for (next(&f); f.type == WIRE_OUTPUT; next(&f)) {
		struct buf *b = &streams[f.id];
		size_t before = b->len;

		assert_true(f.id < ARRAY_LEN(streams));
		came[f.id] = true;
		assert_int_equal(codec_unpack(f.codec, f.payload, f.length, f.raw, b, NULL), 0);
		XXH3_64bits_update(&hash, b->p + before, b->len - before);
		bytes += f.raw;
	}
	assert_int_equal(f.type, WIRE_RESULT);
	r = reader_of(f.payload, f.length);
	assert_int_equal(job_result_get(&r, &result, NULL), 0);
	assert_int_equal(result.output_bytes, bytes);
	assert_true(result.output_hash == XXH3_64bits_digest(&hash));
	wait_for_box();
}

static void run(const char *input)
{
	start_box();
	if (*input)
		send_input(input);
	send_input_end(input);
	receive();
}

static void assert_stream(size_t i, const char *want) { assert_string_equal(buf_str(&streams[i]), want); }

static void assert_ended(enum job_outcome outcome, const char *text)
{
	assert_int_equal(result.outcome, outcome);
	assert_non_null(strstr(result.text, text));
}

static void steps_run_in_order(void **state UNUSED)
{
	add_script("cat >a; echo said; echo wrong >&2");
	add_script("cat; tr a-z A-Z <a >b");
	argv_push(&q.job.outputs, "b");
	argv_push(&q.job.outputs, "absent");
	run("text\n");
	assert_ended(JOB_RAN, "");
	assert_int_equal(result.exit_status, 0);
	assert_int_equal(result.step, 1);
	assert_stream(STREAM_STDOUT, "said\n");
	assert_stream(STREAM_STDERR, "wrong\n");
	assert_stream(STREAM_FILE, "TEXT\n");
	assert_false(came[STREAM_FILE + 1]);
}

static void the_first_failure_is_the_last_step(void **state UNUSED)
{
	add_script("exit 3");
	add_script("echo never");
	run("");
	assert_int_equal(result.step, 0);
	assert_int_equal(result.exit_status, 3);
	assert_false(came[STREAM_STDOUT]);
}

static void a_signal_is_reported(void **state UNUSED)
{
	add_script("kill -SEGV $$");
	run("");
	assert_ended(JOB_RAN, "");
	assert_int_equal(result.signal, SIGSEGV);
}

static void an_empty_file_comes_back_and_a_link_does_not(void **state UNUSED)
{
	add_script(": >empty; ln -s /etc/passwd link");
	argv_push(&q.job.outputs, "empty");
	argv_push(&q.job.outputs, "link");
	run("");
	assert_true(came[STREAM_FILE]);
	assert_int_equal(streams[STREAM_FILE].len, 0);
	assert_false(came[STREAM_FILE + 1]);
}

static void the_environment_is_the_jobs(void **state UNUSED)
{
	autofree char *want = xasprintf("A=1\nTMPDIR=%s\n", directory);

	argv_push(&q.job.env, "A=1");
	q.job.steps[0].program = xstrdup("/usr/bin/env");
	argv_push(&q.job.steps[0].argv, "env");
	q.job.step_count = 1;
	run("");
	assert_stream(STREAM_STDOUT, want);
}

/* Whoever has the box's socket can answer for it. */
static void only_stdin_stdout_and_stderr_reach_a_step(void **state UNUSED)
{
	static const char script[] = "for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do "
				     "[ ! -e /proc/$$/fd/$i ] || printf \"$i \"; done";

	add_script(script);
	add_script(script);
	run("");
	assert_stream(STREAM_STDOUT, "0 1 2 0 1 2 ");
}

static void memory_pressure_meets_the_job_first(void **state UNUSED)
{
	add_script("cat /proc/self/oom_score_adj");
	run("");
	assert_stream(STREAM_STDOUT, "800\n");
}

static void input_may_be_a_file(void **state UNUSED)
{
	free(q.job.input_name);
	q.job.input_name = xstrdup("in.i");
	add_script("cat in.i -");
	run("line\n");
	assert_stream(STREAM_STDOUT, "line\nline\n");
}

static void be_piped(void)
{
	free(q.job.input_name);
	q.job.input_name = xstrdup("in.i");
	q.input_pipe = true;
}

static void a_named_input_may_be_a_pipe(void **state UNUSED)
{
	enum { SIZE = 3 << 20 };
	autofree char *text = xmalloc(SIZE + 1);

	memset(text, 'x', SIZE);
	text[SIZE] = 0;
	be_piped();
	add_script("sleep 0.1; wc -c <in.i");
	add_script("ls");
	q.job.steps[0].stdin_input = false;
	start_box();
	for (size_t at = 0; at < SIZE; at += FRAME_MAX)
		send_frame(WIRE_INPUT, text + at, FRAME_MAX);
	send_input_end(text);
	receive();
	assert_stream(STREAM_STDOUT, "3145728\n");
}

static void a_piped_input_may_be_left_unread(void **state UNUSED)
{
	be_piped();
	add_script("exit 4");
	q.job.steps[0].stdin_input = false;
	run("text\n");
	assert_ended(JOB_RAN, "");
	assert_int_equal(result.exit_status, 4);
}

/* The program sees its input at once, but no end of it before it is known to be whole. */
static void streams_but_ends_only_when_whole(const char *script, bool by_stdin)
{
	uint64_t start_ms = clock_ms();
	autofree char *seen = xasprintf("%s/seen", directory), *done = xasprintf("%s/done", directory);

	add_script(script);
	q.job.steps[0].stdin_input = by_stdin;
	start_box();
	send_input("one\n");
	while (access(seen, F_OK) < 0 && clock_ms() - start_ms < 10000)
		usleep(1000);
	assert_int_equal(access(seen, F_OK), 0);
	send_input("two\n");
	send_input_end("one\ntvo\n");
	receive();
	assert_ended(JOB_BAD_INPUT, "is not what was sent");
	assert_int_equal(access(done, F_OK), -1);
	assert_false(came[STREAM_STDOUT]);
}

static void input_streams_but_ends_only_when_whole(void **state UNUSED)
{
	streams_but_ends_only_when_whole("read x; : >seen; cat; : >done", true);
}

static void a_piped_input_ends_only_when_whole(void **state UNUSED)
{
	be_piped();
	streams_but_ends_only_when_whole("exec <in.i; read x; : >seen; cat; : >done", false);
}

/* However early a program gives up, a damaged input proves nothing. */
static void a_failure_on_damaged_input_does_not_count(void **state UNUSED)
{
	add_script("exit 1");
	start_box();
	send_input("x");
	usleep(100 * 1000);	/* it has exited; were it believed now, the test would say so */
	send_input_end("y");
	receive();
	assert_ended(JOB_BAD_INPUT, "is not what was sent");
}

static void much_input_passes_a_slow_reader(void **state UNUSED)
{
	enum { SIZE = 3 << 20 };
	autofree char *text = xmalloc(SIZE + 1);

	memset(text, 'x', SIZE);
	text[SIZE] = 0;
	add_script("sleep 0.1; wc -c");
	start_box();
	for (size_t at = 0; at < SIZE; at += FRAME_MAX)
		send_frame(WIRE_INPUT, text + at, FRAME_MAX);
	send_input_end(text);
	receive();
	assert_stream(STREAM_STDOUT, "3145728\n");
}

static void drop_step(void)
{
	free(q.job.steps[0].program);
	argv_free(&q.job.steps[0].argv);
	q.job.step_count = 0;
}

static void limits_are_named(void **state UNUSED)
{
	static const struct { uint32_t wall_seconds; const char *script, *text; } cases[] = {
		{ 1, "exec sleep 20", "wall time: more than 1 s" },
		{ 60, "exec head -c 2000000 /dev/zero >big", "a file of more than 1048576 bytes" },
		{ 60, "exec yes", "stdout: more than" },
		{ 60, "exec yes >&2", "stderr: more than" },
		{ 60, "head -c 800000 /dev/zero >a; cp a b", "outputs of more than 1048576 bytes" },
	};

	argv_push(&q.job.outputs, "a");
	argv_push(&q.job.outputs, "b");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		q.wall_seconds = cases[i].wall_seconds;
		add_script(cases[i].script);
		run("");
		assert_ended(JOB_LIMIT, cases[i].text);
		drop_step();
	}
}

static void too_much_input_is_a_limit(void **state UNUSED)
{
	q.input_bytes = 3;
	add_script("cat");
	run("four");
	assert_ended(JOB_LIMIT, "input: more than 3 bytes");
}

static void processor_time_is_a_limit(void **state UNUSED)
{
	q.cpu_seconds = 1;
	add_script("while :; do :; done");
	run("");
	assert_ended(JOB_LIMIT, "processor time: more than 1 s");
	/* the limit counts clock ticks, which on a busy machine are more than the time really used */
	assert_true(result.cpu_us >= 100000);
}

/* Within the kernel's limits, which are higher: and beyond, before anybody looked. */
static void memory_is_a_limit(void **state UNUSED)
{
	static const char *const scripts[] = { "mkfifo a; cat /dev/zero >a & exec tail -c 80000000 a",
					       "mkfifo b; cat /dev/zero >b & exec tail -c 400000000 b" };

	q.memory_bytes = 64 << 20;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		add_script(scripts[i]);
		run("");
		assert_ended(JOB_LIMIT, "memory: more than 64 MB");
		drop_step();
	}
}

static void what_it_uses_is_told_while_it_runs(void **state UNUSED)
{
	add_script("i=0; while [ $i -lt 400000 ]; do i=$((i + 1)); done; exec sleep 0.6");
	run("");
	assert_true(progresses > 0);
	assert_true(progress.memory_kb > 0);
	assert_true(progress.cpu_us > 0 && progress.cpu_us <= result.cpu_us + 20000);
}

static void what_was_ended_has_used_time_too(void **state UNUSED)
{
	q.wall_seconds = 1;
	add_script("while :; do :; done");
	run("");
	assert_ended(JOB_LIMIT, "wall time: more than 1 s");
	assert_true(result.cpu_us >= 10000);
}

static void memory_is_what_nobody_else_holds(void **state UNUSED)
{
	assert_int_equal(usage_memory_of("Name:\tcc1\nVmRSS:\t  900 kB\nRssAnon:\t     100 kB\nRssFile:\t  790 kB\n"
					 "RssShmem:\t  10 kB\n"), 110);
	assert_int_equal(usage_memory_of("Name:\tRssAnon: 5\nState: Z\n"), 0);
}

static void an_idle_job_gives_way(void **state UNUSED)
{
	q.idle = true;
	add_script("cut -d' ' -f41 /proc/self/stat");
	run("");
	assert_stream(STREAM_STDOUT, "5\n");
}

static void what_cannot_run_is_the_boxs_failure(void **state UNUSED)
{
	add_script("");
	free(q.job.steps[0].program);
	q.job.steps[0].program = xstrdup("/no/cc1");
	run("text");
	assert_ended(JOB_BOX_FAILED, "/no/cc1: No such file or directory");
}

/* Some process's environment holds this job's mark. */
static bool survivors(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	bool found = false;

	while ((e = readdir(proc))) {
		autofree char *path = xasprintf("/proc/%s/environ", e->d_name);
		autobuf struct buf b = { 0 };

		if (read_file(path, 1 << 20, &b, NULL) == 0 && memmem(b.p, b.len, directory, strlen(directory)))
			found = true;
	}
	closedir(proc);
	return found;
}

static void a_system_call_has_a_name_or_a_number(void **state UNUSED)
{
	char text[SYSCALL_NAME];

	syscalls_name(AUDIT_ARCH_X86_64, 165, text);
#ifdef __x86_64__
	assert_string_equal(text, "mount");
	syscalls_name(AUDIT_ARCH_X86_64, -1, text);
	assert_string_equal(text, "number -1");
	syscalls_name(AUDIT_ARCH_X86_64, 0x40000000, text);
	assert_string_equal(text, "number 1073741824");
#else
	assert_string_equal(text, "number 165 of another machine");
#endif
	syscalls_name(AUDIT_ARCH_S390, 21, text);
	assert_string_equal(text, "number 21 of another machine");
}

static void nothing_survives_the_job(void **state UNUSED)
{
	add_script("setsid sleep 60 & (setsid sleep 60 &) ; sleep 60 & :");
	run("");
	assert_int_equal(result.exit_status, 0);
	assert_false(survivors());
}

static void closing_the_socket_ends_it_all(void **state UNUSED)
{
	autofree char *here = xasprintf("%s/here", directory);
	uint64_t start_ms = clock_ms();

	add_script("setsid sleep 60 & : >here; sleep 60");
	start_box();
	while (access(here, F_OK) < 0 && clock_ms() - start_ms < 10000)
		usleep(1000);
	assert_true(survivors());
	wait_for_box();
	assert_false(survivors());
}

static void assert_ready(int spawner)
{
	int none;

	assert_int_equal(report_of(spawner, &none).event, SPAWNER_READY);
	assert_int_equal(none, -1);
}

static void the_spawn_server_makes_boxes_and_tells_their_ends(void **state UNUSED)
{
	int spawner = start_spawner(), pidfd, none;
	struct spawn_report started, ended;

	assert_ready(spawner);
	add_script("cat; for i in 3 4 5 6 7 8 9 10 11 12; do [ ! -e /proc/$$/fd/$i ] || echo $i; done");
	for (int i = 0; i < 2; i++) {
		started = spawn_box_in(spawner, -1, &pidfd);
		assert_int_equal(started.event, BOX_STARTED);
		send_input("in\n");
		send_input_end("in\n");
		for (struct frame f = { 0 }; f.type != WIRE_RESULT;)
			next(&f);
		ended = report_of(spawner, &none);
		assert_int_equal(ended.event, BOX_ENDED);
		assert_int_equal(ended.pid, started.pid);
		assert_int_equal(ended.status, 0);
		close(pidfd);
		close(box.fd);
	}
	close(spawner);
	assert_int_equal(waitpid(box_pid, NULL, 0), box_pid);
}

/* Until the session of the spawn server, and so of its boxes, has that weight. */
static void expect_weight(int spawner, enum spawn_wish wish, const char *want)
{
	autofree char *path = xasprintf("/proc/%d/autogroup", box_pid);
	struct spawn_request ask = { .wish = wish };
	uint64_t start_ms = clock_ms();
	bool found = false;

	assert_int_equal(packet_send(spawner, &ask, sizeof ask, (int[]){ -1, -1 }), 0);
	while (!found && clock_ms() - start_ms < 10000) {
		autobuf struct buf text = { 0 };

		assert_int_equal(read_file(path, 4096, &text, NULL), 0);
		found = strstr(buf_str(&text), want);
		usleep(1000);
	}
	assert_true(found);
}

static void all_boxes_give_way_together(void **state UNUSED)
{
	int spawner = start_spawner();

	assert_ready(spawner);
	if (access("/proc/self/autogroup", F_OK) == 0) {
		expect_weight(spawner, SPAWN_GIVE_WAY, " nice 19\n");
		expect_weight(spawner, SPAWN_HURRY, " nice 0\n");
	}
	close(spawner);
	assert_int_equal(waitpid(box_pid, NULL, 0), box_pid);
}

/* What a box that was killed leaves goes too. */
static void a_box_can_be_killed(void **state UNUSED)
{
	autofree char *here = xasprintf("%s/here", directory);
	int spawner = start_spawner(), pidfd, none;
	uint64_t start_ms = clock_ms();
	struct spawn_report r;

	assert_ready(spawner);
	add_script("sleep 60 & : >here; exec sleep 60");
	spawn_box_in(spawner, -1, &pidfd);
	while (access(here, F_OK) < 0 && clock_ms() - start_ms < 10000)
		usleep(1000);
	assert_true(survivors());
	assert_int_equal(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), 0);
	r = report_of(spawner, &none);
	assert_int_equal(r.event, BOX_ENDED);
	assert_int_equal(r.status, SIGKILL);
	while (survivors() && clock_ms() - start_ms < 10000)
		usleep(1000);
	assert_false(survivors());
	close(pidfd);
	close(box.fd);
	close(spawner);
	assert_int_equal(waitpid(box_pid, NULL, 0), box_pid);
}

/* A cgroup of this machine's that we may make others in; NULL: there is none. */
static char *make_cgroup(void)
{
	autobuf struct buf cgroup = { 0 }, mounts = { 0 };
	autofree char *own = NULL;
	char *path;

	if (read_file("/proc/self/cgroup", 1 << 20, &cgroup, NULL) < 0 ||
	    read_file("/proc/self/mountinfo", 1 << 20, &mounts, NULL) < 0)
		return NULL;
	own = cgroup_directory(buf_str(&cgroup), buf_str(&mounts));
	if (!own)
		return NULL;
	path = xasprintf("%s/rcc-test-%d", own, getpid());
	if (mkdir(path, 0755) == 0)
		return path;
	free(path);
	return NULL;
}

static void a_box_starts_in_its_cgroup(void **state UNUSED)
{
	autofree char *path = make_cgroup(), *mark = xasprintf("/rcc-test-%d\n", getpid());
	int spawner, cgroup, pidfd, none;
	struct frame f = { 0 };

	if (!path)
		skip();
	spawner = start_spawner();
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ready(spawner);
	add_script("cat /proc/self/cgroup");
	assert_int_equal(spawn_box_in(spawner, cgroup, &pidfd).event, BOX_STARTED);
	send_input_end("");
	next(&f);
	assert_int_equal(codec_unpack(f.codec, f.payload, f.length, f.raw, &streams[0], NULL), 0);
	assert_non_null(strstr(buf_str(&streams[0]), mark));
	assert_int_equal(report_of(spawner, &none).event, BOX_ENDED);
	/* a directory that is no cgroup is said to be none */
	close(cgroup);
	close(pidfd);
	close(box.fd);
	cgroup = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(spawn_box_in(spawner, cgroup, &pidfd).event, BOX_FAILED);
	close(cgroup);
	close(box.fd);
	close(spawner);
	assert_int_equal(waitpid(box_pid, NULL, 0), box_pid);
	assert_int_equal(rmdir(path), 0);
}

static void modes_are_words(void **state UNUSED)
{
	struct mode m;

	assert_true(mode_parse("confined:4:100000:200000", &m));
	assert_true(m.confined);
	assert_int_equal(m.users, 4);
	assert_int_equal(m.first_uid, 100000);
	assert_int_equal(m.first_gid, 200000);
	assert_true(mode_parse("confined", &m));
	assert_int_equal(m.users, 0);
	assert_true(mode_parse("unconfined", &m));
	assert_false(m.confined);
	assert_false(mode_parse("confined:4:1", &m));
	assert_false(mode_parse("confined:0:1:1", &m));
	assert_false(mode_parse("confined:4:1:1x", &m));
	assert_false(mode_parse("confine", &m));
	assert_false(mode_parse("", &m));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(steps_run_in_order),
		TEST(the_first_failure_is_the_last_step),
		TEST(a_signal_is_reported),
		TEST(an_empty_file_comes_back_and_a_link_does_not),
		TEST(the_environment_is_the_jobs),
		TEST(only_stdin_stdout_and_stderr_reach_a_step),
		TEST(memory_pressure_meets_the_job_first),
		TEST(input_may_be_a_file),
		TEST(a_named_input_may_be_a_pipe),
		TEST(a_piped_input_may_be_left_unread),
		TEST(input_streams_but_ends_only_when_whole),
		TEST(a_piped_input_ends_only_when_whole),
		TEST(a_failure_on_damaged_input_does_not_count),
		TEST(much_input_passes_a_slow_reader),
		TEST(limits_are_named),
		TEST(too_much_input_is_a_limit),
		TEST(processor_time_is_a_limit),
		TEST(memory_is_a_limit),
		TEST(what_was_ended_has_used_time_too),
		TEST(memory_is_what_nobody_else_holds),
		TEST(what_it_uses_is_told_while_it_runs),
		TEST(an_idle_job_gives_way),
		TEST(what_cannot_run_is_the_boxs_failure),
		TEST(a_system_call_has_a_name_or_a_number),
		TEST(nothing_survives_the_job),
		TEST(closing_the_socket_ends_it_all),
		TEST(the_spawn_server_makes_boxes_and_tells_their_ends),
		TEST(all_boxes_give_way_together),
		TEST(a_box_can_be_killed),
		TEST(a_box_starts_in_its_cgroup),
		TEST(modes_are_words),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
