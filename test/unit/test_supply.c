/*
 * test_supply.c - a toolchain on its way to a volunteer that this test plays:
 * what it asks for arrives whole, and nothing that is not what it was.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "clock.h"
#include "codec.h"
#include "supply.h"
#include "wire.h"

enum { LARGE = 5 << 20 };

struct fixture {
	uv_loop_t loop;
	char dir[64];
	struct toolchain toolchain;
	struct supply *supply;
	struct conn *supplying;		/* the agent's end: while supply lives */
	struct conn *volunteer;		/* the other */
	enum codec codec;

	/* What the volunteer heard. */
	bool asked, closed;
	struct wire_blob blob;
	struct buf got;			/* of the blob at hand */
	unsigned whole, none, unpacked_frames, packed_frames;
	struct digest last_none;

	/* What the agent's side was told. */
	bool ended;
	int code;			/* 0: the volunteer wants no more */
};

static int take_blob_data(struct fixture *x, const struct frame *f, struct err *err)
{
	x->unpacked_frames += f->codec == CODEC_NONE;
	x->packed_frames += f->codec != CODEC_NONE;
	return codec_unpack(f->codec, f->payload, f->length, f->raw, &x->got, err);
}

static void check_blob(struct fixture *x)
{
	struct digest d;

	if (x->got.len < x->blob.size)
		return;
	assert_int_equal(x->got.len, x->blob.size);
	digest_of(x->got.p, x->got.len, &d);
	assert_true(digest_eq(&d, &x->blob.digest));
	x->whole++;
	x->got.len = 0;
}

static int on_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct reader r = reader_of(f->payload, f->length);
	struct fixture *x = arg;
	struct digest id;
	int rc = 0;

	(void)c;
	switch (f->type) {
	case WIRE_SUPPLY:
		assert_int_equal(wire_digest_get(&r, &id, err), 0);
		assert_true(digest_eq(&id, &x->toolchain.id));
		x->asked = true;
		break;
	case WIRE_BLOB:
		assert_int_equal(wire_blob_get(&r, &x->blob, err), 0);
		check_blob(x);
		break;
	case WIRE_BLOB_DATA:
		rc = take_blob_data(x, f, err);
		check_blob(x);
		break;
	case WIRE_BLOB_NONE:
		assert_int_equal(wire_digest_get(&r, &x->last_none, err), 0);
		x->none++;
		break;
	default:
		fail_msg("unexpected type %d", f->type);
	}
	assert_int_equal(rc, 0);
	return rc;
}

static void on_end(struct conn *c, void *arg, const struct err *err)
{
	struct fixture *x = arg;

	(void)c, (void)err;
	x->volunteer = NULL;
	x->closed = true;
}

static const struct conn_ops volunteer_ops = { .on_message = on_message, .on_end = on_end };

static enum codec codec_now(const struct conn *c, void *arg)
{
	assert_non_null(c);
	return ((struct fixture *)arg)->codec;
}

static void on_supply_end(struct supply *s, const struct err *err, void *arg)
{
	struct fixture *x = arg;

	assert_ptr_equal(s, x->supply);
	x->supply = NULL;
	x->ended = true;
	x->code = err ? err->code : 0;
}

static const struct supply_events supply_events = { .codec = codec_now, .ended = on_supply_end };

static char *path_of(struct fixture *x, const char *name) { return xasprintf("%s/%s", x->dir, name); }

/* Text that packs well, but is the same nowhere. */
static void write_file(struct fixture *x, const char *name, size_t size, unsigned seed)
{
	autofree char *path = path_of(x, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < size; i++)
		fputc((int)('a' + (i / 97 + i / 4099 + seed) % 26), f);
	assert_int_equal(fclose(f), 0);
}

static void add_file(struct fixture *x, const char *name, size_t size)
{
	autofree char *path = path_of(x, name);
	struct digest d;
	int fd;

	write_file(x, name, size, (unsigned)x->toolchain.tree.count);
	fd = open(path, O_RDONLY);
	assert_int_equal(digest_fd(fd, &d, NULL), 0);
	close(fd);
	tree_add_file(&x->toolchain.tree, path, 0755, size, &d);
}

