/*
 * settings.c - one table of settings, read from config files and environment.
 */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>

#include "environment.h"
#include "wire.h"

enum { LOCAL_SLOTS_MAX = 4096, HOSTS_MAX = 4096 };

static void hosts_clear(struct settings *s)
{
	for (size_t i = 0; i < s->host_count; i++)
		free(s->hosts[i].name);
	free(s->hosts);
	s->hosts = NULL;
	s->host_count = 0;
}

/* A whole decimal number from min to max; -1 if text is anything else. */
static long number(const char *text, long min, long max)
{
	char *rest;
	long n;

	errno = 0;
	n = strtol(text, &rest, 10);
	return isdigit((unsigned char)*text) && !*rest && !errno && n >= min && n <= max ? n : -1;
}

static const struct { const char *prefix; enum host_kind kind; const char *form; } kinds[] = {
	{ "dns:", HOST_DNS, "dns:name[:port][/slots]" },
	{ "srv:", HOST_SRV, "srv:_rcc._tcp.domain[/slots]" },
	{ "", HOST_NAME, "host[:port][/slots]" },
};

/* name[:port], the name perhaps an IPv6 address in brackets. Where the port begins, or NULL; *name is cut there. */
static int split_port(char **name, char **port, struct err *err)
{
	char *colon;

	if (**name == '[') {
		char *close = strchr(++*name, ']');

		if (!close || (close[1] && close[1] != ':'))
			return err_set(err, ERR_CONFIG, "no ']' after the address");
		*close = 0;
		colon = close[1] ? close + 1 : NULL;
	} else {
		colon = strchr(*name, ':');
		if (colon && strchr(colon + 1, ':'))
			return err_set(err, ERR_CONFIG, "write an IPv6 address as [address]:port");
	}
	if (colon)
		*colon = 0;
	*port = colon ? colon + 1 : NULL;
	return 0;
}

/* One entry of the list. word is cut up. */
static int host_parse(char *word, struct host *h, struct err *err)
{
	autofree char *whole = xstrdup(word);
	char *slash = strrchr(word, '/'), *name, *port_text = NULL;
	long port = WIRE_PORT, slots = 0;
	size_t k = 0;

	if (str_starts(word, "mdns:"))
		return err_set(err, ERR_CONFIG, "'%s': this version does not look for volunteers by mDNS", whole);
	while (!str_starts(word, kinds[k].prefix))
		k++;
	name = word + strlen(kinds[k].prefix);
	if (slash) {
		*slash = 0;
		slots = number(slash + 1, 1, LOCAL_SLOTS_MAX);
	}
	if (split_port(&name, &port_text, err) < 0)
		return err_wrap(err, "'%s'", whole);
	if (port_text)
		port = kinds[k].kind == HOST_SRV ? -1 : number(port_text, 1, 65535);
	if (!*name || port < 0 || slots < 0)
		return err_set(err, ERR_CONFIG, "'%s' is not %s", whole, kinds[k].form);
	*h = (struct host){ .kind = kinds[k].kind, .name = xstrdup(name), .slots = (unsigned)slots,
			    .port = kinds[k].kind == HOST_SRV ? 0 : (uint16_t)port };
	return 0;
}

static int set_hosts(struct settings *s, const char *value, struct err *err)
{
	autofree char *copy = xstrdup(value);
	char *save = NULL;

	hosts_clear(s);
	for (char *w = strtok_r(copy, ", \t\n", &save); w; w = strtok_r(NULL, ", \t\n", &save)) {
		struct host h;
		int rc = host_parse(w, &h, err);

		if (rc < 0)
			return rc;
		if (s->host_count == HOSTS_MAX)
			return err_set(err, ERR_CONFIG, "more than %d hosts", HOSTS_MAX);
		s->hosts = xrealloc(s->hosts, (s->host_count + 1) * sizeof h);
		s->hosts[s->host_count++] = h;
	}
	return 0;
}

