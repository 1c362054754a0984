/*
 * main.c - rccd-box: confines itself, runs one job, reports, exits.
 *
 * It knows one socket, to rccd, and no keys. When that socket closes the job
 * is not wanted any more, or rccd is dead: everything ends.
 */
#include "base.h"
#include "probe.h"
#include "request.h"
#include "serve.h"

int main(int argc, char **argv)
{
	if (argc == 2 && str_eq(argv[1], PROBE_INNER))
		return 0;
	if (argc == 4 && str_eq(argv[1], "--probe"))
		return box_probe(argv[2], argv[3]);
	return box_serve(BOX_FD);
}
