/*
 * elf_info.c - program headers and the dynamic section, read with distrust.
 *
 * The file is read piece by piece, not mapped: one that shrinks meanwhile
 * would kill the agent. Every offset in it may be a lie; each read says how
 * many bytes it got.
 */
#include "elf_info.h"

#include <elf.h>

#include "buf.h"

enum {
	PHDRS_MAX = 256,
	DYNS_MAX = 4096,
	STRING_MAX = 4096,
};

struct image {
	const unsigned char *p;	/* NULL: the file at fd */
	size_t len;
	int fd;
};

struct segment {
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t filesz;
};

struct elf {
	const struct image *image;
	bool is64;
	struct segment segments[PHDRS_MAX];
	size_t count;
};

struct dyn {
	uint64_t tag;
	uint64_t value;
};

/* As many of len bytes as there are at that offset. */
static size_t fetch(const struct image *im, uint64_t at, void *out, size_t len)
{
	ssize_t n;

	if (im->p) {
		if (at >= im->len)
			return 0;
		len = size_min(len, im->len - (size_t)at);
		memcpy(out, im->p + at, len);
		return len;
	}
	n = at > INT64_MAX ? 0 : pread(im->fd, out, len, (off_t)at);
	return n > 0 ? (size_t)n : 0;
}

static uint64_t get_word(struct reader *r, bool is64)
{
	return is64 ? get_u64(r) : get_u32(r);
}

static void get_segment(struct reader *r, bool is64, struct segment *s)
{
	s->type = get_u32(r);
	if (is64)
		get_u32(r);	/* flags, which a 32-bit header has further down */
	s->offset = get_word(r, is64);
	s->vaddr = get_word(r, is64);
	get_word(r, is64);	/* physical address */
	s->filesz = get_word(r, is64);
	get_word(r, is64);	/* size in memory */
	get_word(r, is64);	/* alignment, or flags and alignment */
	if (!is64)
		get_u32(r);
}

static int read_segments(struct elf *e, uint64_t offset, size_t entry_size, size_t count, struct err *err)
{
	unsigned char raw[PHDRS_MAX * sizeof(Elf64_Phdr)];
	struct reader r;

	if (entry_size != (e->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) || count > PHDRS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "ELF: %zu program headers of %zu bytes", count, entry_size);
	if (fetch(e->image, offset, raw, count * entry_size) != count * entry_size)
		return err_set(err, ERR_UNSUPPORTED, "ELF: program headers beyond the end");
	r = reader_of(raw, count * entry_size);
	while (e->count < count)
		get_segment(&r, e->is64, &e->segments[e->count++]);
	return 0;
}

/* Fills the class, the machine and the segments. */
static int read_header(struct elf *e, struct elf_info *out, struct err *err)
{
	unsigned char raw[sizeof(Elf64_Ehdr)] = { 0 };
	size_t n = fetch(e->image, 0, raw, sizeof raw);
	struct reader r = reader_of(raw + EI_NIDENT, sizeof raw - EI_NIDENT);
	uint64_t offset;
	uint16_t type, entry_size;

	e->is64 = raw[EI_CLASS] == ELFCLASS64;
	if (n < (e->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)) || memcmp(raw, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_UNSUPPORTED, "not an ELF file");
	type = get_u16(&r);
	out->machine = get_u16(&r);
	out->is64 = e->is64;
	if ((!e->is64 && raw[EI_CLASS] != ELFCLASS32) || raw[EI_DATA] != ELFDATA2LSB ||
	    (type != ET_EXEC && type != ET_DYN))
		return err_set(err, ERR_UNSUPPORTED, "ELF: not a little-endian program or library");
	get_u32(&r);			/* version */
	get_word(&r, e->is64);		/* entry point */
	offset = get_word(&r, e->is64);
	get_word(&r, e->is64);		/* section headers */
	get_u32(&r);			/* flags */
	get_u16(&r);			/* size of this header */
	entry_size = get_u16(&r);
	return read_segments(e, offset, entry_size, get_u16(&r), err);
}

static const struct segment *find_segment(const struct elf *e, uint32_t type)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->segments[i].type == type)
			return &e->segments[i];
	return NULL;
}

