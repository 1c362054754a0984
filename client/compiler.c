/*
 * compiler.c - find the compiler in PATH, behind all that is rcc.
 *
 * Called by a compiler's name, rcc looks behind the place in PATH where it
 * stands itself, so that what comes before it (a ccache that has just run
 * it) is not run once more. What comes after may be a ccache too, which
 * searches from the beginning and finds rcc: RCC_PASSED remembers it.
 */
#include "compiler.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "drivers.h"
#include "proc.h"
#include "request.h"

#define PASSED "RCC_PASSED"

struct search {
	bool masquerade;
	bool seen_rcc;
	char *before;			/* the first that stands before rcc */
	struct program program;		/* of the last candidate */
};

static char *pass_mark(const struct program *p)
{
	return xasprintf(",%" PRIx64 ":%" PRIx64 ",", p->dev, p->ino);
}

static bool was_passed(const struct program *p)
{
	const char *passed = getenv(PASSED);
	autofree char *mark = NULL;

	if (!passed || p->driver)
		return false;
	mark = pass_mark(p);
	return strstr(passed, mark) != NULL;
}

void compiler_mark_passed(const struct compiler *c)
{
	const char *passed = getenv(PASSED);
	autofree char *mark = pass_mark(&c->program), *all = NULL;

	if (!driver_name(path_base(c->file)) || was_passed(&c->program))
		return;
	all = xasprintf("%s%s", passed ? passed : "", mark);
	setenv(PASSED, all, 1);
}

static bool accept(const char *file, void *arg)
{
	struct search *s = arg;

	program_look(file, &s->program);
	if (s->program.rcc) {
		s->seen_rcc = true;
		return false;
	}
	if (was_passed(&s->program))
		return false;
	if (s->masquerade && !s->seen_rcc) {
		if (!s->before)
			s->before = xstrdup(file);
		return false;
	}
	return true;
}

static int not_found(const char *word, const struct search *s, struct err *err)
{
	int why = errno;

	if (s->seen_rcc) {
		err_set(err, ERR_ABSENT, "%s: only rcc itself is called that in PATH", word);
		return EXIT_RCC_RECURSION;
	}
	err_set(err, ERR_ABSENT, "%s: %s", word, strerror(why));
	return why == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int search_path(struct compiler *c, const char *word, struct search *s, struct err *err)
{
	const char *name = path_base(word);

	c->file = proc_find(name, getenv("PATH"), accept, s);
	if (!c->file && s->before) {
		c->file = ptr_steal(&s->before);
		program_look(c->file, &s->program);
	}
	free(s->before);
	if (!c->file)
		return not_found(name, s, err);
	c->program = s->program;
	/* gcc and clang find their own files through it, so a name that PATH leads to rcc will not do */
	c->argv0 = s->masquerade || s->seen_rcc ? c->file : word;
	return 0;
}

int compiler_find(struct compiler *c, const char *word, bool masquerade, struct err *err)
{
	struct search s = { .masquerade = masquerade };

	*c = (struct compiler){ 0 };
	if (!masquerade && strchr(word, '/')) {
		program_look(word, &c->program);
		if (!c->program.rcc) {
			c->file = xstrdup(word);
			c->argv0 = word;
			return 0;
		}
		s.seen_rcc = true;	/* a link to rcc: what it would find */
	}
	return search_path(c, word, &s, err);
}

void compiler_free(struct compiler *c)
{
	free(c->file);
	*c = (struct compiler){ 0 };
}

bool compiler_word_is_rcc(const char *word)
{
	autofree char *file = NULL;
	struct program p;

	if (driver_name(path_base(word)))
		return false;
	file = proc_find(word, getenv("PATH"), NULL, NULL);
	if (!file)
		return false;
	program_look(file, &p);
	return p.rcc;
}
