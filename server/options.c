/*
 * options.c - the table of options, and its three readers.
 *
 * The command line is read first, then the file, then the defaults; each
 * fills only what was not set before it, but all of it is checked.
 */
#include "options.h"

#include <ini.h>
#include <stdio.h>

#include "address.h"
#include "buf.h"
#include "file.h"
#include "log.h"
#include "policy.h"

#define CONFIG_FILE "/etc/rcc/rccd.conf"

static const char *const off[] = { "off", NULL };
static const char *const accepted[] = { "same", "any", NULL };
static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const faults[FAULTS + 1] = {
	[FAULT_NONE] = "none",
	[FAULT_EXIT_BEFORE_GRANT] = "exit-before-grant",
	[FAULT_EXIT_ON_INPUT] = "exit-on-input",
	[FAULT_EXIT_COMPILING] = "exit-compiling",
	[FAULT_EXIT_SENDING] = "exit-sending",
	[FAULT_REFUSE] = "refuse",
	[FAULT_SILENT] = "silent",
	[FAULT_SILENT_JOB] = "silent-job",
	[FAULT_GARBAGE] = "garbage",
	[FAULT_FLIP] = "flip",
	[FAULT_EMPTY] = "empty",
	[FAULT_NAMED] = "named",
};

#define AT(field) .offset = offsetof(struct options, field)

const struct option_row option_rows[] = {
	{ .name = "listen", .value = "ADDR:PORT", .type = OPTION_ADDRESS, .many = true, AT(listen),
	  .fallback = "127.0.0.1:17632", .help = "where agents connect; port 0 takes any" },
	{ .name = "http", .value = "ADDR:PORT|off", .type = OPTION_ADDRESS, AT(http),
	  .fallback = "127.0.0.1:17633", .choices = off, .help = "the status page" },
	{ .name = "jobs", .value = "N", .type = OPTION_NUMBER, AT(jobs),
	  .min = 1, .max = 4096, .help = "jobs at once; default: the cores" },
	{ .name = "job-uid", .value = "UID", .type = OPTION_NUMBER, AT(job_uid),
	  .min = 1, .max = 4000000000, .fallback = "64000", .help = "as root: the first of the user ids that jobs run as, one for each job at once" },
	{ .name = "job-memory", .value = "SIZE", .type = OPTION_SIZE, AT(job_memory),
	  .min = 16 << 20, .max = (uint64_t)1 << 50, .help = "what a job may hold, as in 512M or 2G; default: a quarter of the machine's, at least 1G, at most half" },
	{ .name = "grace", .value = "SECONDS", .type = OPTION_NUMBER, AT(grace),
	  .max = 1200, .fallback = "20", .help = "how long running jobs may go on when rccd is told to end" },
	{ .name = "store", .value = "DIR", .type = OPTION_TEXT, AT(store),
	  .help = "where compilers are kept; default: /var/cache/rccd, or ~/.cache/rccd for an ordinary user" },
	{ .name = "store-max", .value = "SIZE", .type = OPTION_SIZE, AT(store_max),
	  .min = UINT64_C(1) << 20, .max = UINT64_C(1) << 50, .fallback = "10G", .help = "how much of the disk the store may take" },
	{ .name = "name", .value = "NAME", .type = OPTION_TEXT, AT(name),
	  .help = "what this volunteer is called; default: the host's name" },
	{ .name = "policy", .value = "POLICY", .type = OPTION_CHOICE, AT(policy),
	  .fallback = "polite", .choices = policy_names, .help = "when to work: dedicated (always), polite (on what the owner leaves free), idle (while the owner is away)" },
	{ .name = "owner-root", .value = "DIR", .type = OPTION_TEXT, AT(owner_root),
	  .help = "look for the owner in files below it, for tests" },
	{ .name = "toolchain-dir", .value = "DIR", .type = OPTION_TEXT, .many = true, AT(toolchain_dirs),
	  .fallback = "/usr", .help = "below which this machine's own files may serve callers' toolchains" },
	{ .name = "accept-toolchains", .value = "WHICH", .type = OPTION_CHOICE, AT(accept_toolchains), .choices = accepted,
	  .help = "same: those this machine has itself; any: callers may bring theirs; default: any with a key, else same" },
	{ .name = "key-file", .value = "FILE", .type = OPTION_TEXT, .many = true, AT(key_files),
	  .help = "serve holders of these keys only; default: ~/.config/rcc/key, else /etc/rcc/key, if it is there" },
	{ .name = "allow-public", .type = OPTION_FLAG, AT(allow_public),
	  .help = "listen on addresses that the Internet may reach" },
	{ .name = "insecure-no-sandbox", .type = OPTION_FLAG, AT(insecure_no_sandbox),
	  .help = "do not confine jobs: they can do what this user can" },
	{ .name = "insecure-no-auth", .type = OPTION_FLAG, AT(insecure_no_auth),
	  .help = "serve whoever connects, without a key; for test networks" },
	{ .name = "log", .value = "LEVEL", .type = OPTION_CHOICE, AT(log),
	  .fallback = "info", .choices = levels, .help = "error, warn, info or debug" },
	{ .name = "fault", .value = "NAME", .type = OPTION_CHOICE, AT(fault),
	  .fallback = "none", .choices = faults, .help = "go wrong in this way, for tests" },
	{ .name = "config", .value = "FILE", .type = OPTION_TEXT, .argv_only = true, AT(config),
	  .help = "options without their dashes, one a line; default: " CONFIG_FILE " if it is there" },
	{ .name = "make-key", .value = "FILE", .type = OPTION_TEXT, .argv_only = true, AT(make_key),
	  .help = "write a new key to a new file, and end" },
	{ .name = "help", .type = OPTION_FLAG, .argv_only = true, AT(help), .help = "print this" },
	{ .name = "version", .type = OPTION_FLAG, .argv_only = true, AT(version), .help = "print the version" },
};
const size_t option_row_count = ARRAY_LEN(option_rows);

