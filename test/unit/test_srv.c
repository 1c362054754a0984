/*
 * test_srv.c - SRV answers, as a name server gives them and as none does.
 */
#include "unit.h"

#include "buf.h"
#include "srv.h"

/* A question for _rcc._tcp.x and the head of so many answers. The question's name is at 12, its "x" at 22. */
static void begin(struct buf *b, unsigned answers)
{
	const uint8_t head[] = { 0x12, 0x34, 0x81, 0x80, 0, 1, 0, (uint8_t)answers, 0, 0, 0, 0 };

	buf_add(b, head, sizeof head);
	buf_add(b, "\4_rcc\4_tcp\1x\0" "\0\41" "\0\1", 17);
}

static void record(struct buf *b, uint16_t type, uint32_t ttl, const void *data, size_t length)
{
	const uint8_t head[] = { 0xc0, 12, (uint8_t)(type >> 8), (uint8_t)type, 0, 1, (uint8_t)(ttl >> 24), (uint8_t)(ttl >> 16),
				 (uint8_t)(ttl >> 8), (uint8_t)ttl, (uint8_t)(length >> 8), (uint8_t)length };

	buf_add(b, head, sizeof head);
	buf_add(b, data, length);
}

#define SRV(b, ttl, data) record(b, 33, ttl, data, sizeof data - 1)

struct answer {
	struct host *hosts;
	size_t count;
	uint32_t ttl_s;
	struct err err;
};

static int get(const struct buf *b, struct answer *a)
{
	*a = (struct answer){ 0 };
	return srv_get(b->p, b->len, &a->hosts, &a->count, &a->ttl_s, &a->err);
}

static void every_priority_counts_and_the_shortest_time(void **state)
{
	autobuf struct buf b = { 0 };
	struct answer a;

	(void)state;
	begin(&b, 3);
	SRV(&b, 60, "\0\1\0\5\x44\xe0\5alder\xc0\x16");
	record(&b, 5, 1, "\1y\0", 3);	/* a CNAME on the way */
	SRV(&b, 9, "\0\2\0\0\0\7\5birch\1x\0");
	assert_int_equal(get(&b, &a), 0);
	assert_int_equal(a.count, 2);
	assert_string_equal(a.hosts[0].name, "alder.x");
	assert_int_equal(a.hosts[0].port, 17632);
	assert_int_equal(a.hosts[0].kind, HOST_NAME);
	assert_string_equal(a.hosts[1].name, "birch.x");
	assert_int_equal(a.hosts[1].port, 7);
	assert_int_equal(a.ttl_s, 9);
	hosts_free(a.hosts, a.count);
}

static void no_record_and_no_service_are_nobody(void **state)
{
	autobuf struct buf none = { 0 }, dot = { 0 };
	struct answer a;

	(void)state;
	begin(&none, 0);
	assert_int_equal(get(&none, &a), 0);
	assert_int_equal(a.count, 0);
	begin(&dot, 1);
	SRV(&dot, 60, "\0\0\0\0\0\0\0");
	assert_int_equal(get(&dot, &a), 0);
	assert_int_equal(a.count, 0);
}

static void what_cannot_be_meant_is_refused(void **state)
{
	static const struct { const char *data; size_t length; } bad[] = {
		{ "", 0 }, { "\0\0\0\0\0", 5 }, { "\0\0\0\0\0\7", 6 },	/* no target */
		{ "\0\0\0\0\0\7\5alder", 12 },		/* it does not end */
		{ "\0\0\0\0\0\7\xc0\xff", 8 },		/* it is beyond the message */
		{ "\0\0\0\0\0\7\xc0\x44", 8 },		/* it is itself */
		{ "\0\0\0\0\0\7\1x\0\0", 10 },		/* and more */
		{ "\0\0\0\0\0\0\1x\0", 9 },		/* port 0 */
		{ "\0\0\0\0\0\7\3a b\0", 11 }, { "\0\0\0\0\0\7\3a\nb\0", 11 }, { "\0\0\0\0\0\7\3a/b\0", 11 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		autobuf struct buf b = { 0 };
		struct answer a;

		begin(&b, 2);
		SRV(&b, 1, "\0\0\0\0\0\7\1x\0");	/* a good one is not kept either */
		record(&b, 33, 1, bad[i].data, bad[i].length);
		assert_int_equal(get(&b, &a), ERR_WIRE);
		assert_null(a.hosts);
		assert_string_not_equal(a.err.text, "");
	}
}

static void a_message_that_is_cut_anywhere_is_refused(void **state)
{
	autobuf struct buf b = { 0 };

	(void)state;
	begin(&b, 2);
	SRV(&b, 60, "\0\1\0\5\x44\xe0\5alder\xc0\x16");
	SRV(&b, 9, "\0\2\0\0\0\7\5birch\1x\0");
	for (size_t length = 0; length < b.len; length++) {
		uint8_t *exact = xmalloc(length + 1);
		struct answer a = { 0 };

		memcpy(exact, b.p, length);
		assert_int_equal(srv_get(exact, length, &a.hosts, &a.count, &a.ttl_s, &a.err), ERR_WIRE);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_priority_counts_and_the_shortest_time),
		cmocka_unit_test(no_record_and_no_service_are_nobody),
		cmocka_unit_test(what_cannot_be_meant_is_refused),
		cmocka_unit_test(a_message_that_is_cut_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
