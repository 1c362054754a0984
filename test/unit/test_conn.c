/*
 * test_conn.c - messages through a real socket pair and a real loop.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "conn.h"
#include "wire.h"

static const struct frame_rule rules[] = {
	[1] = { "SMALL", 8 }, [2] = { "LONG", 1 << 20 }, [3] = { "BULK", FRAME_MAX, .bulk = true },
	[4] = { "FD", 8, .max_fds = 2 },
};
static const struct protocol protocol = { "test", rules, ARRAY_LEN(rules) };

struct heard {
	uv_loop_t loop;
	int peer;		/* our raw end */
	struct conn *conn;
	struct buf last;
	int type, count, ended;
	int fd;
	bool pause_after_each, close_at_once;
};

static int on_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct heard *h = arg;

	(void)err;
	h->count++;
	h->type = f->type;
	h->last.len = 0;
	buf_add(&h->last, f->payload, f->length);
	if (f->fd_count) {
		h->fd = f->fds[0];
		f->fds[0] = -1;
	}
	if (h->pause_after_each)
		conn_pause(c);
	if (h->close_at_once) {
		conn_close(c);
		h->conn = NULL;
	}
	return 0;
}

static void on_end(struct conn *c, void *arg, const struct err *err)
{
	struct heard *h = arg;

	(void)c;
	h->ended = err->code;
	h->conn = NULL;
}

static const struct conn_ops ops = { .on_message = on_message, .on_end = on_end };

static int setup(void **state)
{
	struct heard *h = calloc(1, sizeof *h);
	int pair[2];

	uv_loop_init(&h->loop);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	h->peer = pair[0];
	h->fd = -1;
	h->conn = conn_new(&h->loop, pair[1], &protocol, &ops, h);
	*state = h;
	return 0;
}

static void turn(struct heard *h)
{
	for (int i = 0; i < 20; i++)
		uv_run(&h->loop, UV_RUN_NOWAIT);
}

static int teardown(void **state)
{
	struct heard *h = *state;

	conn_close(h->conn);
	uv_run(&h->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&h->loop) < 0)
		return -1;
	if (h->peer >= 0)
		close(h->peer);
	buf_free(&h->last);
	free(h);
	return 0;
}

static void raw(struct heard *h, uint8_t type, uint8_t codec, uint8_t flags, uint32_t length, uint32_t raw_length,
		size_t really)
{
	struct frame f = { .length = length, .raw = raw_length, .type = type, .codec = codec, .flags = flags };
	unsigned char header[FRAME_HEADER];
	char *zeros = calloc(1, really + 1);

	frame_header_put(header, &f);
	assert_int_equal(write(h->peer, header, sizeof header), sizeof header);
	assert_int_equal(write(h->peer, zeros, really), (ssize_t)really);
	free(zeros);
}

static void a_long_message_arrives_whole(void **state)
{
	struct heard *h = *state;
	struct heard *other = NULL;
	struct buf b = { 0 };
	struct conn *sender;

	assert_int_equal(setup((void **)&other), 0);
	for (int i = 0; i < 200000; i++)
		put_u8(&b, (uint8_t)(i * 7));
	sender = conn_new(&h->loop, dup(h->peer), &protocol, &ops, other);
	conn_send(sender, 2, 9, &b);
	turn(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->last.len, b.len);
	assert_memory_equal(h->last.p, b.p, b.len);
	conn_send(sender, 1, 9, NULL);
	turn(h);
	assert_int_equal(h->count, 2);
	assert_int_equal(h->type, 1);
	conn_close(sender);
	buf_free(&b);
	teardown((void **)&other);
}

static void parts_are_put_together(void **state)
{
	struct heard *h = *state;

	raw(h, 2, 0, FRAME_MORE, 10, 10, 10);
	turn(h);
	assert_int_equal(h->count, 0);
	raw(h, 2, 0, 0, 5, 5, 5);
	turn(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->last.len, 15);
}

static void a_descriptor_travels(void **state)
{
	struct heard *h = *state;
	struct heard *other = NULL;
	struct conn *sender;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct stat a, b;

	assert_int_equal(setup((void **)&other), 0);
	sender = conn_new(&h->loop, dup(h->peer), &protocol, &ops, other);
	conn_send_fds(sender, 4, 0, NULL, &null, 1);
	turn(h);
	assert_int_equal(h->count, 1);
	assert_true(h->fd >= 0);
	fstat(null, &a);
	fstat(h->fd, &b);
	assert_true(a.st_rdev == b.st_rdev);
	close(h->fd);
	close(null);
	conn_close(sender);
	teardown((void **)&other);
}