/* Which rows are settled, and by what. */
enum source { UNSET, DEFAULTS, CONFIG, COMMAND_LINE };
struct setting {
	struct options *o;
	enum source source;
	enum source by[ARRAY_LEN(option_rows)];
};

static int index_of(const char *const *choices, const char *value)
{
	for (int i = 0; choices && choices[i]; i++)
		if (str_eq(choices[i], value))
			return i;
	return -1;
}

static int check_number(const struct option_row *row, const char *value, uint64_t *n, struct err *err)
{
	size_t len = strlen(value);

	*n = len && len < 19 && strspn(value, "0123456789") == len ? strtoull(value, NULL, 10) : UINT64_MAX;
	if (*n < row->min || *n > row->max)
		return err_set(err, ERR_CONFIG, "'%s' is not a number from %llu to %llu", value,
			       (unsigned long long)row->min, (unsigned long long)row->max);
	return 0;
}

uint64_t options_size(const char *text)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	uint64_t n = digits && digits < 19 ? strtoull(text, NULL, 10) : UINT64_MAX;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if ((text[digits] && (!unit || text[digits + 1])) || n > UINT64_MAX >> shift)
		return UINT64_MAX;
	return n << shift;
}

static int check_size(const struct option_row *row, const char *value, struct err *err)
{
	uint64_t n = options_size(value);

	if (n < row->min || n > row->max)
		return err_set(err, ERR_CONFIG, "'%s' is not a size like 512M or 2G, from %lluM to %lluM", value,
			       (unsigned long long)row->min >> 20, (unsigned long long)row->max >> 20);
	return 0;
}

static int check_choice(const struct option_row *row, const char *value, struct err *err)
{
	autobuf struct buf all = { 0 };

	if (index_of(row->choices, value) >= 0)
		return 0;
	for (int i = 0; row->choices[i]; i++)
		buf_printf(&all, "%s%s", i ? ", " : "", row->choices[i]);
	return err_set(err, ERR_CONFIG, "'%s' is none of: %s", value, buf_str(&all));
}

