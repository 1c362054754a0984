/*
 * test_program.c - what a file is, by its first bytes. This program links
 * rcc's note, so it is an rcc itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/stat.h>

#include "compiler.h"
#include "file.h"
#include "program.h"
#include "request.h"

enum { HEAD_BYTES = 8192 };

static char dir[] = "/tmp/rcc-test.XXXXXX";
static struct buf self;		/* the beginning of this program */

static int enter(void **state UNUSED)
{
	autoclose int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (!mkdtemp(dir) || chdir(dir) < 0 || fd < 0)
		return -1;
	buf_reserve(&self, HEAD_BYTES);
	self.len = (size_t)pread(fd, self.p, HEAD_BYTES, 0);
	return self.len == HEAD_BYTES ? 0 : -1;
}

static int leave(void **state UNUSED)
{
	buf_free(&self);
	return chdir("/") == 0 ? remove_tree(AT_FDCWD, dir) : -1;
}

static void write_file(const char *name, const void *p, size_t len)
{
	autoclose int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, p, len), 0);
}

static struct program look(const char *name)
{
	struct program p;

	program_look(name, &p);
	return p;
}

static void rcc_knows_itself_by_any_name(void **state UNUSED)
{
	write_file("gcc", self.p, self.len);
	assert_int_equal(symlink("gcc", "other"), 0);
	assert_true(look("/proc/self/exe").rcc);
	assert_true(look("gcc").rcc);
	assert_true(look("other").rcc);
	assert_false(look("gcc").driver);
}

static void a_driver_is_known_by_its_name_behind_links(void **state UNUSED)
{
	ElfW(Ehdr) eh = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3 } };

	write_file("arm-gcc-12", &eh, sizeof eh);
	assert_int_equal(symlink("arm-gcc-12", "whatever"), 0);
	assert_true(look("whatever").driver);
	write_file("ccache", &eh, sizeof eh);
	assert_int_equal(symlink("ccache", "clang"), 0);
	assert_true(look("clang").elf);
	assert_false(look("clang").driver);
	write_file("g++", "#!/bin/sh\n", 10);
	assert_false(look("g++").driver);
	assert_false(look("nosuch").elf);
}

/* Nothing but the outcome "not rcc", whatever the headers claim. */
static void files_cut_short_or_lying_do_no_harm(void **state UNUSED)
{
	ElfW(Ehdr) eh;

	for (size_t len = 0; len < 1024; len += 7) {
		write_file("cut", self.p, len);
		assert_int_equal(look("cut").elf, len >= SELFMAG);
	}
	memcpy(&eh, self.p, sizeof eh);
	for (size_t at = SELFMAG; at < eh.e_phoff + eh.e_phnum * sizeof(ElfW(Phdr)); at++) {
		autofree unsigned char *copy = xmalloc(self.len);

		memcpy(copy, self.p, self.len);
		copy[at] = 0xff;
		write_file("lying", copy, self.len);
		assert_true(look("lying").elf);
	}
}

static void path_leads_past_rcc(void **state UNUSED)
{
	ElfW(Ehdr) eh = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3 } };
	struct err err = { 0 };
	struct compiler c;

	assert_int_equal(mkdir("one", 0700) | mkdir("two", 0700) | mkdir("three", 0700), 0);
	write_file("one/cc", self.p, self.len);
	write_file("two/cc", self.p, self.len);
	write_file("three/cc", &eh, sizeof eh);
	setenv("PATH", "one:two:three", 1);
	assert_int_equal(compiler_find(&c, "cc", false, &err), 0);
	assert_string_equal(c.file, "three/cc");
	assert_ptr_equal(c.argv0, c.file);
	compiler_free(&c);
	assert_int_equal(compiler_find(&c, "one/cc", false, &err), 0);
	assert_string_equal(c.file, "three/cc");
	compiler_free(&c);

	setenv("PATH", "one:two", 1);
	assert_int_equal(compiler_find(&c, "cc", false, &err), EXIT_RCC_RECURSION);
	assert_string_equal(err.text, "cc: only rcc itself is called that in PATH");
	assert_int_equal(compiler_find(&c, "c++", false, &err), EXIT_NOT_FOUND);
	assert_string_equal(err.text, "c++: No such file or directory");

	/* called by that name: what stands before rcc has called it, or has been called already */
	setenv("PATH", "three:one:two", 1);
	assert_int_equal(compiler_find(&c, "cc", false, &err), 0);
	assert_string_equal(c.argv0, "cc");
	compiler_free(&c);
	assert_int_equal(compiler_find(&c, "/x/cc", true, &err), 0);
	assert_string_equal(c.argv0, "three/cc");
	compiler_free(&c);
}

static void a_ccache_is_passed_once(void **state UNUSED)
{
	struct err err = { 0 };
	struct compiler c;

	assert_int_equal(mkdir("cache", 0700) | mkdir("real", 0700), 0);
	write_file("cache/g++", "#!/bin/sh\n", 10);
	write_file("real/g++", "#!/bin/sh\n", 10);
	setenv("PATH", "cache:real", 1);
	assert_int_equal(compiler_find(&c, "g++", true, &err), 0);
	assert_string_equal(c.file, "cache/g++");
	compiler_mark_passed(&c);
	compiler_free(&c);
	assert_int_equal(compiler_find(&c, "g++", true, &err), 0);
	assert_string_equal(c.file, "real/g++");
	compiler_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rcc_knows_itself_by_any_name),
		cmocka_unit_test(a_driver_is_known_by_its_name_behind_links),
		cmocka_unit_test(files_cut_short_or_lying_do_no_harm),
		cmocka_unit_test(path_leads_past_rcc),
		cmocka_unit_test(a_ccache_is_passed_once),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
