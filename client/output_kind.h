/*
 * output_kind.h - the two ways in which compilers write an output.
 */
#ifndef RCC_OUTPUT_KIND_H
#define RCC_OUTPUT_KIND_H

enum output_kind {
	OUTPUT_REPLACE,		/* as, clang: the old name goes, a new file comes */
	OUTPUT_THROUGH,		/* cc1: an existing file is truncated and kept */
};

#endif