static int check(const struct option_row *row, const char *value, struct err *err)
{
	struct address any;
	uint64_t n;

	switch (row->type) {
	case OPTION_NUMBER:
		return check_number(row, value, &n, err);
	case OPTION_SIZE:
		return check_size(row, value, err);
	case OPTION_CHOICE:
		return check_choice(row, value, err);
	case OPTION_ADDRESS:
		return index_of(row->choices, value) >= 0 ? 0 : address_parse(value, &any, err);
	case OPTION_TEXT:
		return *value ? 0 : err_set(err, ERR_CONFIG, "is empty");
	case OPTION_FLAG: case OPTION_TYPES:
		break;
	}
	return str_eq(value, "yes") || str_eq(value, "no") ? 0 :
	       err_set(err, ERR_CONFIG, "'%s' is neither yes nor no", value);
}

static void store(struct options *o, const struct option_row *row, const char *value)
{
	void *field = (char *)o + row->offset;

	if (row->many) {
		argv_push(field, value);
	} else if (row->type == OPTION_FLAG) {
		*(bool *)field = str_eq(value, "yes");
	} else if (row->type == OPTION_NUMBER) {
		*(uint64_t *)field = strtoull(value, NULL, 10);
	} else if (row->type == OPTION_SIZE) {
		*(uint64_t *)field = options_size(value);
	} else {
		free(*(char **)field);
		*(char **)field = xstrdup(value);
	}
}

static int set(struct setting *s, const struct option_row *row, const char *value, struct err *err)
{
	enum source *by = &s->by[row - option_rows];
	int rc = check(row, value, err);

	if (rc < 0)
		return rc;
	if (*by > s->source)
		return 0;
	*by = s->source;
	store(s->o, row, value);
	return 0;
}

static const struct option_row *row_of(const char *name, size_t len)
{
	for (size_t i = 0; i < option_row_count; i++)
		if (strlen(option_rows[i].name) == len && memcmp(option_rows[i].name, name, len) == 0)
			return &option_rows[i];
	return NULL;
}

/* One option of the command line; its value may be the next word. */
static int take_word(struct setting *s, char *const **argv, struct err *err)
{
	const char *word = *(*argv)++;
	size_t len = strcspn(word, "=");
	const struct option_row *row = str_starts(word, "--") && len > 2 ? row_of(word + 2, len - 2) : NULL;
	const char *value = word[len] ? word + len + 1 : NULL;
	int rc;

	if (!row)
		return err_set(err, ERR_CONFIG, "%s: unknown %s; see rccd --help", word,
			       *word == '-' ? "option" : "argument");
	if (row->type == OPTION_FLAG) {
		if (value)
			return err_set(err, ERR_CONFIG, "--%s: takes no value", row->name);
		return set(s, row, "yes", err);
	}
	if (!value && !(value = **argv))
		return err_set(err, ERR_CONFIG, "--%s: needs a value", row->name);
	*argv += !word[len];
	rc = set(s, row, value, err);
	return rc < 0 ? err_wrap(err, "--%s", row->name) : 0;
}

/* The file as inih reads it, with the line number that it does not tell. */
struct config_file {
	struct setting *setting;
	FILE *stream;
	int line;
	int rc;
	struct err *err;
};

static int on_setting(void *user, const char *section, const char *name, const char *value)
{
	struct config_file *f = user;
	const struct option_row *row = row_of(name, strlen(name));

	if (f->rc < 0)
		return 0;
	if (*section && !str_eq(section, "rccd"))
		f->rc = err_set(f->err, ERR_CONFIG, "unknown section [%s]", section);
	else if (!row || row->argv_only)
		f->rc = err_set(f->err, ERR_CONFIG, "unknown key '%s'", name);
	else if ((f->rc = set(f->setting, row, value, f->err)) < 0)
		err_wrap(f->err, "%s", name);
	if (f->rc < 0)
		err_wrap(f->err, "%s:%d", f->setting->o->config, f->line);
	return f->rc == 0;
}

/* Indentation is dropped: inih would take it for a continuation. */
static char *next_line(char *line, int room, void *stream)
{
	struct config_file *f = stream;
	size_t blank;

	if (f->rc < 0)
		return NULL;
	if (!fgets(line, room, f->stream)) {
		if (ferror(f->stream)) {	/* a directory opens, but does not read */
			err_sys(f->err, "%s", f->setting->o->config);
			f->rc = f->err->code = ERR_CONFIG;
		}
		return NULL;
	}
	f->line++;
	if (!strchr(line, '\n') && !feof(f->stream)) {
		f->rc = err_set(f->err, ERR_CONFIG, "%s:%d: line is too long", f->setting->o->config, f->line);
		return NULL;
	}
	blank = strspn(line, " \t");
	memmove(line, line + blank, strlen(line + blank) + 1);
	return line;
}

