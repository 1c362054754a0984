/*
 * used.h - which facts a job relied on, and what of them its next run should start with.
 *
 * The box says how it used each fact that the job began with, by its place in
 * the list, and by path what else it used. Both ends make the same manifest of it,
 * so that it need not travel.
 */
#ifndef RCC_USED_H
#define RCC_USED_H

#include "fact.h"

/*
 * How a fact was used. Looking a name up tells all about it but the contents
 * of a file and the names in a directory: the kernel asks once for the name and
 * what stat(2) says.
 */
enum { USED_SEEN = 1, USED_READ = 2, USED_LISTED = 4, USED_ALL = 7 };
enum { USED_BYTES_MAX = 9 << 20, USED_PATHS_MAX = 16 << 20 };	/* encoded; bytes of the paths written out */

struct used_path {
	char *path;		/* canonical */
	uint8_t how;		/* USED_..., not 0 */
};

struct used {
	uint8_t *how;		/* one for each fact that the job began with; 0: not used */
	size_t count;
	struct used_path *others;	/* sorted by path_order() */
	size_t other_count, other_room;
};

/* Of so many facts none was used. */
void used_init(struct used *u, size_t count);
/* Takes path. In any order; used_put() sorts. */
void used_add(struct used *u, char *path, unsigned how);
void used_free(struct used *u);
static inline void cleanup_used(struct used *u) { used_free(u); }
#define autoused __attribute__((cleanup(cleanup_used)))

void used_put(struct buf *b, struct used *u);
/* Within the bounds of the paths: used_get() would take them. */
bool used_fit(const struct used *u);
/* ERR_WIRE: not about so many facts, a path not canonical or out of order, a bound; *u is then empty. */
int used_get(struct reader *r, size_t count, struct used *u, struct err *err);

/*
 * Of a used fact (NULL: it was absent) that a job was told of, all that it may rely on. The names of a directory are kept
 * only when they were read; a file whose contents were not read is marked so, and lacks them. Its path and target are lent, by f or path.
 */
struct fact fact_used(const struct fact *f, const char *path, unsigned how);
/*
 * What the next run should start with, of the facts that were used: a file that was not read is most likely an output of
 * the command itself, another one each time, so its time, inode and size are left out; who may read it stays, as that says whether it is private.
 */
void facts_next(struct facts *used);

#endif
