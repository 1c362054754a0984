/*
 * box.c - what a box costs: jobs of one program that does nothing, with and
 * without confinement, in turns. Prints milliseconds a job, the medians: until
 * the answer, which is what a caller waits, and until the box is gone, which
 * is when its slot is free; the kernel takes namespaces down in between.
 *
 *	box RCCD-BOX PROGRAM FILE...	the files are the toolchain; PROGRAM is one of them
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clock.h"
#include "file.h"
#include "wire.h"
#include "../../server/box/link.h"
#include "../../server/box/request.h"

enum { ROUNDS = 200, FIRST_UID = 64000 };
enum { ANSWERED, GONE, MOMENTS };

static pid_t start(const char *box, int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		dup2(fd, BOX_FD);
		execl(box, "rccd-box", (char *)NULL);
		_exit(127);
	}
	return pid;
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
static bool run(const char *box, const struct box_request *q, uint64_t us[MOMENTS])
{
	uint64_t start_us = clock_us();
	struct job_result result = { .outcome = JOB_BOX_FAILED };
	struct link l = { 0 };
	struct frame f = { 0 };
	struct reader r;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	pid = start(box, pair[1]);
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
	waitpid(pid, NULL, 0);
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

	if (argc < 3 || !mkdtemp(directory))
		return 2;
	q.directory = directory;
	q.job.input_name = (char *)"";
	q.job.step_count = 1;
	q.job.steps[0].program = argv[2];
	argv_push(&q.job.steps[0].argv, argv[2]);
	for (int i = 2; i < argc; i++)
		argv_push(&q.files, argv[i]);
	for (int i = 0; i < ROUNDS; i++)
		for (int confined = 0; confined < 2; confined++) {
			uint64_t took[MOMENTS];

			q.confined = confined;
			if (!run(argv[1], &q, took))
				return 1;
			for (int moment = 0; moment < MOMENTS; moment++)
				us[confined][moment][i] = took[moment];
		}
	rmdir(directory);
	print(us);
	return 0;
}
