/*
 * program.h - what an executable file is, by its first bytes: an ELF file?
 * a compiler driver? rcc itself, under whatever name?
 */
#ifndef RCC_PROGRAM_H
#define RCC_PROGRAM_H

#include "base.h"

struct program {
	bool elf;
	bool rcc;	/* carries rcc's note, so any build of it */
	bool driver;	/* ELF, and its name behind all links is a driver's */
	uint64_t dev, ino;
};

/* All false if it cannot be opened, unless it is the very file that runs. */
void program_look(const char *file, struct program *p);
/* The file that runs now. Caller frees; NULL without /proc. */
char *program_self(void);

#endif
