/*
 * probe.h - can this machine confine a job? By doing it.
 */
#ifndef RCC_BOX_PROBE_H
#define RCC_BOX_PROBE_H

#define PROBE_INNER "--probed"	/* the box started as the program in the box: ends with 0 */

/*
 * Confines this process in directory, as uid (0: as itself), and runs one
 * program in it. Returns the exit status; else one line on stderr names the
 * step that failed.
 */
int box_probe(const char *directory, const char *uid);

#endif
