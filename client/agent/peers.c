/*
 * peers.c - the control connections to volunteers, and pools of job connections.
 */
#include "peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "clock.h"
#include "link.h"
#include "log.h"
#include "supply.h"

enum {
	TICK_MS = 500,
	ANSWER_MS = 3000,	/* from connect to WELCOME */
	PING_MS = 2000,
	CLOCK_OFF_US = 1000000,	/* what __TIME__ shows */
	PONG_MS = 8000,		/* a volunteer this silent is gone */
	WARM_MAX = 64,		/* idle job connections a volunteer */
	LACKS_MAX = 64,
	RESOLVE_MS = 5000,	/* longer is as good as no answer */
	TOOLCHAIN_MS = 10000,	/* to look at some hundred megabytes; and to bring some more of them */
	REST_MS = 10 * 60 * 1000,	/* a volunteer that no job wanted for so long is let go */
	SLOTS_MAX = 4096,
	COMPANY_MAX = 64,	/* volunteers that tell what company costs */
	SLOW_LINK = 3 << 20,	/* bytes a second: below, zlib's time comes back */
};

struct asked {		/* about one toolchain */
	const struct toolchain *toolchain;
	bool answered;
	uint8_t state;
	char *text;
	uint64_t done, total;		/* wanted, fetching: bytes that are there, and all */
	uint64_t most_done;		/* that it ever said: only more is progress */
	uint64_t moved_ms;		/* asked, answered, or brought further */
	uint64_t supply_ms;		/* not supplied by us before that */
	unsigned supplies;		/* so often it was tried since it was last ready there */
	bool gone;			/* our files are no longer these */
};

struct warm {
	TAILQ_ENTRY(warm) link;
	struct conn *conn;
	struct peer *peer;
};

struct peer {
	TAILQ_ENTRY(peer) link;
	struct peers *peers;
	char *key;
	struct keys *keys;		/* NULL: its connections are plain */
	struct host host;
	enum peer_state state;
	char trouble[160];
	struct sockaddr_storage address;
	socklen_t address_len;
	bool same_host;
	uv_getaddrinfo_t resolving;
	struct addrinfo *resolved;	/* all addresses of its name */
	struct addrinfo *next_address;	/* to be tried when this one fails; NULL: it was the last */
	struct conn *control;
	uint64_t since_ms;		/* in this state */
	uint64_t woken_ms;		/* last wanted */
	uint64_t retry_ms;		/* end of the back-off */
	unsigned failures_in_row;
	struct wire_welcome welcome;
	struct wire_state room;
	struct asked *asked;
	size_t asked_count;
	struct supply *supply;		/* what we bring there; one at a time */
	struct digest supplied;		/* which toolchain */
	TAILQ_HEAD(, warm) warm;
	size_t warm_count;
	uint64_t ping_ms, pong_ms;
	uint64_t ping_us;		/* the stamp of the last one */
	uint64_t clock_off_us;		/* its time of day is at most that far from ours */
	uint64_t rtt_us, bandwidth;
	uint64_t jobs, failures, preempted, cpu_us;
	struct outlook outlook;
	double company;			/* what it costs there, as far as is known; what is suspected is outlook.speed's */
};

struct peers {
	uv_loop_t *loop;
	uv_timer_t tick;
	char *own_name;
	const struct history *history;
	const struct peer_events *events;
	void *arg;
	TAILQ_HEAD(, peer) all;
};

static void become(struct peer *p, enum peer_state state)
{
	p->state = state;
	p->since_ms = clock_ms();
}

static void changed(struct peer *p)
{
	p->peers->events->changed(p, p->peers->arg);
}

static uint64_t random_number(void)
{
	uint64_t r;

	return getrandom(&r, sizeof r, GRND_NONBLOCK) < 0 ? clock_us() : r;
}

static uint64_t backoff_ms(unsigned failures) { return backoff_draw(failures, random_number()); }

/* What it said of its room, where placement looks. */
static void note_room(struct peer *p, const struct wire_state *room)
{
	p->room = *room;
	p->outlook.slots = room->slots;
	p->outlook.free = room->free;
	p->outlook.queued = room->queued;
}

static void forget_asked(struct peer *p)
{
	supply_stop(ptr_steal(&p->supply));
	for (size_t i = 0; i < p->asked_count; i++)
		free(p->asked[i].text);
	free(p->asked);
	p->asked = NULL;
	p->asked_count = 0;
}

