/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * argv0: runs a program under another name.
 */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>

#include "compat.h"
#include "ucspi.h"

static __dead void
usage(void)
{
	fputs("argv0: usage: argv0 realname program [ arg ... ]\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

int
main(int argc, char *argv[])
{
	int	error;

	if (argc < 3)
		usage();
	error = ucspi_path_run(argv[1], &argv[2]);
	fprintf(stderr, "argv0: fatal: unable to run %s: %s\n", argv[1],
	    ucspi_strerror(error));
	return (UCSPI_EXIT_TEMPORARY);
}
