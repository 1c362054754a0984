/*
 * serve.h - all that the box does.
 */
#ifndef RCC_BOX_SERVE_H
#define RCC_BOX_SERVE_H

/*
 * Confine this process, run the one job that is asked for on fd, answer.
 * Returns the exit status: 0, also when the job was cancelled.
 */
int box_serve(int fd);

#endif