static void drop_warm(struct peer *p)
{
	struct warm *w;

	while ((w = TAILQ_FIRST(&p->warm))) {
		TAILQ_REMOVE(&p->warm, w, link);
		conn_close(w->conn);
		free(w);
	}
	p->warm_count = 0;
}

static void start_connect(struct peer *p);
static void supply_next(struct peer *p);

/* localhost is often ::1 first, where nobody listens: another address of the name may do. */
static bool try_next_address(struct peer *p)
{
	if (p->state != PEER_CONNECTING || !p->next_address)
		return false;
	conn_close(ptr_steal(&p->control));
	start_connect(p);
	return true;
}

void peer_fail(struct peer *p, enum reason why, const char *text)
{
	if (p->state == PEER_BACKOFF || try_next_address(p))
		return;
	log_warn("peer-lost", "peer=%s reason=%s text=\"%s\"", p->key, reason_key(why), text);
	snprintf(p->trouble, sizeof p->trouble, "%s", text);
	make_printable(p->trouble);	/* it may end within a character, and is told as JSON */
	conn_close(ptr_steal(&p->control));
	drop_warm(p);
	forget_asked(p);
	note_room(p, &(struct wire_state){ 0 });
	become(p, PEER_BACKOFF);
	p->retry_ms = p->since_ms + backoff_ms(p->failures_in_row++);
	p->peers->events->lost(p, why, p->peers->arg);
	changed(p);
}

