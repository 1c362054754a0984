/*
 * namespaces.h - what all boxes share, and whom they may become in it.
 */
#ifndef RCC_BOX_NAMESPACES_H
#define RCC_BOX_NAMESPACES_H

#include <sys/types.h>

#include "err.h"

/* How jobs are kept apart, as rccd tells its spawn server in one word. */
struct mode {
	bool confined;
	unsigned users;		/* an ordinary user's range of user ids; 0: there is none */
	uid_t first_uid;	/* in the range of this many */
	gid_t first_gid;
	const char *host;	/* what jobs take this machine for; borrowed from the word */
};

/* "unconfined", "confined", "confined:USERS:UID:GID", or, for tests, "confined@HOST". False: it is none of them. */
bool mode_parse(const char *word, struct mode *m);

/*
 * Once, before any box: a network, host name and such that are nobody's; as an
 * ordinary user in a user namespace, in which we are user 0 and jobs users 1 to
 * m->users if there is a range, else ourselves. ERR_IO names the step.
 */
int namespaces_share(const struct mode *m, struct err *err);

/* Each box's own, for clone(2). Without a range every box is a user namespace as well, so that limits are its own. */
int namespaces_of_box(const struct mode *m);

/* In a user namespace only we are in: nobody but ourselves, as ourselves. */
int map_self(uid_t uid, gid_t gid, struct err *err);

#endif
