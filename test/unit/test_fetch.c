/*
 * test_fetch.c - contents that jobs wait for: one fetch for all, and who is asked next.
 */
#include "store_fixture.h"

#include <uv.h>

#include "clock.h"
#include "fetch.h"
#include "wire.h"

enum { SIZE = 20000 };

/* Stands for a job: what it was told, and what its caller was asked. */
struct job_side {
	struct fetch *fetch;
	struct digest have[8], none[8], want[2048];
	size_t have_count, none_count, want_count, want_messages;
	bool lied;
};

static uv_loop_t loop;
static struct store *store;
static struct fetches *all;
static struct argv dirs;
static struct job_side a, b;

static void to_box(void *arg, uint8_t type, const struct buf *m)
{
	struct job_side *j = arg;
	struct reader r = reader_of(m->p, m->len);
	struct wire_want have;

	if (type == WIRE_BLOB_NONE) {
		assert_int_equal(wire_digest_get(&r, &j->none[j->none_count++], NULL), 0);
		return;
	}
	assert_int_equal(type, WIRE_HAVE);
	assert_int_equal(wire_want_get(&r, &have, NULL), 0);
	for (size_t i = 0; i < have.count; i++)
		j->have[j->have_count++] = have.digests[i];
	wire_want_free(&have);
}

static void to_caller(void *arg, uint8_t type, const struct buf *m)
{
	struct job_side *j = arg;
	struct reader r = reader_of(m->p, m->len);
	struct wire_want want;

	assert_int_equal(type, WIRE_WANT);
	assert_int_equal(wire_want_get(&r, &want, NULL), 0);
	memcpy(j->want + j->want_count, want.digests, want.count * sizeof *want.digests);
	j->want_count += want.count;
	j->want_messages++;
	wire_want_free(&want);
}

static void ignore(void *arg UNUSED) {}

static void on_lie(void *arg, const struct err *err UNUSED)
{
	struct job_side *j = arg;

	j->lied = true;
	fetch_end(ptr_steal(&j->fetch));
}

static const struct fetch_ops ops = { to_box, to_caller, ignore, ignore, on_lie };

static void settle(void) { uv_run(&loop, UV_RUN_DEFAULT); }

static int setup(void **state)
{
	assert_int_equal(make_store_dir(state), 0);
	assert_int_equal(store_open(store_dir, PLENTY, &store, &store_err), 0);
	uv_loop_init(&loop);
	all = fetches_new(&loop, store, &dirs);
	a = b = (struct job_side){ 0 };
	a.fetch = fetch_new(all, &ops, &a);
	b.fetch = fetch_new(all, &ops, &b);
	return 0;
}

static int teardown(void **state)
{
	fetch_end(a.fetch);
	fetch_end(b.fetch);
	settle();
	assert_int_equal(uv_loop_close(&loop), 0);
	fetches_free(all);
	store_close(store);
	return remove_store_dir(state);
}

static struct frame frame_of(uint8_t type, const struct buf *m)
{
	return (struct frame){ .type = type, .payload = m->p, .length = (uint32_t)m->len, .raw = (uint32_t)m->len };
}

static void need_at(struct job_side *j, const struct digest *d, uint64_t size, const char *path)
{
	struct wire_needed n = { .digest = *d, .size = size, .path = (char *)path };
	autobuf struct buf m = { 0 };
	struct frame f;

	wire_need_put(&m, &(struct wire_need){ .v = &n, .count = 1 });
	f = frame_of(WIRE_NEED, &m);
	assert_int_equal(fetch_need(j->fetch, &f, NULL), 0);
	settle();
}

static struct digest need(struct job_side *j, unsigned n, uint64_t size)
{
	struct digest d = digest_of_contents(n, size);

	need_at(j, &d, size, "");
	return d;
}

static int say_blob(struct job_side *j, const struct digest *d, uint64_t size)
{
	autobuf struct buf m = { 0 };
	struct frame f;

	wire_blob_put(&m, &(struct wire_blob){ .digest = *d, .size = size });
	f = frame_of(WIRE_BLOB, &m);
	return fetch_blob(j->fetch, &f, NULL);
}

static int say_data(struct job_side *j, unsigned n, size_t size)
{
	struct buf m = { 0 };
	struct frame f;
	int rc;

	buf_reserve(&m, size);
	contents_of(n, m.p, size);
	m.len = size;
	f = frame_of(WIRE_BLOB_DATA, &m);
	rc = fetch_data(j->fetch, &f, NULL);
	buf_free(&m);
	return rc;
}

