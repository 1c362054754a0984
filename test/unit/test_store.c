/*
 * test_store.c - what a store promises: whole and verified or not there, held or in its turn to go, and nothing led out.
 */
#include "store_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "log.h"

enum { SIZE = 100 * 1000, BLOCKS = 102400, OWN = 17 * 4096 };

static struct store *open_store(uint64_t max_bytes)
{
	struct store *s = NULL;

	if (store_open(store_dir, max_bytes, &s, &store_err) < 0)
		fail_msg("%s", store_err.text);
	return s;
}

static void assert_ok(int rc)
{
	if (rc < 0)
		fail_msg("%d: %s", rc, store_err.text);
}

static void assert_there(const char *path, bool there)
{
	struct stat st;

	if ((lstat(path, &st) == 0) != there)
		fail_msg("%s: %s", path, there ? "missing" : "there");
}

/* Brought, installed and let go. */
static struct digest add_toolchain(struct store *s, unsigned program, unsigned library)
{
	struct tree t = tree_of(program, library, SIZE);
	struct digest id = id_of(&t);

	assert_ok(bring(s, program, SIZE, &store_err));
	assert_ok(bring(s, library, SIZE, &store_err));
	assert_ok(store_install(s, &id, &t, &store_err));
	assert_null(root_fault(&t, &id));
	store_release(s, &id);
	tree_free(&t);
	return id;
}

static bool installed(struct store *s, const struct digest *id)
{
	bool held = store_hold(s, id);

	if (held)
		store_release(s, id);
	return held;
}

static void put_file(const char *path, const void *p, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, p, len), 0);
	close(fd);
}

static void flip_byte(const char *path)
{
	unsigned char c;
	int fd;

	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &c, 1, 5000), 1);
	c ^= 4;
	assert_int_equal(pwrite(fd, &c, 1, 5000), 1);
	close(fd);
	assert_int_equal(chmod(path, 0555), 0);
}

