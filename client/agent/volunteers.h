/*
 * volunteers.h - whom the entries of a caller's RCC_HOSTS mean just now.
 *
 * Those named one by one are all used: they are whom the caller chose. Of those that lookups find, the many may be
 * thinned; see members.h.
 */
#ifndef RCC_VOLUNTEERS_H
#define RCC_VOLUNTEERS_H

#include <uv.h>

#include "peers.h"
#include "settings.h"

struct volunteers;

struct volunteer {
	struct peer *peer;
	unsigned slots;		/* as in struct host, of the entry that means it; of several, the first */
};

/* changed: entries mean others than they did, or have been looked up first; see resolver_new(). For the process's life. */
struct volunteers *volunteers_new(uv_loop_t *loop, struct peers *peers, void (*changed)(void *arg), void *arg);

/* Each once. Caller frees *out. awaited: a first lookup is under way, and more may come. Returns how many. */
size_t volunteers_of(struct volunteers *vs, const struct settings *s, struct volunteer **out, bool *awaited);
/* Another number than before: volunteers_of() may say other than it did. */
uint64_t volunteers_changes(const struct volunteers *vs);

/* For pages: what an entry came to. */
struct volunteer_entry {
	char name[300];		/* "dns:farm", as far as it fits */
	size_t found;
	bool pending;
	const char *trouble;	/* "": none. Borrowed, as that of struct lookup */
};
/* Of an entry that is looked up. False: it names one volunteer. */
bool volunteers_entry(struct volunteers *vs, const struct host *h, struct volunteer_entry *out);

#endif
