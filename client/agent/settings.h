/*
 * settings.h - what the caller wants: config files, then its environment.
 *
 * The RCC_* variables of the calling process count, not those the agent was
 * started with; so settings are made anew for each request.
 */
#ifndef RCC_SETTINGS_H
#define RCC_SETTINGS_H

#include "argv.h"
#include "err.h"
#include "key.h"

enum mode { MODE_AUTO, MODE_FILE, MODE_TEXT, MODE_LOCAL };

enum host_kind {
	HOST_NAME,	/* one volunteer: a host name or an address */
	HOST_DNS,	/* dns:name, each address of which is a volunteer */
	HOST_SRV,	/* srv:name, each target of its SRV records is one */
};

struct host {
	enum host_kind kind;
	char *name;		/* as written, without the kind, port and slots */
	uint16_t port;		/* HOST_SRV: 0, the records have it */
	unsigned slots;		/* at most so many of our jobs there; 0: as many as it grants */
};

struct settings {
	enum mode mode;
	struct host *hosts;
	size_t host_count;
	unsigned local_slots;	/* jobs that could go elsewhere are placed here up to this many */
	char *key_file;		/* NULL: the default ones; "": none */
	struct keys *keys;	/* what it holds; NULL: volunteers are asked for nothing */
	bool fallback;		/* a failed remote attempt becomes a local compile */
};

/*
 * /etc/rcc/rcc.conf, then the user's rcc.conf, then env (NAME=value strings,
 * as in struct ask); then the key file. cores is the default for local_slots. ERR_CONFIG names
 * the thing and the place; ERR_IO: we have no means to read them just now.
 */
int settings_load(const struct argv *env, unsigned cores, struct settings *out, struct err *err);
void settings_free(struct settings *s);

/* The pure part: one setting by its config name. ERR_CONFIG says what is wrong with value. */
int settings_set(struct settings *s, const char *name, const char *value, struct err *err);
/* The config names, NULL at the end: the man page is checked against them. */
const char *const *settings_names(void);

#endif
