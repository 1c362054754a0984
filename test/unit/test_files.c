/*
 * test_files.c - the caller's files as facts, and every way in which a fact can end.
 */
#include "unit.h"

#include <pthread.h>

#include "files.h"
#include "recent.h"
#include "scratch.h"

static struct files *open_files(const char *cache_dir)
{
	struct files_options o = { .cache_dir = cache_dir, .now_ns = test_now_ns, .max_file = 1 << 20 };

	return files_new(&o);
}

static struct fact fact_of(struct files *f, const char *name)
{
	struct fact out;

	files_fact(f, in_scratch(name), &out);
	return out;
}

static void add(struct files *f, struct facts *all, const char *name)
{
	struct fact out = fact_of(f, name);

	facts_set(all, &out);
}

static bool holds_text(const struct fact *f, const char *text)
{
	struct digest d;

	digest_of(text, strlen(text), &d);
	return f->kind == FACT_FILE && digest_eq(&d, &f->digest);
}

static bool says(struct files *f, const char *name, const char *text)
{
	struct fact out = fact_of(f, name);
	bool yes = holds_text(&out, text);

	fact_free(&out);
	return yes;
}

static int kind_of(struct files *f, const char *name)
{
	struct fact out = fact_of(f, name);
	int kind = out.kind;

	assert_string_equal(out.path, in_scratch(name));
	fact_free(&out);
	return kind;
}

/* Not of root, who may all: back by become(0). */
static void become(uid_t uid)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(uid), 0);
}

static void a_file_is_told_whole(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	struct timespec times[2] = { { 5, 6 }, { 7, 8 } };
	struct fact out;

	write_text("a", "some text");
	chmod(in_scratch("a"), 04751);
	utimensat(AT_FDCWD, in_scratch("a"), times, 0);
	out = fact_of(f, "a");
	assert_true(holds_text(&out, "some text"));
	assert_int_equal(out.mode, 04751);
	assert_int_equal(out.access, FACT_READ | FACT_WRITE | FACT_EXECUTE);
	assert_int_equal(out.own, 1);
	assert_int_equal(out.mtime_ns, 7000000008);
	assert_int_equal(out.size, 9);
	assert_true(out.inode != 0);
	fact_free(&out);
	files_free(f);
}

static void each_kind_is_told(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	struct fact out;

	mkdir(in_scratch("d"), 0711);
	assert_int_equal(symlink("../x/y", in_scratch("l")), 0);
	mkfifo(in_scratch("p"), 0644);
	write_text("big", "x");
	assert_int_equal(truncate(in_scratch("big"), (1 << 20) + 1), 0);
	assert_int_equal(kind_of(f, "none"), FACT_ABSENT);
	assert_int_equal(kind_of(f, "p"), FACT_OTHER);
	assert_int_equal(kind_of(f, "big"), FACT_OTHER);
	out = fact_of(f, "d");
	assert_int_equal(out.kind, FACT_DIR);
	assert_int_equal(out.mode, 0711);
	assert_false(out.listed);
	fact_free(&out);
	out = fact_of(f, "l");
	assert_int_equal(out.kind, FACT_LINK);
	assert_string_equal(out.target, "../x/y");
	assert_int_equal(out.mode, 0);
	fact_free(&out);
	files_free(f);
}

static void what_the_kernel_makes_up_is_other(void **state UNUSED)
{
	static const struct { const char *path; int kind; } rows[] = {
		{ "/", FACT_DIR }, { "/proc", FACT_DIR }, { "/proc/version", FACT_OTHER }, { "/proc/self", FACT_OTHER },
		{ "/dev/null", FACT_OTHER }, { "/proc/none", FACT_ABSENT },
	};
	struct files *f = open_files(NULL);
	struct fact out;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		files_fact(f, rows[i].path, &out);
		assert_string_equal(out.path, rows[i].path);
		assert_int_equal(out.kind, rows[i].kind);
		fact_free(&out);
	}
	files_free(f);
}

