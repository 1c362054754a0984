/*
 * fuzz_elf.c - any bytes as an ELF file.
 */
#include <stdint.h>

#include "elf_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct elf_info e;

	if (elf_read_bytes(p, len, &e, NULL) < 0 && (e.interp || e.soname || e.rpath || e.runpath || e.needed.count))
		abort();
	elf_info_free(&e);
	return 0;
}
