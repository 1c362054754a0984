/*
 * key.h - the farm key: what makes a machine one of the farm.
 *
 * A file of lines, each one key:
 *
 *	rcc-key-1 NAME BASE64-OF-32-BYTES
 *
 * The first is the one that callers show; volunteers take any of them, so
 * that a farm can go from one key to the next. NAME travels in the clear, the
 * secret never: it only has others derived from it. No error text, log line
 * or page holds anything of a key but its name.
 */
#ifndef RCC_KEY_H
#define RCC_KEY_H

#include "err.h"

enum { KEY_SECRET = 32, KEY_NAME = 32, KEYS_MAX = 16 };

struct key {
	char name[KEY_NAME + 1];
	unsigned char secret[KEY_SECRET];
};

/* Shared by all connections that were opened with it; freed, and wiped, by the last keys_unref(). */
struct keys {
	unsigned refs;
	size_t count;
	struct key all[KEYS_MAX];
};

struct keys *keys_new(void);
struct keys *keys_ref(struct keys *k);		/* NULL stays NULL */
void keys_unref(struct keys *k);		/* k may be NULL */

/* Add what the text of a key file holds, at least one. ERR_CONFIG says "LINE: why". */
int keys_parse(struct keys *k, const char *text, size_t len, struct err *err);
/*
 * Add a file's. ERR_CONFIG: it is not of the kind above, or is not the user's
 * or root's own, or others may read it. ERR_ABSENT: there is none, or it is
 * not for this user to read.
 */
int keys_load(struct keys *k, const char *path, struct err *err);
/* By name; NULL: not there. */
const struct key *keys_find(const struct keys *k, const char *name, size_t len);
/* Name and secret, in a time that does not depend on where they differ. */
bool key_eq(const struct key *a, const struct key *b);

/* One of the secrets that the key stands for. out holds KEY_SECRET bytes. */
void key_derive(const struct key *k, const char *label, unsigned char *out);

/* A new key in a new file of mode 0600; never replaces one. name gets the key's. */
int key_make(const char *path, char name[KEY_NAME + 1], struct err *err);

/* Where a key is when nobody said: the user's, else /etc/rcc/key; the first that this user can read.
 * Both names are of directories and may be NULL. NULL: none. Caller frees. */
char *key_default_file(const char *xdg_config, const char *home);

#endif