static int set_mode(struct settings *s, const char *value, struct err *err)
{
	static const struct { const char *name; enum mode mode; } modes[] = {
		{ "auto", MODE_AUTO }, { "file", MODE_FILE }, { "text", MODE_TEXT }, { "local", MODE_LOCAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (str_eq(value, modes[i].name)) {
			s->mode = modes[i].mode;
			return 0;
		}
	return err_set(err, ERR_CONFIG, "'%s' is not a mode of this version (auto, file, text, local)", value);
}

static int set_local_slots(struct settings *s, const char *value, struct err *err)
{
	long n = number(value, 0, LOCAL_SLOTS_MAX);

	if (n < 0)
		return err_set(err, ERR_CONFIG, "'%s' is not a number from 0 to %d", value, LOCAL_SLOTS_MAX);
	s->local_slots = (unsigned)n;
	return 0;
}

static int set_fallback(struct settings *s, const char *value, struct err *err)
{
	if (!str_eq(value, "0") && !str_eq(value, "1"))
		return err_set(err, ERR_CONFIG, "'%s' is neither 0 nor 1", value);
	s->fallback = *value == '1';
	return 0;
}

static int set_key_file(struct settings *s, const char *value, struct err *err)
{
	if (*value && *value != '/')	/* the agent has no directory of the caller's */
		return err_set(err, ERR_CONFIG, "'%s' is not an absolute path", value);
	free(s->key_file);
	s->key_file = xstrdup(value);
	return 0;
}

static const struct {
	const char *name;	/* in the config */
	const char *variable;
	int (*set)(struct settings *s, const char *value, struct err *err);
} table[] = {
	{ "hosts", "RCC_HOSTS", set_hosts },
	{ "mode", "RCC_MODE", set_mode },
	{ "local_slots", "RCC_LOCAL_SLOTS", set_local_slots },
	{ "fallback", "RCC_FALLBACK", set_fallback },
	{ "key_file", "RCC_KEY_FILE", set_key_file },
};

const char *const *settings_names(void)
{
	static const char *names[ARRAY_LEN(table) + 1];

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		names[i] = table[i].name;
	return names;
}

int settings_set(struct settings *s, const char *name, const char *value, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_eq(name, table[i].name))
			return table[i].set(s, value, err);
	return err_set(err, ERR_CONFIG, "unknown setting");
}

struct reading {
	struct settings *settings;
	struct err *err;
	int rc;
};

/* Returns 0 on an error, so that ini_parse_file() returns its line. */
static int on_entry(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;

	if (r->rc < 0)
		return 1;
	if (*section && !str_eq(section, "rcc")) {
		r->rc = err_set(r->err, ERR_CONFIG, "[%s]: unknown section", section);
		return 0;
	}
	r->rc = settings_set(r->settings, name, value, r->err);
	if (r->rc < 0)
		err_wrap(r->err, "%s", name);
	return r->rc == 0;
}

static int load_file(const char *path, struct settings *s, struct err *err)
{
	struct reading r = { .settings = s, .err = err };
	FILE *f = fopen(path, "re");
	bool unreadable;
	int line;

	if (!f && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return err_sys(err, "%s", path);
	if (!f && errno != ENOENT && errno != ENOTDIR)
		return err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	if (!f)
		return 0;
	line = ini_parse_file(f, on_entry, &r);
	unreadable = ferror(f);
	fclose(f);
	if (r.rc < 0)
		return err_wrap(err, "%s:%d", path, line);
	if (line < 0 || unreadable)
		return err_set(err, ERR_CONFIG, "%s: cannot be read", path);
	return line > 0 ? err_set(err, ERR_CONFIG, "%s:%d: not 'name = value'", path, line) : 0;
}

static int load_files(const struct argv *env, struct settings *s, struct err *err)
{
	const char *xdg = environment_get(env, "XDG_CONFIG_HOME"), *home = environment_get(env, "HOME");
	autofree char *own = NULL;
	int rc = load_file("/etc/rcc/rcc.conf", s, err);

	if (xdg && *xdg)
		own = xasprintf("%s/rcc/rcc.conf", xdg);
	else if (home && *home)
		own = xasprintf("%s/.config/rcc/rcc.conf", home);
	return rc < 0 || !own ? rc : load_file(own, s, err);
}

/* The file that was named, or the first default that is there for us. */
static int load_keys(const struct argv *env, struct settings *s, struct err *err)
{
	autofree char *found = s->key_file ? NULL : key_default_file(environment_get(env, "XDG_CONFIG_HOME"),
								      environment_get(env, "HOME"));
	const char *path = s->key_file ? s->key_file : found;
	int rc;

	if (!path || !*path || !s->host_count)
		return 0;
	s->keys = keys_new();
	rc = keys_load(s->keys, path, err);
	return rc == ERR_ABSENT ? err->code = ERR_CONFIG : rc;
}

int settings_load(const struct argv *env, unsigned cores, struct settings *out, struct err *err)
{
	int rc;

	*out = (struct settings){ .mode = MODE_AUTO, .local_slots = cores, .fallback = true };
	rc = load_files(env, out, err);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(table); i++) {
		const char *value = environment_get(env, table[i].variable);

		if (value && (*value || table[i].set == set_hosts || table[i].set == set_key_file)) {
			rc = table[i].set(out, value, err);
			if (rc < 0)
				err_wrap(err, "%s", table[i].variable);
		}
	}
	if (rc == 0)
		rc = load_keys(env, out, err);
	if (rc < 0)
		settings_free(out);
	return rc;
}

void settings_free(struct settings *s)
{
	hosts_clear(s);
	free(s->key_file);
	s->key_file = NULL;
	keys_unref(s->keys);
	s->keys = NULL;
}
