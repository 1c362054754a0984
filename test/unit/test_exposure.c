/*
 * test_exposure.c - which addresses take what, and what the log says of it.
 */
#include "unit.h"

#include "address.h"
#include "exposure.h"

static struct address at(const char *text)
{
	struct address a;
	struct err err = { 0 };

	if (address_parse(text, &a, &err) < 0)
		fail_msg("%s", err.text);
	return a;
}

static void private_addresses(void **state)
{
	static const char *const private[] = {
		"127.0.0.1:1", "[::1]:1", "10.0.0.0:1", "10.255.255.255:1", "172.16.0.0:1", "172.31.255.255:1", "192.168.0.1:1",
		"169.254.9.9:1", "[fe80::1]:1", "[febf::1]:1", "[fc00::1]:1", "[fdff::1]:1", "[::ffff:10.0.0.1]:1",
	};
	static const char *const public[] = {
		"0.0.0.0:1", "[::]:1", "9.255.255.255:1", "11.0.0.0:1", "172.15.255.255:1", "172.32.0.0:1", "192.167.255.255:1",
		"192.169.0.0:1", "169.253.0.1:1", "8.8.8.8:1", "[2001:db8::1]:1", "[fbff::1]:1", "[fe00::1]:1", "[fec0::1]:1",
		"[::ffff:8.8.8.8]:1", "[::ffff:0.0.0.0]:1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(private); i++) {
		struct address a = at(private[i]);

		if (!address_is_private(&a))
			fail_msg("%s is private", private[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(public); i++) {
		struct address a = at(public[i]);

		if (address_is_private(&a))
			fail_msg("%s is not private", public[i]);
	}
}

enum { NO_AUTH = 1, PUBLIC = 2, NO_SANDBOX = 4, KEY = 8 };

/* What listening there is refused for; NULL: it is not. */
static const struct { const char *address; unsigned given; const char *lacks; } rules[] = {
	{ "127.0.0.1:1", 0, NULL },
	{ "127.0.0.1:1", KEY, NULL },
	{ "10.0.0.1:1", 0, "--make-key" },
	{ "10.0.0.1:1", KEY, NULL },
	{ "10.0.0.1:1", NO_SANDBOX, "--make-key" },
	{ "10.0.0.1:1", NO_SANDBOX | PUBLIC, "--make-key" },
	{ "10.0.0.1:1", NO_SANDBOX | NO_AUTH, NULL },
	{ "10.0.0.1:1", NO_SANDBOX | KEY, NULL },
	{ "0.0.0.0:1", NO_SANDBOX | KEY, "--allow-public" },
	{ "8.8.8.8:1", NO_SANDBOX | KEY, "--allow-public" },
	{ "8.8.8.8:1", NO_SANDBOX | NO_AUTH, "--allow-public" },
	{ "8.8.8.8:1", NO_SANDBOX | KEY | PUBLIC, NULL },
	{ "8.8.8.8:1", KEY | PUBLIC, NULL },
};

static void rules_of_listening(void **state)
{
	struct keys *keys = keys_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		unsigned g = rules[i].given;
		struct options o = { .http = (char *)"off", .insecure_no_auth = g & NO_AUTH, .allow_public = g & PUBLIC,
				     .insecure_no_sandbox = g & NO_SANDBOX };
		struct err err = { 0 };
		int rc;

		argv_push(&o.listen, "127.0.0.1:2");	/* each address is looked at */
		argv_push(&o.listen, rules[i].address);
		rc = exposure_check(&o, g & KEY ? keys : NULL, &err);
		if (rc != (rules[i].lacks ? ERR_CONFIG : 0) || (rules[i].lacks && !strstr(err.text, rules[i].lacks)))
			fail_msg("row %zu: %d %s", i, rc, err.text);
		argv_free(&o.listen);
	}
	keys_unref(keys);
}

static void said(const char *address, const struct keys *keys, bool public, const char *expected)
{
	struct options o = { .allow_public = public };
	struct argv listening = { 0 };
	char *text;

	argv_push(&listening, address);
	text = exposure_text(&o, keys, &listening);
	assert_string_equal(text, expected);
	free(text);
	argv_free(&listening);
}

static void one_line_says_who(void **state)
{
	struct keys *keys = keys_new();

	(void)state;
	keys->count = 2;
	strcpy(keys->all[0].name, "new");
	strcpy(keys->all[1].name, "old");
	said("127.0.0.1:1", NULL, false, "every user of this machine at 127.0.0.1:1");
	said("10.0.0.1:1", NULL, false, "whoever reaches it at 10.0.0.1:1");
	said("127.0.0.1:1", keys, true, "holders of the key new or old on this machine at 127.0.0.1:1");
	said("10.0.0.1:1", keys, false, "holders of the key new or old at 10.0.0.1:1");
	said("8.8.8.8:1", keys, true, "holders of the key new or old at 8.8.8.8:1, public addresses included");
	keys_unref(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_addresses),
		cmocka_unit_test(rules_of_listening),
		cmocka_unit_test(one_line_says_who),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