static void a_blob_is_there_when_it_is_whole(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct digest d = digest_of_contents(1, SIZE);
	autofree char *path = blob_path(&d);
	autofree unsigned char *p = xmalloc(SIZE);
	autobuf struct buf found = { 0 };
	struct store_blob *b;
	struct stat st;

	contents_of(1, p, SIZE);
	assert_ok(store_blob_begin(s, &d, SIZE, &b, &store_err));
	assert_ok(store_blob_write(b, p, SIZE - 1, &store_err));
	assert_false(store_has(s, &d));
	assert_there(path, false);
	assert_ok(store_blob_write(b, p + SIZE - 1, 1, &store_err));
	assert_ok(store_blob_end(b, &store_err));
	assert_true(store_has(s, &d));
	assert_ok(read_file(path, SIZE, &found, &store_err));
	assert_int_equal(found.len, SIZE);
	assert_memory_equal(found.p, p, SIZE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(store_view(s).blobs, 1);
	assert_int_equal(store_view(s).bytes, BLOCKS);
	assert_int_equal(count_names("incoming"), 0);
	store_close(s);
}

static void assert_nothing_of(struct store *s, const struct digest *d)
{
	assert_false(store_has(s, d));
	assert_int_equal(store_view(s).blobs, 0);
	assert_int_equal(store_view(s).bytes, 0);
	assert_int_equal(count_names("incoming"), 0);
	assert_ok(store_make_room(s, PLENTY, &store_err));
}

static void what_is_not_its_name_is_not_kept(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct digest d = digest_of_contents(1, SIZE);
	autofree unsigned char *p = xmalloc(SIZE);
	struct store_blob *b;

	contents_of(1, p, SIZE);
	p[SIZE / 2] ^= 1;
	assert_ok(store_blob_begin(s, &d, SIZE, &b, &store_err));
	assert_ok(store_blob_write(b, p, SIZE, &store_err));
	assert_int_equal(store_blob_write(b, p, 1, &store_err), ERR_WIRE);
	assert_int_equal(store_blob_end(b, &store_err), ERR_WIRE);
	assert_nothing_of(s, &d);
	p[SIZE / 2] ^= 1;
	assert_ok(store_blob_begin(s, &d, SIZE + 1, &b, &store_err));
	assert_ok(store_blob_write(b, p, SIZE, &store_err));
	assert_int_equal(store_blob_end(b, &store_err), ERR_WIRE);
	assert_nothing_of(s, &d);
	assert_ok(store_blob_begin(s, &d, SIZE, &b, &store_err));
	assert_ok(store_blob_write(b, p, SIZE, &store_err));
	store_blob_drop(b);
	assert_nothing_of(s, &d);
	store_close(s);
}

static void two_bring_the_same(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct digest d = digest_of_contents(1, SIZE);
	autofree unsigned char *p = xmalloc(SIZE);
	struct store_blob *first, *second;

	contents_of(1, p, SIZE);
	assert_ok(store_blob_begin(s, &d, SIZE, &first, &store_err));
	assert_ok(store_blob_begin(s, &d, SIZE, &second, &store_err));
	assert_ok(store_blob_write(first, p, SIZE, &store_err));
	assert_ok(store_blob_write(second, p, SIZE, &store_err));
	assert_ok(store_blob_end(second, &store_err));
	assert_ok(store_blob_end(first, &store_err));
	assert_int_equal(store_view(s).blobs, 1);
	assert_int_equal(store_view(s).bytes, BLOCKS);
	assert_int_equal(count_names("incoming"), 0);
	store_close(s);
}

static void files_of_this_machine_are_copied(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	autofree char *path = inside("%s%s", "file", "");
	autofree unsigned char *p = xmalloc(SIZE);
	struct digest d = digest_of_contents(1, SIZE), other = digest_of_contents(2, SIZE);
	int fd;

	contents_of(1, p, SIZE);
	put_file(path, p, SIZE);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
	assert_int_equal(store_copy(s, fd, &other, SIZE, &store_err), ERR_ABSENT);
	assert_int_equal(store_copy(s, fd, &d, SIZE - 1, &store_err), ERR_ABSENT);
	assert_int_equal(store_copy(s, fd, &d, SIZE + 1, &store_err), ERR_ABSENT);
	assert_nothing_of(s, &d);
	assert_ok(store_copy(s, fd, &d, SIZE, &store_err));
	assert_true(store_has(s, &d));
	assert_ok(store_copy(s, fd, &d, SIZE, &store_err));
	assert_int_equal(store_view(s).blobs, 1);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
	close(fd);
	store_close(s);
}

static void a_root_is_what_the_tree_says(void **state UNUSED)
{
	static const char *const places[] = { "/proc", "/job", "/dev", "/dev/null", "/dev/zero", "/dev/urandom" };
	mode_t mask = umask(077);
	struct store *s = open_store(PLENTY);
	struct digest id = add_toolchain(s, 1, 2);
	autofree char *root = store_root(s, &id), *want = root_path(&id, ""), *dir = root_path(&id, "/usr/lib/gcc");
	struct stat st;

	umask(mask);
	assert_string_equal(root, want);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		autofree char *path = root_path(&id, places[i]);

		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, i < 3 ? S_IFDIR | 0755 : S_IFREG | 0444);
	}
	assert_int_equal(stat(root, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(store_view(s).toolchains, 1);
	assert_int_equal(count_names("incoming"), 0);
	store_close(s);
}

static void missing_contents_are_said(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = tree_of(1, 2, SIZE);
	struct digest id = id_of(&t);

	assert_ok(bring(s, 1, SIZE, &store_err));
	assert_int_equal(store_install(s, &id, &t, &store_err), ERR_ABSENT);
	assert_non_null(strstr(store_err.text, "/usr/lib/libc.so.6"));
	assert_false(store_hold(s, &id));
	assert_int_equal(store_view(s).toolchains, 0);
	assert_ok(bring(s, 2, SIZE, &store_err));
	assert_ok(store_install(s, &id, &t, &store_err));
	assert_null(root_fault(&t, &id));
	assert_ok(store_install(s, &id, &t, &store_err));
	store_release(s, &id);
	store_release(s, &id);
	tree_free(&t);
	store_close(s);
}

static void assert_refused(struct store *s, struct tree *t, const struct digest *id)
{
	if (store_install(s, id, t, &store_err) != ERR_UNSUPPORTED)
		fail_msg("%s: %s", t->entries[0].path, store_err.text);
	assert_int_equal(store_view(s).toolchains, 0);
	assert_int_equal(count_names("roots") + count_names("trees") + count_names("incoming"), 0);
	tree_free(t);
}

static void refuse_data_at(struct store *s, const char *first, const char *second)
{
	struct tree t = { 0 };
	struct digest id;

	tree_add_data(&t, first, 0644, "x", 1);
	if (second)
		tree_add_data(&t, second, 0644, "x", 1);
	id = id_of(&t);
	assert_refused(s, &t, &id);
}

static void no_root_is_made_of_what_does_not_fit(void **state UNUSED)
{
	static const char *const bad[] = { "/proc", "/proc/self/x", "/job", "/job/a", "/dev", "/dev/null", "/dev/sda", "/sys",
					   "/sys/x", "/", "", "a", "/a/../b", "/..", "/./a", "//a", "/a//b", "/a/" };
	struct store *s = open_store(PLENTY);
	char deep[2 * 66 + 1] = "", component[300];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuse_data_at(s, bad[i], NULL);
	for (int i = 0; i < 66; i++)
		strcat(deep, "/a");
	refuse_data_at(s, deep, NULL);
	memset(component, 'a', sizeof component);
	component[0] = '/';
	component[sizeof component - 1] = 0;
	refuse_data_at(s, component, NULL);
	memcpy(component + sizeof component - 3, "/b", 3);
	refuse_data_at(s, component, NULL);
	refuse_data_at(s, "/a", "/a/b");
	store_close(s);
}

static void too_many_directories_are_refused(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = { 0 };
	struct digest id;

	for (int i = 0; i < 300; i++) {
		autofree char *path = xasprintf("/%d/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/x", i);

		tree_add_link(&t, path, "x");
	}
	id = id_of(&t);
	assert_refused(s, &t, &id);
	store_close(s);
}

static void links_lead_nowhere_for_the_store(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	autofree char *outside = inside("%s%s", "outside", ""), *stolen = inside("%s%s", "outside/x", "");
	struct tree t = { 0 };
	struct digest id;

	assert_int_equal(mkdir(outside, 0700), 0);
	/* tree_get() lets nothing be below a link; nor does the store, whoever made the tree */
	tree_add_link(&t, "/a", outside);
	tree_add_data(&t, "/a/x", 0644, "x", 1);
	id = id_of(&t);
	assert_refused(s, &t, &id);
	assert_there(stolen, false);
	tree_add_link(&t, "/empty", "");
	id = id_of(&t);
	assert_refused(s, &t, &id);
	/* harmless: it is as it is, and nobody follows it */
	tree_add_link(&t, "/out", "../../../outside");
	tree_add_link(&t, "/usr/up", "/../..");
	id = id_of(&t);
	assert_ok(store_install(s, &id, &t, &store_err));
	assert_null(root_fault(&t, &id));
	store_release(s, &id);
	tree_free(&t);
	store_close(s);
}

static void a_tree_that_lies_is_refused(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = { 0 };
	struct digest d = digest_of_contents(1, SIZE), id;

	assert_ok(bring(s, 1, SIZE, &store_err));
	tree_add_file(&t, "/cc1", 0755, SIZE - 1, &d);
	id = id_of(&t);
	assert_refused(s, &t, &id);
	assert_true(store_has(s, &d));
	tree_add_file(&t, "/cc1", 0755, SIZE, &d);
	assert_refused(s, &t, &id);
	store_close(s);
}

static void the_next_life_installs_anew(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = tree_of(1, 2, SIZE);
	struct digest id = add_toolchain(s, 1, 2);
	struct store_view before = store_view(s), after;
	autofree char *litter = inside("%s%s", "incoming/litter", "");

	store_close(s);
	put_file(litter, "x", 1);
	s = open_store(PLENTY);
	assert_there(litter, false);
	assert_int_equal(count_names("roots"), 0);
	after = store_view(s);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(after.blobs, 2);
	assert_int_equal(after.toolchains, 1);
	assert_false(store_hold(s, &id));
	assert_ok(store_install(s, &id, &t, &store_err));
	assert_null(root_fault(&t, &id));
	after = store_view(s);
	assert_int_equal(after.bytes, before.bytes);
	store_release(s, &id);
	tree_free(&t);
	store_close(s);
}

static void damage_is_found_before_use(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = tree_of(1, 2, SIZE);
	struct digest id = add_toolchain(s, 1, 2), damaged = digest_of_contents(2, SIZE), good = digest_of_contents(1, SIZE);
	autofree char *path = blob_path(&damaged);

	store_close(s);
	flip_byte(path);
	s = open_store(PLENTY);
	assert_true(store_has(s, &damaged));
	assert_int_equal(store_install(s, &id, &t, &store_err), ERR_ABSENT);
	assert_false(store_has(s, &damaged));
	assert_true(store_has(s, &good));
	assert_there(path, false);
	assert_int_equal(count_names("roots"), 0);
	assert_ok(bring(s, 2, SIZE, &store_err));
	assert_ok(store_install(s, &id, &t, &store_err));
	assert_null(root_fault(&t, &id));
	store_release(s, &id);
	tree_free(&t);
	store_close(s);
}

/* What was brought in this life takes the place of what only claims to be it. */
static void a_verified_blob_replaces_a_damaged_one(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = tree_of(1, 2, SIZE);
	struct digest id = add_toolchain(s, 1, 2), damaged = digest_of_contents(2, SIZE);
	autofree char *path = blob_path(&damaged);

	store_close(s);
	flip_byte(path);
	s = open_store(PLENTY);
	assert_ok(bring(s, 2, SIZE, &store_err));
	assert_ok(store_install(s, &id, &t, &store_err));
	assert_int_equal(store_view(s).blobs, 2);
	store_release(s, &id);
	tree_free(&t);
	store_close(s);
}

static void the_start_removes_what_cannot_be_right(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct digest whole = add_toolchain(s, 1, 2), cut = add_toolchain(s, 3, 4), lost = add_toolchain(s, 5, 6),
		      rotten = add_toolchain(s, 7, 8);
	struct digest blob_cut = digest_of_contents(3, SIZE), blob_lost = digest_of_contents(5, SIZE);
	autofree char *cut_path = blob_path(&blob_cut), *lost_path = blob_path(&blob_lost), *rotten_path = tree_path(&rotten);
	autofree char *odd = inside("%s%s", "blobs/zz", ""), *odd_dir = inside("%s%s", "blobs/aa", ""),
		      *odd_blob = inside("%s%s", "blobs/aa/b", ""), *odd_tree = inside("%s%s", "trees/x", "");

	store_close(s);
	assert_int_equal(chmod(cut_path, 0755), 0);
	assert_int_equal(truncate(cut_path, 10), 0);
	assert_int_equal(unlink(lost_path), 0);
	put_file(rotten_path, "not a tree", 10);
	put_file(odd, "x", 1);
	mkdir(odd_dir, 0700);
	assert_int_equal(symlink("/etc/passwd", odd_blob), 0);
	assert_int_equal(mkdir(odd_tree, 0700), 0);
	s = open_store(PLENTY);
	assert_int_equal(store_view(s).toolchains, 1);
	assert_int_equal(count_names("trees"), 1);
	assert_int_equal(store_view(s).blobs, 6);
	assert_false(store_has(s, &blob_cut));
	assert_there(cut_path, false);
	assert_there(odd, false);
	assert_there(odd_blob, false);
	assert_there(odd_tree, false);
	assert_false(installed(s, &whole) || installed(s, &cut) || installed(s, &lost) || installed(s, &rotten));
	add_toolchain(s, 1, 2);
	add_toolchain(s, 3, 4);
	store_close(s);
}

/* Two toolchains and an idle blob fill the store. */
static void idle_blobs_go_first_then_the_longest_unused(void **state UNUSED)
{
	struct store *s = open_store(5 * BLOCKS + 2 * OWN);
	struct digest first = add_toolchain(s, 1, 2), second = add_toolchain(s, 3, 4);
	struct digest idle = digest_of_contents(9, SIZE), shared = digest_of_contents(1, SIZE);

	assert_ok(bring(s, 9, SIZE, &store_err));
	assert_ok(store_make_room(s, SIZE, &store_err));
	assert_false(store_has(s, &idle));
	assert_true(installed(s, &second));
	assert_true(installed(s, &first));	/* now the second one is older */
	assert_ok(store_make_room(s, 3 * BLOCKS, &store_err));
	assert_false(installed(s, &second));
	assert_true(installed(s, &first));
	assert_int_equal(store_view(s).evicted, 1);
	assert_true(store_has(s, &shared));
	assert_int_equal(count_names("roots"), 1);
	assert_int_equal(count_names("trees"), 1);
	assert_true(store_view(s).bytes <= 2 * BLOCKS + OWN);
	store_close(s);
}

static void the_order_outlives_rccd(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct digest first = add_toolchain(s, 1, 2), second = add_toolchain(s, 3, 4);
	autofree char *first_path = tree_path(&first), *second_path = tree_path(&second);

	assert_true(installed(s, &first));
	store_close(s);
	/* less room than before: the older one goes at once, though nothing is installed yet */
	s = open_store(3 * BLOCKS + OWN);
	assert_there(first_path, true);
	assert_there(second_path, false);
	assert_true(store_view(s).bytes <= store_view(s).max_bytes);
	store_close(s);
}

static void what_is_held_stays(void **state UNUSED)
{
	struct store *s = open_store(4 * BLOCKS + 2 * OWN);
	struct digest held = add_toolchain(s, 1, 2), other = add_toolchain(s, 3, 2);
	struct digest shared = digest_of_contents(2, SIZE);
	struct tree t = tree_of(1, 2, SIZE);

	assert_true(store_hold(s, &held));
	assert_true(store_hold(s, &held));
	store_release(s, &held);
	assert_true(installed(s, &other));
	assert_int_equal(store_make_room(s, 3 * BLOCKS, &store_err), ERR_LIMIT);
	assert_non_null(strstr(store_err.text, store_dir));
	assert_true(installed(s, &other));	/* nothing goes in vain */
	assert_ok(store_make_room(s, 2 * BLOCKS, &store_err));
	assert_false(installed(s, &other));
	assert_true(store_has(s, &shared));
	assert_null(root_fault(&t, &held));
	store_release(s, &held);
	assert_ok(store_make_room(s, 4 * BLOCKS + 2 * OWN, &store_err));
	assert_int_equal(store_view(s).bytes, 0);
	assert_false(store_hold(s, &held));
	tree_free(&t);
	store_close(s);
}

static void what_is_expected_stays(void **state UNUSED)
{
	struct store *s = open_store(3 * BLOCKS);
	struct tree t = tree_of(1, 2, SIZE);
	struct digest first = digest_of_contents(1, SIZE), third = digest_of_contents(3, SIZE);

	store_expect(s, &t);
	assert_ok(bring(s, 1, SIZE, &store_err));
	assert_ok(bring(s, 3, SIZE, &store_err));
	assert_ok(store_make_room(s, 2 * BLOCKS, &store_err));
	assert_true(store_has(s, &first));
	assert_false(store_has(s, &third));
	assert_int_equal(store_make_room(s, 3 * BLOCKS, &store_err), ERR_LIMIT);
	store_expect_end(s, &t);
	assert_ok(store_make_room(s, 3 * BLOCKS, &store_err));
	assert_false(store_has(s, &first));
	tree_free(&t);
	store_close(s);
}

static void blobs_on_their_way_count(void **state UNUSED)
{
	struct store *s = open_store(2 * BLOCKS);
	struct digest d[] = { digest_of_contents(1, SIZE), digest_of_contents(2, SIZE), digest_of_contents(3, SIZE) };
	struct store_blob *a, *b, *c;

	assert_int_equal(store_blob_begin(s, &d[0], UINT64_MAX, &a, &store_err), ERR_LIMIT);
	assert_int_equal(store_blob_begin(s, &d[0], 2 * BLOCKS + 1, &a, &store_err), ERR_LIMIT);
	assert_ok(store_blob_begin(s, &d[0], SIZE, &a, &store_err));
	assert_ok(store_blob_begin(s, &d[1], SIZE, &b, &store_err));
	assert_int_equal(store_blob_begin(s, &d[2], SIZE, &c, &store_err), ERR_LIMIT);
	store_blob_drop(a);
	assert_ok(store_blob_begin(s, &d[2], SIZE, &c, &store_err));
	store_blob_drop(b);
	store_blob_drop(c);
	store_close(s);
}

/* Empty files cost an inode each: a bound of bytes bounds them, too. */
static void a_toolchain_without_blobs_counts(void **state UNUSED)
{
	struct store *s = open_store(20 * 4096);

	for (int i = 0; i < 5; i++) {
		struct tree t = { 0 };
		struct digest id;

		tree_add_link(&t, "/a/b", "c");
		tree_add_data(&t, "/number", 0444, &i, sizeof i);
		id = id_of(&t);
		assert_ok(store_install(s, &id, &t, &store_err));
		store_release(s, &id);
		assert_true(store_view(s).bytes <= 20 * 4096);
		tree_free(&t);
	}
	assert_true(store_view(s).evicted > 0);
	assert_int_equal(count_names("roots"), store_view(s).toolchains);
	store_close(s);
}

static void there_are_not_too_many_toolchains(void **state UNUSED)
{
	enum { MANY = 1030 };
	struct store *s = open_store(PLENTY);
	struct digest ids[MANY];

	for (int i = 0; i < MANY; i++) {
		struct tree t = { 0 };

		tree_add_data(&t, "/number", 0444, &i, sizeof i);
		ids[i] = id_of(&t);
		assert_ok(store_install(s, &ids[i], &t, &store_err));
		if (i)
			store_release(s, &ids[i]);
		tree_free(&t);
	}
	assert_int_equal(store_view(s).evicted, 6);
	assert_true(installed(s, &ids[0]));	/* held */
	assert_false(installed(s, &ids[6]));
	assert_true(installed(s, &ids[7]));
	store_release(s, &ids[0]);
	store_close(s);
}

/* Where a file can have no more names, a root gets a copy. */
static void a_file_with_too_many_names_is_copied(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = tree_of(1, 2, SIZE);
	struct digest id = id_of(&t), d = digest_of_contents(1, SIZE);
	autofree char *blob = blob_path(&d), *copy = root_path(&id, "/usr/lib/gcc/cc1");
	struct stat a, b;
	int n = 0;

	assert_ok(bring(s, 1, SIZE, &store_err));
	assert_ok(bring(s, 2, SIZE, &store_err));
	for (int rc = 0; rc == 0 && n < 70000; n++) {
		autofree char *name = xasprintf("%s/incoming/link%d", store_dir, n);

		rc = link(blob, name);
	}
	if (n == 70000) {
		print_message("no bound of links here: skipped\n");
	} else {
		uint64_t before = store_view(s).bytes;

		assert_ok(store_install(s, &id, &t, &store_err));
		assert_int_equal(stat(copy, &a), 0);
		assert_int_equal(stat(blob, &b), 0);
		assert_int_not_equal(a.st_ino, b.st_ino);
		assert_int_equal(a.st_mode, b.st_mode);
		assert_int_equal(a.st_size, SIZE);
		assert_true(store_view(s).bytes > before + BLOCKS);
		store_release(s, &id);
	}
	tree_free(&t);
	store_close(s);
}

static bool say(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write_all(fd, text, strlen(text)) == 0;
}

/* As root, or as root of a namespace of our own. */
static bool own_mounts(void)
{
	autofree char *uids = xasprintf("0 %u 1", getuid()), *gids = xasprintf("0 %u 1", getgid());

	if (unshare(CLONE_NEWNS) < 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !say("/proc/self/setgroups", "deny") ||
	     !say("/proc/self/uid_map", uids) || !say("/proc/self/gid_map", gids)))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* In a namespace with a small file system; the status says which step went wrong. */
static int on_a_small_disk(void)
{
	enum { TOO_MUCH = 30 << 20, FITS = 12 << 20, NOT_POSSIBLE = 77 };
	autofree char *filler = inside("%s%s", "filler", "");
	autofree unsigned char *p = xcalloc(1, 1 << 20);
	struct digest idle = digest_of_contents(1, FITS), d = digest_of_contents(2, FITS);
	struct store_blob *b;
	struct store *s;
	int fd, rc = 0;

	if (!own_mounts() || mount("small", store_dir, "tmpfs", 0, "size=84m") < 0)
		return NOT_POSSIBLE;
	if (store_open(store_dir, UINT64_C(1) << 40, &s, NULL) < 0 || bring(s, 1, FITS, NULL) < 0)
		return 1;
	if (store_make_room(s, TOO_MUCH, &store_err) != ERR_LIMIT || !strstr(store_err.text, store_dir) || !store_has(s, &idle))
		return 2;
	if (store_blob_begin(s, &d, FITS, &b, NULL) < 0 || store_has(s, &idle))
		return 3;
	fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, p, 1 << 20) > 0)
		;
	for (int i = 0; i < 12 && rc == 0; i++)
		rc = store_blob_write(b, p, 1 << 20, &store_err);
	if (rc != ERR_LIMIT || !strstr(store_err.text, store_dir))
		return 4;
	store_blob_drop(b);
	store_close(s);
	return 0;
}

