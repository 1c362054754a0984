/*
 * test_callers.c - who is the same caller, and what one of them may have.
 */
#include "unit.h"

#include <stdio.h>

#include "callers.h"

static struct caller *all;

static int teardown(void **state UNUSED)
{
	callers_free(&all);
	return 0;
}

static struct caller *at_time(const char *address, uint64_t now_ms) { return caller_of(&all, NULL, "x", address, now_ms); }
static struct caller *at(const char *address) { return at_time(address, 0); }

static void a_caller_is_an_address_or_a_name_with_a_key(void **state UNUSED)
{
	struct caller *c = at("10.0.0.1:4711"), *k;

	c->share.connections = 1;
	k = caller_of(&all, "farm", "a@b", "10.0.0.1:1", 0);
	k->share.connections = 1;
	assert_ptr_equal(at("10.0.0.1:4712"), c);
	assert_ptr_not_equal(at("10.0.0.2:4711"), c);
	assert_ptr_not_equal(at("[::1]:4711"), c);
	assert_ptr_not_equal(k, c);
	assert_ptr_equal(caller_of(&all, "farm", "a@b", "10.0.0.9:1", 0), k);
	assert_ptr_not_equal(caller_of(&all, "farm", "a@c", "10.0.0.1:1", 0), k);
	assert_ptr_not_equal(caller_of(&all, "other", "a@b", "10.0.0.1:1", 0), k);
}

static void who_is_gone_is_forgotten(void **state UNUSED)
{
	for (int i = 0; i < 100; i++) {
		char address[32];

		snprintf(address, sizeof address, "10.0.0.%d:1", i);
		at(address);
	}
	assert_non_null(all);
	assert_null(all->next);
}

static void connections_are_bounded_of_each_kind(void **state UNUSED)
{
	struct caller *c = at("10.0.0.1:1");
	struct err err = { 0 };

	for (int i = 0; i < CALLER_CONTROL; i++)
		assert_int_equal(caller_comes(c, ROLE_CONTROL, 4, &err), 0);
	assert_int_equal(caller_comes(c, ROLE_CONTROL, 4, &err), ERR_LIMIT);
	assert_non_null(strstr(err.text, "64 control connections"));
	for (int i = 0; i < CALLER_STORE; i++)
		assert_int_equal(caller_comes(c, ROLE_STORE, 4, &err), 0);
	assert_int_equal(caller_comes(c, ROLE_STORE, 4, &err), ERR_LIMIT);
	assert_int_equal(caller_comes(c, ROLE_JOB, 4, &err), 0);
	c->share.connections = CALLER_CONNECTIONS + 3;
	assert_int_equal(caller_comes(c, ROLE_JOB, 4, &err), 0);
	c->share.connections++;
	assert_int_equal(caller_comes(c, ROLE_JOB, 4, &err), ERR_LIMIT);
	assert_non_null(strstr(err.text, "516 connections"));
	c->share.connections--;
	caller_leaves(c, ROLE_CONTROL);
	assert_int_equal(caller_comes(c, ROLE_CONTROL, 4, &err), 0);
}

static void new_toolchains_are_bounded_in_time(void **state UNUSED)
{
	struct caller *c = at("10.0.0.1:1");

	for (int i = 0; i < CALLER_TOOLCHAINS; i++)
		assert_int_equal(caller_announces(c, 1000, 5, NULL), 0);
	assert_int_equal(caller_announces(c, 1000, 6, NULL), ERR_LIMIT);
	/* coming back as the same one does not help */
	at_time("10.0.0.2:1", CALLER_WINDOW_MS);
	assert_ptr_equal(at_time("10.0.0.1:2", CALLER_WINDOW_MS), c);
	assert_int_equal(caller_announces(c, 1000, CALLER_WINDOW_MS, NULL), ERR_LIMIT);
	assert_int_equal(caller_announces(c, CALLER_TREE_BYTES, CALLER_WINDOW_MS + 5, NULL), 0);
	assert_int_equal(caller_announces(c, 1, CALLER_WINDOW_MS + 5, NULL), ERR_LIMIT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_caller_is_an_address_or_a_name_with_a_key), TEST(who_is_gone_is_forgotten),
		TEST(connections_are_bounded_of_each_kind), TEST(new_toolchains_are_bounded_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