static const struct tree_entry *entry(struct fixture *x, const char *name)
{
	autofree char *path = path_of(x, name);

	return tree_find(&x->toolchain.tree, path);
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);
	int pair[2];

	alarm(60);	/* what never comes is not waited for for ever */
	uv_loop_init(&x->loop);
	snprintf(x->dir, sizeof x->dir, "/tmp/rcc-supply-XXXXXX");
	if (!mkdtemp(x->dir) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	add_file(x, "as", 700);
	add_file(x, "cc1", LARGE);
	add_file(x, "empty", 0);
	tree_add_data(&x->toolchain.tree, "/etc/ld.so.cache", 0644, "made up", 7);
	tree_digest(&x->toolchain.tree, &x->toolchain.id);
	x->codec = CODEC_LZ4;
	x->volunteer = conn_new(&x->loop, pair[0], &wire_protocol, &volunteer_ops, x);
	x->supplying = conn_new(&x->loop, pair[1], &wire_protocol, NULL, NULL);
	x->supply = supply_start(&x->loop, x->supplying, &x->toolchain, &supply_events, x);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "as", "cc1", "empty" };
	struct fixture *x = *state;

	supply_stop(x->supply);
	conn_close(x->volunteer);
	uv_run(&x->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&x->loop) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		autofree char *path = path_of(x, names[i]);

		unlink(path);
	}
	rmdir(x->dir);
	tree_free(&x->toolchain.tree);
	buf_free(&x->got);
	free(x);
	return 0;
}

static void want(struct fixture *x, struct digest *digests, size_t count)
{
	struct wire_want m = { .digests = digests, .count = count };
	struct buf b = { 0 };

	wire_want_put(&b, &m);
	conn_send(x->volunteer, WIRE_WANT, 0, &b);
	buf_free(&b);
}

static void turn(struct fixture *x)
{
	uv_run(&x->loop, UV_RUN_ONCE);
}

#define run_until(x, condition) do { while (!(condition)) turn(x); } while (0)

static void what_is_wanted_arrives_in_that_order(void **state)
{
	struct fixture *x = *state;
	struct digest wanted[] = { entry(x, "cc1")->digest, entry(x, "empty")->digest, entry(x, "as")->digest };

	run_until(x, x->asked);
	want(x, wanted, 2);
	run_until(x, x->whole == 2);
	assert_true(digest_eq(&x->blob.digest, &wanted[1]));
	want(x, &wanted[2], 1);
	run_until(x, x->whole == 3);
	assert_true(digest_eq(&x->blob.digest, &wanted[2]));
	assert_true(x->packed_frames >= LARGE / FRAME_MAX);
	assert_false(x->ended);
	want(x, NULL, 0);
	run_until(x, x->ended && x->closed);
	assert_int_equal(x->code, 0);
	assert_int_equal(x->none, 0);
}

static void the_codec_is_asked_for(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = entry(x, "cc1")->digest;

	x->codec = CODEC_NONE;
	want(x, &wanted, 1);
	run_until(x, x->whole == 1);
	assert_int_equal(x->packed_frames, 0);
	assert_int_equal(x->unpacked_frames, LARGE / FRAME_MAX);
}

/* One that is gone, one of another size, one of the same size: each is said, and the next is sent. */
static void a_changed_file_is_not_sent(void **state)
{
	struct fixture *x = *state;
	struct digest wanted[] = { entry(x, "as")->digest, entry(x, "empty")->digest };
	autofree char *path = path_of(x, "as");

	write_file(x, "as", 700, 7);
	want(x, wanted, 2);
	run_until(x, x->whole == 1);
	write_file(x, "as", 699, 0);
	want(x, wanted, 2);
	run_until(x, x->whole == 2);
	unlink(path);
	want(x, wanted, 2);
	run_until(x, x->whole == 3);
	assert_int_equal(x->none, 3);
	assert_true(digest_eq(&x->last_none, &wanted[0]));
	assert_true(digest_eq(&x->blob.digest, &wanted[1]));
	want(x, NULL, 0);
	run_until(x, x->ended);
	assert_int_equal(x->code, ERR_ABSENT);
}

static void a_directory_or_link_in_its_place_is_not_sent(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = entry(x, "as")->digest;
	autofree char *path = path_of(x, "as"), *other = path_of(x, "other");

	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	want(x, &wanted, 1);
	run_until(x, x->none == 1);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	want(x, &wanted, 1);
	run_until(x, x->none == 2);
	rmdir(path);
	unlink(other);
	assert_int_equal(x->whole, 0);
}

/* What was sent of it cannot be taken back: the end. */
static void a_file_that_changes_under_way_ends_it(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = entry(x, "cc1")->digest;
	autofree char *path = path_of(x, "cc1");

	x->codec = CODEC_NONE;
	want(x, &wanted, 1);
	run_until(x, x->got.len);
	assert_int_equal(truncate(path, 1000), 0);
	run_until(x, x->ended && x->closed);
	assert_int_equal(x->code, ERR_ABSENT);
	assert_int_equal(x->whole, 0);
}

