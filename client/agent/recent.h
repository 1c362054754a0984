/*
 * recent.h - facts that were seen to be so a moment ago.
 *
 * The units of a build rely on the same headers and directories, and each is looked at
 * before and after every job. Before a job what was seen for another one just now need not be
 * looked at again: what the job relied on is looked at when it ends, so one that began with what was
 * no longer so is run again.
 *
 * Only of what has been the same for a while is this worth it: what was just written
 * is about to be written again, as a configure script does with its one source.
 *
 * Any thread may call, any number at once.
 */
#ifndef RCC_RECENT_H
#define RCC_RECENT_H

#include "fact.h"

enum { RECENT_MS = 1000, RECENT_QUIET_S = 10 };

struct recent;

struct recent *recent_new(void);
void recent_free(struct recent *r);

/* Fact f was so when somebody looked, at now_ns. dir_ns is when the names around it last changed: of an absence that counts. */
void recent_note(struct recent *r, const struct fact *f, int64_t dir_ns, int64_t now_ns);
/* Exactly this was noted, less than RECENT_MS ago. Some are forgotten sooner. */
bool recent_has(struct recent *r, const struct fact *f, int64_t now_ns);
/* Something has changed, so the rest may have, too. */
void recent_forget(struct recent *r);

#endif