static void bad_frames_end_the_connection(void **state)
{
	static const struct { uint8_t type, codec, flags; uint32_t length, raw; } bad[] = {
		{ 0, 0, 0, 0, 0 }, { 5, 0, 0, 0, 0 }, { 200, 0, 0, 0, 0 },	/* types */
		{ 1, 0, 0, 9, 9 }, { 3, 1, 0, 10, FRAME_MAX + 1 },		/* bounds */
		{ 1, 1, 0, 4, 4 }, { 3, 9, 0, 4, 4 }, { 3, 0, 0, 4, 5 },	/* codecs */
		{ 1, 0, 2, 0, 0 }, { 3, 0, FRAME_MORE, 4, 4 },			/* flags */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct heard *h = NULL;

		assert_int_equal(setup((void **)&h), 0);
		raw(h, bad[i].type, bad[i].codec, bad[i].flags, bad[i].length, bad[i].raw, bad[i].length);
		turn(h);
		assert_int_equal(h->ended, ERR_WIRE);
		assert_int_equal(h->count, 0);
		teardown((void **)&h);
	}
}

static void a_message_over_its_bound_in_parts_ends_it(void **state)
{
	struct heard *h = *state;

	for (int i = 0; i < 17 && !h->ended; i++) {
		raw(h, 2, 0, FRAME_MORE, FRAME_MAX, FRAME_MAX, FRAME_MAX);
		turn(h);
	}
	assert_int_equal(h->ended, ERR_WIRE);
}

static void another_message_between_parts_ends_it(void **state)
{
	struct heard *h = *state;

	raw(h, 2, 0, FRAME_MORE, 10, 10, 10);
	raw(h, 1, 0, 0, 0, 0, 0);
	turn(h);
	assert_int_equal(h->ended, ERR_WIRE);
}

static void the_peer_closing_is_told(void **state)
{
	struct heard *h = *state;

	close(h->peer);
	h->peer = -1;
	turn(h);
	assert_int_equal(h->ended, ERR_CLOSED);
}

static void a_pause_holds_back_what_was_read(void **state)
{
	struct heard *h = *state;

	h->pause_after_each = true;
	for (int i = 0; i < 3; i++)
		raw(h, 1, 0, 0, 4, 4, 4);
	turn(h);
	assert_int_equal(h->count, 1);
	conn_resume(h->conn);
	turn(h);
	assert_int_equal(h->count, 2);
	conn_resume(h->conn);
	turn(h);
	assert_int_equal(h->count, 3);
}

static void a_pause_loses_nothing_that_was_said_before_closing(void **state)
{
	struct heard *h = *state;

	conn_pause(h->conn);
	for (int i = 0; i < 2; i++)
		raw(h, 1, 0, 0, 4, 4, 4);
	close(h->peer);
	h->peer = -1;
	turn(h);
	assert_int_equal(h->ended, 0);
	conn_resume(h->conn);
	turn(h);
	assert_int_equal(h->count, 2);
	assert_int_equal(h->ended, ERR_CLOSED);
}

static const struct conn_ops cancelling_ops = { .on_message = on_message, .on_end = on_end, .hangup_cancels = true };

static void a_hangup_that_cancels_is_told_during_a_pause(void **state)
{
	struct heard *h = *state;

	conn_set_arg(h->conn, &cancelling_ops, h);
	conn_pause(h->conn);
	raw(h, 1, 0, 0, 4, 4, 4);
	turn(h);
	assert_int_equal(h->ended, 0);
	close(h->peer);
	h->peer = -1;
	turn(h);
	assert_int_equal(h->ended, ERR_CLOSED);
	assert_int_equal(h->count, 0);
}

static void a_handler_may_close_its_connection(void **state)
{
	struct heard *h = *state;

	h->close_at_once = true;
	for (int i = 0; i < 3; i++)
		raw(h, 1, 0, 0, 4, 4, 4);
	turn(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->ended, 0);
}

static void finish_writes_what_is_queued(void **state)
{
	struct heard *h = *state;
	struct buf b = { 0 };
	size_t got = 0;
	char chunk[65536];
	ssize_t n;

	buf_reserve(&b, 900000);
	b.len = 900000;
	memset(b.p, 1, b.len);
	conn_send(h->conn, 2, 0, &b);
	conn_finish(h->conn);
	h->conn = NULL;
	fcntl(h->peer, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 1000; i++) {
		turn(h);
		while ((n = read(h->peer, chunk, sizeof chunk)) > 0)
			got += (size_t)n;
		if (n == 0)
			break;
	}
	assert_int_equal(got, 900000 + FRAME_HEADER * ((900000 + FRAME_MAX - 1) / FRAME_MAX));
	buf_free(&b);
}

static void finish_does_not_wait_for_ever(void **state)
{
	struct heard *h = *state;
	struct conn_share share = { .queued_max = UINT64_MAX, .parts_max = UINT64_MAX };
	struct buf b = { 0 };

	conn_join(h->conn, &share);
	buf_reserve(&b, 900000);
	memset(b.p, 0, b.len = 900000);
	conn_send(h->conn, 2, 0, &b);
	assert_int_equal(share.queued, conn_queued(h->conn));
	assert_true(share.queued > 0);
	assert_int_equal(share.connections, 1);
	conn_finish(h->conn);
	h->conn = NULL;
	/* nobody reads: the loop ends only when the connection did */
	uv_run(&h->loop, UV_RUN_DEFAULT);
	assert_int_equal(h->ended, 0);
	assert_int_equal(share.queued, 0);
	assert_int_equal(share.connections, 0);
	buf_free(&b);
}