/* The string at offset, ending before limit more bytes; NULL if it does not. */
static char *read_string(const struct elf *e, uint64_t offset, uint64_t limit)
{
	char raw[STRING_MAX];
	size_t n = fetch(e->image, offset, raw, limit < sizeof raw ? (size_t)limit : sizeof raw);

	return memchr(raw, 0, n) ? xstrdup(raw) : NULL;
}

/* The string at an address of the loaded file. */
static char *string_at(const struct elf *e, uint64_t vaddr)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct segment *s = &e->segments[i];

		if (s->type == PT_LOAD && vaddr >= s->vaddr && vaddr - s->vaddr < s->filesz)
			return read_string(e, s->offset + (vaddr - s->vaddr), s->filesz - (vaddr - s->vaddr));
	}
	return NULL;
}

/* The entries before the first DT_NULL; their count. */
static size_t read_dyns(const struct elf *e, const struct segment *s, struct dyn *dyns)
{
	size_t size = e->is64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn), count = 0, n;
	autofree unsigned char *raw = xmalloc(DYNS_MAX * size);
	struct reader r;

	n = fetch(e->image, s->offset, raw, s->filesz < DYNS_MAX * size ? (size_t)s->filesz : DYNS_MAX * size);
	for (r = reader_of(raw, n); r.left >= size; count++) {
		dyns[count].tag = get_word(&r, e->is64);
		dyns[count].value = get_word(&r, e->is64);
		if (dyns[count].tag == DT_NULL)
			break;
	}
	return count;
}

/* The last one counts, as it does for the loader; 0 if there is none. */
static uint64_t dyn_value(const struct dyn *dyns, size_t count, uint64_t tag)
{
	while (count--)
		if (dyns[count].tag == tag)
			return dyns[count].value;
	return 0;
}

static int take_dyn(const struct elf *e, const struct dyn *d, uint64_t strtab, struct elf_info *out, struct err *err)
{
	char **single = d->tag == DT_SONAME ? &out->soname : d->tag == DT_RPATH ? &out->rpath
			: d->tag == DT_RUNPATH ? &out->runpath : NULL;
	char *s;

	if (!single && d->tag != DT_NEEDED)
		return 0;
	s = string_at(e, strtab + d->value);
	if (!s)
		return err_set(err, ERR_UNSUPPORTED, "ELF: a string is outside the file");
	if (single) {
		free(*single);
		*single = s;
	} else {
		argv_take(&out->needed, s);
	}
	return 0;
}

static int read_dynamic(const struct elf *e, struct elf_info *out, struct err *err)
{
	const struct segment *s = find_segment(e, PT_DYNAMIC);
	autofree struct dyn *dyns = xmalloc(DYNS_MAX * sizeof *dyns);
	size_t count = s ? read_dyns(e, s, dyns) : 0;
	uint64_t strtab = dyn_value(dyns, count, DT_STRTAB);
	int rc = 0;

	out->no_default_dirs = dyn_value(dyns, count, DT_FLAGS_1) & DF_1_NODEFLIB;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = take_dyn(e, &dyns[i], strtab, out, err);
	return rc;
}

static int read_interp(const struct elf *e, struct elf_info *out, struct err *err)
{
	const struct segment *s = find_segment(e, PT_INTERP);

	if (!s)
		return 0;
	out->interp = read_string(e, s->offset, s->filesz);
	return out->interp ? 0 : err_set(err, ERR_UNSUPPORTED, "ELF: the interpreter's name has no end");
}

static int elf_read(const struct image *image, struct elf_info *out, struct err *err)
{
	struct elf e = { .image = image };
	int rc;

	*out = (struct elf_info){ 0 };
	rc = read_header(&e, out, err);
	if (rc == 0)
		rc = read_interp(&e, out, err);
	if (rc == 0)
		rc = read_dynamic(&e, out, err);
	if (rc < 0)
		elf_info_free(out);
	return rc;
}

int elf_read_fd(int fd, struct elf_info *out, struct err *err)
{
	return elf_read(&(struct image){ .fd = fd }, out, err);
}

int elf_read_bytes(const void *p, size_t len, struct elf_info *out, struct err *err)
{
	return elf_read(&(struct image){ .p = p, .len = len, .fd = -1 }, out, err);
}

void elf_info_free(struct elf_info *e)
{
	free(e->interp);
	free(e->soname);
	free(e->rpath);
	free(e->runpath);
	argv_free(&e->needed);
	*e = (struct elf_info){ 0 };
}
