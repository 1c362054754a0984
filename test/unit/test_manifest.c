/*
 * test_manifest.c - manifests kept, found for relatives, bounded, and damaged.
 */
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "manifest.h"
#include "scratch.h"

static struct manifest_key key(int toolchain, int args, const char *source)
{
	return (struct manifest_key){ { { (unsigned char)toolchain } }, { { (unsigned char)args } }, source };
}

/* The facts of a unit: that a path named so is absent. */
static void put(struct manifests *m, struct manifest_key k, const char *path)
{
	autofacts struct facts all = { 0 };
	struct fact f = { .path = xstrdup(path) };
	struct digest id;

	facts_set(&all, &f);
	manifests_put(m, &k, &all, &id);
	next_tick();
}

static enum manifest_of get(struct manifests *m, struct manifest_key k, const char *path)
{
	autofacts struct facts all = { 0 };
	autobuf struct buf b = { 0 }, encoded = { 0 };
	struct digest id, want;
	enum manifest_of of = manifests_get(m, &k, &all, &id, &encoded);

	if (of == MANIFEST_NONE)
		return of;
	assert_int_equal(all.count, 1);
	assert_string_equal(all.v[0].path, path);
	facts_put(&b, &all);
	digest_of(b.p, b.len, &want);
	assert_true(digest_eq(&id, &want));
	assert_int_equal(encoded.len, b.len);
	assert_memory_equal(encoded.p, b.p, b.len);
	return of;
}

static struct manifests *open_manifests(void)
{
	return manifests_new(in_scratch("a/m"), 0, 0);
}

static void a_unit_finds_its_own(void **state UNUSED)
{
	struct manifests *m = open_manifests();

	assert_int_equal(get(m, key(1, 1, "/s/a.c"), ""), MANIFEST_NONE);
	put(m, key(1, 1, "/s/a.c"), "/a");
	put(m, key(1, 2, "/s/a.c"), "/args");
	put(m, key(2, 1, "/s/a.c"), "/toolchain");
	assert_int_equal(get(m, key(1, 1, "/s/a.c"), "/a"), MANIFEST_OWN);
	assert_int_equal(get(m, key(1, 2, "/s/a.c"), "/args"), MANIFEST_OWN);
	assert_int_equal(get(m, key(2, 1, "/s/a.c"), "/toolchain"), MANIFEST_OWN);
	put(m, key(1, 1, "/s/a.c"), "/b");
	manifests_free(m);
	m = open_manifests();
	assert_int_equal(get(m, key(1, 1, "/s/a.c"), "/b"), MANIFEST_OWN);
	manifests_free(m);
}

static void a_new_unit_borrows_from_the_nearest(void **state UNUSED)
{
	struct manifests *m = open_manifests();

	put(m, key(1, 1, "/s/x/a.c"), "/sibling");
	put(m, key(1, 1, "/s/y/b.c"), "/kin");
	put(m, key(1, 2, "/s/x/c.c"), "/stranger");
	for (int again = 0; again < 2; again++) {
		assert_int_equal(get(m, key(1, 1, "/s/x/new.c"), "/sibling"), MANIFEST_SIBLING);
		assert_int_equal(get(m, key(1, 1, "/s/y/new.c"), "/kin"), MANIFEST_SIBLING);
		assert_int_equal(get(m, key(1, 1, "/s/z/new.c"), "/kin"), MANIFEST_KIN);	/* used last */
		assert_int_equal(get(m, key(2, 1, "/s/x/new.c"), ""), MANIFEST_NONE);
		manifests_free(m);
		m = open_manifests();
		next_tick();
		if (!again)
			put(m, key(1, 1, "/s/y/b.c"), "/kin");
	}
	manifests_free(m);
}

static void other_arguments_are_further_away(void **state UNUSED)
{
	struct manifests *m = open_manifests();

	put(m, key(1, 1, "/s/x/a.c"), "/a");
	put(m, key(1, 1, "/s/y/b.c"), "/b");
	assert_int_equal(get(m, key(1, 2, "/s/x/a.c"), "/a"), MANIFEST_OTHERWISE);
	assert_int_equal(get(m, key(1, 2, "/s/x/new.c"), "/a"), MANIFEST_COUSIN);
	assert_int_equal(get(m, key(1, 2, "/s/y/new.c"), "/b"), MANIFEST_COUSIN);
	put(m, key(1, 2, "/s/z/c.c"), "/c");
	assert_int_equal(get(m, key(1, 2, "/s/x/a.c"), "/a"), MANIFEST_OTHERWISE);
	assert_int_equal(get(m, key(1, 2, "/s/x/new.c"), "/c"), MANIFEST_KIN);
	assert_int_equal(get(m, key(3, 1, "/s/x/a.c"), ""), MANIFEST_NONE);
	manifests_free(m);
}

static void agents_see_what_others_keep(void **state UNUSED)
{
	struct manifests *a = open_manifests(), *b = open_manifests();

	assert_int_equal(get(b, key(1, 1, "/s/a.c"), ""), MANIFEST_NONE);
	put(a, key(1, 1, "/s/a.c"), "/a");
	assert_int_equal(get(b, key(1, 1, "/s/a.c"), "/a"), MANIFEST_OWN);
	assert_int_equal(get(b, key(1, 1, "/s/b.c"), "/a"), MANIFEST_SIBLING);
	manifests_free(a);
	manifests_free(b);
}

/* The name of the only file; borrowed. */
static const char *only_file(void)
{
	static char path[600];
	DIR *d = opendir(in_scratch("a/m"));
	struct dirent *e;

	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(path, sizeof path, "%s/a/m/%s", scratch, e->d_name);
	closedir(d);
	return path;
}