static void a_peer_that_does_not_read_is_left(void **state)
{
	struct heard *h = *state;
	static unsigned char payload[FRAME_MAX];

	conn_set_backlog(h->conn, 2 * FRAME_MAX);
	for (int i = 0; i < 1000 && h->conn && conn_queued(h->conn) <= 2 * FRAME_MAX; i++)
		conn_send_bulk(h->conn, 3, 0, CODEC_NONE, FRAME_MAX, payload, FRAME_MAX);
	/* not from within a call */
	assert_non_null(h->conn);
	turn(h);
	assert_int_equal(h->ended, ERR_LIMIT);
}

static void a_share_bounds_parts_of_all(void **state)
{
	struct conn_share share = { .queued_max = UINT64_MAX, .parts_max = 25 };
	struct heard *h = *state, *other = NULL;

	assert_int_equal(setup((void **)&other), 0);
	conn_join(h->conn, &share);
	conn_join(other->conn, &share);
	raw(h, 2, 0, FRAME_MORE, 10, 10, 10);
	raw(other, 2, 0, FRAME_MORE, 10, 10, 10);
	turn(h);
	turn(other);
	assert_int_equal(share.parts, 20);
	/* whole, it no longer counts */
	raw(h, 2, 0, 0, 5, 5, 5);
	turn(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(share.parts, 10);
	raw(h, 2, 0, FRAME_MORE, 16, 16, 16);
	turn(h);
	assert_int_equal(h->ended, ERR_LIMIT);
	assert_int_equal(share.parts, 10);
	assert_int_equal(share.connections, 1);
	assert_int_equal(other->ended, 0);
	teardown((void **)&other);
	assert_int_equal(share.parts, 0);
}

static void a_share_makes_each_full_early(void **state)
{
	struct conn_share share = { .queued_max = 0, .parts_max = UINT64_MAX };
	struct heard *h = *state;
	struct buf b = { 0 };

	buf_reserve(&b, 900000);
	memset(b.p, 0, b.len = 900000);
	conn_send(h->conn, 2, 0, &b);
	assert_true(conn_queued(h->conn) > FRAME_MAX && conn_queued(h->conn) < CONN_HIGH_WATER);
	assert_false(conn_full(h->conn));
	conn_join(h->conn, &share);
	assert_true(conn_full(h->conn));
	buf_free(&b);
}

/* More of them than are written at once, and two have a descriptor. */
static void what_is_held_goes_when_it_may(void **state)
{
	static const int types[] = { 1, 4, 1, 1, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct heard *h = *state, *other = NULL;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct conn *sender;

	assert_int_equal(setup((void **)&other), 0);
	sender = conn_new(&h->loop, dup(h->peer), &protocol, &ops, other);
	h->pause_after_each = true;
	conn_hold(sender);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		autobuf struct buf b = { 0 };

		put_u32(&b, (uint32_t)i);
		conn_send_fds(sender, (uint8_t)types[i], 0, &b, &null, types[i] == 4);
	}
	turn(h);
	assert_int_equal(h->count, 0);
	conn_let_go(sender);
	assert_int_equal(conn_queued(sender), 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct reader r;

		turn(h);
		assert_int_equal(h->count, i + 1);
		assert_int_equal(h->type, types[i]);
		r = reader_of(h->last.p, h->last.len);
		assert_int_equal(get_u32(&r), i);
		assert_int_equal(h->fd >= 0, types[i] == 4);
		if (h->fd >= 0)
			close(h->fd);
		h->fd = -1;
		conn_resume(h->conn);
	}
	close(null);
	conn_close(sender);
	teardown((void **)&other);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_long_message_arrives_whole), TEST(parts_are_put_together), TEST(a_descriptor_travels),
		cmocka_unit_test(bad_frames_end_the_connection), TEST(a_message_over_its_bound_in_parts_ends_it),
		TEST(another_message_between_parts_ends_it), TEST(the_peer_closing_is_told),
		TEST(a_pause_holds_back_what_was_read), TEST(a_pause_loses_nothing_that_was_said_before_closing),
		TEST(a_hangup_that_cancels_is_told_during_a_pause),
		TEST(a_handler_may_close_its_connection),
		TEST(finish_writes_what_is_queued), TEST(finish_does_not_wait_for_ever),
		TEST(a_peer_that_does_not_read_is_left), TEST(a_share_bounds_parts_of_all), TEST(a_share_makes_each_full_early),
		TEST(what_is_held_goes_when_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