static int read_config(struct setting *s, struct err *err)
{
	struct config_file f = { .setting = s, .err = err };
	int bad;

	s->source = CONFIG;
	f.stream = fopen(s->o->config, "re");
	if (!f.stream) {
		err_sys(err, "%s", s->o->config);
		return err->code = ERR_CONFIG;
	}
	bad = ini_parse_stream(next_line, &f, on_setting, &f);
	fclose(f.stream);
	if (f.rc < 0)
		return f.rc;
	if (bad)
		return err_set(err, ERR_CONFIG, "%s:%d: not 'key = value'", s->o->config, bad);
	return 0;
}

uint64_t options_job_memory(uint64_t machine_bytes)
{
	const uint64_t least = (uint64_t)1 << 30;
	uint64_t bytes = machine_bytes / 4 < least ? least : machine_bytes / 4;

	return bytes > machine_bytes / 2 ? machine_bytes / 2 : bytes;
}

uint64_t options_machine_bytes(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What depends on the machine or the user. */
static char *computed_default(const struct option_row *row)
{
	const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
	char host[256] = "";

	if (str_eq(row->name, "jobs"))
		return xasprintf("%ld", sysconf(_SC_NPROCESSORS_ONLN));
	if (str_eq(row->name, "job-memory"))
		return xasprintf("%llu", (unsigned long long)options_job_memory(options_machine_bytes()));
	if (str_eq(row->name, "name"))
		return gethostname(host, sizeof host - 1) == 0 && *host ? xstrdup(host) : xstrdup("rccd");
	if (!str_eq(row->name, "store"))
		return NULL;
	if (geteuid() == 0)
		return xstrdup("/var/cache/rccd");
	if (cache && *cache == '/')
		return xasprintf("%s/rccd", cache);
	return xasprintf("%s/.cache/rccd", home && *home == '/' ? home : "/tmp");
}

static int set_defaults(struct setting *s, struct err *err)
{
	int rc = 0;

	s->source = DEFAULTS;
	for (size_t i = 0; i < option_row_count && rc == 0; i++) {
		const struct option_row *row = &option_rows[i];
		autofree char *value = row->fallback ? xstrdup(row->fallback) : computed_default(row);

		if (value && s->by[i] == UNSET && (rc = set(s, row, value, err)) < 0)
			err_wrap(err, "%s", row->name);
	}
	return rc;
}

int options_read(struct options *o, char *const *argv, struct err *err)
{
	struct setting s = { .o = o, .source = COMMAND_LINE };
	int rc = 0;

	*o = (struct options){ 0 };
	while (rc == 0 && *argv)
		rc = take_word(&s, &argv, err);
	if (rc == 0 && !o->config && access(CONFIG_FILE, F_OK) == 0)
		o->config = xstrdup(CONFIG_FILE);
	if (rc == 0 && o->config && !o->help && !o->version && !o->make_key)
		rc = read_config(&s, err);
	if (rc == 0)
		rc = set_defaults(&s, err);
	if (rc < 0)
		options_free(o);
	return rc;
}

void options_free(struct options *o)
{
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		void *field = (char *)o + row->offset;

		if (row->many)
			argv_free(field);
		else if (row->type != OPTION_FLAG && row->type != OPTION_NUMBER && row->type != OPTION_SIZE)
			free(*(char **)field);
	}
	*o = (struct options){ 0 };
}

enum fault options_fault(const struct options *o)
{
	int i = index_of(faults, o->fault);

	return i < 0 ? FAULT_NONE : (enum fault)i;
}

char *options_help(void)
{
	struct buf b = { 0 };

	buf_puts(&b, "Usage: rccd [OPTION]...\nLend this machine's processors to the compiles of others.\n\n");
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		autofree char *left = xasprintf("--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");

		buf_printf(&b, "  %-24s %s", left, row->help);
		if (row->fallback)
			buf_printf(&b, "; default: %s", row->fallback);
		buf_puts(&b, row->many ? "; may be repeated\n" : "\n");
	}
	return buf_str(&b);
}