static int open_socket(const struct peer *p)
{
	int one = 1;
	int fd = socket(p->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	if (connect(fd, (const struct sockaddr *)&p->address, p->address_len) < 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void send_hello(struct conn *c, const struct peer *p, enum wire_role role)
{
	autobuf struct buf b = { 0 };
	struct wire_hello hello = { .version = WIRE_VERSION, .role = (uint8_t)role, .name = p->peers->own_name };

	if (p->keys)
		conn_seal(c, SEAL_CALLER, p->keys);
	wire_hello_put(&b, &hello);
	conn_send(c, WIRE_HELLO, 0, &b);
}

/* What a volunteer may say on its control connection, and when. */

static void send_ping(struct peer *p)
{
	autobuf struct buf b = { 0 };

	p->ping_ms = clock_ms();
	p->ping_us = clock_us();
	wire_ping_put(&b, p->ping_us);
	conn_send(p->control, WIRE_PING, 0, &b);
}

/* Machines of one farm tend to be alike in whether they have a processor for each slot. */
static void share_company(struct peers *ps)
{
	const struct speed *all[COMPANY_MAX];
	struct peer *p;
	size_t n = 0;
	double common;
	bool known;

	TAILQ_FOREACH(p, &ps->all, link)
		if (n < COMPANY_MAX)
			all[n++] = &p->outlook.speed;
	known = speed_common_company(all, n, &common);
	TAILQ_FOREACH(p, &ps->all, link) {
		if (known)
			p->company = common;
		p->outlook.speed.company = known ? common : speed_suspected_company(all, n, p->welcome.slots, p->company);
	}
}

static int on_welcome(struct peer *p, struct frame *f, struct reader *r, struct err *err)
{
	int rc;

	(void)f;
	wire_welcome_free(&p->welcome);
	rc = wire_welcome_get(r, &p->welcome, err);
	if (rc < 0)
		return rc;
	if (p->welcome.slots > SLOTS_MAX)
		return err_set(err, ERR_WIRE, "says it has %u slots", p->welcome.slots);
	p->trouble[0] = 0;
	p->company = speed_company(p->welcome.processors, p->welcome.slots);
	share_company(p->peers);
	note_room(p, &(struct wire_state){ .slots = p->welcome.slots });
	p->failures_in_row = 0;
	p->pong_ms = clock_ms();
	send_ping(p);	/* how far it is, and what time it has there, is wanted at once */
	become(p, PEER_READY);
	log_info("peer-ready", "peer=%s name=%s slots=%u", p->key, p->welcome.name, p->welcome.slots);
	changed(p);
	return 0;
}

static int on_bye(struct peer *p, struct frame *f, struct reader *r, struct err *err)
{
	struct wire_bye bye = { 0 };
	int rc = wire_bye_get(r, &bye, err);

	(void)p, (void)f;
	if (rc < 0)
		return rc;
	err_set(err, ERR_REFUSED, "%s%s%s", refusal_text(bye.refusal), *bye.text ? ": " : "", bye.text);
	free(bye.text);
	return ERR_REFUSED;
}

static int on_state(struct peer *p, struct frame *f, struct reader *r, struct err *err)
{
	struct wire_state room;
	int rc = wire_state_get(r, &room, err);

	(void)f;
	if (rc < 0)
		return rc;
	if (room.slots > SLOTS_MAX || room.free > room.slots)
		return err_set(err, ERR_WIRE, "says %u of %u slots are free", room.free, room.slots);
	note_room(p, &room);
	changed(p);
	return 0;
}

static struct asked *find_asked(const struct peer *p, const struct digest *id)
{
	for (size_t i = 0; i < p->asked_count; i++)
		if (digest_eq(&p->asked[i].toolchain->id, id))
			return &p->asked[i];
	return NULL;
}

static void take_toolchain_state(struct asked *a, struct wire_toolchain_state *m)
{
	bool anew = !a->answered || a->state == TOOLCHAIN_READY;

	if (anew)
		a->supplies = 0;
	if (anew || m->done > a->most_done) {
		a->moved_ms = clock_ms();
		a->most_done = m->done;
	}
	a->answered = true;
	a->state = m->state;
	a->done = m->done;
	a->total = m->total;
	free(a->text);
	a->text = ptr_steal(&m->text);
}

static int on_toolchain_state(struct peer *p, struct frame *f, struct reader *r, struct err *err)
{
	struct wire_toolchain_state m = { 0 };
	int rc = wire_toolchain_state_get(r, &m, err);
	struct asked *a = rc < 0 ? NULL : find_asked(p, &m.id);

	(void)f;
	if (rc == 0 && !a)
		rc = err_set(err, ERR_WIRE, "TOOLCHAIN_STATE: never asked for");
	if (rc == 0) {
		take_toolchain_state(a, &m);
		supply_next(p);
		changed(p);
	}
	free(m.text);
	return rc;
}

static int on_grant(struct peer *p, struct frame *f, struct reader *r, struct err *err)
{
	struct wire_grant m;
	int rc = wire_grant_get(r, &m, err);

	if (rc == 0)
		p->peers->events->granted(p, f->id, m.token, p->peers->arg);
	return rc;
}

static int on_refuse(struct peer *p, struct frame *f, struct reader *r, struct err *err)
{
	struct wire_refuse m = { 0 };
	int rc = wire_refuse_get(r, &m, err);

	if (rc == 0)
		p->peers->events->refused(p, f->id, m.refusal, p->peers->arg);
	free(m.text);
	return rc;
}

static int on_pong(struct peer *p, struct frame *f, struct reader *r, struct err *err)
{
	uint64_t stamp, rtt, theirs, ours = clock_time_us();
	int rc = wire_pong_get(r, &stamp, &theirs, err);

	(void)f;
	if (rc < 0)
		return rc;
	if (stamp != p->ping_us)
		return err_set(err, ERR_WIRE, "PONG: not what was sent");
	p->pong_ms = clock_ms();
	rtt = clock_us() - stamp;
	p->rtt_us = p->rtt_us ? (p->rtt_us * 7 + rtt) / 8 : rtt;
	/* it was said between half a round trip before and after the middle of this one */
	p->clock_off_us = (ours > theirs ? ours - theirs : theirs - ours) + rtt;
	return 0;
}

typedef int step(struct peer *p, struct frame *f, struct reader *r, struct err *err);

static step *const steps[][WIRE_TYPES] = {
	[PEER_CONNECTING] = { [WIRE_WELCOME] = on_welcome, [WIRE_BYE] = on_bye },
	[PEER_READY] = {
		[WIRE_STATE] = on_state, [WIRE_TOOLCHAIN_STATE] = on_toolchain_state, [WIRE_GRANT] = on_grant,
		[WIRE_REFUSE] = on_refuse, [WIRE_PONG] = on_pong, [WIRE_BYE] = on_bye,
	},
	[PEER_BACKOFF] = { NULL },
};

static int on_control_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	struct peer *p = arg;
	struct reader r = reader_of(f->payload, f->length);
	step *act = steps[p->state][f->type];

	(void)c;
	if (!act)
		return err_set(err, ERR_WIRE, "unexpected %s", wire_protocol.rules[f->type].name);
	return act(p, f, &r, err);
}

/* Which word a broken connection deserves. */
static enum reason reason_of(const struct err *err)
{
	return err->code == ERR_WIRE ? REASON_SERVER_GARBAGE :
	       err->code == ERR_REFUSED ? REASON_SERVER_REFUSED : REASON_SERVER_LOST;
}

static void on_control_end(struct conn *c, void *arg, const struct err *err)
{
	struct peer *p = arg;

	bool mute = p->state == PEER_CONNECTING && !p->keys && err->code == ERR_CLOSED;

	(void)c;
	p->control = NULL;
	peer_fail(p, reason_of(err), mute ? "closed without a word: it may want a key" : err->text);
}

static const struct conn_ops control_ops = { .on_message = on_control_message, .on_end = on_control_end };

/* Addresses of this machine's own loopback: nothing is gained by a codec. */
static bool is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24) == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static void start_connect(struct peer *p)
{
	int fd;

	memcpy(&p->address, p->next_address->ai_addr, p->next_address->ai_addrlen);
	p->address_len = p->next_address->ai_addrlen;
	p->next_address = p->next_address->ai_next;
	p->same_host = is_loopback(&p->address);
	become(p, PEER_CONNECTING);
	fd = open_socket(p);
	if (fd < 0) {
		peer_fail(p, REASON_SERVER_LOST, strerror(errno));
		return;
	}
	p->control = conn_new(p->peers->loop, fd, &wire_protocol, &control_ops, p);
	send_hello(p->control, p, ROLE_CONTROL);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct peer *p = req->data;

	if (status < 0 || !res) {
		peer_fail(p, REASON_SERVER_LOST, status < 0 ? uv_strerror(status) : "no address");
		return;
	}
	uv_freeaddrinfo(p->resolved);
	p->resolved = p->next_address = res;
	start_connect(p);
}

void peer_wake(struct peer *p)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char port[8];
	int rc;

	p->woken_ms = clock_ms();
	if (p->state == PEER_BACKOFF && clock_ms() < p->retry_ms)
		return;
	if (p->state != PEER_IDLE && p->state != PEER_BACKOFF)
		return;
	become(p, PEER_RESOLVING);
	snprintf(port, sizeof port, "%u", p->host.port);
	p->resolving.data = p;
	rc = uv_getaddrinfo(p->peers->loop, &p->resolving, on_resolved, p->host.name, port, &hints);
	if (rc < 0)
		peer_fail(p, REASON_SERVER_LOST, uv_strerror(rc));
}

