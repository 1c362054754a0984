/*
 * test_seal.c - two ends on a socket pair: who gets in, and who does not.
 */
#include "unit.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <sys/socket.h>

#include "buf.h"
#include "conn.h"
#include "seal.h"

struct pair {
	int fd[2];		/* the caller's, the volunteer's */
	struct keys *keys[2];
	struct seal *end[2];
};

static struct keys *keys_of(const char *name, unsigned char secret)
{
	struct keys *k = keys_new();

	k->count = 1;
	strcpy(k->all[0].name, name);
	memset(k->all[0].secret, secret, KEY_SECRET);
	return k;
}

static void open_pair(struct pair *p, struct keys *caller, struct keys *volunteer)
{
	*p = (struct pair){ .keys = { caller, volunteer } };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd), 0);
	for (int i = 0; i < 2; i++)
		if (p->keys[i])
			p->end[i] = seal_new(p->fd[i], i ? SEAL_VOLUNTEER : SEAL_CALLER, p->keys[i]);
}

static void close_pair(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		seal_free(p->end[i]);
		keys_unref(p->keys[i]);
		if (p->fd[i] >= 0)
			close(p->fd[i]);
	}
}

/* Both ends take turns until one is at its end, or neither moves. Returns the caller's and the volunteer's last answer. */
static void greet(struct pair *p, int rc[2], struct err err[2])
{
	rc[0] = rc[1] = 0;
	for (int turn = 0; turn < 20; turn++)
		for (int i = 0; i < 2; i++)
			if (p->end[i] && rc[i] == 0)
				rc[i] = seal_handshake(p->end[i], &err[i]);
}

static void both_hold_the_key(void **state)
{
	char out[SEAL_RECORD];
	struct err err[2] = { 0 };
	struct pair p;
	int rc[2];

	(void)state;
	open_pair(&p, keys_of("k", 1), keys_of("k", 1));
	greet(&p, rc, err);
	assert_int_equal(rc[0], 1);
	assert_int_equal(rc[1], 1);
	assert_string_equal(seal_key(p.end[1])->name, "k");
	assert_int_equal(seal_write(p.end[0], "hello", 5), 5);
	assert_int_equal(seal_read(p.end[1], out, &err[1]), 5);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(seal_write(p.end[1], "and you", 7), 7);
	assert_int_equal(seal_read(p.end[0], out, &err[0]), 7);
	assert_int_equal(seal_read(p.end[0], out, &err[0]), 0);
	assert_true(seal_bytes_in(p.end[1]) < 1024);	/* within what a stranger may send */
	close_pair(&p);
}

static void one_of_several_keys_is_enough(void **state)
{
	struct keys *both = keys_of("new", 1);
	struct err err[2] = { 0 };
	struct pair p;
	int rc[2];

	(void)state;
	both->all[both->count++] = (struct key){ .name = "old", .secret = { 7 } };
	open_pair(&p, keys_of("old", 0), both);
	p.keys[0]->all[0].secret[0] = 7;
	seal_free(p.end[0]);
	p.end[0] = seal_new(p.fd[0], SEAL_CALLER, p.keys[0]);
	greet(&p, rc, err);
	assert_int_equal(rc[0], 1);
	assert_int_equal(rc[1], 1);
	assert_string_equal(seal_key(p.end[1])->name, "old");
	close_pair(&p);
}

static void another_key_is_refused(struct keys *caller, struct keys *volunteer)
{
	struct err err[2] = { 0 };
	struct pair p;
	int rc[2];

	open_pair(&p, caller, volunteer);
	greet(&p, rc, err);
	assert_int_equal(rc[1], ERR_REFUSED);
	assert_non_null(strstr(err[1].text, "has another key"));
	assert_null(seal_key(p.end[1]));
	assert_int_equal(rc[0], ERR_REFUSED);
	assert_non_null(strstr(err[0].text, "it has another key"));
	close_pair(&p);
}

static void wrong_secret(void **state)
{
	(void)state;
	another_key_is_refused(keys_of("k", 1), keys_of("k", 2));
}

static void unknown_name(void **state)
{
	(void)state;
	another_key_is_refused(keys_of("j", 1), keys_of("k", 1));
}