static void a_full_file_system_is_a_limit(void **state UNUSED)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(on_a_small_disk());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		print_message("no namespaces here: skipped\n");
	else
		assert_int_equal(WEXITSTATUS(status), 0);
}

enum { THREADS = 8 };

static void *bring_and_install(void *arg)
{
	struct store *s = arg;
	struct tree t = tree_of(1, 2, SIZE);
	struct digest id = id_of(&t);
	const char *fault = NULL;

	if (bring(s, 1, SIZE, NULL) < 0 || bring(s, 2, SIZE, NULL) < 0 || store_install(s, &id, &t, NULL) < 0)
		fault = "not installed";
	else
		fault = root_fault(&t, &id);
	tree_free(&t);
	return (void *)fault;
}

static void many_install_the_same(void **state UNUSED)
{
	struct store *s = open_store(PLENTY);
	struct tree t = tree_of(1, 2, SIZE);
	struct digest id = id_of(&t);
	pthread_t threads[THREADS];
	void *fault;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, bring_and_install, s), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &fault);
		if (fault)
			fail_msg("%s", (char *)fault);
	}
	assert_int_equal(store_view(s).blobs, 2);
	assert_int_equal(store_view(s).toolchains, 1);
	/* each holds it once */
	assert_int_equal(store_make_room(s, PLENTY, &store_err), ERR_LIMIT);
	for (int i = 0; i < THREADS; i++)
		store_release(s, &id);
	assert_ok(store_make_room(s, PLENTY, &store_err));
	assert_int_equal(count_names("incoming"), 0);
	tree_free(&t);
	store_close(s);
}

