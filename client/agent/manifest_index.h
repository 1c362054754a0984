/*
 * manifest_index.h - which manifests lie in a directory, and when each was used.
 *
 * Made from names, sizes and times alone. Not for several threads at once.
 */
#ifndef RCC_MANIFEST_INDEX_H
#define RCC_MANIFEST_INDEX_H

#include "base.h"

enum { MANIFEST_NAME_SIZE = 3 * 16 + 2 + 1 };

struct manifest_name {
	uint32_t toolchain, args;
	uint64_t dir;		/* of the source */
	uint64_t source;
};
void manifest_name_text(const struct manifest_name *n, char text[MANIFEST_NAME_SIZE]);

struct manifest_index;

/* What lies there; leftovers of agents that died while writing are removed. */
struct manifest_index *manifest_index_load(int dir);
void manifest_index_free(struct manifest_index *x);

/* Used just now; the file's time says so from one agent to the next, if need be. */
enum manifest_event { MANIFEST_USED, MANIFEST_WRITTEN };
void manifest_index_note(struct manifest_index *x, int dir, const struct manifest_name *n, uint64_t size,
			 enum manifest_event what);
/* Another one of the same toolchain: the nearest as manifest.h has it, of equals the one used last. */
bool manifest_index_nearest(const struct manifest_index *x, const struct manifest_name *n, struct manifest_name *out);
bool manifest_index_over(const struct manifest_index *x, size_t max_count, uint64_t max_bytes);
/* Remove those not used for longest, until an eighth of each bound is free. */
void manifest_index_trim(struct manifest_index *x, int dir, size_t max_count, uint64_t max_bytes);

#endif
