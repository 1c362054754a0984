/*
 * fuzz_fact.c - any bytes as facts: what is accepted is within the bounds, has
 * no other encoding, and is what facts_set() would have made of it.
 */
#include "fact.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	autobuf struct buf once = { 0 }, twice = { 0 };
	struct reader r = reader_of(p, len);
	autofacts struct facts all = { 0 }, again = { 0 };

	if (facts_get(&r, &all, NULL) < 0)
		return 0;
	facts_put(&once, &all);
	if (!facts_fit(&all) || once.len != len - r.left || memcmp(once.p, p, once.len) != 0)
		abort();
	for (size_t i = all.count; i--;) {
		struct fact f = fact_copy(&all.v[i]);

		if (facts_find(&all, f.path) != &all.v[i] || !fact_eq(&f, &all.v[i]))
			abort();
		facts_set(&again, &f);
	}
	facts_put(&twice, &again);
	if (memcmp(&all.extent, &again.extent, sizeof all.extent) != 0)
		abort();
	if (once.len != twice.len || memcmp(once.p, twice.p, once.len) != 0)
		abort();
	return 0;
}