struct crowd {
	struct store *store;
	unsigned seed;
};

/* Toolchains that share libraries, in a store that has not room for all. */
static void *use_some(void *arg)
{
	struct crowd *c = arg;
	const char *fault = NULL;

	for (unsigned i = 0; i < 60 && !fault; i++) {
		unsigned program = 10 + rand_r(&c->seed) % 6, library = rand_r(&c->seed) % 3;
		struct tree t = tree_of(program, library, SIZE);
		struct digest id = id_of(&t);
		int rc;

		store_expect(c->store, &t);
		rc = bring(c->store, program, SIZE, NULL);
		if (rc == 0)
			rc = bring(c->store, library, SIZE, NULL);
		if (rc == 0)
			rc = store_install(c->store, &id, &t, NULL);
		store_expect_end(c->store, &t);
		if (rc == 0) {
			fault = root_fault(&t, &id);
			store_release(c->store, &id);
		} else if (rc != ERR_LIMIT) {
			fault = "neither installed nor without room";
		}
		tree_free(&t);
	}
	return (void *)fault;
}

static void many_use_a_store_that_is_too_small(void **state UNUSED)
{
	struct store *s = open_store(9 * BLOCKS + 5 * OWN);
	struct crowd crowd[THREADS];
	pthread_t threads[THREADS];
	struct store_view before;
	void *fault;

	for (unsigned i = 0; i < THREADS; i++) {
		crowd[i] = (struct crowd){ .store = s, .seed = i };
		assert_int_equal(pthread_create(&threads[i], NULL, use_some, &crowd[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &fault);
		if (fault)
			fail_msg("%s", (char *)fault);
	}
	before = store_view(s);
	assert_true(before.evicted > 0);
	assert_true(before.bytes <= before.max_bytes);
	assert_int_equal(count_names("incoming"), 0);
	assert_int_equal(count_names("roots"), before.toolchains);
	store_close(s);
	/* what was counted is what is there */
	s = open_store(PLENTY);
	assert_int_equal(store_view(s).bytes, before.bytes);
	assert_int_equal(store_view(s).blobs, before.blobs);
	assert_int_equal(store_view(s).toolchains, before.toolchains);
	store_close(s);
}

static void a_directory_that_cannot_be_used_is_said(void **state UNUSED)
{
	autofree char *file = inside("%s%s", "blobs", "");
	struct store *s;

	put_file(file, "x", 1);
	assert_int_equal(store_open(store_dir, PLENTY, &s, &store_err), ERR_IO);
	assert_non_null(strstr(store_err.text, file));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_store_dir, remove_store_dir)
	const struct CMUnitTest tests[] = {
		TEST(a_blob_is_there_when_it_is_whole),
		TEST(what_is_not_its_name_is_not_kept),
		TEST(two_bring_the_same),
		TEST(files_of_this_machine_are_copied),
		TEST(a_root_is_what_the_tree_says),
		TEST(missing_contents_are_said),
		TEST(no_root_is_made_of_what_does_not_fit),
		TEST(too_many_directories_are_refused),
		TEST(links_lead_nowhere_for_the_store),
		TEST(a_tree_that_lies_is_refused),
		TEST(the_next_life_installs_anew),
		TEST(damage_is_found_before_use),
		TEST(a_verified_blob_replaces_a_damaged_one),
		TEST(the_start_removes_what_cannot_be_right),
		TEST(idle_blobs_go_first_then_the_longest_unused),
		TEST(the_order_outlives_rccd),
		TEST(what_is_held_stays),
		TEST(what_is_expected_stays),
		TEST(blobs_on_their_way_count),
		TEST(a_toolchain_without_blobs_counts),
		TEST(there_are_not_too_many_toolchains),
		TEST(a_file_with_too_many_names_is_copied),
		TEST(a_full_file_system_is_a_limit),
		TEST(many_install_the_same),
		TEST(many_use_a_store_that_is_too_small),
		TEST(a_directory_that_cannot_be_used_is_said),
	};

	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
