/*
 * test_key.c - key files: what is one, what is not, and that nothing of it is said.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "file.h"
#include "key.h"

/* Base64 of 32 bytes; the second differs in one. */
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHiA="

static char dir[] = "/tmp/rcc-test-key.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/key", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return remove_tree(AT_FDCWD, dir);
}

static int parse(struct keys *k, const char *text, struct err *err)
{
	return keys_parse(k, text, strlen(text), err);
}

static void lines_become_keys(void **state)
{
	struct keys *k = keys_new();
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(k, "# ours\n\nrcc-key-1 new " SECRET "\nrcc-key-1 old " OTHER, &err), 0);
	assert_int_equal(k->count, 2);
	assert_string_equal(k->all[0].name, "new");
	assert_int_equal(k->all[0].secret[31], 31);
	assert_int_equal(k->all[1].secret[31], 32);
	assert_ptr_equal(keys_find(k, "old", 3), &k->all[1]);
	assert_null(keys_find(k, "ol", 2));
	assert_true(key_eq(&k->all[0], &k->all[0]));
	assert_false(key_eq(&k->all[0], &k->all[1]));
	keys_unref(k);
}

static void what_is_no_key_is_refused_in_silence(void **state)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "", "holds no key" },
		{ "# none\n", "holds no key" },
		{ "\n" SECRET "\n", "2: not a key" },
		{ "rcc-key-2 a " SECRET "\n", "1: not a key" },
		{ "rcc-key-1 a " SECRET "x\n", "1: not a key" },
		{ "rcc-key-1 a " SECRET "\r\n", "1: not a key" },
		{ "rcc-key-1 a AAAA\n", "1: not a key" },
		{ "rcc-key-1 a\n", "1: not a key" },
		{ "rcc-key-1 a/b " SECRET "\n", "1: a key's name" },
		{ "rcc-key-1  " SECRET "\n", "1: a key's name" },
		{ "rcc-key-1 abcdefghijklmnopqrstuvwxyz0123456 " SECRET "\n", "1: a key's name" },
		{ "rcc-key-1 a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n", "1: not a key" },
		{ "rcc-key-1 a " SECRET "\nrcc-key-1 a " OTHER "\n", "2: a second key" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct keys *k = keys_new();
		struct err err = { 0 };

		assert_int_equal(parse(k, bad[i].text, &err), ERR_CONFIG);
		if (!strstr(err.text, bad[i].why) || strstr(err.text, "AAEC"))
			fail_msg("'%s' was answered with '%s'", bad[i].text, err.text);
		keys_unref(k);
	}
}

static void no_more_keys_than_there_is_room_for(void **state)
{
	struct keys *k = keys_new();
	autobuf struct buf b = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i <= KEYS_MAX; i++)
		buf_printf(&b, "rcc-key-1 k%d " SECRET "\n", i);
	assert_int_equal(keys_parse(k, buf_str(&b), b.len, &err), ERR_CONFIG);
	assert_int_equal(k->count, KEYS_MAX);
	keys_unref(k);
}

static void each_label_gives_another_secret(void **state)
{
	unsigned char a[KEY_SECRET], b[KEY_SECRET], again[KEY_SECRET];
	struct key k = { .name = "k", .secret = { 1, 2, 3 } };

	(void)state;
	key_derive(&k, "rcc-1 caller", a);
	key_derive(&k, "rcc-1 volunteer", b);
	key_derive(&k, "rcc-1 caller", again);
	assert_memory_equal(a, again, sizeof a);
	assert_memory_not_equal(a, b, sizeof a);
	assert_memory_not_equal(a, k.secret, sizeof a);
}

static void a_made_key_is_private_new_and_readable(void **state)
{
	struct keys *k = keys_new(), *second = keys_new();
	char name[KEY_NAME + 1], other[KEY_NAME + 1];
	struct err err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(key_make(path, name, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(keys_load(k, path, &err), 0);
	assert_int_equal(k->count, 1);
	assert_string_equal(k->all[0].name, name);
	assert_true(key_make(path, other, &err) < 0);	/* it is there */
	assert_int_equal(keys_load(second, path, &err), 0);
	assert_true(key_eq(&k->all[0], &second->all[0]));
	keys_unref(second);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(key_make(path, other, &err), 0);
	assert_string_not_equal(name, other);
	keys_unref(k);
}

static void a_file_that_others_can_read_is_none(void **state)
{
	static const mode_t bad[] = { 0604, 0620, 0644, 0666, 0602, 0601 };
	struct keys *k = keys_new();
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(chmod(path, bad[i]), 0);
		assert_int_equal(keys_load(k, path, &err), ERR_CONFIG);
		assert_non_null(strstr(err.text, path));
	}
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(keys_load(k, path, &err), 0);
	assert_int_equal(keys_load(k, dir, &err), ERR_CONFIG);
	assert_int_equal(keys_load(k, "/nonexistent/key", &err), ERR_ABSENT);
	keys_unref(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_keys),
		cmocka_unit_test(what_is_no_key_is_refused_in_silence),
		cmocka_unit_test(no_more_keys_than_there_is_room_for),
		cmocka_unit_test(each_label_gives_another_secret),
		cmocka_unit_test(a_made_key_is_private_new_and_readable),
		cmocka_unit_test(a_file_that_others_can_read_is_none),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
