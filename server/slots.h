/*
 * slots.h - carries out what admit.c decides: grants and refusals go to the
 * sessions, lapses get their timer, and agents hear of the new state.
 */
#ifndef RCC_SLOTS_H
#define RCC_SLOTS_H

#include "server.h"

void slots_start(struct server *s);
void slots_stop(struct server *s);

void slots_reserve(struct server *s, struct session *owner, uint32_t id, const struct wire_reserve *m);
void slots_cancel(struct server *s, struct session *owner, uint32_t id);
void slots_leave(struct server *s, struct session *owner);
/* The job that token was redeemed for has ended, having used so much processor time. */
void slots_finish(struct server *s, uint64_t token, uint64_t cpu_us);
void slots_drain(struct server *s);
/* The owner leaves so many; agents hear of it, and why, even if they are as many as before. */
void slots_capacity(struct server *s, unsigned capacity);
/* Turn a grant into a running slot. REFUSAL_NONE and the niceness, or why not. */
enum refusal slots_redeem(struct server *s, uint64_t token, int8_t *niceness);
struct wire_state slots_state(const struct server *s);

#endif
