/*
 * probe.h - can this machine confine a job? By doing it.
 */
#ifndef RCC_BOX_PROBE_H
#define RCC_BOX_PROBE_H

#include "namespaces.h"

#define PROBE_INNER "--probed"	/* the box started as the program in the box: ends with 0 */

/*
 * Makes a box as the spawn server would, with a root in directory, becomes uid
 * (0: stays itself), and runs one program in it. Returns the exit status; else
 * one line on stderr names the step that failed.
 */
int box_probe(const char *directory, const char *uid, const struct mode *m, bool files);

#endif
