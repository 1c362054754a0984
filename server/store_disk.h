/*
 * store_disk.h - the files of a store's directory: their names, and how each appears and goes at once.
 *
 * No memory of what is there and no lock: each call is about a file that no
 * other thread works on, which store.c sees to.
 *
 * Nothing is flushed to the disk. A crash of the machine ends rccd's life too,
 * and contents of an earlier life are hashed before they are used. Measured:
 * 24 files of 43 MB take 10 ms to write and 60 to 210 ms with fdatasync(2) of
 * each, on a fast disk; to hash them once a life takes 40 ms, and finds rot as well.
 */
#ifndef RCC_STORE_DISK_H
#define RCC_STORE_DISK_H

#include "digest.h"
#include "err.h"

struct store_disk {
	char *path;
	int blobs, trees, roots, incoming;	/* directories */
	uint64_t names;		/* given in incoming */
};

/*
 * Of blobs/ and what is in it: a box opens a blob by its digest as the job's user, from a descriptor of blobs/ that it
 * had before. The store's own directory keeps all others out.
 */
enum { DISK_BLOBS_MODE = 0711 };
enum { BLOB_NAME_SIZE = 2 * DIGEST_SIZE + 2, INCOMING_NAME_SIZE = 24 };

/* Makes the directories that are missing. What lies in incoming/ and roots/ is removed: of no use to a new life. */
int disk_open(const char *path, struct store_disk *d, struct err *err);
void disk_close(struct store_disk *d);

/* What errno says of `what`, a file of the store's: ERR_LIMIT when the disk or a quota is full, else ERR_IO. */
int disk_error(const struct store_disk *d, struct err *err, const char *what);
/* Bytes that can be written before the file system has less left than we leave to others. */
int disk_free_bytes(const struct store_disk *d, uint64_t *bytes, struct err *err);

void disk_blob_name(const struct digest *digest, char name[BLOB_NAME_SIZE]);
void disk_new_name(struct store_disk *d, char name[INCOMING_NAME_SIZE]);	/* in incoming; of any thread */
int disk_create(const struct store_disk *d, const char *name, struct err *err);	/* a new file in incoming, open */

/* name is in incoming. Whatever was at the new place is replaced. */
int disk_place_blob(const struct store_disk *d, const char *name, const struct digest *digest, struct err *err);
int disk_place_root(struct store_disk *d, const char *name, const struct digest *id, struct err *err);
int disk_put_tree(struct store_disk *d, const struct digest *id, const void *p, size_t len, struct err *err);
void disk_stamp_tree(const struct store_disk *d, const struct digest *id, uint64_t ns);

/* No error when it is not there. */
int disk_remove_blob(const struct store_disk *d, const struct digest *digest, struct err *err);
int disk_remove_toolchain(struct store_disk *d, const struct digest *id, struct err *err);

#endif