static int say_none(struct job_side *j, const struct digest *d)
{
	autobuf struct buf m = { 0 };
	struct frame f;

	wire_digest_put(&m, d);
	f = frame_of(WIRE_BLOB_NONE, &m);
	return fetch_none(j->fetch, &f, NULL);
}

static void what_the_store_has_is_had_at_once(void **state UNUSED)
{
	struct digest d;

	assert_int_equal(bring(store, 1, SIZE, &store_err), 0);
	d = need(&a, 1, SIZE);
	assert_int_equal(a.have_count, 1);
	assert_true(digest_eq(&a.have[0], &d));
	assert_int_equal(a.want_count, 0);
}

/* Contents of an earlier life count once they have been hashed; damaged ones are asked for. */
static void an_earlier_lifes_contents_are_looked_at(void **state UNUSED)
{
	struct digest good = digest_of_contents(1, SIZE), bad = digest_of_contents(2, SIZE);
	autofree char *path = blob_path(&bad);

	fetch_end(ptr_steal(&a.fetch));
	fetch_end(ptr_steal(&b.fetch));
	fetches_free(all);
	assert_int_equal(bring(store, 1, SIZE, &store_err), 0);
	assert_int_equal(bring(store, 2, SIZE, &store_err), 0);
	store_close(store);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, SIZE - 1), 0);
	assert_int_equal(truncate(path, SIZE), 0);
	assert_int_equal(store_open(store_dir, PLENTY, &store, &store_err), 0);
	all = fetches_new(&loop, store, &dirs);
	a.fetch = fetch_new(all, &ops, &a);
	assert_false(store_pin(store, &good, SIZE));
	need(&a, 1, SIZE);
	need(&a, 2, SIZE);
	assert_int_equal(a.have_count, 1);
	assert_true(digest_eq(&a.have[0], &good));
	assert_int_equal(a.want_count, 1);
	assert_true(digest_eq(&a.want[0], &bad));
}

static void two_jobs_that_miss_one_blob_fetch_it_once(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE);

	need(&b, 1, SIZE);
	assert_int_equal(a.want_count, 1);
	assert_int_equal(b.want_count, 0);
	assert_true(fetch_waits(a.fetch));
	assert_false(fetch_waits(b.fetch));
	assert_int_equal(say_blob(&a, &d, SIZE), 0);
	assert_int_equal(say_data(&a, 1, SIZE), 0);
	settle();
	assert_int_equal(a.have_count, 1);
	assert_int_equal(b.have_count, 1);
	assert_int_equal(fetches_view(all).brought, 1);
	assert_int_equal(fetches_view(all).brought_bytes, SIZE);
	assert_false(fetch_waits(a.fetch));
}

static void whoever_does_not_have_it_leaves_it_to_the_next(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE);

	need(&b, 1, SIZE);
	assert_int_equal(say_none(&a, &d), 0);
	assert_int_equal(a.none_count, 0);
	assert_int_equal(b.want_count, 1);
	assert_int_equal(say_none(&b, &d), 0);
	assert_int_equal(a.none_count, 1);
	assert_int_equal(b.none_count, 1);
	need(&a, 1, SIZE);
	assert_int_equal(a.want_count, 2);
}

static void whoever_ends_leaves_it_to_the_next(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE);

	need(&b, 1, SIZE);
	assert_int_equal(say_blob(&a, &d, SIZE), 0);
	fetch_end(ptr_steal(&a.fetch));
	settle();
	assert_int_equal(b.want_count, 1);
	assert_int_equal(say_blob(&b, &d, SIZE), 0);
	assert_int_equal(say_data(&b, 1, SIZE), 0);
	settle();
	assert_int_equal(b.have_count, 1);
}

/* One that keeps others waiting delays them only for a while, and is not the last word. */
static void whoever_takes_long_is_not_waited_for_alone(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE), late = need(&a, 2, SIZE + 1), alone = need(&a, 3, SIZE);

	need(&b, 1, SIZE);
	need(&b, 2, SIZE + 1);
	fetches_tick(all, clock_ms());
	assert_int_equal(b.want_count, 0);
	assert_int_equal(say_blob(&a, &d, SIZE), 0);
	fetches_tick(all, clock_ms() + FETCH_SLOW_MS);
	assert_int_equal(b.want_count, 2);
	assert_int_equal(say_blob(&b, &late, SIZE + 1), 0);
	assert_int_equal(say_data(&b, 2, SIZE + 1), 0);
	assert_int_equal(say_blob(&b, &d, SIZE), 0);
	settle();
	assert_int_equal(a.have_count, 1);
	/* of both that come now, the first one counts, and the other does no harm */
	assert_int_equal(say_data(&a, 1, SIZE), 0);
	settle();
	assert_int_equal(b.have_count, 2);
	assert_int_equal(say_data(&b, 1, SIZE), 0);
	settle();
	assert_false(a.lied || b.lied);
	assert_int_equal(a.have_count, 2);
	assert_int_equal(say_blob(&a, &late, SIZE + 1), 0);
	assert_int_equal(say_data(&a, 2, SIZE + 1), 0);
	assert_int_equal(say_blob(&a, &alone, SIZE), 0);
	assert_int_equal(say_data(&a, 3, SIZE), 0);
	settle();
	assert_int_equal(a.have_count, 3);
	assert_false(a.lied);
}

