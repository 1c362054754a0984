/*
 * server.h - the one volunteer: what its parts share.
 *
 * Everything here is touched by the event loop's thread only.
 */
#ifndef RCC_SERVER_H
#define RCC_SERVER_H

#include <uv.h>

#include "admit.h"
#include "key.h"
#include "ledger.h"
#include "options.h"
#include "policy.h"

enum {
	GRANT_MS = 250,
	QUEUE_MAX = 8192,
	SESSIONS_MAX = 4096,
	STRANGERS_MAX = 64,	/* connections before their HELLO */
	STRANGER_BYTES = 4096,	/* that each may send */
	STRANGER_MS = 200,	/* after that it makes room for a new one, when they are too many */
	HELLO_MS = 5000,
	STATE_MS = 20,		/* at most one STATE in that time */
	CALLER_QUEUE_MAX = 1024,	/* of QUEUE_MAX, by one caller */
	CONTROL_BACKLOG = 128 << 10,	/* bytes that a control connection may leave unread */
	JOB_BACKLOG = 4 << 20,		/* and any other, where output waits on its own at CONN_HIGH_WATER */
	FILES_BACKLOG = 16 << 20,	/* the same while its job is in file mode, where one message may be as long */
	SAID_PER_SECOND = 20,		/* lines of the log in a second about what callers do */
};

struct session;
struct job_run;
struct listener;
struct toolchain_table;
struct http;
struct store;
struct fetches;
struct owner;

struct server {
	uv_loop_t *loop;
	const struct options *options;
	enum fault fault;
	char *box;			/* path of rccd-box */
	char *jobs_dir;			/* the jobs' directories are made in it */
	bool confined;			/* the boxes hold */
	char *no_files;			/* why jobs in file mode are not taken; NULL: they are */
	bool accept_any;		/* toolchains that this machine does not have itself */
	struct store *store;		/* files and toolchains by digest */
	struct fetches *fetches;	/* contents that jobs wait for */
	unsigned job_users;		/* as an ordinary user: the user ids that jobs have; 0: all jobs are one user */
	struct spawner *spawner;	/* makes the boxes */
	struct cgroups *cgroups;	/* NULL: this system gives us none */
	int lock_fd;			/* held on the store */
	struct keys *keys;		/* NULL: connections are plain */

	struct admit *admit;
	struct admit_actions actions;
	uv_timer_t grant_timer;
	uv_timer_t state_timer;

	enum policy policy;
	struct policy_decision decision;	/* what the owner leaves us now */
	struct owner *owner;

	struct listener *listeners;
	struct argv listening;		/* addresses, as text */
	bool exposed;			/* one of them is no loopback address */

	struct caller *callers;
	struct session *sessions;	/* all connections */
	unsigned session_count, stranger_count;
	uv_timer_t hello_timer;

	struct toolchain_table *toolchains;
	struct job_run *runs;		/* all jobs whose box is alive */
	uint64_t ended_cpu_us;		/* processor time of those that have ended */
	uv_timer_t progress_timer;	/* while there are any */
	struct ledger ledger;
	struct http *http;
	char *http_address;		/* NULL: off */

	uv_signal_t term, interrupt, hangup;
	uv_timer_t end_timer;
	uint64_t said_second;		/* lines in it about what callers do */
	unsigned said, unsaid;
	bool draining, ending;
	void (*on_idle)(struct server *s);	/* draining is over */
};

#endif
