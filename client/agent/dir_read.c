/*
 * dir_read.c - readdir(3), and whether the directory tells cases apart.
 */
#include "dir_read.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

struct probe {
	char name[256];		/* the first one with an ASCII letter, the case of that letter changed; "": none yet */
	bool foreign;		/* some name is more than ASCII */
	bool met;		/* the changed name is there by itself */
};

static bool is_ascii_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void probe_note(struct probe *p, const char *name)
{
	for (const char *c = name; *c; c++) {
		p->foreign |= (unsigned char)*c >= 0x80;
		if (!*p->name && is_ascii_letter(*c)) {
			snprintf(p->name, sizeof p->name, "%s", name);
			p->name[c - name] ^= 0x20;
		}
	}
}

/* Without a letter to try it with, what is beyond ASCII may have other forms. */
static bool one_form(const struct probe *p, int fd)
{
	struct stat st;

	if (!*p->name)
		return !p->foreign;
	return p->met || (fstatat(fd, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT);
}

static int read_names(DIR *d, size_t max, void (*add)(void *arg, const char *name), void *arg)
{
	struct probe probe = { 0 };
	struct dirent *e;

	while (errno = 0, e = readdir(d)) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		if (!max--) {
			errno = E2BIG;
			return -1;
		}
		if (*probe.name && str_eq(e->d_name, probe.name))
			probe.met = true;
		probe_note(&probe, e->d_name);
		add(arg, e->d_name);
	}
	if (errno)
		return -1;
	if (one_form(&probe, dirfd(d)))
		return 0;
	errno = EILSEQ;
	return -1;
}

int dir_read(int fd, size_t max, void (*add)(void *arg, const char *name), void *arg)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc, why;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d) {
		if (copy >= 0)
			close(copy);
		return -1;
	}
	rc = read_names(d, max, add, arg);
	why = errno;
	closedir(d);
	errno = why;
	return rc;
}
