/*
 * test_feed.c - a pipe's text becomes parcels that give it back, in bounded memory.
 */
#include "unit.h"

#include <fcntl.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "feed.h"
#include "file.h"
#include "result.h"
#include "wire.h"

struct fixture {
	uv_loop_t loop;
	int write_end;
	struct feed *feed;
	struct buf text;	/* as unpacked from parcels */
	size_t parcels;
	bool take, ended;
	enum reason why;
};

static void on_ready(struct feed *f, void *arg)
{
	struct fixture *x = arg;
	struct parcel *p;

	while (x->take && (p = feed_take(f))) {
		assert_int_equal(codec_unpack(p->codec, p->data, p->len, p->raw, &x->text, NULL), 0);
		x->parcels++;
		free(p);
	}
	x->ended = feed_ended(f, &x->why);
}

static const struct feed_events events = { .ready = on_ready };
static struct source_memo *sources;

static struct fixture *start(bool plain)
{
	struct feed_text text = { .plain = plain, .memo = sources, .origin = { .stdin_fd = -1 } };
	struct fixture *x = calloc(1, sizeof *x);
	int fds[2];

	uv_loop_init(&x->loop);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	x->write_end = fds[1];
	x->take = true;
	text.origin.cwd = xstrdup("/");
	text.origin.input = xstrdup("/dev/null");
	x->feed = feed_start(&x->loop, fds[0], CODEC_LZ4, &text, false, &events, x);
	return x;
}

static void run(struct fixture *x)
{
	for (int i = 0; i < 4000 && !x->ended; i++)
		uv_run(&x->loop, UV_RUN_ONCE);
}

static void stop(struct fixture *x)
{
	feed_stop(x->feed);
	uv_run(&x->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&x->loop), 0);
	if (x->write_end >= 0)
		close(x->write_end);
	buf_free(&x->text);
	free(x);
}

static void text_comes_through_whole(void **state)
{
	struct fixture *x = start(false);
	struct buf sent = { 0 };

	(void)state;
	for (int i = 0; i < 60000; i++)
		buf_printf(&sent, "int line_%d;\n", i);
	fcntl(x->write_end, F_SETFL, O_NONBLOCK);
	for (size_t at = 0; at < sent.len;) {
		ssize_t n = write(x->write_end, sent.p + at, sent.len - at);

		at += n > 0 ? (size_t)n : 0;
		uv_run(&x->loop, UV_RUN_NOWAIT);
	}
	close(x->write_end);
	x->write_end = -1;
	run(x);
	assert_true(x->ended);
	assert_int_equal(x->why, REASON_NONE);
	assert_int_equal(x->text.len, sent.len);
	assert_memory_equal(x->text.p, sent.p, sent.len);
	assert_int_equal(feed_bytes(x->feed), sent.len);
	assert_true(feed_hash(x->feed) == XXH3_64bits(sent.p, sent.len));
	/* frames are full, however little each read gave */
	assert_int_equal(x->parcels, (sent.len + FRAME_MAX - 1) / FRAME_MAX);
	buf_free(&sent);
	stop(x);
}

static void unsound_text_is_told(void **state)
{
	struct fixture *x = start(false);
	static const char text[] = "const char *now = __TIME__;\n";

	(void)state;
	assert_int_equal(write(x->write_end, text, strlen(text)), (ssize_t)strlen(text));
	close(x->write_end);
	x->write_end = -1;
	run(x);
	assert_int_equal(x->why, REASON_TEXT_UNSOUND);
	stop(x);
}

static void what_nobody_takes_stops_the_reading(void **state)
{
	struct fixture *x = start(false);
	static unsigned char noise[65536];
	uint64_t seed = 1, written = 0;
	int idle = 0;

	(void)state;
	x->take = false;
	fcntl(x->write_end, F_SETFL, O_NONBLOCK);
	while (idle < 200 && written < (64u << 20)) {
		ssize_t n;

		for (size_t i = 0; i < sizeof noise; i++)	/* does not compress */
			noise[i] = (unsigned char)((seed = seed * 6364136223846793005u + 1) >> 56);
		n = write(x->write_end, noise, sizeof noise);
		written += n > 0 ? (uint64_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		uv_run(&x->loop, UV_RUN_NOWAIT);
		if (n <= 0)
			usleep(1000);
	}
	assert_in_range(written, 16u << 20, 24u << 20);
	stop(x);
}

/* result */

static int stored_rc;

static void on_stored(int rc, const struct err *err, void *arg)
{
	(void)err, (void)arg;
	stored_rc = rc;
}

static int store(const char *text, uint64_t hash, uint64_t bytes, int fd)
{
	struct frame f = { .id = STREAM_FILE, .raw = (uint32_t)strlen(text), .length = (uint32_t)strlen(text),
			   .payload = (const unsigned char *)text };
	struct job_result said = { .output_hash = hash, .output_bytes = bytes };
	struct result *r = result_new();
	uv_loop_t loop;

	uv_loop_init(&loop);
	stored_rc = 1;
	assert_int_equal(result_add(r, &f, NULL), 0);
	result_store(r, &loop, STREAM_FILE, fd, &said, on_stored, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	result_free(r);
	return stored_rc;
}

static void a_result_is_written_only_as_it_was_said(void **state)
{
	char name[] = "/tmp/rcc-result-XXXXXX";
	int fd = mkstemp(name), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	uint64_t hash = XXH3_64bits("object", 6);
	char got[8] = { 0 };

	(void)state;
	unlink(name);
	assert_int_equal(store("object", hash, 6, fd), 0);
	assert_int_equal(pread(fd, got, sizeof got, 0), 6);
	assert_string_equal(got, "object");
	assert_int_equal(store("objecT", hash, 6, fd), ERR_WIRE);
	assert_int_equal(store("object", hash, 7, fd), ERR_WIRE);
	assert_int_equal(store("object", hash, 6, full), ERR_OUTPUT);
	close(fd);
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_comes_through_whole),
		cmocka_unit_test(unsound_text_is_told),
		cmocka_unit_test(what_nobody_takes_stops_the_reading),
		cmocka_unit_test(a_result_is_written_only_as_it_was_said),
	};

	sources = source_memo_new();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
