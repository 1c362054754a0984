/*
 * threads.h - how many processors a command that runs here keeps busy, by its words. Pure.
 *
 * A link with LTO, or with a linker that uses threads, is not one job beside others. It begins as soon as one core is free, as
 * without rcc, but counts for as many as it uses: nothing else begins here meanwhile.
 */
#ifndef RCC_THREADS_H
#define RCC_THREADS_H

#include "argv.h"

/* From 1 to cores. What only compiles, assembles or preprocesses is 1. */
unsigned threads_of(const struct argv *argv, unsigned cores);

#endif
