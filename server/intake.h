/*
 * intake.h - blobs that one caller brings for one toolchain: asked for, taken
 * in order, unpacked and verified in a worker thread, put into the store.
 */
#ifndef RCC_INTAKE_H
#define RCC_INTAKE_H

#include "frame.h"
#include "server.h"
#include "wire.h"

struct intake;

/* How a supply ended. */
enum supply_end {
	SUPPLY_WHOLE,		/* each blob that was wanted has come */
	SUPPLY_NONE,		/* the caller does not have one of them any more */
	SUPPLY_LOST,		/* the caller is gone, lied, or is too slow: another may do better */
	SUPPLY_FULL,		/* they cannot be kept here; err says why */
};

/* The connection of x becomes a supplier's; x owns the intake. */
struct intake *intake_new(struct session *x, struct server *s);

/* The frames of a store connection. ERR_WIRE: a violation. */
int intake_supply(struct intake *i, const struct frame *f, struct err *err);
int intake_blob(struct intake *i, const struct frame *f, struct err *err);
int intake_data(struct intake *i, const struct frame *f, struct err *err);
int intake_none(struct intake *i, const struct frame *f, struct err *err);

/* Whose it is: a number that stays the same while that caller has connections. */
uint64_t intake_caller(const struct intake *i);
/* Too slow: its connection ends. */
void intake_give_up(struct intake *i);
/* Its session is gone. i may be NULL. */
void intake_end(struct intake *i);

#endif