/* Whoever does not speak TLS gets not a byte. */
static void a_plain_caller_gets_nothing(void **state)
{
	static const char *const said[] = { "\4\0\0\0\4\0\0\0\0\0\0\0\1\0\0\0rcc1", "GET / HTTP/1.1\r\n\r\n",
					    "\26\3\1\0\5\1\0\0\1A" };
	static const size_t lengths[] = { 20, 18, 10 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct err err[2] = { 0 };
		struct pair p;
		int rc[2];
		char c;

		open_pair(&p, NULL, keys_of("k", 1));
		assert_int_equal(send(p.fd[0], said[i], lengths[i], 0), (ssize_t)lengths[i]);
		greet(&p, rc, err);
		assert_int_equal(rc[1], ERR_REFUSED);
		assert_int_equal(recv(p.fd[0], &c, 1, 0), -1);	/* EAGAIN: it is still open, and said nothing */
		close_pair(&p);
	}
}

static void a_plain_volunteer_is_not_trusted(void **state)
{
	struct err err[2] = { 0 };
	struct pair p;
	int rc[2];

	(void)state;
	open_pair(&p, keys_of("k", 1), NULL);
	assert_int_equal(send(p.fd[1], "\4\0\0\0\4\0\0\0\0\0\0\0\2\0\0\0abcd", 20, 0), 20);
	greet(&p, rc, err);
	assert_int_equal(rc[0], ERR_REFUSED);
	assert_non_null(strstr(err[0].text, "it has no key"));
	close_pair(&p);
}

static void a_cut_handshake_is_an_end(void **state)
{
	struct err err[2] = { 0 };
	char hello[4096];
	struct pair p;
	ssize_t n;
	int rc[2];

	(void)state;
	open_pair(&p, keys_of("k", 1), NULL);
	greet(&p, rc, err);		/* the caller has said its first word */
	n = recv(p.fd[1], hello, sizeof hello, 0);
	assert_true(n > 100);
	close_pair(&p);
	for (ssize_t part = 0; part < n; part += 37) {
		open_pair(&p, NULL, keys_of("k", 1));
		assert_int_equal(send(p.fd[0], hello, (size_t)part, 0), part);
		close(p.fd[0]);
		p.fd[0] = -1;
		greet(&p, rc, err);
		assert_int_equal(rc[1], ERR_REFUSED);
		close_pair(&p);
	}
}

/* What passes from one end is kept, for another time. */
static ssize_t carry(int from, int to, char *kept, size_t at, size_t room)
{
	ssize_t n = recv(from, kept + at, room - at, 0);

	if (n <= 0)
		return 0;
	assert_int_equal(send(to, kept + at, (size_t)n, 0), n);
	return n;
}

/* A whole conversation through a third party that keeps all that the caller sent. */
static size_t overhear(char *kept, size_t room)
{
	struct pair near, far;
	struct err err = { 0 };
	char back[8192];
	size_t len = 0, len_back = 0;

	open_pair(&near, keys_of("k", 1), NULL);
	open_pair(&far, NULL, keys_of("k", 1));
	for (int turn = 0; turn < 20; turn++) {
		assert_true(seal_handshake(near.end[0], &err) >= 0);
		len += (size_t)carry(near.fd[1], far.fd[0], kept, len, room);
		assert_true(seal_handshake(far.end[1], &err) >= 0);
		len_back += (size_t)carry(far.fd[0], near.fd[1], back, len_back, sizeof back);
	}
	assert_int_equal(seal_write(near.end[0], "do it", 5), 5);
	len += (size_t)carry(near.fd[1], far.fd[0], kept, len, room);
	assert_int_equal(seal_read(far.end[1], back, &err), 5);
	close_pair(&near);
	close_pair(&far);
	return len;
}

static void a_replay_opens_nothing(void **state)
{
	struct err err[2] = { 0 };
	char kept[8192], out[SEAL_RECORD];
	size_t len = overhear(kept, sizeof kept);
	struct pair p;
	int rc[2];

	(void)state;
	open_pair(&p, NULL, keys_of("k", 1));
	assert_int_equal(send(p.fd[0], kept, len, 0), (ssize_t)len);
	greet(&p, rc, err);
	assert_true(rc[1] < 0);
	assert_null(seal_key(p.end[1]));
	assert_true(seal_read(p.end[1], out, &err[1]) <= 0);
	close_pair(&p);
}

static void a_caller_is_not_its_own_volunteer(void **state)
{
	struct err err = { 0 };
	char kept[8192];
	struct pair p;
	ssize_t n;
	int rc = 0;

	(void)state;
	open_pair(&p, keys_of("k", 1), NULL);
	for (int turn = 0; turn < 20 && rc == 0; turn++) {
		rc = seal_handshake(p.end[0], &err);
		n = recv(p.fd[1], kept, sizeof kept, 0);
		if (n > 0)
			assert_int_equal(send(p.fd[1], kept, (size_t)n, 0), n);
	}
	assert_true(rc < 0);
	close_pair(&p);
}

