/*
 * output.h - put a compile's result where the compiler would have put it, in
 * the way in which it would have, and at one moment.
 */
#ifndef RCC_OUTPUT_H
#define RCC_OUTPUT_H

#include <sys/stat.h>

#include "err.h"
#include "output_kind.h"
#include "reason.h"

struct output {
	int dir;	/* that the name is in */
	int fd;		/* takes the result: read and write, empty, without a name */
	char *name;
	bool keep;	/* at commit the bytes go into the file that exists */
	bool unlink;	/* at commit the old name goes first */
};

#define NO_OUTPUT ((struct output){ .dir = -1, .fd = -1 })

/*
 * Nothing of the caller's is changed yet. Returns REASON_NONE, or
 * REASON_OUTPUT_ODD when the compiler would do anything but replace or write
 * a plain file; *o is then NO_OUTPUT.
 */
enum reason output_prepare(struct output *o, const char *path, enum output_kind kind);
/*
 * The same for what a job has made: kept says that it wrote to the file that
 * is there, else it made another, of that mode.
 */
enum reason output_prepare_made(struct output *o, const char *path, bool kept, mode_t mode);
/* For a name that is to go: o has the directory and the name, and no descriptor. */
enum reason output_prepare_gone(struct output *o, const char *path);
/* The old name goes, where there was one. 0, or -1 with errno. */
int output_unlink(const struct output *o);
/* The result gets its name. 0 or ERR_OUTPUT. */
int output_commit(struct output *o, struct err *err);
/* Forgets what was not committed. */
void output_drop(struct output *o);
/* What a new file lacks of the mode that it is made with. */
mode_t output_umask(void);

#endif
