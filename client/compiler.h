/*
 * compiler.h - which program a compiler's name stands for, when that is not
 * rcc itself.
 */
#ifndef RCC_COMPILER_H
#define RCC_COMPILER_H

#include "err.h"
#include "program.h"

struct compiler {
	char *file;		/* to be executed */
	const char *argv0;	/* what it is told its name is; borrowed from file or from the word */
	struct program program;
};

/*
 * The program that word means. masquerade: rcc was called by that name
 * itself. Returns 0, or rcc's exit status with err saying why.
 */
int compiler_find(struct compiler *c, const char *word, bool masquerade, struct err *err);
void compiler_free(struct compiler *c);

/* word means rcc, as in "rcc rcc gcc": drop it. */
bool compiler_word_is_rcc(const char *word);

/*
 * To be called before a program is executed that is named like a driver but
 * is none, a ccache link or a script: it may well look for the real compiler
 * in PATH and find rcc first. The rcc that it then runs passes it over.
 */
void compiler_mark_passed(const struct compiler *c);

#endif
