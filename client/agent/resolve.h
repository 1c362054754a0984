/*
 * resolve.h - what the dns: and srv: entries of RCC_HOSTS come to, asked in the background.
 *
 * One entry is one lookup, whoever names it. It is repeated while it is in use: when the answer has aged, and sooner,
 * with back-off, after one that failed, named nobody, or names a volunteer that cannot be had. A lookup that fails
 * leaves what the last good one said.
 */
#ifndef RCC_RESOLVE_H
#define RCC_RESOLVE_H

#include <uv.h>

#include "settings.h"

struct resolver;

/* What is known of an entry now. */
struct lookup {
	const struct host *hosts;	/* HOST_NAMEs, each once, in an order of their own */
	size_t count;
	bool pending;			/* the first answer may still come, and not be long in coming */
	const char *trouble;		/* what is wrong with the last answer; "" */
};

/* changed: an entry means others than it did, or its first lookup has ended. It may only note that. For the process's life. */
struct resolver *resolver_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg);

/* entry: HOST_DNS or HOST_SRV. Begins a lookup if it is new or old. Borrowed, until control is back in the loop. */
struct lookup resolver_look(struct resolver *r, const struct host *entry);
/* A volunteer that it names cannot be had: it may have been replaced. */
void resolver_hurry(struct resolver *r, const struct host *entry);
/* Grows whenever changed() is called. */
uint64_t resolver_changes(const struct resolver *r);

/* The pure part: how long after an answer to ask again. setbacks: how often in a row something was wrong; ttl_s: how
 * long the answer said that it holds, 0 if it did not. */
uint64_t resolve_delay_ms(unsigned setbacks, uint32_t ttl_s);

#endif
