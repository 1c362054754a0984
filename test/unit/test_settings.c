/*
 * test_settings.c - what the caller may set, and the words for what it may not.
 */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>

#include "file.h"
#include "settings.h"

static int load(struct settings *s, struct err *err, const char *hosts, const char *home)
{
	autoargv struct argv env = { 0 };

	if (hosts)
		argv_pushf(&env, "RCC_HOSTS=%s", hosts);
	argv_pushf(&env, "XDG_CONFIG_HOME=%s", home ? home : "/nonexistent");
	return settings_load(&env, 4, s, err);
}

static void hosts_take_ports_slots_and_brackets(void **state)
{
	struct settings s;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(load(&s, &err, "alder, birch:99  cedar/3,[::1]:7/2", NULL), 0);
	assert_int_equal(s.host_count, 4);
	assert_string_equal(s.hosts[0].name, "alder");
	assert_int_equal(s.hosts[0].port, 17632);
	assert_int_equal(s.hosts[0].slots, 0);
	assert_int_equal(s.hosts[1].port, 99);
	assert_int_equal(s.hosts[2].slots, 3);
	assert_string_equal(s.hosts[3].name, "::1");
	assert_int_equal(s.hosts[3].port, 7);
	assert_int_equal(s.hosts[3].slots, 2);
	settings_free(&s);
}

static void names_to_be_looked_up_are_told_from_hosts(void **state)
{
	struct settings s;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(load(&s, &err, "dns:farm dns:farm.example:7/3 srv:_rcc._tcp.example/2 dns", NULL), 0);
	assert_int_equal(s.host_count, 4);
	assert_int_equal(s.hosts[0].kind, HOST_DNS);
	assert_string_equal(s.hosts[0].name, "farm");
	assert_int_equal(s.hosts[0].port, 17632);
	assert_string_equal(s.hosts[1].name, "farm.example");
	assert_int_equal(s.hosts[1].port, 7);
	assert_int_equal(s.hosts[1].slots, 3);
	assert_int_equal(s.hosts[2].kind, HOST_SRV);
	assert_string_equal(s.hosts[2].name, "_rcc._tcp.example");
	assert_int_equal(s.hosts[2].port, 0);
	assert_int_equal(s.hosts[2].slots, 2);
	assert_int_equal(s.hosts[3].kind, HOST_NAME);
	settings_free(&s);
}

static void malformed_hosts_are_named(void **state)
{
	static const char *const bad[] = {
		"alder:", "alder:x", "alder:0", "alder:70000", "alder/0", "alder/x", ":5", "::1", "[::1", "[::1]x",
		"alder:1:2", "/3", "dns:", "dns:/2", "dns:farm:0", "srv:", "srv:_rcc._tcp.farm:5", "mdns:farm",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct settings s;
		struct err err = { 0 };

		assert_int_equal(load(&s, &err, bad[i], NULL), ERR_CONFIG);
		assert_non_null(strstr(err.text, "RCC_HOSTS"));
		assert_non_null(strstr(err.text, bad[i]));
	}
}

static void defaults_are_the_cores_and_fallback(void **state)
{
	struct settings s;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(load(&s, &err, NULL, NULL), 0);
	assert_int_equal(s.mode, MODE_AUTO);
	assert_int_equal(s.local_slots, 4);
	assert_true(s.fallback);
	assert_int_equal(s.host_count, 0);
}

/* A config of this text; the directory is removed with remove_tree(). */
static void write_config(char *dir, const char *text)
{
	autofree char *sub = NULL, *path = NULL;
	FILE *f;

	strcpy(dir, "/tmp/rcc-settings-XXXXXX");
	assert_non_null(mkdtemp(dir));
	sub = xasprintf("%s/rcc", dir);
	path = xasprintf("%s/rcc.conf", sub);
	assert_int_equal(mkdir(sub, 0700), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void the_environment_wins_over_the_config(void **state)
{
	char dir[64];
	struct settings s;
	struct err err = { 0 };

	(void)state;
	write_config(dir, "# ours\nhosts = elm:5\nmode = text\nlocal_slots = 0\n");
	assert_int_equal(load(&s, &err, "oak", dir), 0);
	assert_string_equal(s.hosts[0].name, "oak");
	assert_int_equal(s.mode, MODE_TEXT);
	assert_int_equal(s.local_slots, 0);
	settings_free(&s);
	remove_tree(-1, dir);
}

static void config_errors_name_file_and_line(void **state)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "hosts = elm\ncolour = red\n", "rcc.conf:2: colour: unknown setting" },
		{ "mode = fast\n", "rcc.conf:1: mode: 'fast'" },
		{ "hosts = elm\n\njust words\n", "rcc.conf:3: " },
		{ "[server]\nmode = text\n", "rcc.conf:2: [server]: unknown section" },
		{ "local_slots = -1\n", "'-1' is not a number" },
		{ "key_file = key\n", "rcc.conf:1: key_file: 'key' is not an absolute path" },
		{ "hosts = elm\nkey_file = /nonexistent/key\n", "/nonexistent/key: No such file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char dir[64];
		struct settings s;
		struct err err = { 0 };

		write_config(dir, bad[i].text);
		assert_int_equal(load(&s, &err, NULL, dir), ERR_CONFIG);
		if (!strstr(err.text, bad[i].says))
			fail_msg("'%s' does not say '%s'", err.text, bad[i].says);
		remove_tree(-1, dir);
	}
}

/* The key beside the user's rcc.conf counts, unless another is named, or none. */
static void a_key_lies_beside_the_config(void **state)
{
	static const struct { const char *variable; int rc; bool has_key; } rows[] = {
		{ "X=", 0, true }, { "RCC_KEY_FILE=", 0, false }, { "RCC_KEY_FILE=/nonexistent/key", ERR_CONFIG, false },
	};
	char dir[64], path[128], name[KEY_NAME + 1];
	struct err err = { 0 };

	(void)state;
	write_config(dir, "hosts = elm\n");
	snprintf(path, sizeof path, "%s/rcc/key", dir);
	assert_int_equal(key_make(path, name, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoargv struct argv env = { 0 };
		struct settings s;

		argv_pushf(&env, "XDG_CONFIG_HOME=%s", dir);
		argv_push(&env, rows[i].variable);
		assert_int_equal(settings_load(&env, 4, &s, &err), rows[i].rc);
		assert_int_equal(s.keys != NULL, rows[i].has_key);
		if (s.keys)
			assert_string_equal(s.keys->all[0].name, name);
		settings_free(&s);
	}
	assert_int_equal(chmod(path, 0644), 0);
	{
		struct settings s;

		assert_int_equal(load(&s, &err, NULL, dir), ERR_CONFIG);
		assert_non_null(strstr(err.text, path));
	}
	remove_tree(-1, dir);
}

static void the_man_page_names_every_setting(void **state)
{
	autobuf struct buf page = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(read_file("doc/rcc.conf.5", 1 << 20, &page, &err), 0);
	for (const char *const *name = settings_names(); *name; name++)
		if (!strstr(buf_str(&page), *name))
			fail_msg("rcc.conf(5) does not name %s", *name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_take_ports_slots_and_brackets),
		cmocka_unit_test(names_to_be_looked_up_are_told_from_hosts),
		cmocka_unit_test(malformed_hosts_are_named),
		cmocka_unit_test(defaults_are_the_cores_and_fallback),
		cmocka_unit_test(the_environment_wins_over_the_config),
		cmocka_unit_test(config_errors_name_file_and_line),
		cmocka_unit_test(a_key_lies_beside_the_config),
		cmocka_unit_test(the_man_page_names_every_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
