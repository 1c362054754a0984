/*
 * interrupt.h - ^C and its like while something of ours must be cleaned up.
 *
 * Between begin and end INT, TERM, HUP, QUIT and PIPE are noted, and only
 * while interrupt_poll() waits. Whoever sees one unwinds as on any failure;
 * then interrupt_end() lets rcc die by it. What the caller ignores stays
 * ignored.
 */
#ifndef RCC_INTERRUPT_H
#define RCC_INTERRUPT_H

#include <poll.h>

#include "base.h"

void interrupt_begin(void);
/* Dispositions and mask are the caller's again. Does not return if a signal was noted. */
void interrupt_end(void);
/* As poll(2), but goes on after other signals; -1 once a signal was noted. */
int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

#endif
