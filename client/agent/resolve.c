/*
 * resolve.c - lookups by the C library: getaddrinfo() by libuv, SRV records in a worker thread.
 */
#include "resolve.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <sys/queue.h>

#include "clock.h"
#include "log.h"
#include "srv.h"

enum {
	TICK_MS = 250,
	AGE_MS = 30000,		/* an answer is that old at most */
	AGE_MIN_MS = 1000,
	USED_MS = 60000,	/* an entry that nobody named for so long is left alone */
	PENDING_MS = 5000,	/* longer is as good as no answer */
	SRV_TIMEOUT_S = 2, SRV_TRIES = 2,
};

struct entry {
	TAILQ_ENTRY(entry) link;
	struct resolver *resolver;
	enum host_kind kind;
	char *name;
	uint16_t port;
	struct host *hosts;		/* as of the last good answer */
	size_t count;
	char trouble[160];
	bool answered;
	bool hurried;			/* since the last answer */
	unsigned setbacks;		/* in a row */
	uint32_t ttl_s;
	uint64_t made_ms;		/* first named */
	uint64_t ended_ms;		/* the last lookup */
	uint64_t used_ms;
	uv_getaddrinfo_t addresses;
	uv_work_t work;
};

struct resolver {
	uv_loop_t *loop;
	uv_timer_t tick;
	void (*changed)(void *arg);
	void *arg;
	uint64_t changes;
	bool running;			/* one lookup at a time: each holds a thread, and others need those */
	TAILQ_HEAD(, entry) entries;
};

/* A question for SRV records, in its worker thread. */
struct question {
	struct entry *entry;
	char *name;
	struct host *hosts;
	size_t count;
	uint32_t ttl_s;
	struct err err;			/* ERR_ABSENT: there is none */
	int rc;
};

uint64_t resolve_delay_ms(unsigned setbacks, uint32_t ttl_s)
{
	uint64_t age = ttl_s && ttl_s < AGE_MS / 1000 ? ttl_s * 1000u : AGE_MS;
	uint64_t sooner = setbacks && setbacks < 6 ? (uint64_t)AGE_MIN_MS << (setbacks - 1) : AGE_MS;

	return sooner < age ? sooner : age;
}

static int by_name(const void *a, const void *b)
{
	const struct host *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (int)x->port - (int)y->port;
}

/* In order, each once. Returns how many are left. */
static size_t unique(struct host *hosts, size_t count)
{
	size_t n = 0;

	if (count)
		qsort(hosts, count, sizeof *hosts, by_name);
	for (size_t i = 0; i < count; i++) {
		if (n && by_name(&hosts[n - 1], &hosts[i]) == 0)
			free(hosts[i].name);
		else
			hosts[n++] = hosts[i];
	}
	return n;
}

static bool same(const struct host *a, size_t a_count, const struct host *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (by_name(&a[i], &b[i]) != 0)
			return false;
	return true;
}

static void ask_those_due(struct resolver *r);

static void ended(struct entry *e, bool bad, bool news)
{
	struct resolver *r = e->resolver;

	r->running = false;
	e->ended_ms = clock_ms();
	e->setbacks = bad || e->hurried ? e->setbacks + !e->hurried : 0;
	e->hurried = false;
	if (news || !e->answered) {
		r->changes++;
		r->changed(r->arg);
	}
	e->answered = true;
	ask_those_due(r);
}

/* text as it came from a library, of a name server's words. */
static void set_trouble(struct entry *e, const char *text)
{
	bool known = str_eq(e->trouble, text);

	snprintf(e->trouble, sizeof e->trouble, "%s", text);
	make_printable(e->trouble);
	if (*text && !known)
		log_warn("lookup", "name=%s text=\"%s\"", e->name, e->trouble);
}

/* Takes hosts over. */
static void answered(struct entry *e, struct host *hosts, size_t count, uint32_t ttl_s)
{
	bool news;

	count = unique(hosts, count);
	news = !same(hosts, count, e->hosts, e->count);
	hosts_free(e->hosts, e->count);
	e->hosts = hosts;
	e->count = count;
	e->ttl_s = ttl_s;
	set_trouble(e, count ? "" : e->kind == HOST_SRV ? "no such SRV records" : "no such name, or it has no addresses");
	if (news)
		log_info("members", "name=%s count=%zu", e->name, count);
	ended(e, !count, news);
}

static void failed(struct entry *e, const char *text)
{
	set_trouble(e, text);
	ended(e, true, false);
}

/* dns: */

