/*
 * test_drivers.c - which names are a compiler driver's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers.h"

static void drivers_are_known(void **state UNUSED)
{
	static const char *const names[] = {
		"cc", "c++", "gcc", "g++", "clang", "clang++", "c89", "c99", "gcc-12", "g++-4.9", "clang-14",
		"clang++-14", "x86_64-linux-gnu-gcc", "x86_64-linux-gnu-gcc-12", "arm-none-eabi-g++", "mips-cc",
		"aarch64-linux-gnu-c++-12.2.0",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!driver_name(names[i]))
			fail_msg("%s is a driver", names[i]);
}

static void others_are_not(void **state UNUSED)
{
	static const char *const names[] = {
		"", "-", "-gcc", "-12", "cpp", "gcc-ar", "gcc-nm-12", "gcc-", "gcc-12-x", "gcc-x12", "gcc12", "gcov",
		"c++filt", "ccache", "distcc", "nvcc", "tcc", "icecc", "rcc", "clang-format", "clang-tidy-14", "clang-cpp",
		"ld", "as", "false", "GCC", "gcc.exe", "/gcc",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (driver_name(names[i]))
			fail_msg("%s is no driver", names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers_are_known),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
