/*
 * manifest.h - which facts a unit needed when it was last compiled.
 *
 * Kept on disk, a file each, for all agents of a user; least recently used
 * ones go first. One that is damaged, or of another version, is not there. A
 * manifest only predicts: who uses it brings it up to date first.
 */
#ifndef RCC_MANIFEST_H
#define RCC_MANIFEST_H

#include "fact.h"

struct manifest_key {
	struct digest toolchain;
	struct digest args;	/* of the subcommands' arguments without names */
	const char *source;	/* absolute */
};

/* Whose manifest it is: the nearer, the better it predicts. */
enum manifest_of {
	MANIFEST_NONE,
	MANIFEST_OWN,
	MANIFEST_OTHERWISE,	/* the same source with other arguments; the same toolchain, as all that follow */
	MANIFEST_SIBLING,	/* same arguments and directory */
	MANIFEST_KIN,		/* same arguments */
	MANIFEST_COUSIN,	/* of another command; in the same directory, if there is one */
};

struct manifests;	/* any thread may use it */

/*
 * In dir, which is made (0700) when it is first needed. Bounds are kept to within an
 * eighth, and by each agent for what it last saw there. 0: 16384 manifests, 512 MiB.
 */
struct manifests *manifests_new(const char *dir, size_t max_count, uint64_t max_bytes);
void manifests_free(struct manifests *m);

/*
 * The nearest one; *out, *id (the digest of its encoding) and encoded (which is empty, and may be NULL) are set unless
 * MANIFEST_NONE. Among equals the one used last.
 */
enum manifest_of manifests_get(struct manifests *m, const struct manifest_key *key, struct facts *out, struct digest *id,
			       struct buf *encoded);
/* Replaces the key's own. facts_fit(facts). *id as above. What cannot be written is not kept. */
void manifests_put(struct manifests *m, const struct manifest_key *key, const struct facts *facts, struct digest *id);

#endif
