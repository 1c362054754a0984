/*
 * elf_info.h - what the loader reads of an ELF file: its machine, its interpreter
 * and the libraries it asks for.
 */
#ifndef RCC_ELF_INFO_H
#define RCC_ELF_INFO_H

#include "argv.h"
#include "err.h"

struct elf_info {
	bool is64;
	uint16_t machine;	/* EM_* */
	char *interp;		/* NULL: none; a library, or a static program */
	char *soname;		/* NULL: none; as are the next two */
	char *rpath;
	char *runpath;
	struct argv needed;	/* in the order in which they are loaded */
	bool no_default_dirs;	/* the loader's own directories are not for its libraries */
};

/*
 * Little-endian programs and libraries, 32 or 64 bits; the file is read only
 * where its headers point. ERR_UNSUPPORTED for everything else, *out is then
 * empty; released with elf_info_free().
 */
int elf_read_fd(int fd, struct elf_info *out, struct err *err);
int elf_read_bytes(const void *p, size_t len, struct elf_info *out, struct err *err);
void elf_info_free(struct elf_info *e);

#endif