static size_t list_addresses(const struct addrinfo *res, uint16_t port, struct host **out)
{
	size_t n = 0;

	*out = NULL;
	for (; res; res = res->ai_next) {
		char address[NI_MAXHOST];

		if (getnameinfo(res->ai_addr, res->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		*out = xrealloc(*out, (n + 1) * sizeof **out);
		(*out)[n++] = (struct host){ .kind = HOST_NAME, .name = xstrdup(address), .port = port };
	}
	return n;
}

static void on_addresses(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct entry *e = req->data;
	struct host *hosts;
	size_t count = list_addresses(res, e->port, &hosts);

	uv_freeaddrinfo(res);
	if (status < 0 && status != UV_EAI_NONAME && status != UV_EAI_NODATA)
		failed(e, status == UV_EAI_AGAIN ? "no name server answers" : uv_strerror(status));
	else
		answered(e, hosts, count, 0);
}

static void ask_addresses(struct entry *e)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	int rc;

	e->addresses.data = e;
	rc = uv_getaddrinfo(e->resolver->loop, &e->addresses, on_addresses, e->name, NULL, &hints);
	if (rc < 0)
		failed(e, uv_strerror(rc));
}

/* srv: */

static int ask_srv(struct question *q, uint8_t *answer, size_t size)
{
	struct __res_state state = { 0 };
	int length, why;

	if (res_ninit(&state) < 0)
		return err_set(&q->err, ERR_IO, "resolv.conf cannot be used");
	state.retrans = SRV_TIMEOUT_S;
	state.retry = SRV_TRIES;
	length = res_nsearch(&state, q->name, ns_c_in, ns_t_srv, answer, (int)size);
	why = state.res_h_errno;
	res_nclose(&state);
	if (length >= 0 && (size_t)length <= size)
		return srv_get(answer, (size_t)length, &q->hosts, &q->count, &q->ttl_s, &q->err);
	if (length < 0 && (why == HOST_NOT_FOUND || why == NO_DATA))
		return 0;
	return err_set(&q->err, ERR_IO, why == TRY_AGAIN ? "no name server answers" : "the name server cannot tell");
}

static void on_srv_work(uv_work_t *work)
{
	struct question *q = work->data;
	autofree uint8_t *answer = xmalloc(NS_MAXMSG);

	q->rc = ask_srv(q, answer, NS_MAXMSG);
}

static void on_srv_done(uv_work_t *work, int status)
{
	struct question *q = work->data;
	struct entry *e = q->entry;

	(void)status;
	if (q->rc < 0)
		failed(e, q->err.text);
	else
		answered(e, q->hosts, q->count, q->ttl_s);
	free(q->name);
	free(q);
}

static void ask_for_records(struct entry *e)
{
	struct question *q = xcalloc(1, sizeof *q);

	*q = (struct question){ .entry = e, .name = xstrdup(e->name) };
	e->work.data = q;
	uv_queue_work(e->resolver->loop, &e->work, on_srv_work, on_srv_done);
}

/* When */

static bool due(const struct entry *e, uint64_t now)
{
	return !e->answered || now - e->ended_ms >= resolve_delay_ms(e->setbacks, e->ttl_s);
}

static void ask_if_due(struct entry *e, uint64_t now)
{
	if (e->resolver->running || !due(e, now))
		return;
	e->resolver->running = true;
	if (e->kind == HOST_SRV)
		ask_for_records(e);
	else
		ask_addresses(e);
}

static void ask_those_due(struct resolver *r)
{
	uint64_t now = clock_ms();
	struct entry *e;

	TAILQ_FOREACH(e, &r->entries, link)
		if (now - e->used_ms < USED_MS)
			ask_if_due(e, now);
}

static void on_tick(uv_timer_t *timer)
{
	ask_those_due(timer->data);
}

struct resolver *resolver_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg)
{
	struct resolver *r = xcalloc(1, sizeof *r);

	*r = (struct resolver){ .loop = loop, .changed = changed, .arg = arg };
	TAILQ_INIT(&r->entries);
	uv_timer_init(loop, &r->tick);
	r->tick.data = r;
	return r;
}

static struct entry *entry_of(struct resolver *r, const struct host *h)
{
	struct entry *e;

	TAILQ_FOREACH(e, &r->entries, link)
		if (e->kind == h->kind && e->port == h->port && str_eq(e->name, h->name))
			return e;
	if (TAILQ_EMPTY(&r->entries)) {
		uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
		uv_unref((uv_handle_t *)&r->tick);
	}
	e = xcalloc(1, sizeof *e);
	*e = (struct entry){ .resolver = r, .kind = h->kind, .name = xstrdup(h->name), .port = h->port, .made_ms = clock_ms() };
	TAILQ_INSERT_TAIL(&r->entries, e, link);
	return e;
}

struct lookup resolver_look(struct resolver *r, const struct host *entry)
{
	struct entry *e = entry_of(r, entry);
	uint64_t now = clock_ms();
	bool late = !e->answered && now - e->made_ms >= PENDING_MS;

	e->used_ms = now;
	ask_if_due(e, now);
	return (struct lookup){ .hosts = e->hosts, .count = e->count, .pending = !e->answered && !late,
				.trouble = late ? "no name server has answered yet" : e->trouble };
}

void resolver_hurry(struct resolver *r, const struct host *entry)
{
	struct entry *e = entry_of(r, entry);

	if (!e->answered || e->hurried)
		return;
	e->hurried = true;
	e->setbacks++;
}

uint64_t resolver_changes(const struct resolver *r) { return r->changes; }