/* Nobody wants it: one that left a lookup's answer, or is no longer in our part of very many. */
static void rest(struct peer *p)
{
	log_info("peer-rests", "peer=%s", p->key);
	conn_close(ptr_steal(&p->control));
	drop_warm(p);
	forget_asked(p);
	note_room(p, &(struct wire_state){ 0 });
	become(p, PEER_IDLE);
	p->peers->events->lost(p, REASON_SERVER_LOST, p->peers->arg);
}

static void tick_peer(struct peer *p, uint64_t now)
{
	if (p->state == PEER_CONNECTING && now - p->since_ms > ANSWER_MS)
		peer_fail(p, REASON_SERVER_STALLED, "does not answer");
	if (p->state != PEER_READY)
		return;
	if (now - p->pong_ms > PONG_MS) {
		peer_fail(p, REASON_SERVER_STALLED, "stopped answering");
		return;
	}
	if (!p->outlook.running_count && !p->supply && now - p->woken_ms > REST_MS) {
		rest(p);
		return;
	}
	if (p->supply)
		supply_check(p->supply, now);
	supply_next(p);
	/* one at a time: the answer to an earlier one would be taken for a wrong one */
	if (now - p->ping_ms < PING_MS || p->pong_ms < p->ping_ms)
		return;
	send_ping(p);
}

