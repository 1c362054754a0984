/*
 * store_scan.h - what an earlier life left on the disk, and what of it is still good.
 */
#ifndef RCC_STORE_SCAN_H
#define RCC_STORE_SCAN_H

#include "store_disk.h"
#include "store_index.h"

/*
 * Fill an empty index. Removed: what has no right to its name, trees that are damaged or whose blobs are not all
 * there, and blobs that have not the size that a tree says. Contents are not read.
 */
int store_scan(struct store_disk *d, struct store_index *x, struct err *err);

#endif
