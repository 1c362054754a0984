/*
 * pagein.h - can this machine show a job its caller's files? By doing it.
 */
#ifndef RCC_BOX_PAGEIN_H
#define RCC_BOX_PAGEIN_H

#include "overlay.h"

/*
 * In a box's process, before it has given anything up; it is good for nothing
 * else afterwards. o is as for overlay_prepare(); its toolchain may hold nothing
 * but the places to mount on. Errors name the step.
 */
int pagein_probe(struct overlay *o, struct err *err);

#endif
