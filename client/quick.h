/*
 * quick.h - verdicts that the command line alone settles: the compiler runs
 * here, nobody needs to be asked what it would do.
 *
 * Each of them only leads to the bare compiler being run, so a word that is
 * misread (the value of another option, say) costs speed and never a result.
 */
#ifndef RCC_QUICK_H
#define RCC_QUICK_H

#include "argv.h"
#include "reason.h"

/* One word that settles something. */
struct quick_word {
	const char *name;
	bool prefix;		/* fits any word that begins so */
	bool compiles;		/* asks for an object, an assembly file or a precompiled header */
	enum reason reason;
};

extern const struct quick_word quick_words[];	/* sorted by name, as strcmp does */
extern const size_t quick_word_count;

/* From the words alone; argv is expanded, [0] the driver. REASON_NONE: the driver must be asked. */
enum reason quick_by_words(const struct argv *argv);
/* REASON_INPUT_ODD if a word names something that can be read only once. Opens nothing. */
enum reason quick_by_files(const struct argv *argv);
/* From the variables RCC_MODE, LD_PRELOAD and LD_AUDIT. */
enum reason quick_by_environment(void);

#endif
