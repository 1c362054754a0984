/*
 * status.h - all that is shown of a volunteer, in one plain struct, and its
 * three faces: a page, JSON, and Prometheus text. The faces are pure.
 */
#ifndef RCC_STATUS_H
#define RCC_STATUS_H

#include "buf.h"
#include "fetch.h"
#include "run.h"
#include "server.h"
#include "store.h"
#include "toolchains.h"

enum { STATUS_RUNNING_MAX = 4096, STATUS_TOOLCHAINS_MAX = 256, STATUS_WARNINGS_MAX = 8, STATUS_CALLERS_MAX = 256 };

/* One that is connected. */
struct caller_view {
	const char *who;
	struct admit_use use;
};

struct status {
	const char *name, *version, *policy;
	const struct policy_decision *decision;
	int64_t now;			/* seconds since 1970 */
	struct admit_counts slots;
	unsigned connections, agents;	/* of them, control connections */
	struct caller_view *callers;
	size_t caller_count;
	struct job_view *running;
	size_t running_count;
	const struct ledger *ledger;
	struct toolchain_view *toolchains;
	size_t toolchain_count;
	struct store_view store;
	const char *no_files;		/* why jobs in file mode are not taken; NULL: they are */
	struct fetch_view fetched;
	bool accept_any;		/* callers may bring toolchains */
	const struct argv *listen;
	const char *http;
	const char *warnings[STATUS_WARNINGS_MAX];
	size_t warning_count;
};

/* Borrows from the server: use it before the loop goes on. */
void status_take(const struct server *s, struct status *out);
void status_free(struct status *st);

void status_json(const struct status *st, struct buf *out);
void status_page(const struct status *st, struct buf *out);
void status_metrics(const struct status *st, struct buf *out);

#endif
