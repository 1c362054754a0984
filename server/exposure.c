/*
 * exposure.c - the rules of listening, pure.
 *
 *	loopback		always
 *	private, link-local	with a key, or --insecure-no-auth
 *	any other		the same, and --allow-public
 *
 * The status page asks for no key, but whoever makes the farm's network its
 * own by one may show it there.
 */
#include "exposure.h"

#include "address.h"
#include "buf.h"

static bool is_local(const char *text, struct address *a)
{
	return str_eq(text, "off") || address_parse(text, a, NULL) < 0 || address_is_loopback(a);
}

static int check(const struct options *o, const struct keys *keys, const char *option, const char *text,
		 struct err *err)
{
	struct address a;

	if (is_local(text, &a))
		return 0;
	if (!keys && !o->insecure_no_auth)
		return err_set(err, ERR_CONFIG, "%s %s: strangers could connect: make a key with rccd --make-key FILE, copy "
			       "it to each machine and name it by --key-file, or give --insecure-no-auth", option, text);
	if (!address_is_private(&a) && !o->allow_public)
		return err_set(err, ERR_CONFIG, "%s %s: not a private address: name one, or give --allow-public", option, text);
	return 0;
}

int exposure_check(const struct options *o, const struct keys *keys, struct err *err)
{
	int rc = check(o, keys, "--http", o->http, err);

	for (size_t i = 0; i < o->listen.count && rc == 0; i++)
		rc = check(o, keys, "--listen", o->listen.v[i], err);
	return rc;
}

char *exposure_text(const struct options *o, const struct keys *keys, const struct argv *listening)
{
	struct buf b = { 0 };
	struct address a;
	bool local = true;

	for (size_t i = 0; i < listening->count; i++)
		local &= is_local(listening->v[i], &a);
	if (keys) {
		buf_puts(&b, "holders of the key");
		for (size_t i = 0; i < keys->count; i++)
			buf_printf(&b, "%s%s", i ? " or " : " ", keys->all[i].name);
		if (local)
			buf_puts(&b, " on this machine");
	} else if (local) {
		buf_puts(&b, "every user of this machine");
	} else {
		buf_puts(&b, "whoever reaches it");
	}
	buf_puts(&b, " at");
	for (size_t i = 0; i < listening->count; i++)
		buf_printf(&b, " %s", listening->v[i]);
	if (!local && o->allow_public)
		buf_puts(&b, ", public addresses included");
	return buf_str(&b);
}
