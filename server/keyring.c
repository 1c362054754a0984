/*
 * keyring.c - key files, at the start and at SIGHUP.
 */
#include "keyring.h"

#include <signal.h>

#include "log.h"
#include "server.h"
#include "session.h"

static int load(const struct options *o, struct keys *keys, struct err *err)
{
	autofree char *found = o->key_files.count ? NULL : key_default_file(getenv("XDG_CONFIG_HOME"), getenv("HOME"));
	int rc = found ? keys_load(keys, found, err) : 0;

	for (size_t i = 0; i < o->key_files.count && rc == 0; i++)
		rc = keys_load(keys, o->key_files.v[i], err);
	return rc;
}

int keyring_open(const struct options *o, struct keys **out, struct err *err)
{
	struct keys *keys;

	*out = NULL;
	if (o->insecure_no_auth)
		return o->key_files.count ? err_set(err, ERR_CONFIG, "--key-file and --insecure-no-auth: give one of them") : 0;
	keys = keys_new();
	if (load(o, keys, err) < 0) {
		keys_unref(keys);
		return err->code = ERR_CONFIG;
	}
	if (keys->count)
		*out = keys;
	else
		keys_unref(keys);
	return 0;
}

static void on_hangup(uv_signal_t *handle, int number UNUSED)
{
	struct server *s = handle->data;
	struct err err = { 0 };
	struct keys *keys;
	int rc = keyring_open(s->options, &keys, &err);

	if (rc == 0 && !keys)	/* never from some keys to none */
		rc = err_set(&err, ERR_CONFIG, "there is no key any more");
	if (rc < 0) {
		log_warn("keys", "kept=\"%zu\" why=\"%s\"", s->keys->count, err.text);
		return;
	}
	keys_unref(s->keys);
	s->keys = keys;
	log_info("keys", "count=%zu", keys->count);
	sessions_check_keys(s);
}

void keyring_watch(struct server *s)
{
	uv_signal_init(s->loop, &s->hangup);
	s->hangup.data = s;
	if (s->keys)	/* else it ends us, as when a terminal is closed */
		uv_signal_start(&s->hangup, on_hangup, SIGHUP);
}