/* The nearest part that settles it is what comes back. */
static void below_what_is_no_directory_that_is_told(void **state UNUSED)
{
	static const struct { const char *asked, *told; int kind; } rows[] = {
		{ "file/x/y", "file", FACT_FILE }, { "link/x", "link", FACT_LINK },
		{ "none/x/y/z", "none", FACT_ABSENT }, { "d/none/x", "d/none", FACT_ABSENT },
	};
	struct files *f = open_files(NULL);

	write_text("file", "f");
	mkdir(in_scratch("d"), 0755);
	write_text("d/x", "x");
	assert_int_equal(symlink("d", in_scratch("link")), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fact out = fact_of(f, rows[i].asked);

		assert_string_equal(out.path, in_scratch(rows[i].told));
		assert_int_equal(out.kind, rows[i].kind);
		fact_free(&out);
	}
	files_free(f);
}

static void too_deep_is_other(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	char path[300] = "d";

	mkdir(in_scratch(path), 0755);
	for (int i = 0; i < 70; i++) {
		strcat(path, "/d");
		mkdir(in_scratch(path), 0755);
	}
	assert_int_equal(kind_of(f, path), FACT_OTHER);
	files_free(f);
}

static void a_settled_file_is_not_read_again(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	char *a = write_mapped("a", "one");

	assert_true(says(f, "a", "one"));
	memcpy(a, "two", 3);
	assert_true(says(f, "a", "one"));
	files_free(f);
}

static void an_unread_file_is_only_looked_at(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	autofacts struct facts all = { 0 }, changed = { 0 };

	write_text("a", "one");
	add(f, &all, "a");
	all.v[0].unread = true;
	write_text("a", "other");
	assert_int_equal(files_refresh(f, &all, &changed), 1);
	assert_true(fact_lacks_contents(&changed.v[0]));
	assert_int_equal(changed.v[0].size, 5);
	assert_true(files_hold(f, &all, NULL));
	write_text("a", "longer");
	assert_false(files_hold(f, &all, NULL));
	files_free(f);
}

static void a_young_file_is_read_each_time(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	char *a = write_mapped("a", "one");

	clock_ahead_s = 0;
	assert_true(says(f, "a", "one"));
	memcpy(a, "two", 3);	/* as a write within one tick of the clock is */
	assert_true(says(f, "a", "two"));
	clock_ahead_s = 1;
	memcpy(a, "six", 3);
	assert_true(says(f, "a", "six"));
	clock_ahead_s = 3;
	assert_true(says(f, "a", "six"));
	memcpy(a, "ten", 3);
	assert_true(says(f, "a", "six"));
	clock_ahead_s = -3600;		/* the clock was set back */
	assert_true(says(f, "a", "ten"));
	files_free(f);
}

static void a_rewrite_with_the_old_time_shows(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	struct stat st;

	write_text("a", "one");
	stat(in_scratch("a"), &st);
	assert_true(says(f, "a", "one"));
	next_tick();
	write_text("a", "two");
	utimensat(AT_FDCWD, in_scratch("a"), (struct timespec[]){ st.st_atim, st.st_mtim }, 0);
	assert_true(says(f, "a", "two"));
	files_free(f);
}

static void only_names_of_one_file_have_its_inode(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	struct fact a, b, c;

	write_text("a", "same");
	write_text("c", "same");
	assert_int_equal(link(in_scratch("a"), in_scratch("b")), 0);
	a = fact_of(f, "a");
	b = fact_of(f, "b");
	c = fact_of(f, "c");
	assert_true(a.inode == b.inode);
	assert_true(a.inode != c.inode);
	assert_true(digest_eq(&a.digest, &c.digest));
	fact_free(&a);
	fact_free(&b);
	fact_free(&c);
	files_free(f);
}

