/*
 * program.c - is that file rcc, a compiler driver, or something else?
 *
 * rcc marks itself with an ELF note, so that two builds of it in PATH know
 * each other and neither runs the other for ever. The file is a stranger's:
 * every offset in it is checked against a bound before it is followed.
 */
#include "program.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <sys/stat.h>

#include "drivers.h"

enum { SEGMENTS_MAX = 64, NOTES_MAX = 4096, HEAD = 4096 };

struct note {
	ElfW(Nhdr) header;
	char owner[4];
	uint32_t version;
};

#define NOTE_OWNER "rcc"
__attribute__((section(".note.rcc"), used, aligned(4)))
static const struct note own_note = { { sizeof NOTE_OWNER, sizeof(uint32_t), 1 }, NOTE_OWNER, 1 };

/* A file of which the beginning, where all that matters mostly is, was read. */
struct view {
	int fd;
	size_t len;
	unsigned char head[HEAD];
	unsigned char other[NOTES_MAX];
};

/* len bytes at offset, valid until the next call; NULL if the file has not as many. */
static const void *view_at(struct view *v, uint64_t offset, size_t len)
{
	if (offset <= v->len && len <= v->len - offset)
		return v->head + offset;
	if (len > sizeof v->other || offset > INT64_MAX || pread(v->fd, v->other, len, (off_t)offset) != (ssize_t)len)
		return NULL;
	return v->other;
}

static size_t padded(uint32_t n)
{
	return ((size_t)n + 3) & ~(size_t)3;
}

static bool notes_hold_ours(const unsigned char *p, size_t left)
{
	ElfW(Nhdr) h;

	while (left >= sizeof h) {
		size_t size;

		memcpy(&h, p, sizeof h);
		size = sizeof h + padded(h.n_namesz) + padded(h.n_descsz);
		if (size > left)
			return false;
		if (h.n_namesz == sizeof NOTE_OWNER && h.n_type == own_note.header.n_type &&
		    memcmp(p + sizeof h, NOTE_OWNER, sizeof NOTE_OWNER) == 0)
			return true;
		p += size;
		left -= size;
	}
	return false;
}

static bool is_elf(struct view *v)
{
	return v->len >= SELFMAG && memcmp(v->head, ELFMAG, SELFMAG) == 0;
}

static bool has_note(struct view *v)
{
	ElfW(Ehdr) eh;
	ElfW(Phdr) ph;

	if (v->len < sizeof eh)
		return false;
	memcpy(&eh, v->head, sizeof eh);
	if (eh.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) || eh.e_phentsize != sizeof ph)
		return false;
	for (size_t i = 0; i < size_min(eh.e_phnum, SEGMENTS_MAX); i++) {
		const void *p = view_at(v, eh.e_phoff + i * sizeof ph, sizeof ph);

		if (!p)
			return false;
		memcpy(&ph, p, sizeof ph);
		if (ph.p_type != PT_NOTE || ph.p_filesz > NOTES_MAX)
			continue;
		p = view_at(v, ph.p_offset, ph.p_filesz);
		if (p && notes_hold_ours(p, ph.p_filesz))
			return true;
	}
	return false;
}

/* The name behind all links, as the kernel found it. */
static bool named_as_driver(int fd)
{
	char link[64], real[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, real, sizeof real - 1);
	if (n <= 0)
		return false;
	real[n] = 0;
	return driver_name(path_base(real));
}

static bool same_as_self(const char *file)
{
	struct stat a, b;

	return stat(file, &a) == 0 && stat("/proc/self/exe", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void program_look(const char *file, struct program *p)
{
	struct view v = { .fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC) };
	struct stat st;
	ssize_t n;

	*p = (struct program){ 0 };
	if (v.fd < 0) {		/* may be run, but not read */
		p->rcc = same_as_self(file);
		return;
	}
	n = pread(v.fd, v.head, sizeof v.head, 0);
	v.len = n > 0 ? (size_t)n : 0;
	p->elf = is_elf(&v);
	p->rcc = p->elf && has_note(&v);
	p->driver = p->elf && !p->rcc && named_as_driver(v.fd);
	if (!p->driver && fstat(v.fd, &st) == 0) {
		p->dev = st.st_dev;
		p->ino = st.st_ino;
	}
	close(v.fd);
}

char *program_self(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n <= 0)
		return NULL;
	path[n] = 0;
	return xstrdup(path);
}
