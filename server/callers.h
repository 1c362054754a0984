/*
 * callers.h - whose a connection is, and how much one caller may hold of this
 * machine: connections, bytes in flight, toolchains that we had not heard of.
 *
 * A caller is who showed a key under a name, or, where there are no keys, an
 * address. Who holds a key may take many names: the bounds of all callers
 * together (server.h) hold besides.
 */
#ifndef RCC_CALLERS_H
#define RCC_CALLERS_H

#include "conn.h"
#include "wire.h"

enum {
	CALLER_CONNECTIONS = 512,	/* and one for each slot */
	CALLER_CONTROL = 64,
	CALLER_STORE = 16,
	CALLER_QUEUED = 64 << 20,	/* bytes that wait for it to read */
	CALLER_PARTS = 16 << 20,	/* bytes of messages that are not whole */
	CALLER_WINDOW_MS = 600 * 1000,
	CALLER_TOOLCHAINS = 64,		/* new ones in that time */
	CALLER_TREE_BYTES = 16 << 20,	/* of their trees */
};

struct caller {
	struct caller *next;
	char *who;
	uint64_t number;		/* that names it, the same when it comes back */
	struct conn_share share;
	unsigned roles[ROLES];		/* connections by what they are for */
	uint64_t window_ms;		/* when the first of these was announced */
	unsigned toolchains;
	uint64_t tree_bytes;
};

/*
 * Whoever this is, found or new among *all. key NULL: there are no keys, and address says who it is, without
 * its port. Those without connections are forgotten on the way. The result is good while it has connections.
 */
struct caller *caller_of(struct caller **all, const char *key, const char *name, const char *address, uint64_t now_ms);
void callers_free(struct caller **all);

/* One connection more for that. 0: counted until caller_leaves(); ERR_LIMIT says which bound it is. */
int caller_comes(struct caller *c, enum wire_role role, unsigned slots, struct err *err);
void caller_leaves(struct caller *c, enum wire_role role);

/* A toolchain that is new to this machine, of so many bytes of tree. ERR_LIMIT: not for some minutes. */
int caller_announces(struct caller *c, uint64_t bytes, uint64_t now_ms, struct err *err);

#endif