static void who_was_slow_may_still_bring_what_the_next_has_not(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE);

	need(&b, 1, SIZE);
	assert_int_equal(say_blob(&a, &d, SIZE), 0);
	fetches_tick(all, clock_ms() + FETCH_SLOW_MS);
	assert_int_equal(b.want_count, 1);
	assert_int_equal(say_none(&b, &d), 0);
	fetches_tick(all, clock_ms() + FETCH_SLOW_MS);
	assert_int_equal(a.none_count + b.none_count, 0);
	assert_int_equal(a.want_count + b.want_count, 2);
	assert_int_equal(say_data(&a, 1, SIZE), 0);
	settle();
	assert_int_equal(a.have_count, 1);
	assert_int_equal(b.have_count, 1);
}

static void a_lie_about_the_size_is_its_callers_own(void **state UNUSED)
{
	struct digest d = digest_of_contents(1, SIZE);

	need_at(&a, &d, SIZE - 1, "");
	need_at(&b, &d, SIZE, "");
	assert_int_equal(b.none_count, 0);
	assert_int_equal(b.want_count, 1);
	assert_int_equal(say_blob(&b, &d, SIZE), 0);
	assert_int_equal(say_data(&b, 1, SIZE), 0);
	settle();
	assert_int_equal(b.have_count, 1);
	assert_int_equal(a.have_count, 0);
}

static void wrong_contents_are_a_lie(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE);

	need(&b, 1, SIZE);
	assert_int_equal(say_blob(&a, &d, SIZE), 0);
	assert_int_equal(say_data(&a, 2, SIZE), 0);
	settle();
	assert_true(a.lied);
	assert_int_equal(b.want_count, 1);
	assert_int_equal(b.have_count, 0);
	assert_false(store_has(store, &d));
}

static void only_what_is_next_and_of_that_size_is_taken(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE), other = digest_of_contents(2, SIZE);

	assert_int_equal(say_blob(&b, &d, SIZE), ERR_WIRE);
	assert_int_equal(say_data(&a, 1, SIZE), ERR_WIRE);
	assert_int_equal(say_blob(&a, &other, SIZE), ERR_WIRE);
	assert_int_equal(say_none(&a, &other), ERR_WIRE);
	assert_int_equal(say_blob(&a, &d, SIZE + 1), ERR_WIRE);
}

static void data_beyond_its_blob_is_not_taken(void **state UNUSED)
{
	struct digest d = need(&a, 1, SIZE);

	assert_int_equal(say_blob(&a, &d, SIZE), 0);
	assert_int_equal(say_blob(&a, &d, SIZE), ERR_WIRE);
	assert_int_equal(say_data(&a, 1, SIZE + 1), ERR_WIRE);
}

/* It is said not to be there, and nobody is asked. */
static void what_is_over_a_bound_cannot_be_had(void **state UNUSED)
{
	struct digest d = { { 9 } };

	need_at(&a, &d, FETCH_BLOB_MAX + 1, "");
	assert_int_equal(a.none_count, 1);
	for (int i = 0; i < 8; i++) {
		d.b[1] = (unsigned char)i;
		need_at(&b, &d, FETCH_BLOB_MAX, "");
	}
	assert_int_equal(b.none_count, 0);
	d.b[1] = 8;
	need_at(&b, &d, 1, "");
	assert_int_equal(b.none_count, 1);
}

/* Larger than the store: whoever waits hears of it. */
static void what_has_no_room_cannot_be_had(void **state UNUSED)
{
	struct digest d = { { 9 } };

	need_at(&a, &d, 2 * (uint64_t)PLENTY, "");
	need_at(&b, &d, 2 * (uint64_t)PLENTY, "");
	assert_int_equal(say_blob(&a, &d, 2 * (uint64_t)PLENTY), 0);
	assert_int_equal(say_data(&a, 1, SIZE), 0);
	settle();
	assert_false(a.lied);
	assert_int_equal(b.want_count, 1);
	assert_int_equal(say_none(&b, &d), 0);
	assert_int_equal(a.none_count, 1);
	assert_int_equal(b.none_count, 1);
}

