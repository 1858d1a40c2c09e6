/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * argv0: runs a program under another name.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "compat.h"
#include "ucspi.h"

extern char	**environ;

static __dead void
usage(void)
{
	fputs("argv0: usage: argv0 realname program [ arg ... ]\n", stderr);
	exit(UCSPI_EXIT_USAGE);
}

int
main(int argc, char *argv[])
{
	char	**candidates;
	int	  error = ENOMEM;

	if (argc < 3)
		usage();
	candidates = ucspi_path_candidates(argv[1], getenv("PATH"));
	if (candidates != NULL)
		error = ucspi_path_exec(candidates, &argv[2], environ);
	fprintf(stderr, "argv0: fatal: unable to run %s: %s\n", argv[1],
	    ucspi_strerror(error));
	free(candidates);
	return (UCSPI_EXIT_TEMPORARY);
}
