/*
 * test_pagein.c - the probe of file mode, where a box can be made; and that it names what fails.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../server/box/pagein.h"
#include "../../server/box/spawner.h"
#include "file.h"
#include "unit.h"

enum { UID = 64000 };

static char toolchain[64];

static void make_toolchain(void)
{
	static const char *const directories[] = { "proc", "dev", "job" }, *const files[] = { "null", "zero", "urandom" };

	strcpy(toolchain, "/tmp/rcc-pagein.XXXXXX");
	assert_non_null(mkdtemp(toolchain));
	for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
		autofree char *path = xasprintf("%s/%s", toolchain, directories[i]);

		assert_int_equal(mkdir(path, 0755), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		autofree char *path = xasprintf("%s/dev/%s", toolchain, files[i]);
		autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		assert_true(fd >= 0);
	}
}

/* What the probe says in a box: "" is good. False: there is no box here. */
static bool probe(const char *place, bool root, char said[512])
{
	struct mode mode = { .confined = true };
	int ends[2], pidfd, status;
	struct err err = { 0 };
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = spawn_box(&mode, -1, &pidfd);
	if (pid < 0)
		return false;
	if (pid == 0) {
		struct overlay o = { .toolchain = toolchain, .place = place, .bytes = 1 << 20, .files = 64,
				     .in_user_namespace = !root,
				     .owner = { .uid = root ? UID : geteuid(), .gid = root ? UID : getegid(), .other = root } };

		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(2);
		if (pagein_probe(&o, &err) < 0 && write(ends[1], err.text, strlen(err.text)) < 0)
			_exit(3);
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], said, 511);
	said[n > 0 ? n : 0] = 0;
	close(ends[0]);
	close(pidfd);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void a_file_is_asked_for_read_and_another_written(void **state)
{
	autofree char *place = NULL;
	char said[512];

	(void)state;
	make_toolchain();
	place = xasprintf("%s/job", toolchain);
	if (!probe(place, geteuid() == 0, said)) {
		remove_tree(AT_FDCWD, toolchain);
		skip();
	}
	remove_tree(AT_FDCWD, toolchain);
	assert_string_equal(said, "");
}

static void it_names_the_step(void **state)
{
	autofree char *place = NULL;
	char said[512];

	(void)state;
	make_toolchain();
	place = xasprintf("%s/nowhere", toolchain);
	if (!probe(place, geteuid() == 0, said)) {
		remove_tree(AT_FDCWD, toolchain);
		skip();
	}
	assert_string_equal(said, "mount the job's directory: No such file or directory");
	free(ptr_steal(&place));
	place = xasprintf("%s/dev/zero", toolchain);
	unlink(place);
	free(ptr_steal(&place));
	place = xasprintf("%s/job", toolchain);
	assert_true(probe(place, geteuid() == 0, said));
	assert_string_equal(said, "bind /dev/zero: No such file or directory");
	remove_tree(AT_FDCWD, toolchain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_asked_for_read_and_another_written),
		cmocka_unit_test(it_names_the_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