static void what_may_not_be_read_has_no_contents(void **state UNUSED)
{
	static const struct digest none;
	struct files *f;
	struct fact out;

	write_text("a", "secret");
	chmod(in_scratch("a"), 0);
	mkdir(in_scratch("d"), 0755);
	write_text("d/x", "x");
	chmod(in_scratch("d"), 0);
	become(65534);
	f = open_files(NULL);
	out = fact_of(f, "a");
	assert_int_equal(out.kind, FACT_FILE);
	assert_int_equal(out.access, 0);
	assert_int_equal(out.own, getuid() != 0);
	assert_int_equal(out.size, 6);
	assert_true(digest_eq(&out.digest, &none));
	fact_free(&out);
	assert_int_equal(kind_of(f, "d"), FACT_DIR);
	assert_int_equal(kind_of(f, "d/x"), FACT_DENIED);
	assert_int_equal(kind_of(f, "d/none"), FACT_DENIED);
	out = fact_of(f, "d/x/y");
	assert_string_equal(out.path, in_scratch("d/x"));
	assert_int_equal(out.kind, FACT_DENIED);
	fact_free(&out);
	become(0);
	chmod(in_scratch("d"), 0700);
	files_free(f);
}

/* A manifest of what a compile of main.c would touch. */
static void look_around(struct files *f, struct facts *all)
{
	static const char *const names[] = { "", "main.c", "one", "two", "two/a.h", "two/b.h", "two/link.h" };
	char name[32];

	mkdir(in_scratch("one"), 0755);
	mkdir(in_scratch("two"), 0755);
	mkdir(in_scratch("three"), 0755);
	write_text("main.c", "int main;");
	write_text("two/a.h", "a");
	write_text("two/b.h", "b");
	write_text("three/b.h", "b");
	assert_int_equal(symlink("b.h", in_scratch("two/link.h")), 0);
	for (size_t i = 1; i < ARRAY_LEN(names); i++)
		add(f, all, names[i]);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "one/%d.h", i);
		add(f, all, name);
	}
	add(f, all, "one/a.h");
	assert_int_equal(all->count, 6 + 51);
	next_tick();
}

/* Exactly this is found to have changed, before a job and after it, and once only. */
static void check_one_change(struct files *f, struct facts *all, const char *name, int kind)
{
	autofacts struct facts changed = { 0 };
	autofree char *why = NULL;

	assert_false(files_hold(f, all, &why));
	assert_string_equal(why, in_scratch(name));
	assert_int_equal(files_refresh(f, all, &changed), 1);
	assert_int_equal(changed.count, 1);
	assert_string_equal(changed.v[0].path, in_scratch(name));
	assert_int_equal(changed.v[0].kind, kind);
	assert_true(fact_eq(facts_find(all, changed.v[0].path), &changed.v[0]));
	assert_true(files_hold(f, all, NULL));
}

static void nothing(void) {}
static void shadow(void) { write_text("one/a.h", "a"); }
static void end_absence(void) { write_text("one/7.h", ""); }
static void end_absence_by_rename(void) { rename(in_scratch("three/b.h"), in_scratch("one/7.h")); }
static void end_absence_by_link(void) { assert_int_equal(symlink("x", in_scratch("one/7.h")), 0); }
static void rewrite(void) { write_text("two/a.h", "A"); }
static void touch(void) { utimensat(AT_FDCWD, in_scratch("two/a.h"), NULL, 0); }
static void change_mode(void) { chmod(in_scratch("two/a.h"), 0600); }
static void change_dir_mode(void) { chmod(in_scratch("two"), 0700); }
static void remove_file(void) { unlink(in_scratch("two/a.h")); }
static void file_to_dir(void) { unlink(in_scratch("two/a.h")); mkdir(in_scratch("two/a.h"), 0755); }
static void replace_by_equal(void) { rename(in_scratch("three/b.h"), in_scratch("two/b.h")); }
static void retarget(void)
{
	unlink(in_scratch("two/link.h"));
	assert_int_equal(symlink("a.h", in_scratch("two/link.h")), 0);
}
static void dir_to_link(void)
{
	rename(in_scratch("two"), in_scratch("three/two"));
	assert_int_equal(symlink("three/two", in_scratch("two")), 0);
}
static void dir_to_file(void) { remove_tree(AT_FDCWD, in_scratch("two")); write_text("two", ""); }
static void remove_dir(void) { remove_tree(AT_FDCWD, in_scratch("one")); }