static void overwrite(const char *path, const void *p, size_t len)
{
	autoclose int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write_all(fd, p, len), 0);
}

static void what_is_damaged_or_cut_is_not_there(void **state UNUSED)
{
	struct manifests *m = open_manifests();
	autobuf struct buf b = { 0 };
	const char *file;

	put(m, key(1, 1, "/s/a.c"), "/a");
	file = only_file();
	assert_int_equal(read_file(file, 1 << 20, &b, NULL), 0);
	for (size_t n = 0; n < b.len; n++) {
		overwrite(file, b.p, n);
		assert_int_equal(get(m, key(1, 1, "/s/a.c"), ""), MANIFEST_NONE);
		b.p[n] ^= 0x41;
		overwrite(file, b.p, b.len);
		assert_int_equal(get(m, key(1, 1, "/s/a.c"), ""), MANIFEST_NONE);
		assert_int_equal(get(m, key(1, 1, "/s/b.c"), ""), MANIFEST_NONE);
		b.p[n] ^= 0x41;
	}
	overwrite(file, b.p, b.len);
	assert_int_equal(get(m, key(1, 1, "/s/a.c"), "/a"), MANIFEST_OWN);
	manifests_free(m);
}

static size_t files_kept(void)
{
	DIR *d = opendir(in_scratch("a/m"));
	struct dirent *e;
	size_t count = 0;

	while ((e = readdir(d)))
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static void what_was_not_used_for_longest_goes(void **state UNUSED)
{
	struct manifests *m = manifests_new(in_scratch("a/m"), 16, 0);
	char source[32];

	for (int i = 0; i < 40; i++) {
		snprintf(source, sizeof source, "/s/%d.c", i);
		put(m, key(1, i, source), "/a");
		assert_true(files_kept() <= 16);
	}
	assert_true(files_kept() >= 14);
	assert_int_equal(get(m, key(1, 39, "/s/39.c"), "/a"), MANIFEST_OWN);
	assert_int_equal(get(m, key(1, 30, "/s/30.c"), "/a"), MANIFEST_OWN);
	assert_int_equal(get(m, key(1, 20, "/s/20.c"), "/a"), MANIFEST_COUSIN);
	manifests_free(m);
}

static void bytes_are_bounded_too(void **state UNUSED)
{
	struct manifests *m = manifests_new(in_scratch("a/m"), 0, 2000);	/* of some 170 each */
	char source[32];

	for (int i = 0; i < 30; i++) {
		snprintf(source, sizeof source, "/s/%d.c", i);
		put(m, key(1, i, source), "/a");
	}
	assert_in_range(files_kept(), 5, 14);
	assert_int_equal(get(m, key(1, 29, "/s/29.c"), "/a"), MANIFEST_OWN);
	manifests_free(m);
}

static void leftovers_of_a_kill_are_removed(void **state UNUSED)
{
	struct manifests *m = open_manifests();

	put(m, key(1, 1, "/s/a.c"), "/a");
	manifests_free(m);
	write_text("a/m/new-1-1", "old");
	utimensat(AT_FDCWD, in_scratch("a/m/new-1-1"), (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0);
	write_text("a/m/new-2-2", "somebody writes it now");
	write_text("a/m/README", "not ours");
	m = open_manifests();
	assert_int_equal(get(m, key(1, 1, "/s/a.c"), "/a"), MANIFEST_OWN);
	assert_int_equal(files_kept(), 3);
	assert_int_equal(access(in_scratch("a/m/new-1-1"), F_OK), -1);
	manifests_free(m);
}

static NORETURN void write_for_ever(void)
{
	struct manifests *m = open_manifests();
	struct manifest_key k = key(1, 1, "/s/a.c");
	autofacts struct facts all = { 0 };
	struct fact f = { .path = xstrdup("/a") };
	struct digest id;

	facts_set(&all, &f);
	for (;;)
		manifests_put(m, &k, &all, &id);
}

static void a_kill_at_any_instant_leaves_a_whole_one(void **state UNUSED)
{
	struct manifests *m = open_manifests();

	put(m, key(1, 1, "/s/a.c"), "/a");
	for (long i = 0; i < 30; i++) {
		pid_t child = fork();

		if (child == 0)
			write_for_ever();
		nanosleep(&(struct timespec){ .tv_nsec = i * 100000 }, NULL);
		assert_int_equal(get(m, key(1, 1, "/s/a.c"), "/a"), MANIFEST_OWN);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		assert_int_equal(get(m, key(1, 1, "/s/a.c"), "/a"), MANIFEST_OWN);
	}
	manifests_free(m);
}

static void a_directory_that_others_may_write_is_not_used(void **state UNUSED)
{
	struct manifests *m = open_manifests();

	mkdir(in_scratch("a"), 0700);
	mkdir(in_scratch("a/m"), 0700);
	chmod(in_scratch("a/m"), 0770);
	put(m, key(1, 1, "/s/a.c"), "/a");
	assert_int_equal(get(m, key(1, 1, "/s/a.c"), ""), MANIFEST_NONE);
	assert_int_equal(files_kept(), 0);
	manifests_free(m);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_unit_finds_its_own),
		TEST(a_new_unit_borrows_from_the_nearest),
		TEST(other_arguments_are_further_away),
		TEST(agents_see_what_others_keep),
		TEST(what_is_damaged_or_cut_is_not_there),
		TEST(what_was_not_used_for_longest_goes),
		TEST(bytes_are_bounded_too),
		TEST(leftovers_of_a_kill_are_removed),
		TEST(a_kill_at_any_instant_leaves_a_whole_one),
		TEST(a_directory_that_others_may_write_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
