/*
 * test_store_kill.c - whoever is killed at whatever instant leaves nothing that looks whole and is not.
 */
#include "store_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "log.h"

enum { KILLS = 100, SIZE = 60 * 1000, LINKS = 100, BOUND = 5 << 20 };

/* Large enough that to make the root takes as long as to bring the blobs: kills are to hit both. */
static struct tree large_tree_of(unsigned program, unsigned library)
{
	struct tree t = tree_of(program, library, SIZE);

	for (int i = 0; i < LINKS; i++) {
		autofree char *path = xasprintf("/usr/share/link/%d", i);

		tree_add_link(&t, path, "/lib");
	}
	return t;
}

/* Where a life is, said once each. */
enum moment { BORN, OPENED, INSTALLED, MOMENTS };

static void say(int fd, enum moment m)
{
	char c = (char)m;

	if (write(fd, &c, 1) < 0)
		_exit(5);
}

/* Brings, installs, evicts, for ever. The status says what was wrong. */
static int live(unsigned seed, int tell)
{
	struct store *s;
	bool told = false;

	say(tell, BORN);
	if (store_open(store_dir, BOUND, &s, NULL) < 0)
		return 1;
	say(tell, OPENED);
	for (;; told = true) {
		unsigned program = rand_r(&seed) % 1000, library = rand_r(&seed) % 4;
		struct tree t = large_tree_of(program, library);
		struct digest id = id_of(&t);

		store_expect(s, &t);
		if (bring(s, program, SIZE, NULL) < 0 || bring(s, library, SIZE, NULL) < 0)
			return 2;
		if (store_install(s, &id, &t, NULL) < 0)
			return 3;
		store_expect_end(s, &t);
		store_release(s, &id);
		if (!told)
			say(tell, INSTALLED);
		if (rand_r(&seed) % 32 == 0 && store_make_room(s, BOUND, NULL) < 0)
			return 4;
		tree_free(&t);
	}
}

/* From a moment on, so that on a slow machine, too, each stretch of a life is hit. */
static void kill_after(enum moment moment, long us, unsigned seed)
{
	const struct timespec t = { .tv_nsec = us * 1000 };
	pid_t parent = getpid(), pid;
	int said[2], status;
	char c = -1;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(getppid() == parent ? live(seed, said[1]) : 0);
	}
	assert_true(pid > 0);
	close(said[1]);
	while (c != (char)moment && read(said[0], &c, 1) == 1)
		;
	nanosleep(&t, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(said[0]);
	if (!WIFSIGNALED(status))
		fail_msg("step %d went wrong", WEXITSTATUS(status));
}

/* Calls each for what is in a directory of the store's; returns how many there are. */
static size_t each_name(const char *directory, void (*each)(const char *directory, const char *name))
{
	autofree char *path = inside("%s%s", directory, "");
	DIR *d = opendir(path);
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d)))
		if (*e->d_name != '.') {
			each(directory, e->d_name);
			n++;
		}
	if (d)
		closedir(d);
	return n;
}

static void blob_is_its_name(const char *directory, const char *name)
{
	autofree char *path = inside("%s/%s", directory, name);
	autofree char *want = xasprintf("%s%s", path_base(directory), name);
	char hex[2 * DIGEST_SIZE + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct digest d;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0555);
	assert_int_equal(digest_fd(fd, &d, NULL), 0);
	close(fd);
	digest_hex(&d, hex);
	assert_string_equal(hex, want);
}

static void blobs_are_their_names(const char *directory, const char *name)
{
	autofree char *path = xasprintf("%s/%s", directory, name);

	each_name(path, blob_is_its_name);
}

/* Of the tree, and what names it. */
static struct tree read_tree(const char *name, struct digest *id)
{
	autofree char *path = inside("trees/%s%s", name, "");
	autobuf struct buf b = { 0 };
	char hex[2 * DIGEST_SIZE + 1];
	struct reader r;
	struct tree t;

	assert_int_equal(read_file(path, TREE_BYTES_MAX, &b, NULL), 0);
	r = reader_of(b.p, b.len);
	assert_int_equal(tree_get(&r, &t, NULL), 0);
	*id = id_of(&t);
	digest_hex(id, hex);
	assert_string_equal(hex, name);
	return t;
}

/* Each root is whole; with its tree it can be compared, without one, the last entry is there. */
static void root_is_whole(const char *directory UNUSED, const char *name)
{
	static const char *const last[] = { "/usr/lib/libc.so.6", "/usr/lib/gcc/cc1", "/lib", "/etc/ld.so.cache",
					    "/usr/share/link/99" };
	autofree char *tree = inside("trees/%s%s", name, "");
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(last); i++) {
		autofree char *path = xasprintf("%s/roots/%s%s", store_dir, name, last[i]);

		assert_int_equal(lstat(path, &st), 0);
	}
	if (lstat(tree, &st) == 0) {
		struct digest id;
		struct tree t = read_tree(name, &id);

		assert_null(root_fault(&t, &id));
		tree_free(&t);
	}
}

static struct store *next_life;

static void tree_installs(const char *directory UNUSED, const char *name)
{
	struct digest id;
	struct tree t = read_tree(name, &id);

	if (store_install(next_life, &id, &t, &store_err) < 0)
		fail_msg("%s", store_err.text);
	assert_null(root_fault(&t, &id));
	store_release(next_life, &id);
	tree_free(&t);
}

static void check_what_is_left(size_t *blobs, size_t *toolchains)
{
	each_name("blobs", blobs_are_their_names);
	each_name("roots", root_is_whole);
	if (store_open(store_dir, BOUND, &next_life, &store_err) < 0)
		fail_msg("%s", store_err.text);
	assert_int_equal(each_name("incoming", tree_installs), 0);
	*toolchains += each_name("trees", tree_installs);
	*blobs += store_view(next_life).blobs;
	assert_true(store_view(next_life).bytes <= BOUND);
	store_close(next_life);
}

static void a_store_is_sound_after_each_kill(void **state UNUSED)
{
	size_t blobs = 0, toolchains = 0;
	unsigned seed;

	assert_int_equal(getrandom(&seed, sizeof seed, 0), sizeof seed);
	print_message("seed %u\n", seed);
	for (int i = 0; i < KILLS; i++) {
		long us = rand_r(&seed) % 10000;

		kill_after(i % MOMENTS, us, rand_r(&seed));
		check_what_is_left(&blobs, &toolchains);
	}
	/* a third had installed one, and few had just removed all */
	print_message("left: %zu blobs, %zu toolchains\n", blobs, toolchains);
	assert_true(blobs > 0 && toolchains > KILLS / 10);
}

/* In memory, if there is such a place: what a kill leaves is the same, and the disk's other users are not waited for. */
static int make_quick_dir(void **state)
{
	return make_store_dir_in("/dev/shm") == 0 ? 0 : make_store_dir(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_store_is_sound_after_each_kill, make_quick_dir, remove_store_dir),
	};

	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