static const struct {
	void (*change)(void);
	const char *name;
	int kind;
} changes[] = {
	{ shadow, "one/a.h", FACT_FILE },
	{ end_absence, "one/7.h", FACT_FILE },
	{ end_absence_by_rename, "one/7.h", FACT_FILE },
	{ end_absence_by_link, "one/7.h", FACT_LINK },
	{ rewrite, "two/a.h", FACT_FILE },
	{ touch, "two/a.h", FACT_FILE },
	{ change_mode, "two/a.h", FACT_FILE },
	{ change_dir_mode, "two", FACT_DIR },
	{ remove_file, "two/a.h", FACT_ABSENT },
	{ file_to_dir, "two/a.h", FACT_DIR },
	{ replace_by_equal, "two/b.h", FACT_FILE },
	{ retarget, "two/link.h", FACT_LINK },
	{ dir_to_link, "two", FACT_LINK },
	{ dir_to_file, "two", FACT_FILE },
	{ remove_dir, "one", FACT_ABSENT },
};

static void every_change_is_found(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_LEN(changes); i++) {
		struct files *f;
		autofacts struct facts all = { 0 };

		scratch_remove(state);
		assert_int_equal(scratch_make(state), 0);
		clock_ahead_s = i % 2 ? 60 : 0;	/* by what is remembered, and by looking */
		f = open_files(NULL);
		look_around(f, &all);
		assert_int_equal(files_refresh(f, &all, NULL), 0);
		assert_true(files_hold(f, &all, NULL));
		changes[i / 2].change();
		check_one_change(f, &all, changes[i / 2].name, changes[i / 2].kind);
		files_free(f);
	}
}

static void harmless(void (*change)(void))
{
	struct files *f = open_files(NULL);
	autofacts struct facts all = { 0 };

	look_around(f, &all);
	change();
	assert_int_equal(files_refresh(f, &all, NULL), 0);
	assert_true(files_hold(f, &all, NULL));
	files_free(f);
}

static void other_names(void) { write_text("one/other.h", ""); write_text("main.o", ""); }

static void what_no_job_saw_may_change(void **state)
{
	harmless(nothing);
	scratch_remove(state);
	assert_int_equal(scratch_make(state), 0);
	harmless(other_names);	/* and with it the times of two directories */
}

static int64_t stopped_ns;
static int64_t stopped_clock(void) { return stopped_ns; }

/* All that is there has been so for a minute; no time passes but by the test. */
static struct files *stop_clock(void)
{
	stopped_ns = test_now_ns();
	return files_new(&(struct files_options){ .now_ns = stopped_clock });
}

static void what_was_just_seen_counts_before_a_job_but_not_after_it(void **state UNUSED)
{
	static void (*const ways[])(void) = { rewrite, touch, change_mode, remove_file, end_absence, shadow, file_to_dir, remove_dir };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct files *f = stop_clock();
		autofacts struct facts all = { 0 };

		look_around(f, &all);
		assert_true(files_hold(f, &all, NULL));
		ways[i]();
		assert_int_equal(files_refresh(f, &all, NULL), 0);
		assert_false(files_hold(f, &all, NULL));
		assert_int_not_equal(files_refresh(f, &all, NULL), 0);	/* from here on all is looked at */
		assert_true(files_hold(f, &all, NULL));
		files_free(f);
		scratch_remove(state);
		assert_int_equal(scratch_make(state), 0);
	}
}

static void what_was_seen_a_second_ago_is_looked_at(void **state UNUSED)
{
	struct files *f = stop_clock();
	autofacts struct facts all = { 0 };

	look_around(f, &all);
	assert_true(files_hold(f, &all, NULL));
	rewrite();
	stopped_ns += RECENT_MS / 2 * 1000000;
	assert_int_equal(files_refresh(f, &all, NULL), 0);
	stopped_ns += RECENT_MS / 2 * 1000000;
	assert_int_equal(files_refresh(f, &all, NULL), 1);
	files_free(f);
}

static void set_age(const char *name, int seconds)
{
	struct timespec times[2] = { [1] = { .tv_sec = stopped_ns / 1000000000 - seconds } };

	times[0] = times[1];
	assert_int_equal(utimensat(AT_FDCWD, in_scratch(name), times, 0), 0);
}

