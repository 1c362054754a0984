/*
 * main.c - rccd-box: beside rccd it makes boxes, and each box runs one job.
 *
 * A box knows one socket, to rccd, and no keys. When that socket closes the
 * job is not wanted any more, or rccd is dead: everything ends.
 */
#include <stdio.h>

#include "probe.h"
#include "spawner.h"

int main(int argc, char **argv)
{
	struct mode m;

	if (argc == 2 && str_eq(argv[1], PROBE_INNER))
		return 0;
	if (argc == 3 && str_eq(argv[1], "--spawner") && mode_parse(argv[2], &m))
		return box_spawner(&m);
	if (argc >= 5 && str_eq(argv[1], "--probe") && mode_parse(argv[4], &m) && (argc == 5 || str_eq(argv[5], "files")))
		return box_probe(argv[2], argv[3], &m, argc > 5);
	fputs("rccd-box: rccd starts it; see rccd(8)\n", stderr);
	return 2;
}