static void the_largest_is_asked_for_first_and_many_in_several_messages(void **state UNUSED)
{
	struct wire_need m = { .v = xcalloc(NEED_MAX, sizeof *m.v), .count = NEED_MAX };
	autobuf struct buf bytes = { 0 };
	struct frame f;

	for (unsigned i = 0; i < NEED_MAX; i++)
		m.v[i] = (struct wire_needed){ .digest = { { 1, (unsigned char)i, (unsigned char)(i >> 8) } }, .size = i, .path = xstrdup("") };
	wire_need_put(&bytes, &m);
	f = frame_of(WIRE_NEED, &bytes);
	assert_int_equal(fetch_need(a.fetch, &f, NULL), 0);
	settle();
	assert_int_equal(a.want_count, NEED_MAX);
	assert_int_equal(a.want_messages, 1);
	for (unsigned i = 0; i < NEED_MAX; i++)
		assert_true(digest_eq(&a.want[i], &m.v[NEED_MAX - 1 - i].digest));
	/* all of them are the other's now, in one go */
	f = frame_of(WIRE_NEED, &bytes);
	assert_int_equal(fetch_need(b.fetch, &f, NULL), 0);
	need(&b, 1, SIZE);
	assert_int_equal(b.want_count, 1);
	fetch_end(ptr_steal(&a.fetch));
	assert_int_equal(b.want_count, NEED_MAX + 1);
	assert_int_equal(b.want_messages, 2);
	wire_need_free(&m);
}

/* The same contents at the same path, in a directory that counts, and root's. */
static void this_machines_own_files_are_not_asked_for(void **state UNUSED)
{
	static const char path[] = "/usr/include/stdio.h";
	autobuf struct buf text = { 0 };
	struct digest d;

	if (read_file(path, 1 << 20, &text, NULL) < 0)
		skip();
	digest_of(text.p, text.len, &d);
	need_at(&a, &d, text.len, path);
	assert_int_equal(a.want_count, 1);	/* no directory counts */
	argv_push(&dirs, "/usr");
	fetch_end(ptr_steal(&a.fetch));
	need_at(&b, &d, text.len, path);
	argv_free(&dirs);
	assert_int_equal(b.want_count, 0);
	assert_int_equal(b.have_count, 1);
	assert_int_equal(fetches_view(all).own, 1);
}

static void a_manifest_is_kept_once(void **state UNUSED)
{
	struct buf m = { 0 };
	struct digest d;
	struct frame f;

	buf_puts(&m, "facts");
	digest_of(m.p, m.len, &d);
	f = frame_of(WIRE_KEEP, &m);
	assert_int_equal(fetch_keep(a.fetch, &f, NULL), 0);
	assert_int_equal(fetch_keep(a.fetch, &f, NULL), ERR_WIRE);
	buf_free(&m);
	fetch_end(ptr_steal(&a.fetch));
	settle();
	assert_true(store_has(store, &d));
}

/* What a job was told to be there stays while it runs, and no longer. */
static void contents_stay_while_their_job_runs(void **state UNUSED)
{
	struct digest d;

	assert_int_equal(bring(store, 1, SIZE, &store_err), 0);
	d = need(&a, 1, SIZE);
	assert_int_equal(store_make_room(store, PLENTY - SIZE / 2, &store_err), ERR_LIMIT);
	assert_true(store_has(store, &d));
	fetch_end(ptr_steal(&a.fetch));
	assert_int_equal(store_make_room(store, PLENTY - SIZE / 2, &store_err), 0);
	assert_false(store_has(store, &d));
	d = need(&b, 1, SIZE);
	assert_int_equal(b.want_count, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_store_has_is_had_at_once),
		TEST(an_earlier_lifes_contents_are_looked_at),
		TEST(two_jobs_that_miss_one_blob_fetch_it_once),
		TEST(whoever_does_not_have_it_leaves_it_to_the_next),
		TEST(whoever_ends_leaves_it_to_the_next),
		TEST(whoever_takes_long_is_not_waited_for_alone),
		TEST(who_was_slow_may_still_bring_what_the_next_has_not),
		TEST(a_lie_about_the_size_is_its_callers_own),
		TEST(wrong_contents_are_a_lie),
		TEST(only_what_is_next_and_of_that_size_is_taken),
		TEST(data_beyond_its_blob_is_not_taken),
		TEST(what_is_over_a_bound_cannot_be_had),
		TEST(what_has_no_room_cannot_be_had),
		TEST(the_largest_is_asked_for_first_and_many_in_several_messages),
		TEST(this_machines_own_files_are_not_asked_for),
		TEST(a_manifest_is_kept_once),
		TEST(contents_stay_while_their_job_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
