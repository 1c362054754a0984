/*
 * main.c - rccd-box: confines itself, runs one job, reports, exits.
 *
 * It knows one socket, to rccd, and no keys. When that socket closes the job
 * is not wanted any more, or rccd is dead: everything ends.
 */
#include "request.h"
#include "serve.h"

int main(void)
{
	return box_serve(BOX_FD);
}
