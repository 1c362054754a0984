/*
 * callers.c - the list of callers, and its bounds.
 */
#include "callers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The address as far as its port. */
static char *name_of(const char *key, const char *name, const char *address)
{
	const char *port = strrchr(address, ':');

	if (key)
		return xasprintf("key %s %s", key, name);
	return xasprintf("at %.*s", port ? (int)(port - address) : (int)strlen(address), address);
}

static void caller_free(struct caller *c)
{
	free(c->who);
	free(c);
}

/* What it announced counts on without it, or it would come back as another. */
static bool is_forgotten(const struct caller *c, uint64_t now_ms)
{
	return !c->share.connections && (!c->toolchains || now_ms - c->window_ms >= CALLER_WINDOW_MS);
}

struct caller *caller_of(struct caller **all, const char *key, const char *name, const char *address, uint64_t now_ms)
{
	autofree char *who = name_of(key, name, address);
	struct caller *found = NULL;

	for (struct caller **at = all, *c; (c = *at);) {
		if (str_eq(c->who, who)) {
			found = c;
		} else if (is_forgotten(c, now_ms)) {
			*at = c->next;
			caller_free(c);
			continue;
		}
		at = &c->next;
	}
	if (found)
		return found;
	found = xcalloc(1, sizeof *found);
	*found = (struct caller){ .next = *all, .who = ptr_steal(&who),
				  .share = { .queued_max = CALLER_QUEUED, .parts_max = CALLER_PARTS } };
	found->number = XXH3_64bits(found->who, strlen(found->who));
	return *all = found;
}

void callers_free(struct caller **all)
{
	while (*all) {
		struct caller *c = *all;

		*all = c->next;
		caller_free(c);
	}
}

int caller_comes(struct caller *c, enum wire_role role, unsigned slots, struct err *err)
{
	static const struct { unsigned max; const char *name; } of_role[ROLES] = {
		[ROLE_CONTROL] = { CALLER_CONTROL, "control " },
		[ROLE_STORE] = { CALLER_STORE, "store " },
	};
	unsigned max = CALLER_CONNECTIONS + slots;

	if (c->share.connections >= max)
		return err_set(err, ERR_LIMIT, "more than %u connections of one caller", max);
	if (of_role[role].max && c->roles[role] >= of_role[role].max)
		return err_set(err, ERR_LIMIT, "more than %u %sconnections of one caller", of_role[role].max, of_role[role].name);
	c->roles[role]++;
	return 0;
}

void caller_leaves(struct caller *c, enum wire_role role) { c->roles[role]--; }

int caller_announces(struct caller *c, uint64_t bytes, uint64_t now_ms, struct err *err)
{
	if (!c->toolchains || now_ms - c->window_ms >= CALLER_WINDOW_MS) {
		c->window_ms = now_ms;
		c->toolchains = 0;
		c->tree_bytes = 0;
	}
	if (c->toolchains >= CALLER_TOOLCHAINS || c->tree_bytes + bytes > CALLER_TREE_BYTES)
		return err_set(err, ERR_LIMIT, "too many new toolchains of one caller in %d minutes", CALLER_WINDOW_MS / 60000);
	c->toolchains++;
	c->tree_bytes += bytes;
	return 0;
}