static int tell_secret(gnutls_session_t session, const gnutls_datum_t *name, gnutls_datum_t *secret)
{
	(void)name;
	secret->data = gnutls_malloc(KEY_SECRET);
	secret->size = KEY_SECRET;
	key_derive(gnutls_session_get_ptr(session), "rcc-1 psk", secret->data);
	return 0;
}

/* Holds the secret of the handshake only, and says what it is told. */
static gnutls_session_t open_parrot(int fd, struct key *key, gnutls_psk_server_credentials_t *credentials)
{
	gnutls_session_t session;

	gnutls_psk_allocate_server_credentials(credentials);
	gnutls_psk_set_server_credentials_function2(*credentials, tell_secret);
	gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS);
	gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK", NULL);
	gnutls_credentials_set(session, GNUTLS_CRD_PSK, *credentials);
	gnutls_session_set_ptr(session, key);
	gnutls_transport_set_int(session, fd);
	return session;
}

static void a_caller_s_proof_does_not_make_a_volunteer(void **state)
{
	gnutls_psk_server_credentials_t credentials;
	char proof[64], out[SEAL_RECORD];
	gnutls_session_t parrot;
	struct err err = { 0 };
	struct pair p;
	ssize_t n = 0;

	(void)state;
	open_pair(&p, keys_of("k", 1), NULL);
	parrot = open_parrot(p.fd[1], &p.keys[0]->all[0], &credentials);
	for (int turn = 0, rc = GNUTLS_E_AGAIN; turn < 20 && rc != 0; turn++) {
		assert_true(seal_handshake(p.end[0], &err) >= 0);
		rc = gnutls_handshake(parrot);
	}
	assert_int_equal(seal_handshake(p.end[0], &err), 1);
	n = gnutls_record_recv(parrot, proof, sizeof proof);
	assert_int_equal(n, KEY_SECRET);
	assert_int_equal(gnutls_record_send(parrot, proof, (size_t)n), n);
	assert_int_equal(seal_read(p.end[0], out, &err), ERR_REFUSED);
	assert_non_null(strstr(err.text, "did not prove its role"));
	assert_int_equal(seal_read(p.end[0], out, &err), ERR_REFUSED);
	gnutls_deinit(parrot);
	gnutls_psk_free_server_credentials(credentials);
	close_pair(&p);
}

static void a_changed_bit_ends_it(void **state)
{
	struct err err[2] = { 0 };
	char record[256], out[SEAL_RECORD];
	struct pair p;
	ssize_t n;
	int rc[2];

	(void)state;
	open_pair(&p, keys_of("k", 1), keys_of("k", 1));
	greet(&p, rc, err);
	assert_int_equal(rc[1], 1);
	assert_int_equal(seal_read(p.end[1], out, &err[1]), 0);	/* takes the proof */
	assert_int_equal(seal_write(p.end[0], "hello", 5), 5);
	n = recv(p.fd[1], record, sizeof record, 0);
	record[n - 1] ^= 1;
	assert_int_equal(send(p.fd[0], record, (size_t)n, 0), n);
	assert_int_equal(seal_read(p.end[1], out, &err[1]), ERR_WIRE);
	assert_int_equal(seal_read(p.end[1], out, &err[1]), ERR_WIRE);	/* and stays so */
	close_pair(&p);
}

/* Through conn.c: the loop, queues, and more than sockets hold. */

static const struct frame_rule rules[] = { [1] = { "SMALL", 8 }, [2] = { "LONG", 8 << 20 } };
static const struct protocol protocol = { "test", rules, ARRAY_LEN(rules) };

struct side {
	struct conn *conn;
	size_t bytes;
	int messages, ended;
	unsigned sum;
	char why[512];
};

static int on_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct side *s = arg;

	(void)err;
	s->messages++;
	s->bytes += f->length;
	for (size_t i = 0; i < f->length; i++)
		s->sum = s->sum * 31 + f->payload[i];
	conn_set_quota(c, 0);
	return 0;
}

static void on_end(struct conn *c, void *arg, const struct err *err)
{
	struct side *s = arg;

	(void)c;
	s->conn = NULL;
	s->ended = err->code;
	snprintf(s->why, sizeof s->why, "%s", err->text);
}

static const struct conn_ops ops = { .on_message = on_message, .on_end = on_end };

