/*
 * key.c - reading, making and deriving keys.
 */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "file.h"

#define MAGIC "rcc-key-1"
enum { FILE_MAX = 16 * 1024, BASE64 = 44 };	/* of KEY_SECRET bytes, with its '=' */

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

struct keys *keys_new(void)
{
	struct keys *k = xcalloc(1, sizeof *k);

	k->refs = 1;
	return k;
}

struct keys *keys_ref(struct keys *k)
{
	if (k)
		k->refs++;
	return k;
}

void keys_unref(struct keys *k)
{
	if (!k || --k->refs)
		return;
	explicit_bzero(k, sizeof *k);
	free(k);
}

const struct key *keys_find(const struct keys *k, const char *name, size_t len)
{
	for (size_t i = 0; i < k->count; i++)
		if (strlen(k->all[i].name) == len && memcmp(k->all[i].name, name, len) == 0)
			return &k->all[i];
	return NULL;
}

bool key_eq(const struct key *a, const struct key *b)
{
	return str_eq(a->name, b->name) && gnutls_memcmp(a->secret, b->secret, KEY_SECRET) == 0;
}

void key_derive(const struct key *k, const char *label, unsigned char *out)
{
	/* fails only where SHA-256 is not to be had, and then nothing here can work */
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, k->secret, KEY_SECRET, label, strlen(label), out) < 0)
		abort();
}

/* The secret in base64, and only as we write it: one key has one text. */
static bool secret_of(const char *text, unsigned char *secret)
{
	gnutls_datum_t in = { (unsigned char *)text, BASE64 }, out = { 0 }, again = { 0 };
	bool good = gnutls_base64_decode2(&in, &out) == 0 && out.size == KEY_SECRET &&
		    gnutls_base64_encode2(&out, &again) == 0 && again.size == BASE64 &&
		    memcmp(again.data, text, BASE64) == 0;

	if (good)
		memcpy(secret, out.data, KEY_SECRET);
	if (out.data)
		explicit_bzero(out.data, out.size);
	if (again.data)
		explicit_bzero(again.data, again.size);
	gnutls_free(out.data);
	gnutls_free(again.data);
	return good;
}

/* One line, without its end. 0, or ERR_CONFIG without a word of what the line holds. */
static int parse_line(struct keys *k, const char *line, size_t len, struct err *err)
{
	const char *name = line + sizeof MAGIC, *secret;
	size_t name_len;

	if (len < sizeof MAGIC || memcmp(line, MAGIC " ", sizeof MAGIC) != 0)
		return err_set(err, ERR_CONFIG, "not a key: it does not begin with '" MAGIC " '");
	for (name_len = 0; name + name_len < line + len && name[name_len] != ' '; name_len++)
		if (!name[name_len] || !strchr(name_bytes, name[name_len]))
			return err_set(err, ERR_CONFIG, "a key's name is of letters, digits, '.', '_' and '-'");
	if (name_len < 1 || name_len > KEY_NAME)
		return err_set(err, ERR_CONFIG, "a key's name has 1 to %d bytes", KEY_NAME);
	secret = name + name_len + 1;
	if (secret > line + len || (size_t)(line + len - secret) != BASE64)
		return err_set(err, ERR_CONFIG, "not a key: its secret is not of %d characters", BASE64);
	if (keys_find(k, name, name_len))
		return err_set(err, ERR_CONFIG, "a second key with one name");
	if (k->count == KEYS_MAX)
		return err_set(err, ERR_CONFIG, "more than %d keys", KEYS_MAX);
	if (!secret_of(secret, k->all[k->count].secret))
		return err_set(err, ERR_CONFIG, "not a key: its secret is not base64");
	memcpy(k->all[k->count].name, name, name_len);
	k->all[k->count].name[name_len] = 0;
	k->count++;
	return 0;
}

int keys_parse(struct keys *k, const char *text, size_t len, struct err *err)
{
	size_t before = k->count;
	int number = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len, taken = line + (end != NULL);

		number++;
		if (line && *text != '#' && parse_line(k, text, line, err) < 0)
			return err_wrap(err, "%d", number);
		text += taken;
		len -= taken;
	}
	return k->count > before ? 0 : err_set(err, ERR_CONFIG, "holds no key");
}

/* Whoever can read or write the file is of the farm: that must be root's or the user's own choice. */
static int check_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "%s: not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, ERR_CONFIG, "%s: belongs to another user", path);
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return err_set(err, ERR_CONFIG, "%s: others can read or change this key: chmod 600 it", path);
	return 0;
}

int keys_load(struct keys *k, const char *path, struct err *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	autobuf struct buf b = { 0 };
	int rc;

	if (fd < 0) {
		rc = errno == ENOENT || errno == ENOTDIR || errno == EACCES ? ERR_ABSENT : ERR_IO;
		err_sys(err, "%s", path);
		return err ? err->code = rc : rc;
	}
	rc = check_file(fd, path, err);
	if (rc < 0)
		return rc;
	buf_reserve(&b, FILE_MAX);	/* at once: no copy of it is left behind by growing */
	rc = read_all(fd, FILE_MAX, &b, err);
	if (rc >= 0 && (rc = keys_parse(k, (const char *)b.p, b.len, err)) < 0)
		err_wrap(err, "%s", path);
	explicit_bzero(b.p, b.room);
	return rc < 0 ? rc : 0;
}

/* All of p from the kernel's random numbers. */
static int random_bytes(void *p, size_t len, struct err *err)
{
	ssize_t n;

	do
		n = getrandom(p, len, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len ? 0 : err_sys(err, "getrandom");
}

static int make_text(char name[KEY_NAME + 1], char text[FILE_MAX], size_t *len, struct err *err)
{
	unsigned char secret[KEY_SECRET], tag[4];
	gnutls_datum_t in = { secret, sizeof secret }, out = { 0 };
	int rc = random_bytes(secret, sizeof secret, err);

	if (rc == 0)
		rc = random_bytes(tag, sizeof tag, err);
	if (rc == 0 && gnutls_base64_encode2(&in, &out) < 0)
		rc = err_set(err, ERR_IO, "base64");
	explicit_bzero(secret, sizeof secret);
	if (rc < 0)
		return rc;
	snprintf(name, KEY_NAME + 1, "farm-%02x%02x%02x%02x", tag[0], tag[1], tag[2], tag[3]);
	*len = (size_t)snprintf(text, FILE_MAX, MAGIC " %s %.*s\n", name, (int)out.size, (char *)out.data);
	explicit_bzero(out.data, out.size);
	gnutls_free(out.data);
	return 0;
}

int key_make(const char *path, char name[KEY_NAME + 1], struct err *err)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char text[FILE_MAX];
	size_t len = 0;
	int rc;

	if (fd < 0)
		return err_sys(err, "%s", path);
	rc = make_text(name, text, &len, err);
	if (rc == 0 && (fchmod(fd, 0600) < 0 || write_all(fd, text, len) < 0 || fsync(fd) < 0))
		rc = err_sys(err, "%s", path);
	explicit_bzero(text, sizeof text);
	if (rc < 0)
		unlink(path);
	return rc;
}

char *key_default_file(const char *xdg_config, const char *home)
{
	char *own = xdg_config && *xdg_config ? xasprintf("%s/rcc/key", xdg_config) :
		    home && *home ? xasprintf("%s/.config/rcc/key", home) : NULL;

	if (own && access(own, R_OK) == 0)
		return own;
	free(own);
	return access("/etc/rcc/key", R_OK) == 0 ? xstrdup("/etc/rcc/key") : NULL;
}