void peers_start_over(struct peers *ps)
{
	struct peer *p;

	TAILQ_FOREACH(p, &ps->all, link) {
		bool used = p->state != PEER_IDLE;

		p->next_address = NULL;
		if (p->state == PEER_CONNECTING || p->state == PEER_READY)
			peer_fail(p, REASON_SERVER_LOST, "this machine slept");
		p->failures_in_row = 0;
		p->retry_ms = 0;
		p->outlook.bans = (struct bans){ 0 };
		p->rtt_us = p->bandwidth = 0;	/* of another network, maybe */
		if (used)
			peer_wake(p);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct peers *ps = timer->data;
	uint64_t now = clock_ms();
	struct peer *p;

	TAILQ_FOREACH(p, &ps->all, link)
		tick_peer(p, now);
}

struct peers *peers_new(uv_loop_t *loop, const char *own_name, const struct history *history, const struct peer_events *events, void *arg)
{
	struct peers *ps = xcalloc(1, sizeof *ps);

	*ps = (struct peers){ .loop = loop, .own_name = xstrdup(own_name), .history = history, .events = events, .arg = arg };
	TAILQ_INIT(&ps->all);
	uv_timer_init(loop, &ps->tick);
	ps->tick.data = ps;
	uv_timer_start(&ps->tick, on_tick, TICK_MS, TICK_MS);
	uv_unref((uv_handle_t *)&ps->tick);
	return ps;
}

static bool same_keys(const struct keys *a, const struct keys *b)
{
	return a && b ? key_eq(&a->all[0], &b->all[0]) : a == b;	/* only the first is ever shown */
}

struct peer *peers_get(struct peers *ps, const struct host *h, struct keys *keys)
{
	autofree char *key = xasprintf(strchr(h->name, ':') ? "[%s]:%u" : "%s:%u", h->name, h->port);
	struct peer *p;

	TAILQ_FOREACH(p, &ps->all, link)
		if (str_eq(p->key, key) && same_keys(p->keys, keys))
			return p;
	p = xcalloc(1, sizeof *p);
	*p = (struct peer){ .peers = ps, .key = ptr_steal(&key), .keys = keys_ref(keys), .host = *h };
	p->host.name = xstrdup(h->name);
	p->outlook.speed = history_speed(ps->history, p->key, clock_ms());
	TAILQ_INIT(&p->warm);
	TAILQ_INSERT_TAIL(&ps->all, p, link);
	return p;
}

bool peer_is_out(const struct peer *p)
{
	uint64_t now = clock_ms();

	return (p->state == PEER_BACKOFF && now < p->retry_ms) || p->room.draining ||
	       ban_holds(&p->outlook.bans, BAN_HOST, now);
}

void peer_describe(const struct peer *p, struct peer_info *out)
{
	*out = (struct peer_info){
		.key = p->key, .state = p->state, .trouble = p->trouble,
		.name = p->welcome.name ? p->welcome.name : "", .build = p->welcome.build ? p->welcome.build : "",
		.machine = p->welcome.machine ? p->welcome.machine : "",
		.kernel = p->welcome.kernel ? p->welcome.kernel : "",
		.slots = p->room.slots, .free = p->room.free, .queued = p->room.queued,
		.draining = p->room.draining, .hold = p->room.hold, .slots_all = p->welcome.slots, .modes = p->welcome.modes,
		.same_host = p->same_host, .rtt_us = p->rtt_us,
		.bandwidth = p->bandwidth, .jobs = p->jobs, .failures = p->failures, .preempted = p->preempted, .cpu_us = p->cpu_us,
		.running = (unsigned)p->outlook.running_count, .speed = speed_now(&p->outlook.speed, 0, clock_ms()),
	};
}

/* What is under way is hoped for as long as it gets further. */
static enum peer_can asked_can(const struct asked *a)
{
	if (a->answered && a->state == TOOLCHAIN_READY)
		return PEER_CAN;
	if (a->answered && a->state == TOOLCHAIN_LACKING)
		return PEER_CANNOT;
	return clock_ms() - a->moved_ms < TOOLCHAIN_MS ? PEER_MAYBE : PEER_CANNOT;
}

static uint64_t ban_number(const struct toolchain *tc)
{
	uint64_t n = BAN_HOST;

	if (tc)
		memcpy(&n, &tc->id, sizeof n);
	return n;
}

static void announce(struct peer *p, const struct toolchain *tc)
{
	autobuf struct buf b = { 0 };

	tree_put(&b, &tc->tree);
	conn_send(p->control, WIRE_TOOLCHAIN, 0, &b);
}

static enum peer_can has_toolchain(struct peer *p, const struct toolchain *tc)
{
	struct asked *a = find_asked(p, &tc->id);

	if (a)
		return asked_can(a);
	if (p->asked_count == LACKS_MAX)
		return PEER_CANNOT;
	p->asked = xrealloc(p->asked, (p->asked_count + 1) * sizeof *p->asked);
	p->asked[p->asked_count++] = (struct asked){ .toolchain = tc, .moved_ms = clock_ms() };
	announce(p, tc);
	return PEER_MAYBE;
}

bool peer_offers(const struct peer *p, unsigned mode)
{
	return p->state != PEER_READY || p->welcome.modes >> mode & 1;
}

bool peer_clock_agrees(const struct peer *p) { return p->rtt_us && p->clock_off_us < CLOCK_OFF_US; }

void peer_ask_again(struct peer *p, const struct toolchain *tc)
{
	struct asked *a = find_asked(p, &tc->id);

	if (p->state != PEER_READY || !a || !a->answered || a->state != TOOLCHAIN_READY)
		return;
	a->answered = false;
	a->moved_ms = clock_ms();
	announce(p, tc);
}

enum peer_can peer_can_run(struct peer *p, const struct toolchain *tc)
{
	enum peer_can can;

	if (p->state == PEER_RESOLVING && clock_ms() - p->since_ms > RESOLVE_MS)
		return PEER_CANNOT;
	if (p->state == PEER_RESOLVING || p->state == PEER_CONNECTING)
		return PEER_MAYBE;
	if (p->state != PEER_READY || p->room.draining || ban_holds(&p->outlook.bans, ban_number(tc), clock_ms()))
		return PEER_CANNOT;
	/* one whose owner is there is asked too, for when the owner goes */
	can = tc ? has_toolchain(p, tc) : PEER_MAYBE;
	return p->room.slots ? can : PEER_CANNOT;
}

bool peer_toolchain(const struct peer *p, size_t index, struct peer_toolchain *out)
{
	const struct asked *a;

	if (index >= p->asked_count)
		return false;
	a = &p->asked[index];
	*out = (struct peer_toolchain){
		.label = a->toolchain->label, .known = a->answered, .state = a->state, .done = a->done, .total = a->total,
		.lack = a->text ? a->text : "", .by_us = p->supply && digest_eq(&a->toolchain->id, &p->supplied),
	};
	return true;
}

void peer_reserve(struct peer *p, uint32_t id, const struct wire_reserve *m)
{
	autobuf struct buf b = { 0 };

	wire_reserve_put(&b, m);
	conn_send(p->control, WIRE_RESERVE, id, &b);
}

void peer_cancel(struct peer *p, uint32_t id)
{
	if (p->control)
		conn_send(p->control, WIRE_CANCEL, id, NULL);
}

/* A warm connection has nothing to say. */
static int on_warm_message(struct conn *c, struct frame *f, void *arg, struct err *err)
{
	(void)c, (void)f, (void)arg;
	return err_set(err, ERR_WIRE, "speaks without a job");
}

static void on_warm_end(struct conn *c, void *arg, const struct err *err)
{
	struct warm *w = arg;

	(void)c, (void)err;
	TAILQ_REMOVE(&w->peer->warm, w, link);
	w->peer->warm_count--;
	free(w);
}

static const struct conn_ops warm_ops = { .on_message = on_warm_message, .on_end = on_warm_end };

/* A further connection, greeted. NULL if none can be made. */
static struct conn *new_conn(struct peer *p, enum wire_role role, const struct conn_ops *ops, void *arg)
{
	int fd = open_socket(p);
	struct conn *c;

	if (fd < 0)
		return NULL;
	c = conn_new(p->peers->loop, fd, &wire_protocol, ops, arg);
	send_hello(c, p, role);
	return c;
}

struct conn *peer_take_conn(struct peer *p, const struct conn_ops *ops, void *arg)
{
	struct warm *w = TAILQ_FIRST(&p->warm);
	struct conn *c;

	if (!w)
		return new_conn(p, ROLE_JOB, ops, arg);
	c = w->conn;
	TAILQ_REMOVE(&p->warm, w, link);
	p->warm_count--;
	free(w);
	conn_set_arg(c, ops, arg);
	return c;
}

static void measure_bandwidth(struct peer *p, int fd)
{
	bool at_least = true;
	uint64_t rate = link_rate(fd, &at_least);

	if (at_least && rate <= p->bandwidth)
		return;
	p->bandwidth = at_least || !p->bandwidth ? rate : (p->bandwidth * 3 + rate) / 4;
}

enum codec peer_codec(const struct peer *p)
{
	if (p->same_host)
		return CODEC_NONE;
	return p->bandwidth && p->bandwidth < SLOW_LINK ? CODEC_ZLIB : CODEC_LZ4;
}

void peer_return_conn(struct peer *p, struct conn *c)
{
	struct warm *w;

	measure_bandwidth(p, conn_fd(c));
	if (p->state != PEER_READY || p->warm_count >= WARM_MAX) {
		conn_close(c);
		return;
	}
	w = xmalloc(sizeof *w);
	*w = (struct warm){ .conn = c, .peer = p };
	TAILQ_INSERT_HEAD(&p->warm, w, link);
	p->warm_count++;
	conn_set_arg(c, &warm_ops, w);
}

/* Toolchains that it wants of us */

static enum codec supply_codec(const struct conn *c, void *arg)
{
	struct peer *p = arg;

	measure_bandwidth(p, conn_fd(c));
	return peer_codec(p);
}

/* Not again at once, even if it went well: what it made of it has yet to be heard. */
static void on_supplied(struct supply *s, const struct err *err, void *arg)
{
	struct peer *p = arg;
	struct asked *a = find_asked(p, &p->supplied);

	(void)s;
	p->supply = NULL;
	a->gone = err && err->code == ERR_ABSENT;
	a->supply_ms = clock_ms() + backoff_ms(a->supplies++);
	if (err)
		log_warn("supply-failed", "peer=%s toolchain=\"%s\" text=\"%s\"", p->key, a->toolchain->label, err->text);
	else
		log_info("supplied", "peer=%s toolchain=\"%s\"", p->key, a->toolchain->label);
	supply_next(p);
	changed(p);
}

static const struct supply_events supply_events = { .codec = supply_codec, .ended = on_supplied };

static void supply(struct peer *p, struct asked *a)
{
	struct conn *c = new_conn(p, ROLE_STORE, NULL, NULL);

	if (!c) {
		a->supply_ms = clock_ms() + backoff_ms(a->supplies++);
		return;
	}
	log_info("supply", "peer=%s toolchain=\"%s\"", p->key, a->toolchain->label);
	p->supplied = a->toolchain->id;
	p->supply = supply_start(p->peers->loop, c, a->toolchain, &supply_events, p);
}

/* What it wants first, unless something is on its way there already. */
static void supply_next(struct peer *p)
{
	uint64_t now = clock_ms();

	for (size_t i = 0; i < p->asked_count && !p->supply; i++) {
		struct asked *a = &p->asked[i];

		if (a->answered && a->state == TOOLCHAIN_WANTED && !a->gone && now >= a->supply_ms)
			supply(p, a);
	}
}

struct outlook *peer_outlook(struct peer *p) { return &p->outlook; }

struct finish_peer peer_finish(struct peer *p, uint64_t mean_us, bool lasting)
{
	struct finish_peer f = outlook_peer(&p->outlook, mean_us, lasting, clock_us());

	f.rtt_us = p->rtt_us;
	f.bandwidth = p->same_host ? 0 : p->bandwidth;
	return f;
}

void peer_job_started(struct peer *p, const struct outlook_run *run)
{
	outlook_started(&p->outlook, run);
}

void peer_job_foreseen(struct peer *p, uint64_t run, uint64_t predicted_us) { outlook_foresee(&p->outlook, run, predicted_us); }

void peer_leave_alone(struct peer *p) { ban_failed(&p->outlook.bans, BAN_HOST, random_number(), clock_ms()); }

void peer_job_ended(struct peer *p, uint64_t run, const struct toolchain *tc, uint64_t cpu_us, enum job_end how)
{
	outlook_ended(&p->outlook, run, clock_us());
	p->cpu_us += cpu_us;
	p->preempted += how == JOB_TAKEN_BACK;
	p->jobs += how == JOB_SERVED;
	p->failures += how == JOB_FAILED || how == JOB_FAILED_SO || how == JOB_FAILED_ALONE;
	if (how == JOB_SERVED)
		share_company(p->peers);
	/* one that fails fast is always free, and would draw all the work */
	if (how == JOB_SERVED)
		ban_served(&p->outlook.bans, ban_number(tc));
	else if (how == JOB_FAILED || how == JOB_FAILED_SO)
		ban_failed(&p->outlook.bans, how == JOB_FAILED ? BAN_HOST : ban_number(tc), random_number(), clock_ms());
}
