/*
 * supply.h - bring the files of a toolchain of ours to a volunteer that
 * wants them, over a connection of their own.
 *
 * The volunteer asks, file by file by digest; we read, check and pack in
 * worker threads. At most about a megabyte waits for the socket.
 */
#ifndef RCC_SUPPLY_H
#define RCC_SUPPLY_H

#include <uv.h>

#include "conn.h"
#include "toolchain.h"

struct supply;

struct supply_events {
	/* How to pack now; asked anew for each batch, as the link gets known. */
	enum codec (*codec)(const struct conn *c, void *arg);
	/*
	 * It is over, and s is gone after this call. err NULL: the volunteer wants no more.
	 * ERR_ABSENT: a file is not what it was when the toolchain was found, so trying again is no use.
	 */
	void (*ended)(struct supply *s, const struct err *err, void *arg);
};

enum { SUPPLY_STALL_MS = 30000 };

/* Takes over c, on which HELLO was sent and nothing read. tc outlives it. */
struct supply *supply_start(uv_loop_t *loop, struct conn *c, const struct toolchain *tc,
			    const struct supply_events *events, void *arg);
/* Ends it if nothing moved for SUPPLY_STALL_MS: to be called now and then. */
void supply_check(struct supply *s, uint64_t now_ms);
/* Without a call of ended; s may be NULL. */
void supply_stop(struct supply *s);

/* The file of that digest, which is a file's own path; NULL: it is no part of the toolchain. */
const struct tree_entry *supply_find(const struct tree *t, const struct digest *d);

#endif
