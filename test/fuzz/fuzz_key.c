/*
 * fuzz_key.c - any text as a key file: bounded, and what it says why not holds none of the line.
 */
#include <stdint.h>

#include "key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct keys *k = keys_new();
	struct err err = { 0 };
	int rc = keys_parse(k, (const char *)p, len, &err);

	if (k->count > KEYS_MAX || (rc == 0) != !*err.text || (rc == 0 && k->count == 0))
		abort();
	for (size_t i = 0; i < k->count; i++)
		if (keys_find(k, k->all[i].name, strlen(k->all[i].name)) != &k->all[i])
			abort();
	keys_unref(k);
	return 0;
}
