/*
 * digest_fd.h - the digest of an open file, by what is known of it or by reading it.
 */
#ifndef RCC_DIGEST_FD_H
#define RCC_DIGEST_FD_H

#include "digest_cache.h"

/*
 * Of a regular file, and its size. What is read is remembered as far as its file system's times can be trusted (fs_kind.h),
 * and without a look at whether it names the time: the cache must be one of files that are no sources.
 * ERR_IO when it cannot be read, or changes while being read; ERR_UNSUPPORTED when it is not regular.
 */
int digest_cache_fd(struct digest_cache *c, int fd, uint64_t *size, struct digest *out, struct err *err);

#endif
