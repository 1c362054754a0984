/*
 * fuzz_tree.c - any bytes as a tree: what is accepted survives another round, and names the same.
 */
#include <stdint.h>

#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	autobuf struct buf once = { 0 }, twice = { 0 };
	struct reader r = reader_of(p, len);
	struct tree t, u;

	if (tree_get(&r, &t, NULL) < 0)
		return 0;
	tree_put(&once, &t);
	r = reader_of(once.p, once.len);
	if (tree_get(&r, &u, NULL) < 0 || !reader_done(&r))
		abort();
	tree_put(&twice, &u);
	if (once.len != twice.len || memcmp(once.p, twice.p, once.len) != 0)
		abort();
	tree_free(&t);
	tree_free(&u);
	return 0;
}