static void run(uv_loop_t *loop, const struct side *until, int messages)
{
	for (int i = 0; i < 5000 && until->messages < messages && !until->ended; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

static void open_conns(uv_loop_t *loop, struct side side[2], struct keys *caller, struct keys *volunteer)
{
	int fd[2];

	uv_loop_init(loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	for (int i = 0; i < 2; i++) {
		struct keys *k = i ? volunteer : caller;

		side[i] = (struct side){ .conn = conn_new(loop, fd[i], &protocol, &ops, &side[i]) };
		if (k)
			conn_seal(side[i].conn, i ? SEAL_VOLUNTEER : SEAL_CALLER, k);
		keys_unref(k);
	}
	conn_set_quota(side[1].conn, 4096);
}

static void close_conns(uv_loop_t *loop, struct side side[2])
{
	conn_close(side[0].conn);
	conn_close(side[1].conn);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

static void frames_pass_both_ways(void **state)
{
	autobuf struct buf b = { 0 };
	struct side side[2];
	unsigned sum = 0;
	uv_loop_t loop;

	(void)state;
	open_conns(&loop, side, keys_of("k", 1), keys_of("k", 1));
	for (int i = 0; i < 5000000; i++) {
		put_u8(&b, (uint8_t)(i * 7 + i / 1000));
		sum = sum * 31 + b.p[i];
	}
	conn_send(side[0].conn, 1, 0, NULL);	/* before the handshake: they wait */
	conn_send(side[0].conn, 2, 0, &b);
	run(&loop, &side[1], 2);
	assert_int_equal(side[1].messages, 2);
	assert_int_equal(side[1].bytes, b.len);
	assert_int_equal(side[1].sum, sum);
	assert_string_equal(conn_key(side[1].conn)->name, "k");
	conn_send(side[1].conn, 2, 0, &b);
	run(&loop, &side[0], 1);
	assert_int_equal(side[0].sum, sum);
	conn_close(side[0].conn);
	side[0].conn = NULL;
	run(&loop, &side[1], 3);
	assert_int_equal(side[1].ended, ERR_CLOSED);
	close_conns(&loop, side);
}

static void no_frame_passes_with_another_key(void **state)
{
	struct side side[2];
	uv_loop_t loop;

	(void)state;
	open_conns(&loop, side, keys_of("k", 1), keys_of("k", 2));
	conn_send(side[0].conn, 1, 0, NULL);
	run(&loop, &side[0], 1);
	assert_int_equal(side[0].ended, ERR_REFUSED);
	assert_int_equal(side[1].ended, ERR_REFUSED);
	assert_int_equal(side[1].messages, 0);
	close_conns(&loop, side);
}

static void a_stranger_may_not_say_much(void **state)
{
	autobuf struct buf b = { 0 };
	struct side side[2];
	uv_loop_t loop;

	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		open_conns(&loop, side, sealed ? keys_of("k", 1) : NULL, sealed ? keys_of("k", 1) : NULL);
		b.len = 0;
		for (int i = 0; i < 60000; i++)
			put_u8(&b, 0);
		conn_send(side[0].conn, 2, 0, &b);
		run(&loop, &side[1], 1);
		assert_int_equal(side[1].messages, 0);
		assert_int_equal(side[1].ended, ERR_WIRE);
		assert_non_null(strstr(side[1].why, "who it is"));
		close_conns(&loop, side);
	}
}

static void after_its_first_word_it_may(void **state)
{
	autobuf struct buf b = { 0 };
	struct side side[2];
	uv_loop_t loop;

	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		open_conns(&loop, side, sealed ? keys_of("k", 1) : NULL, sealed ? keys_of("k", 1) : NULL);
		b.len = 0;
		for (int i = 0; i < 60000; i++)
			put_u8(&b, 0);
		conn_send(side[0].conn, 1, 0, NULL);
		conn_send(side[0].conn, 2, 0, &b);
		run(&loop, &side[1], 2);
		assert_int_equal(side[1].messages, 2);
		close_conns(&loop, side);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_hold_the_key),
		cmocka_unit_test(one_of_several_keys_is_enough),
		cmocka_unit_test(wrong_secret),
		cmocka_unit_test(unknown_name),
		cmocka_unit_test(a_plain_caller_gets_nothing),
		cmocka_unit_test(a_plain_volunteer_is_not_trusted),
		cmocka_unit_test(a_cut_handshake_is_an_end),
		cmocka_unit_test(a_replay_opens_nothing),
		cmocka_unit_test(a_caller_is_not_its_own_volunteer),
		cmocka_unit_test(a_caller_s_proof_does_not_make_a_volunteer),
		cmocka_unit_test(a_changed_bit_ends_it),
		cmocka_unit_test(frames_pass_both_ways),
		cmocka_unit_test(no_frame_passes_with_another_key),
		cmocka_unit_test(a_stranger_may_not_say_much),
		cmocka_unit_test(after_its_first_word_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
