/*
 * exposure.c - the rules of listening, pure.
 *
 *	loopback		always
 *	private, link-local	with a key, or --insecure-no-auth
 *	any other		the same, and --allow-public
 *
 * And until jobs are confined, every address but loopback takes
 * --insecure-no-sandbox.
 */
#include "exposure.h"

#include "address.h"
#include "buf.h"

static bool is_local(const char *text, struct address *a)
{
	return str_eq(text, "off") || address_parse(text, a, NULL) < 0 || address_is_loopback(a);
}

/* Until jobs are confined, serving other machines must be asked for. */
static int check_confined(const struct options *o, const char *option, const char *text, struct err *err)
{
	struct address a;

	if (o->insecure_no_sandbox || is_local(text, &a))
		return 0;
	return err_set(err, ERR_CONFIG, "%s %s: not a loopback address, and jobs are not confined: "
		       "it takes --insecure-no-sandbox", option, text);
}

static int check_listen(const struct options *o, const struct keys *keys, const char *text, struct err *err)
{
	struct address a;
	int rc = check_confined(o, "--listen", text, err);

	if (rc < 0 || is_local(text, &a))
		return rc;
	if (!keys && !o->insecure_no_auth)
		return err_set(err, ERR_CONFIG, "--listen %s: strangers could connect: make a key with rccd --make-key FILE, copy "
			       "it to each machine and name it by --key-file, or give --insecure-no-auth", text);
	if (!address_is_private(&a) && !o->allow_public)
		return err_set(err, ERR_CONFIG, "--listen %s: not a private address: name one, or give --allow-public", text);
	return 0;
}

int exposure_check(const struct options *o, const struct keys *keys, struct err *err)
{
	int rc = check_confined(o, "--http", o->http, err);

	for (size_t i = 0; i < o->listen.count && rc == 0; i++)
		rc = check_listen(o, keys, o->listen.v[i], err);
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
