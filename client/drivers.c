/*
 * drivers.c - is this the name of a compiler driver?
 *
 * By name only, so that a thousand other programs are never asked anything.
 * Names such as distcc, nvcc or gcc-ar must not fit: the name begins the
 * word or follows a dash, and only a version may follow it.
 */
#include "drivers.h"

static const char *const names[] = { "c++", "c89", "c99", "cc", "clang", "clang++", "g++", "gcc" };

/* The length of base without a trailing -12 or -4.9. */
static size_t without_version(const char *base)
{
	const char *dash = strrchr(base, '-');

	if (!dash || dash[1] < '0' || dash[1] > '9' || dash[1 + strspn(dash + 1, "0123456789.")])
		return strlen(base);
	return (size_t)(dash - base);
}

bool driver_name(const char *base)
{
	size_t len = without_version(base);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(names[i]);

		if (len < n || memcmp(base + len - n, names[i], n) != 0)
			continue;
		if (len == n || (len > n + 1 && base[len - n - 1] == '-'))
			return true;
	}
	return false;
}
