/*
 * explain.h - a plan for people: what --explain prints.
 */
#ifndef RCC_EXPLAIN_H
#define RCC_EXPLAIN_H

#include "plan.h"
#include "request.h"
#include "settings.h"

/* Text, or JSON when ask->explain is 2; mode: the one that the settings ask for. Caller frees. */
char *explain_plan(const struct plan *p, const struct ask *ask, enum mode mode);
/* The same where a reason settled it before any plan was made. */
char *explain_reason(const struct ask *ask, enum reason reason);

#endif