static void what_is_young_is_looked_at_and_when_it_changed_so_is_all(void **state UNUSED)
{
	struct files *f = stop_clock();
	autofacts struct facts all = { 0 };

	look_around(f, &all);
	set_age("main.c", RECENT_QUIET_S - 1);
	assert_int_equal(files_refresh(f, &all, NULL), 1);
	assert_true(files_hold(f, &all, NULL));
	rewrite();
	assert_int_equal(files_refresh(f, &all, NULL), 0);
	write_text("main.c", "int n;");
	assert_int_equal(files_refresh(f, &all, NULL), 2);
	files_free(f);
}

static void a_listing_is_all_names_in_order(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	autofacts struct facts all = { 0 };
	struct fact out;

	mkdir(in_scratch("d"), 0755);
	write_text("d/b", "");
	write_text("d/a", "");
	mkdir(in_scratch("d/.c"), 0755);
	files_listing(f, in_scratch("d"), &out);
	assert_true(out.listed);
	assert_int_equal(out.names.count, 3);
	assert_string_equal(out.names.v[0], ".c");
	assert_string_equal(out.names.v[1], "a");
	assert_string_equal(out.names.v[2], "b");
	facts_set(&all, &out);
	assert_true(files_hold(f, &all, NULL));
	write_text("d/aa", "");
	check_one_change(f, &all, "d", FACT_DIR);
	assert_int_equal(all.v[0].names.count, 4);
	files_listing(f, in_scratch("d/a"), &out);
	assert_int_equal(out.kind, FACT_FILE);
	fact_free(&out);
	files_free(f);
}

static void a_crowded_directory_is_not_listed(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	struct fact out;
	char name[32];

	mkdir(in_scratch("d"), 0755);
	for (int i = 0; i <= FACT_NAMES_MAX; i++) {
		snprintf(name, sizeof name, "d/%d", i);
		assert_int_equal(symlink("x", in_scratch(name)), 0);
	}
	files_listing(f, in_scratch("d"), &out);
	assert_int_equal(out.kind, FACT_DIR);
	assert_false(out.listed);
	assert_int_equal(out.names.count, 0);
	fact_free(&out);
	unlink(in_scratch("d/0"));
	files_listing(f, in_scratch("d"), &out);
	assert_int_equal(out.names.count, FACT_NAMES_MAX);
	fact_free(&out);
	files_free(f);
}

static bool clock_in(struct files *f, const char *name)
{
	autofacts struct facts all = { 0 };

	add(f, &all, name);
	return files_has_clock(f, &all);
}

static void a_file_that_names_the_time_is_noted(void **state UNUSED)
{
	enum { CHUNK = 1 << 18 };
	autofree char *long_text = xmalloc(CHUNK + 8);
	struct files *f;
	char *a;

	mkdir(in_scratch("cache"), 0700);
	f = open_files(in_scratch("cache"));
	memset(long_text, 'x', CHUNK + 7);
	memcpy(long_text + CHUNK - 4, "__TIME__", 9);	/* in two pieces */
	a = write_mapped("a", long_text);
	write_text("b", "no time");
	assert_true(clock_in(f, "a"));
	assert_false(clock_in(f, "b"));
	clock_ahead_s = 0;
	write_text("c", "__DATE__");
	assert_true(clock_in(f, "c"));
	clock_ahead_s = 60;
	files_free(f);
	f = open_files(in_scratch("cache"));
	a[CHUNK - 3] = 0;	/* so it is not read again */
	assert_true(clock_in(f, "a"));
	assert_false(clock_in(f, "b"));
	files_free(f);
}

static void the_next_agent_knows_what_was_read(void **state UNUSED)
{
	char *a = write_mapped("a", "one"), *b = write_mapped("b", "one");
	struct files *f;

	f = open_files(in_scratch("new/cache"));
	assert_true(says(f, "a", "one"));
	clock_ahead_s = 0;
	assert_true(says(f, "b", "one"));
	files_free(f);
	clock_ahead_s = 60;
	memcpy(a, "two", 3);
	memcpy(b, "two", 3);
	f = open_files(in_scratch("new/cache"));
	assert_true(says(f, "a", "one"));
	assert_true(says(f, "b", "two"));	/* was too young to be kept */
	files_free(f);
}

