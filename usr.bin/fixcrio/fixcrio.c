/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * fixcrio: runs a program, with a CR before each LF that has none in what it
 * reads and in what it writes.
 */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>

#include "compat.h"
#include "ucspi.h"
#include "ucspi_stream.h"

struct fixer {
	int	 after_cr;
	char	 made[2 * COPIER_BLOCK_SIZE];
};

static __dead void
usage(void)
{
	fputs("fixcrio: usage: fixcrio program [ arg ... ]\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

static const char *
fixer_take(void *arg, const char *data, size_t *len)
{
	struct fixer	*fixer = arg;

	*len = crlf_fix(&fixer->after_cr, fixer->made, data, *len);
	return (fixer->made);
}

int
main(int argc, char *argv[])
{
	static struct fixer		down_fixer, up_fixer;
	static const struct copier_way	down = { fixer_take, &down_fixer };
	static const struct copier_way	up = { fixer_take, &up_fixer };

	if (argc < 2)
		usage();
	copier_start("fixcrio", &argv[1], &down, &up);
}
