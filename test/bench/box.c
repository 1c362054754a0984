/*
 * box.c - what a box costs: jobs of one program that does nothing, with and
 * without confinement, in turns, each by a spawn server of its kind. Prints
 * milliseconds a job, the medians: until the answer, which is what a caller
 * waits, and until the box is gone, which is when its slot is free; the kernel
 * takes namespaces down in between.
 *
 *	box RCCD-BOX ROOT PROGRAM	ROOT is a box's root; PROGRAM works in it and here
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clock.h"
#include "wire.h"
#include "../../server/box/link.h"
#include "../../server/box/packet.h"
#include "../../server/box/request.h"

enum { ROUNDS = 200, FIRST_UID = 64000 };
enum { ANSWERED, GONE, MOMENTS };

static int spawners[2];		/* unconfined, confined */

static int start_spawner(const char *box, const char *mode)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	if (fork() == 0) {
		dup2(pair[1], BOX_FD);
		execl(box, "rccd-box", "--spawner", mode, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	return pair[0];
}

/* The next report of that kind; those before it do not matter. */
static bool await(int spawner, enum spawn_event event)
{
	struct spawn_report r;
	int fds[PACKET_FDS];

	while (packet_receive(spawner, &r, sizeof r, fds, 0) > 0) {
		if (fds[0] >= 0)
			close(fds[0]);
		if (r.event == (uint32_t)event)
			return true;
		if (*r.text)
			fprintf(stderr, "box: %s\n", r.text);
	}
	return false;
}

static void ask(struct link *l, const struct box_request *q)
{
	autobuf struct buf request = { 0 }, end = { 0 };
	struct frame f = { .type = WIRE_BOX };

	box_request_put(&request, q);
	f.payload = request.p;
	f.length = f.raw = (uint32_t)request.len;
	link_send(l, &f, NULL);
	wire_input_end_put(&end, &(struct wire_input_end){ 0, XXH3_64bits("", 0) });
	f = (struct frame){ .type = WIRE_INPUT_END, .payload = end.p, .length = (uint32_t)end.len, .raw = (uint32_t)end.len };
	link_send(l, &f, NULL);
}

/* One job, from the box's start to its end. False: it did not run. */
static bool run(int spawner, const struct box_request *q, uint64_t us[MOMENTS])
{
	uint64_t start_us = clock_us();
	struct job_result result = { .outcome = JOB_BOX_FAILED };
	struct link l = { 0 };
	struct frame f = { 0 };
	struct reader r;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    packet_send(spawner, &(struct spawn_request){ .ticket = 1 }, sizeof(struct spawn_request), (int[]){ pair[1], -1 }) < 0)
		return false;
	close(pair[1]);
	l.fd = pair[0];
	ask(&l, q);
	while (f.type != WIRE_RESULT && (link_next(&l, &f, NULL) > 0 || link_wait(&l, NULL) > 0))
		;
	if (f.type == WIRE_RESULT) {
		r = reader_of(f.payload, f.length);
		job_result_get(&r, &result, NULL);
	}
	us[ANSWERED] = clock_us() - start_us;
	if (!await(spawner, BOX_ENDED))
		return false;
	us[GONE] = clock_us() - start_us;
	link_free(&l);
	close(pair[0]);
	if (result.outcome != JOB_RAN)
		fprintf(stderr, "box: %s\n", result.text);
	return result.outcome == JOB_RAN;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double median_ms(uint64_t us[ROUNDS])
{
	qsort(us, ROUNDS, sizeof *us, by_size);
	return (double)us[ROUNDS / 2] / 1000;
}

static void print(uint64_t us[2][MOMENTS][ROUNDS])
{
	static const char *const names[] = { [ANSWERED] = "until the answer", [GONE] = "until it is gone" };

	for (int moment = 0; moment < MOMENTS; moment++) {
		double bare = median_ms(us[0][moment]), boxed = median_ms(us[1][moment]);

		printf("%s: unconfined %.2f ms, confined %.2f ms: the box costs %.2f ms\n", names[moment], bare, boxed,
		       boxed - bare);
	}
}

int main(int argc, char **argv)
{
	static uint64_t us[2][MOMENTS][ROUNDS];
	char directory[] = "/tmp/rcc-bench.XXXXXX";
	struct box_request q = { .cpu_seconds = 60, .wall_seconds = 60, .file_bytes = 1 << 20, .input_bytes = 1 << 20,
				 .scratch_bytes = 1 << 30, .uid = geteuid() == 0 ? FIRST_UID : 0 };

	if (argc != 4 || !mkdtemp(directory))
		return 2;
	q.directory = directory;
	q.root = argv[2];
	q.job.input_name = (char *)"";
	q.job.step_count = 1;
	q.job.steps[0].program = argv[3];
	argv_push(&q.job.steps[0].argv, argv[3]);
	for (int confined = 0; confined < 2; confined++) {
		spawners[confined] = start_spawner(argv[1], confined ? "confined" : "unconfined");
		if (!await(spawners[confined], SPAWNER_READY))
			return 1;
	}
	for (int i = 0; i < ROUNDS; i++)
		for (int confined = 0; confined < 2; confined++) {
			uint64_t took[MOMENTS];

			q.confined = confined;
			if (!run(spawners[confined], &q, took))
				return 1;
			for (int moment = 0; moment < MOMENTS; moment++)
				us[confined][moment][i] = took[moment];
		}
	for (int confined = 0; confined < 2; confined++) {
		close(spawners[confined]);
		wait(NULL);
	}
	rmdir(directory);
	print(us);
	return 0;
}
