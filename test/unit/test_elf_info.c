/*
 * test_elf_info.c - ELF files made by hand: two classes, cut short, lying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "buf.h"
#include "elf_info.h"

static const uint64_t base = 0x10000;	/* where the file is loaded */

static const char strings[] = "\0libone.so\0libtwo.so\0$ORIGIN/lib\0me.so\0/lib/ld.so";
enum { ONE = 1, TWO = 11, PATH = 21, ME = 33, INTERP = 39 };

static void put_word(struct buf *b, bool is64, uint64_t v)
{
	if (is64)
		put_u64(b, v);
	else
		put_u32(b, (uint32_t)v);
}

static void put_phdr(struct buf *b, bool is64, uint32_t type, uint64_t offset, uint64_t size)
{
	put_u32(b, type);
	if (is64)
		put_u32(b, 0);
	put_word(b, is64, offset);
	put_word(b, is64, base + offset);
	put_word(b, is64, 0);
	put_word(b, is64, size);
	put_word(b, is64, size);
	put_word(b, is64, 0);
	if (!is64)
		put_u32(b, 0);
}

static void put_dyn(struct buf *b, bool is64, uint64_t tag, uint64_t value)
{
	put_word(b, is64, tag);
	put_word(b, is64, value);
}

/* Header, three program headers, the strings, the dynamic section. */
static void put_elf(struct buf *b, bool is64)
{
	const unsigned char ident[EI_NIDENT] = { 0x7f, 'E', 'L', 'F', is64 ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, 1 };
	uint16_t header = is64 ? 64 : 52, phdr = is64 ? 56 : 32;
	uint64_t text = header + 3 * (uint64_t)phdr, dyn = text + sizeof strings, dyns = (is64 ? 16 : 8) * 7;

	put_raw(b, ident, sizeof ident);
	put_u16(b, ET_DYN);
	put_u16(b, is64 ? EM_AARCH64 : EM_386);
	put_u32(b, 1);
	put_word(b, is64, 0);
	put_word(b, is64, header);
	put_word(b, is64, 0);
	put_u32(b, 0);
	put_u16(b, header);
	put_u16(b, phdr);
	put_u16(b, 3);
	put_u16(b, 0);
	put_u16(b, 0);
	put_u16(b, 0);
	put_phdr(b, is64, PT_LOAD, 0, dyn + dyns);
	put_phdr(b, is64, PT_DYNAMIC, dyn, dyns);
	put_phdr(b, is64, PT_INTERP, text + INTERP, sizeof strings - INTERP);
	put_raw(b, strings, sizeof strings);
	put_dyn(b, is64, DT_NEEDED, ONE);	/* before the table it points into: as linkers do */
	put_dyn(b, is64, DT_NEEDED, TWO);
	put_dyn(b, is64, DT_SONAME, ME);
	put_dyn(b, is64, DT_RUNPATH, PATH);
	put_dyn(b, is64, DT_STRTAB, base + text);
	put_dyn(b, is64, DT_FLAGS_1, DF_1_NODEFLIB);
	put_dyn(b, is64, DT_NULL, 0);
}

static void assert_facts(const struct elf_info *e, bool is64)
{
	assert_int_equal(e->is64, is64);
	assert_int_equal(e->machine, is64 ? EM_AARCH64 : EM_386);
	assert_string_equal(e->interp, "/lib/ld.so");
	assert_string_equal(e->soname, "me.so");
	assert_string_equal(e->runpath, "$ORIGIN/lib");
	assert_null(e->rpath);
	assert_true(e->no_default_dirs);
	assert_int_equal(e->needed.count, 2);
	assert_string_equal(e->needed.v[0], "libone.so");
	assert_string_equal(e->needed.v[1], "libtwo.so");
}

static void both_classes_are_read(void **state UNUSED)
{
	for (int is64 = 0; is64 < 2; is64++) {
		autobuf struct buf b = { 0 };
		struct elf_info e;

		put_elf(&b, is64);
		assert_int_equal(elf_read_bytes(b.p, b.len, &e, NULL), 0);
		assert_facts(&e, is64);
		elf_info_free(&e);
	}
}

static void a_file_is_read_like_memory(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	autoclose int fd = memfd_create("elf", MFD_CLOEXEC);
	struct elf_info e;

	put_elf(&b, true);
	assert_int_equal(write(fd, b.p, b.len), b.len);
	assert_int_equal(elf_read_fd(fd, &e, NULL), 0);
	assert_facts(&e, true);
	elf_info_free(&e);
}

/* Up to the dynamic section: of that, what is before the cut counts, as for the loader. */
static void truncated_files_are_refused(void **state UNUSED)
{
	for (int is64 = 0; is64 < 2; is64++) {
		autobuf struct buf b = { 0 };
		size_t dyns = (is64 ? 16 : 8) * 7;

		put_elf(&b, is64);
		for (size_t len = 0; len < b.len - dyns; len++) {
			autofree unsigned char *cut = xmalloc(len);
			struct elf_info e;

			memcpy(cut, b.p, len);
			assert_int_equal(elf_read_bytes(cut, len, &e, NULL), ERR_UNSUPPORTED);
			assert_null(e.interp);
		}
	}
}

static void other_kinds_are_refused(void **state UNUSED)
{
	static const struct {
		size_t at;
		unsigned char value;
	} changes[] = {
		{ 1, 'e' },			/* magic */
		{ EI_CLASS, 3 },
		{ EI_DATA, ELFDATA2MSB },
		{ 16, ET_REL },
		{ 16, ET_CORE },
		{ 54, 57 },			/* size of a program header */
		{ 57, 2 },			/* 515 program headers */
		{ 39, 0x80 },			/* offset of the program headers: negative */
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		autobuf struct buf b = { 0 };
		struct elf_info e;

		put_elf(&b, true);
		b.p[changes[i].at] = changes[i].value;
		assert_int_equal(elf_read_bytes(b.p, b.len, &e, NULL), ERR_UNSUPPORTED);
	}
}

static void a_name_outside_the_file_is_refused(void **state UNUSED)
{
	autobuf struct buf b = { 0 };
	struct elf_info e;
	size_t first_needed;

	put_elf(&b, true);
	first_needed = b.len - 7 * 16 + 8;
	memset(b.p + first_needed, 0x7f, 8);
	assert_int_equal(elf_read_bytes(b.p, b.len, &e, NULL), ERR_UNSUPPORTED);
	assert_int_equal(e.needed.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_classes_are_read),
		cmocka_unit_test(a_file_is_read_like_memory),
		cmocka_unit_test(truncated_files_are_refused),
		cmocka_unit_test(other_kinds_are_refused),
		cmocka_unit_test(a_name_outside_the_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