/* Its own bytes went out, but they are not those of the digest. */
static void a_large_file_of_the_same_size_ends_it(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = entry(x, "cc1")->digest;

	write_file(x, "cc1", LARGE, 9);
	want(x, &wanted, 1);
	run_until(x, x->ended && x->closed);
	assert_int_equal(x->code, ERR_ABSENT);
	assert_int_equal(x->whole, 0);
}

static void stop_reading(uv_timer_t *timer) { uv_close((uv_handle_t *)timer, NULL); }

/* A volunteer that does not read keeps most of the file on our disk. */
static void a_slow_volunteer_is_waited_for(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = entry(x, "cc1")->digest;
	uv_timer_t timer;
	size_t queued;

	x->codec = CODEC_NONE;
	want(x, &wanted, 1);
	run_until(x, x->got.len);
	conn_pause(x->volunteer);
	uv_timer_init(&x->loop, &timer);
	uv_timer_start(&timer, stop_reading, 200, 0);
	while (!uv_is_closing((uv_handle_t *)&timer))
		turn(x);
	queued = conn_queued(x->supplying);
	assert_true(queued >= CONN_HIGH_WATER && queued < CONN_HIGH_WATER + (512 << 10));
	conn_resume(x->volunteer);
	run_until(x, x->whole == 1);
}

static void what_must_not_be_said_ends_it(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = { .b = { 1 } };

	want(x, &wanted, 1);
	run_until(x, x->ended && x->closed);
	assert_int_equal(x->code, ERR_WIRE);
}

static void a_second_want_before_the_answer_ends_it(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = entry(x, "cc1")->digest;

	want(x, &wanted, 1);
	want(x, &wanted, 1);
	run_until(x, x->ended && x->closed);
	assert_int_equal(x->code, ERR_WIRE);
}

static void an_unexpected_message_ends_it(void **state)
{
	struct fixture *x = *state;

	conn_send(x->volunteer, WIRE_PROGRESS, 0, NULL);
	run_until(x, x->ended && x->closed);
	assert_int_equal(x->code, ERR_WIRE);
}

static void a_goodbye_says_why(void **state)
{
	struct wire_bye bye = { .refusal = REFUSAL_TOO_MANY, .text = (char *)"full" };
	struct fixture *x = *state;
	struct buf b = { 0 };

	wire_bye_put(&b, &bye);
	conn_send(x->volunteer, WIRE_BYE, 0, &b);
	buf_free(&b);
	run_until(x, x->ended && x->closed);
	assert_int_equal(x->code, ERR_REFUSED);
}

static void it_can_be_stopped_while_a_worker_reads(void **state)
{
	struct fixture *x = *state;
	struct digest wanted = entry(x, "cc1")->digest;

	want(x, &wanted, 1);
	run_until(x, x->got.len);
	supply_stop(ptr_steal(&x->supply));
	run_until(x, x->closed);
	assert_false(x->ended);
}

static void a_volunteer_that_falls_silent_is_given_up(void **state)
{
	struct fixture *x = *state;

	run_until(x, x->asked);
	supply_check(x->supply, clock_ms() + SUPPLY_STALL_MS / 2);
	assert_false(x->ended);
	supply_check(x->supply, clock_ms() + 3 * SUPPLY_STALL_MS);
	assert_true(x->ended);
	assert_int_equal(x->code, ERR_IO);
}

static void only_files_can_be_found(void **state)
{
	struct fixture *x = *state;
	const struct tree *t = &x->toolchain.tree;
	struct digest zeros = { 0 };

	assert_ptr_equal(supply_find(t, &entry(x, "cc1")->digest), entry(x, "cc1"));
	assert_null(supply_find(t, &zeros));	/* as made-up contents have no digest */
}

#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(what_is_wanted_arrives_in_that_order), t(the_codec_is_asked_for), t(a_changed_file_is_not_sent),
		t(a_directory_or_link_in_its_place_is_not_sent), t(a_file_that_changes_under_way_ends_it),
		t(a_large_file_of_the_same_size_ends_it), t(a_slow_volunteer_is_waited_for),
		t(what_must_not_be_said_ends_it), t(a_second_want_before_the_answer_ends_it),
		t(an_unexpected_message_ends_it), t(a_goodbye_says_why), t(it_can_be_stopped_while_a_worker_reads),
		t(a_volunteer_that_falls_silent_is_given_up), t(only_files_can_be_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