static void what_others_may_write_is_not_believed(void **state UNUSED)
{
	char *a = write_mapped("a", "one");
	struct files *f;

	mkdir(in_scratch("cache"), 0700);
	f = open_files(in_scratch("cache"));
	assert_true(says(f, "a", "one"));
	files_free(f);
	assert_int_equal(chmod(in_scratch("cache/digests-1"), 0620), 0);
	memcpy(a, "two", 3);
	f = open_files(in_scratch("cache"));
	assert_true(says(f, "a", "two"));
	files_free(f);
}

/* Access is by who asks, so it is not kept with the digest from one agent to the next. */
static void access_is_found_out_anew(void **state UNUSED)
{
	struct files *f;
	struct fact out;

	if (getuid() != 0)
		skip();
	mkdir(in_scratch("cache"), 0700);
	f = open_files(in_scratch("cache"));
	write_text("a", "one");
	out = fact_of(f, "a");
	assert_int_equal(out.access, FACT_READ | FACT_WRITE);
	fact_free(&out);
	files_free(f);
	assert_int_equal(chown(in_scratch("cache"), 65534, 0), 0);
	assert_int_equal(chown(in_scratch("cache/digests-1"), 65534, 0), 0);
	become(65534);
	f = open_files(in_scratch("cache"));
	out = fact_of(f, "a");
	assert_int_equal(out.access, FACT_READ);
	assert_int_equal(out.own, 0);
	fact_free(&out);
	files_free(f);
	become(0);
}

struct crowd {
	struct files *f;
	const struct facts *all;
	bool right;
};

static void *look_often(void *arg)
{
	struct crowd *c = arg;

	c->right = true;
	for (int i = 0; i < 100; i++)
		c->right &= files_hold(c->f, c->all, NULL);
	return NULL;
}

/* The directories change all the time, but nothing in them that was relied on. */
static void many_threads_look_while_files_come_and_go(void **state UNUSED)
{
	struct files *f = open_files(NULL);
	autofacts struct facts all = { 0 };
	struct crowd crowd[4];
	pthread_t threads[4];

	clock_ahead_s = 0;
	look_around(f, &all);
	for (int i = 0; i < 4; i++) {
		crowd[i] = (struct crowd){ f, &all, false };
		assert_int_equal(pthread_create(&threads[i], NULL, look_often, &crowd[i]), 0);
	}
	for (int i = 0; i < 300; i++) {
		write_text("one/coming.h", "x");
		unlink(in_scratch("one/coming.h"));
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(crowd[i].right);
	}
	end_absence();
	check_one_change(f, &all, "one/7.h", FACT_FILE);
	files_free(f);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_told_whole),
		TEST(each_kind_is_told),
		TEST(what_the_kernel_makes_up_is_other),
		TEST(below_what_is_no_directory_that_is_told),
		TEST(too_deep_is_other),
		TEST(a_settled_file_is_not_read_again),
		TEST(an_unread_file_is_only_looked_at),
		TEST(a_young_file_is_read_each_time),
		TEST(a_rewrite_with_the_old_time_shows),
		TEST(only_names_of_one_file_have_its_inode),
		TEST(what_may_not_be_read_has_no_contents),
		TEST(every_change_is_found),
		TEST(what_no_job_saw_may_change),
		TEST(what_was_just_seen_counts_before_a_job_but_not_after_it),
		TEST(what_was_seen_a_second_ago_is_looked_at),
		TEST(what_is_young_is_looked_at_and_when_it_changed_so_is_all),
		TEST(a_listing_is_all_names_in_order),
		TEST(a_crowded_directory_is_not_listed),
		TEST(a_file_that_names_the_time_is_noted),
		TEST(the_next_agent_knows_what_was_read),
		TEST(what_others_may_write_is_not_believed),
		TEST(access_is_found_out_anew),
		TEST(many_threads_look_while_files_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
