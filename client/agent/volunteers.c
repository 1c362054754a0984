/*
 * volunteers.c - entries to peers: resolve.h says whom a lookup found, members.h which of them, peers.h who they are.
 */
#include "volunteers.h"

#include <stdio.h>
#include <sys/random.h>

#include "clock.h"
#include "members.h"
#include "resolve.h"

struct volunteers {
	struct peers *peers;
	struct resolver *resolver;
	uint64_t seed;		/* by which our part of very many is drawn */
};

/* A list in the making. */
struct making {
	struct volunteers *all;
	const struct settings *settings;
	struct volunteer *list;
	size_t count;
};

/* What lookups found, of all entries. */
struct pool {
	struct host *hosts;	/* names borrowed */
	size_t count;
};

struct volunteers *volunteers_new(uv_loop_t *loop, struct peers *peers, void (*changed)(void *arg), void *arg)
{
	struct volunteers *vs = xcalloc(1, sizeof *vs);

	*vs = (struct volunteers){ .peers = peers, .resolver = resolver_new(loop, changed, arg) };
	if (getrandom(&vs->seed, sizeof vs->seed, GRND_NONBLOCK) < 0)
		vs->seed = clock_us();
	return vs;
}

static void add(struct making *m, const struct host *h)
{
	struct peer *p = peers_get(m->all->peers, h, m->settings->keys);

	for (size_t i = 0; i < m->count; i++)
		if (m->list[i].peer == p)
			return;
	m->list[m->count++] = (struct volunteer){ .peer = p, .slots = h->slots };
}

static void pool_add(struct pool *pool, const struct lookup *found, unsigned slots)
{
	pool->hosts = xrealloc(pool->hosts, (pool->count + found->count + 1) * sizeof *pool->hosts);
	for (size_t i = 0; i < found->count; i++) {
		pool->hosts[pool->count] = found->hosts[i];
		pool->hosts[pool->count++].slots = slots;
	}
}

static bool usable(const struct host *h, void *making)
{
	struct making *m = making;

	return !peer_is_out(peers_get(m->all->peers, h, m->settings->keys));
}

/* One that cannot be had may have been replaced by another, under another address. */
static void look_for_losses(struct making *m, const struct host *entry, const struct lookup *found)
{
	/* of very many one is always lost */
	if (found->count > MEMBERS_MAX)
		return;
	for (size_t i = 0; i < found->count; i++)
		if (!usable(&found->hosts[i], m)) {
			resolver_hurry(m->all->resolver, entry);
			return;
		}
}

size_t volunteers_of(struct volunteers *vs, const struct settings *s, struct volunteer **out, bool *awaited)
{
	struct making m = { .all = vs, .settings = s, .list = xcalloc(s->host_count + MEMBERS_MAX, sizeof *m.list) };
	size_t chosen[MEMBERS_MAX], n;
	struct pool pool = { 0 };

	*awaited = false;
	for (size_t i = 0; i < s->host_count; i++) {
		struct lookup found;

		if (s->hosts[i].kind == HOST_NAME) {
			add(&m, &s->hosts[i]);
			continue;
		}
		found = resolver_look(vs->resolver, &s->hosts[i]);
		look_for_losses(&m, &s->hosts[i], &found);
		*awaited |= found.pending;
		pool_add(&pool, &found, s->hosts[i].slots);
	}
	n = members_choose(pool.hosts, pool.count, vs->seed, clock_ms(), usable, &m, chosen);
	for (size_t i = 0; i < n; i++)
		add(&m, &pool.hosts[chosen[i]]);
	free(pool.hosts);
	*out = m.list;
	return m.count;
}

uint64_t volunteers_changes(const struct volunteers *vs) { return resolver_changes(vs->resolver); }

bool volunteers_entry(struct volunteers *vs, const struct host *h, struct volunteer_entry *out)
{
	struct lookup found;

	if (h->kind == HOST_NAME)
		return false;
	found = resolver_look(vs->resolver, h);
	*out = (struct volunteer_entry){ .found = found.count, .pending = found.pending, .trouble = found.trouble };
	snprintf(out->name, sizeof out->name, "%s:%s", h->kind == HOST_DNS ? "dns" : "srv", h->name);
	make_printable(out->name);
	return true;
}
